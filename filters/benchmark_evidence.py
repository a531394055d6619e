"""Hits: matches of benchmark items with what makes them a leak or not, one for each item in a row."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tilth.filters.benchmark_context import Context, options_follow, place_of
from tilth.filters.benchmark_hits import Match, matches
from tilth.filters.benchmark_index import LEAST, BenchmarkIndex, Item
from tilth.filters.benchmark_rule import LONG_COVERAGE, needed, net_coverage
from tilth.filters.common_phrases import stock_hashes
from tilth.filters.folding import Folded
from tilth.filters.hashing import Rolling, mix

NEIGHBOURS = 2
"""Tokens on each side of a hit that tell one place from another."""


@dataclass(frozen=True, eq=False)
class Hit:
    """One item in one row: tokens `first:last` of the folded batch."""

    row: int
    item: Item
    coverage: float
    """Share of the question that is there, costs paid (`benchmark_rule.net_coverage`)."""
    needed: float
    """The coverage from which this is a leak, where a long question needs `LONG_COVERAGE`."""
    how: Context | Literal["ngram"]
    matched: np.ndarray
    """int64: the tokens that are the question's, ascending."""
    around: int
    """Hash of the tokens on both sides: equal in copies of one text, different where a phrase is common."""

    @property
    def first(self) -> int:
        """First matched token."""
        return int(self.matched[0])

    @property
    def last(self) -> int:
        """One past the last matched token."""
        return int(self.matched[-1]) + 1


def find(folded: Folded, texts: Sequence[str], index: BenchmarkIndex, floor: float, ngram: int | None = None) -> list[Hit]:
    """The items in every row of which no more is missing than `LONG_COVERAGE - floor` beside what is needed; best first.

    With `ngram`, any item too of which a run of that many tokens stands in the row.
    """
    best: dict[tuple[int, str, str], Hit] = {}
    slack = LONG_COVERAGE - floor
    none = np.zeros(len(index.items))
    least, alone = (none + LEAST - slack, index.alone - slack) if ngram is None else (none, none)
    for match in matches(folded, index, least, alone, ngram):
        hit = _hit(match, folded, texts[match.row], floor, ngram)
        if hit is None:
            continue
        key = hit.row, hit.item.benchmark, hit.item.item
        if key not in best or best[key].coverage - best[key].needed < hit.coverage - hit.needed:
            best[key] = hit
    return sorted(best.values(), key=lambda hit: (hit.row, hit.needed - hit.coverage, hit.item.benchmark, hit.item.item))


def _hit(match: Match, folded: Folded, text: str, floor: float, ngram: int | None) -> Hit | None:
    slack = LONG_COVERAGE - floor
    best: tuple[float, float, Context] | None = None
    for how in _standings(match, folded, text):
        wanted = needed(match, how)
        if match.coverage < wanted - slack - 1e-9:  # what is net is never more
            continue
        coverage = net_coverage(match, how, *_replaced(match, folded, text))
        if coverage >= wanted - slack - 1e-9 and (best is None or coverage - wanted > best[0] - best[1]):
            best = coverage, wanted, how
        if coverage >= wanted:
            break
    there = match.matched[match.matched >= 0]
    if best is not None:
        return Hit(match.row, match.item, round(best[0], 4), round(best[1], 4), best[2], there, _around(match, folded))
    if ngram is not None and _longest_run(match) >= ngram:
        return Hit(match.row, match.item, round(match.coverage, 4), 0.0, "ngram", there, _around(match, folded))
    return None


def _standings(match: Match, folded: Folded, text: str) -> Iterator[Context]:
    """How the match stands; with its options too, which is asked only where the place is not enough."""
    yield place_of(match, folded, text)
    if options := options_follow(match, folded):
        yield options


def _longest_run(match: Match) -> int:
    """Most tokens of the question that stand side by side in the row as in the question."""
    breaks = np.flatnonzero((np.diff(match.matched) != 1) | (match.matched[1:] < 0)) + 1
    return max(len(run) for run in np.split(match.matched, breaks) if run[0] >= 0)


def _replaced(match: Match, folded: Folded, text: str) -> tuple[int, int]:
    """(numbers, words) of the question that tell and that are missing where the row has others in their place.

    A word that is a letter away from the one that it stands for is a slip of the pen, and none of these.
    """
    item, matched = match.item, match.matched
    there = np.flatnonzero(matched >= 0)
    words = 0
    numbers = _numbers_beside(match, folded, text)
    gaps = [
        (range(before + 1, after), range(int(matched[before]) + 1, int(matched[after])))
        for before, after in zip(there[:-1].tolist(), there[1:].tolist(), strict=True)
    ]
    opening, _ = _line_of(match, folded, int(there[0]), 0)
    if opening and folded.breaks[opening.start]:  # what stands before begins the line, as the question begins
        gaps.append((range(int(there[0])), opening))
    for missing, instead in gaps:
        if not (missing and instead):
            continue
        gone = [i for i in missing if item.tells[i] or item.numbers[i]]
        written = [text[int(folded.starts[t]) : int(folded.ends[t])] for t in instead]
        digits = [any(char.isdigit() for char in word) for word in written]
        if missing.start and any(item.numbers[i] for i in gone) and any(digits):
            numbers += 1
        stock = [int(folded.hashes[t]) in _stock() for t in instead]
        others = [word for word, said, digit in zip(written, stock, digits, strict=True) if not said and not digit]
        for i in gone:
            asked = item.question[int(item.starts[i]) : int(item.ends[i])]
            words += bool(others) and not item.numbers[i] and not any(_a_slip(asked, word) for word in others)
    return numbers, words


def _numbers_beside(match: Match, folded: Folded, text: str) -> int:
    """Ends of the match at which the question goes on with a number, and the row with another one."""
    item, matched = match.item, match.matched
    there = np.flatnonzero(matched >= 0)
    first, last = int(there[0]), int(there[-1])
    before, after = _line_of(match, folded, first, len(matched) - 1 - last)
    sides = (item.numbers[:first], before), (item.numbers[last + 1 :], after)
    return sum(
        bool(numbers.any()) and any(char.isdigit() for t in tokens for char in text[int(folded.starts[t]) : int(folded.ends[t])])
        for numbers, tokens in sides
    )


def _line_of(match: Match, folded: Folded, before: int, after: int) -> tuple[range, range]:
    """The tokens before and after the match, that many at most, that stand on its line."""
    begin = max(int(folded.offsets[match.row]), match.first - before)
    end = min(int(folded.offsets[match.row + 1]), match.last + after)
    breaks = np.flatnonzero(folded.breaks[begin + 1 : match.first + 1])
    if len(breaks):
        begin += int(breaks[-1]) + 1
    breaks = np.flatnonzero(folded.breaks[match.last : end])
    if len(breaks):
        end = match.last + int(breaks[0])
    return range(begin, match.first), range(match.last, end)


@functools.cache
def _stock() -> frozenset[int]:
    return frozenset(stock_hashes().tolist())


def _a_slip(asked: str, written: str) -> bool:
    """Whether two words of five letters or more differ by one letter, or by two that changed places.

    >>> _a_slip("fracture", "fracutre"), _a_slip("fracture", "fractures"), _a_slip("hyper", "hypo"), _a_slip("高", "低")
    (True, True, False, False)
    """
    one, two = sorted((asked.casefold(), written.casefold()), key=len)
    if len(one) < 5 or len(two) - len(one) > 1:
        return False
    at = next((i for i, (x, y) in enumerate(zip(one, two, strict=False)) if x != y), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    return one[at + 1 :] == two[at + 1 :] or (one[at : at + 2] == two[at : at + 2][::-1] and one[at + 2 :] == two[at + 2 :])


def _around(match: Match, folded: Folded) -> int:
    begin, end = int(folded.offsets[match.row]), int(folded.offsets[match.row + 1])
    sides = (
        folded.hashes[max(begin, match.first - NEIGHBOURS) : match.first],
        folded.hashes[match.last : min(end, match.last + NEIGHBOURS)],
    )
    both = np.concatenate([sides[0], np.zeros(1, np.uint64), sides[1]])
    return int(mix(Rolling(both).spans(np.zeros(1, np.int64), np.array([len(both)])))[0])
