"""datatrove's local executor with processes that end: a worker that dies is noticed, Ctrl-C and SIGTERM leave none behind.

datatrove waits on a `multiprocessing.Pool`, which never learns that the kernel killed a worker (out of memory, say) and
hangs for ever; its workers catch Ctrl-C for themselves; and every pipeline starts new ones, each of which imports all again.
`Workers` serve all pipelines of a build. They are forked from a process that has imported what they need: this one where it has
done nothing else, so that they share all that it holds, or a fork server. What a task does is datatrove's.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import polars as pl
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.utils.stats import PipelineStats
from loguru import logger

from tilth.core.errors import StorageError
from tilth.core.executors import ONE_CORE, interrupts_for_us_alone, prepare


class Workers:
    """Processes that run tasks: `number` of them, from `start` to the end of the `with` block; none where it is 1."""

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

    def start(self, *, fork: bool) -> None:
        """Start the processes, where there are to be several.

        Args:
            fork: from this process, if it has done nothing yet but import; else, and outside Linux, whose neighbours' libraries do
                not survive a fork, from a fork server.
        """
        if self.number == 1 or self._pool is not None:
            return
        fork = fork and _has_only_imported()
        if not fork:
            prepare(*sorted(name for name in sys.modules if name.startswith(("tilth.core.", "tilth.filters.", "tilth.builders."))))
        with interrupts_for_us_alone():
            self._pool = ProcessPoolExecutor(self.number, multiprocessing.get_context("fork" if fork else "forkserver"), _begin)
            if fork:
                gc.freeze()  # what is here is never collected there: the pages that hold it stay shared
                self._pool.submit(int)  # forks all
                gc.unfreeze()

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
        self.start(fork=False)
        assert self._pool is not None
        with interrupts_for_us_alone():
            waiting = {self._pool.submit(_task, executor, rank) for rank in range(executor.tasks)}
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
    """First thing in a worker: be quiet, use one core, and go when told or when the process that asked is gone."""
    logger.disable("datatrove")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pl.Config.load(json.dumps({"environment": {name: os.environ.get(name, one) for name, one in ONE_CORE.items()}}))
    parent = multiprocessing.parent_process()  # not the fork server: that lives as long as its workers do
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _has_only_imported() -> bool:
    """Whether this process can be forked: no threads of Python or polars, which may hold a lock that nobody would give back. Linux."""
    try:
        names = {path.read_text() for path in Path("/proc/self/task").glob("*/comm")}
    except OSError:
        return False
    at_work = {name for name in names if name.startswith(("polars-", "tokio-"))} - {"polars-ooc-clea\n"}
    return bool(names) and not at_work and threading.active_count() == 1
