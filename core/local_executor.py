"""datatrove's local executor with processes that end: a worker that dies is noticed, Ctrl-C and SIGTERM leave none behind.

datatrove waits on a `multiprocessing.Pool`, which never learns that the kernel killed a worker (out of memory, say) and
hangs for ever; and its workers catch Ctrl-C for themselves. Only `run` is ours; what a task does is datatrove's.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from copy import deepcopy
from multiprocessing import resource_tracker
from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.stats import PipelineStats
from loguru import logger

from tilth.core.errors import StorageError


class LocalExecutor(LocalPipelineExecutor):  # type: ignore[misc]
    """Tasks in this process (one worker) or in processes of their own."""

    def run(self) -> Any:
        """Run all tasks.

        Raises:
            StorageError: a worker process died.
            Whatever a block raises, as it was raised.
        """
        logger.disable("datatrove")
        stats = self._here() if self.workers == 1 else self._apart()
        return sum(stats, start=PipelineStats())

    def _here(self) -> Iterator[Any]:
        pipeline: list[Any] = self.pipeline  # type: ignore[has-type]
        for rank in range(self.tasks):
            self.pipeline = deepcopy(pipeline)
            yield self._run_for_rank(rank)

    def _apart(self) -> Iterator[Any]:
        context = multiprocessing.get_context("forkserver")
        resource_tracker.ensure_running()  # it unblocks SIGINT when it starts, so it must have started before
        with _interrupts_for_us_alone():
            pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
            waiting = {pool.submit(_task, self, rank) for rank in range(self.tasks)}
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
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()


def _task(executor: LocalExecutor, rank: int) -> Any:
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


@contextmanager
def _interrupts_for_us_alone() -> Iterator[None]:
    """Processes started inside inherit a blocked SIGINT: a terminal sends Ctrl-C to all, but only we act on it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
