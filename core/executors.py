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
        logs: folder for datatrove's logs; this run's part of it is removed when it ends well.

    Returns:
        seconds that each block spent, summed over tasks.

    Raises:
        Whatever a block raises, as it was raised.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # for the children: one process, one core
    logs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=logs))
    _hush()
    made = _make(list(pipeline), tasks=tasks, workers=min(workers, tasks), executor=executor, logs=folder)
    stats = made.run()
    seconds = [block.time_stats.total for block in stats.stats] if stats else []
    shutil.rmtree(folder, ignore_errors=True)
    return seconds


def _hush() -> None:
    """Keep datatrove's own talk off the console: a failure reaches the user once, as the error that a block raised."""
    from loguru import logger

    logger.disable("datatrove")


def _make(pipeline: list[Any], *, tasks: int, workers: int, executor: Executor, logs: Path) -> Any:
    if executor == "ray":
        if importlib.util.find_spec("ray") is None:
            raise StorageError("--executor ray: ray is not installed", hint="pip install 'tilth[ray]'")
        from datatrove.executor.ray import RayPipelineExecutor

        return RayPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(logs), skip_completed=False)
    from datatrove.executor.local import LocalPipelineExecutor

    class QuietExecutor(LocalPipelineExecutor):  # type: ignore[misc]
        """datatrove's own, quiet in its worker processes too."""

        def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> Any:
            _hush()
            return super()._run_for_rank(rank, local_rank, node_rank)

    return QuietExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(logs), skip_completed=False)
