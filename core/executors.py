"""Where a datatrove pipeline runs: this machine's processes, or Ray. The same pipeline either way.

datatrove marks a task as done by an empty file and never looks at what the task was. We therefore give every run a
log folder of its own and decide what is left to do by what lies under the stage keys (`core/stages.py`).
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tilth.core.errors import StorageError

if TYPE_CHECKING:
    from tilth.core.local_executor import Workers

Executor = Literal["local", "ray"]
ONE_CORE = {library: "1" for library in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
"""What tells libraries, before they start, to use one thread each."""


def prepare(*modules: str) -> None:
    """Start a fork server, a process that workers are forked from; it imports `modules`, once for all workers.

    Nothing happens where it runs already.
    """
    from multiprocessing import forkserver, resource_tracker

    with interrupts_for_us_alone(), _one_core():
        resource_tracker.ensure_running()  # it unblocks SIGINT when it starts, so it must have started before
        multiprocessing.set_forkserver_preload(list(modules))
        forkserver.ensure_running()


def run(pipeline: Sequence[Any], *, tasks: int, crew: Workers, executor: Executor, logs: Path) -> list[float]:
    """Run `tasks` tasks of a pipeline of datatrove blocks, as many at a time as the crew has workers.

    Args:
        pipeline: datatrove blocks; the first makes its items from (rank, world size).
        crew: the processes of this machine; Ray has its own, as many.
        logs: folder for datatrove's logs; this run's part of it is removed when the run ends.

    Returns:
        seconds that each block spent, summed over tasks.

    Raises:
        StorageError: a worker died, or the executor is not installed.
        Whatever a block raises, as it was raised.
    """
    logs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=logs))
    try:
        said = {"tasks": tasks, "logging_dir": str(folder), "skip_completed": False}
        stats = _ray(list(pipeline), workers=min(crew.number, tasks), **said) if executor == "ray" else crew.run(list(pipeline), said)
        return [block.time_stats.total for block in stats.stats] if stats else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ray(pipeline: list[Any], **said: Any) -> Any:
    if importlib.util.find_spec("ray") is None:
        raise StorageError("--executor ray: ray is not installed", hint="pip install 'tilth[ray]'")
    from datatrove.executor.ray import RayPipelineExecutor

    with _one_core():
        return RayPipelineExecutor(pipeline, **said).run()


@contextmanager
def _one_core() -> Iterator[None]:
    """Processes started inside inherit that their libraries use one thread each: one process, one core. We may use all."""
    missing = {library: one for library, one in ONE_CORE.items() if library not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for library in missing:
            del os.environ[library]


@contextmanager
def interrupts_for_us_alone() -> Iterator[None]:
    """Processes started inside inherit a blocked SIGINT: a terminal sends Ctrl-C to all, but only we act on it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
