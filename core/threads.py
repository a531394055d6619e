"""Threads of this process, for loops that run without the interpreter's lock. Nothing may depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_ALLOWED: ContextVar[int] = ContextVar("allowed", default=1)


def allowed() -> int:
    """How many threads may work at once here."""
    return _ALLOWED.get()


@contextmanager
def allow(number: int) -> Iterator[None]:
    """Allow that many inside: a build allows as many as it has workers."""
    before = _ALLOWED.set(number)
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def each(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`function` of each item, in their order, as many at a time as are allowed.

    >>> list(each(len, ["a", "bc"]))
    [1, 2]
    """
    if allowed() == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(allowed()) as pool:
        yield from pool.map(function, items)
