"""Spans of personal data in a text, the recognisers that find them, and which of two that overlap stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

PRIORITY = (
    "url", "account", "email", "cn_id", "card", "record", "document", "ssn", "ip", "birth_date", "phone", "plate", "address",
    "name",
)  # fmt: skip
"""Of two spans that overlap, the one of the earlier kind stays: what a number is called says more than its shape."""


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` is a datum of this kind."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Recogniser:
    """Finds one kind of datum."""

    kind: str
    prefilter: str
    """A pattern of Rust's regex crate (no look-around) that a text must match for the datum to occur in it."""
    find: Callable[[str, int, int], Iterable[tuple[int, int]]]
    """Starts and ends of what is found in `text[begin:stop]`; it may look at what stands around that."""
    reach: tuple[int, int] | None = None
    """With it `find` sees only this many characters before and after each match of the prefilter, which is then its cue."""
    worth: Callable[[str], bool] | None = None
    """Which cues to look around."""


def always(match: re.Match[str]) -> bool:
    """Accepts every match."""
    return True


def by_pattern(
    kind: str,
    prefilter: str,
    pattern: re.Pattern[str],
    *,
    accept: Callable[[re.Match[str]], bool] = always,
    group: str | int = 0,
    reach: tuple[int, int] | None = (72, 160),
) -> Recogniser:
    """A recogniser of the matches (or one group of them) that pass a check, not far from the prefilter's."""

    def find(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
        return (match.span(group) for match in pattern.finditer(text, begin, stop) if accept(match))

    return Recogniser(kind, prefilter, find, reach)


def windows(
    text: str, cues: Iterable[str], reach: tuple[int, int], worth: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, int]]:
    """Parts of a text around its cues, which are given in order; parts that touch are one.

    >>> list(windows("x Dr. A and then a long way to Dr. B", ["Dr. A", "Dr. B"], (1, 3)))
    [(1, 10), (30, 36)]
    """
    begin = stop = at = 0
    for cue in cues:
        at = text.index(cue, at)
        if worth is not None and not worth(cue):
            at += len(cue)
            continue
        first, last = max(0, at - reach[0]), min(len(text), at + len(cue) + reach[1])
        if first > stop:
            if stop:
                yield begin, stop
            begin = first
        elif not stop:
            begin = first
        stop = last
        at += len(cue)
    if stop:
        yield begin, stop


def resolved(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in the order of the text: earlier kinds first, of one kind the longer."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (PRIORITY.index(s.kind), s.start - s.end, s.start)):
        if span.start < span.end and all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
