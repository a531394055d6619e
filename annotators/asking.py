"""One process at a time puts a question to a model through one store: two that run the same job would buy it twice, each under its own cap.

The second waits; what the first bought is then known to it. A lock ends with its process, killed or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.question import Question
from tilth.annotators.store_writer import storage_errors
from tilth.core.fingerprints import digest

OnWait = Callable[[str], None]
"""Told which judge another process is asking."""


@contextmanager
def asking(store: Path, judges: Sequence[Provider], question: Question, on_wait: OnWait | None = None) -> Iterator[None]:
    """Hold the right to ask these judges this question; waits for processes that have it.

    Raises:
        StorageError: the lock files beside the store cannot be made.
    """
    from filelock import FileLock, Timeout

    folder = store.with_name(f"{store.name}.asking")
    named = {}
    for judge in judges:
        if isinstance(judge, ApiProvider):
            named[digest([judge.name, judge.base_url or "", judge.model, question.label])[:16]] = judge.label
    with ExitStack() as held:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, label in sorted(named.items()):  # in one order everywhere, so that no two wait for each other
                lock = FileLock(folder / f"{name}.lock")
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    if on_wait is not None:
                        on_wait(label)
                    lock.acquire()
                held.callback(lock.release)
        yield
