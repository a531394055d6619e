"""Where a datatrove pipeline runs: this machine's processes, or Ray. The same pipeline either way.

datatrove marks a task as done by an empty file and never looks at what the task was. We therefore give every run a
log folder of its own and decide what is left to do by what lies under the stage keys (`core/stages.py`).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tilth.core.errors import StorageError

Executor = Literal["local", "ray"]


def run(pipeline: Sequence[Any], *, tasks: int, workers: int, executor: Executor, logs: Path) -> list[float]:
    """Run `tasks` tasks of a pipeline of datatrove blocks, `workers` at a time.

    Args:
        pipeline: datatrove blocks; the first makes its items from (rank, world size).
        logs: folder for datatrove's logs; this run's part of it is removed when the run ends.

    Returns:
        seconds that each block spent, summed over tasks.

    Raises:
        StorageError: a worker died, or the executor is not installed.
        Whatever a block raises, as it was raised.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # for the children: one process, one core
    logs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=logs))
    try:
        stats = _make(executor)(
            list(pipeline), tasks=tasks, workers=min(workers, tasks), logging_dir=str(folder), skip_completed=False
        ).run()
        return [block.time_stats.total for block in stats.stats] if stats else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(executor: Executor) -> Any:
    if executor == "ray":
        if importlib.util.find_spec("ray") is None:
            raise StorageError("--executor ray: ray is not installed", hint="pip install 'tilth[ray]'")
        from datatrove.executor.ray import RayPipelineExecutor

        return RayPipelineExecutor
    from tilth.core.local_executor import LocalExecutor

    return LocalExecutor
