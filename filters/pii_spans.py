"""Spans of personal data in a text, the recognisers that find them, and which of two that overlap stays."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tilth.filters.near import Near

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
class Needs:
    """What a text must hold near a datum, so that patterns run where it does only. Patterns that begin with a few literals need
    nothing: they run at 2 to 15 GB/s, all others at 0.6."""

    bytes: tuple[Near, ...]
    """Each is looked for around the one before it."""
    shared: bool = False
    """Whether all cues of those with this need are first looked for together, where most texts hold none of many."""


_DIGITS, _HAN = b"0123456789", bytes(range(0xE3, 0xEA))  # the first bytes of U+3000 to U+9FFF
_LETTERS = Near.of(string.ascii_letters.encode())
NOTHING = Needs(())
DIGIT = Needs((Near.of(_DIGITS),))
DIGITS_4 = Needs((*DIGIT.bytes, Near.of(_DIGITS, 4, 48)))
DIGITS_7 = Needs((*DIGITS_4.bytes, Near.of(_DIGITS, 7, 32)))
COLONS_3 = Needs((Near.of(b":", 3, 11),))
LETTERS = Needs((_LETTERS,))
HANDLE = Needs((_LETTERS, Near.of("@:：".encode()[:3])))  # the colons, or at least how they begin
LETTERS_SHARED = Needs((_LETTERS,), shared=True)
HAN = Needs((Near.of(_HAN),))
HAN_DIGIT = Needs((*HAN.bytes, *DIGIT.bytes))


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
    needs: Needs = NOTHING
    """What the datum, or its cue, cannot be without."""


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
    needs: Needs = NOTHING,
) -> Recogniser:
    """A recogniser of the matches (or one group of them) that pass a check, not far from the prefilter's."""

    def find(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
        return (match.span(group) for match in pattern.finditer(text, begin, stop) if accept(match))

    return Recogniser(kind, prefilter, find, reach, needs=needs)


def either(*recognisers: Recogniser) -> Recogniser:
    """One recogniser of a kind for several, whose cues are looked for together: polars keeps 32 compiled patterns, and compiling one
    takes as long as searching half a megabyte."""

    def find(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
        for recogniser in recognisers:
            yield from recogniser.find(text, begin, stop)

    return replace(recognisers[0], prefilter="|".join(f"(?:{one.prefilter})" for one in recognisers), find=find)


def located(text: str, cues: Iterable[str], worth: Callable[[str], bool] | None = None) -> Iterator[tuple[int, int]]:
    """Where cues that are given in order stand in the text; those that are not worth it are left out."""
    at = 0
    for cue in cues:
        at = text.index(cue, at)
        if worth is None or worth(cue):
            yield at, at + len(cue)
        at += len(cue)


def windows(text: str, cues: Iterable[tuple[int, int]], reach: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Parts of a text around its cues, which are given in order; parts that touch are one.

    >>> text = "x Dr. A and then a long way to Dr. B"
    >>> list(windows(text, located(text, ["Dr. A", "Dr. B"]), (1, 3)))
    [(1, 10), (30, 36)]
    """
    begin = stop = 0
    for start, end in cues:
        first, last = max(0, start - reach[0]), min(len(text), end + reach[1])
        if first > stop:
            if stop:
                yield begin, stop
            begin = first
        elif not stop:
            begin = first
        stop = last
    if stop:
        yield begin, stop


def resolved(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in the order of the text: earlier kinds first, of one kind the longer."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (PRIORITY.index(s.kind), s.start - s.end, s.start)):
        if span.start < span.end and all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
