"""datatrove's local executor with processes that end: a worker that dies is noticed, Ctrl-C and SIGTERM leave none behind.

datatrove waits on a `multiprocessing.Pool`, which never learns that the kernel killed a worker (out of memory, say) and
hangs for ever; its workers catch Ctrl-C for themselves; and every pipeline starts new ones, each of which imports all again.
`Workers` serve all pipelines of a build and are forked from a process that has imported. What a task does is datatrove's.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from copy import deepcopy
from typing import Any, Self

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.stats import PipelineStats
from loguru import logger

from tilth.core.errors import StorageError
from tilth.core.executors import interrupts_for_us_alone


class Workers:
    """Processes that run tasks: `number` of them, from the first task to the end of the `with` block; none where it is 1."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()

    def run(self, pipeline: list[Any], said: dict[str, Any]) -> PipelineStats:
        """Run all tasks of a pipeline; `said` are further parameters of datatrove's executor.

        Raises:
            StorageError: a worker process died.
            Whatever a block raises, as it was raised.
        """
        logger.disable("datatrove")
        executor = LocalPipelineExecutor(pipeline, workers=self.number, **said)
        tasks = self._here(executor) if self.number == 1 else self._apart(executor)
        return sum(tasks, start=PipelineStats())

    def _here(self, executor: LocalPipelineExecutor) -> Iterator[PipelineStats]:
        pipeline = executor.pipeline
        for rank in range(executor.tasks):
            executor.pipeline = deepcopy(pipeline)
            yield executor._run_for_rank(rank)

    def _apart(self, executor: LocalPipelineExecutor) -> Iterator[PipelineStats]:
        with interrupts_for_us_alone():
            pool = self._pool = self._pool or ProcessPoolExecutor(self.number, multiprocessing.get_context("forkserver"), _begin)
            waiting = {pool.submit(_task, executor, rank) for rank in range(executor.tasks)}
        try:
            while waiting:
                # polars handles SIGINT so that a wait without an end would go on through it
                done, waiting = wait(waiting, timeout=0.3, return_when=FIRST_COMPLETED)
                for one in done:
                    yield one.result()
        except BrokenProcessPool:
            raise StorageError(
                "a worker process was killed, perhaps for want of memory", hint="the same command goes on; fewer --workers take less memory"
            ) from None


def _task(executor: LocalPipelineExecutor, rank: int) -> PipelineStats:
    return executor._run_for_rank(rank)


def _begin() -> None:
    """First thing in a worker: be quiet, and go when the process that asked is gone."""
    logger.disable("datatrove")
    parent = multiprocessing.parent_process()  # not the fork server: that lives as long as its workers do
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
