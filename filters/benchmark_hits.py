"""Where benchmark items may stand in rows: seeds point to stretches of text, alignment says how much of the question is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tilth.filters import _kernels
from tilth.filters.alignment import LONGEST, Alignment, Pair, align
from tilth.filters.benchmark_index import WORDS_LONG, BenchmarkIndex, Item, Seeds
from tilth.filters.folding import Folded

TOUCHED, SHORT_TOUCHED = 0.5, 0.5
"""Share of the tokens of a question that seeds can reach, and that seeds must touch before it is aligned; of one under
13 tokens. Where one word in ten was dropped, seeds still touch 0.85 of the others.
"""


@dataclass(frozen=True, eq=False)
class Match:
    """A question in a row, as far as it is there."""

    row: int
    item: Item
    coverage: float
    """Share of the question's weight that stands there in order, less what stands in between."""
    matched: np.ndarray
    """int64 [n]: token of the folded batch that is the question's token i, -1 for none; ascending."""

    @cached_property
    def first(self) -> int:
        """First matched token."""
        return int(self.matched[self.matched >= 0][0])

    @cached_property
    def last(self) -> int:
        """One past the last matched token."""
        return int(self.matched[self.matched >= 0][-1]) + 1


@dataclass(frozen=True)
class _Stretch:
    """Seeds of one item that stand together in a row."""

    row: int
    item: int
    places: np.ndarray
    ordinals: np.ndarray


def matches(folded: Folded, index: BenchmarkIndex, least: np.ndarray, run: int | None = None) -> Iterator[Match]:
    """Every stretch of every row that holds an item with the coverage that is `least` for it (float64 [items]).

    With `run`, every stretch too whose seeds touch that many tokens.
    """
    found = [_seeds_found(folded, seeds) for seeds in index.seeds]
    if found:
        columns = (np.concatenate(column) for column in zip(*found, strict=True))
        yield from _aligned(folded, index, list(_stretches(index, run or LONGEST, *columns)), least)


def _seeds_found(folded: Folded, seeds: Seeds) -> tuple[np.ndarray, ...]:
    """(row, item, ordinal, token) of every seed in the rows."""
    row, place, slot = (np.empty(len(folded.hashes), np.int64) for _ in range(3))
    count = _kernels.known_grams(
        folded.hashes, folded.offsets, seeds.length, seeds.grams, seeds.sieve, int(seeds.shift), row, place, slot
    )
    row, place, slot = row[:count], place[:count], slot[:count]
    counts = seeds.start[slot + 1] - seeds.start[slot]
    posting = np.arange(counts.sum()) + np.repeat(seeds.start[slot] - (np.cumsum(counts) - counts), counts)
    columns = seeds.item[posting], seeds.ordinal[posting]
    return np.repeat(row, counts), *(column.astype(np.int64) for column in columns), np.repeat(place, counts)


def _stretches(
    index: BenchmarkIndex, run: int, row: np.ndarray, item: np.ndarray, ordinal: np.ndarray, place: np.ndarray
) -> Iterator[_Stretch]:
    """Seeds of one row and item on about one diagonal (place - ordinal), if they touch enough of the question."""
    if not len(row):
        return
    diagonal = place - ordinal
    order = np.lexsort((diagonal, item, row))
    row, item, ordinal, place, diagonal = (column[order] for column in (row, item, ordinal, place, diagonal))
    far = np.diff(diagonal) > 12 + index.sizes[item[1:]] // 2
    group = np.concatenate(([0], np.cumsum((np.diff(row) != 0) | (np.diff(item) != 0) | far)))
    order = np.lexsort((place, group))
    row, item, ordinal, place, group = (column[order] for column in (row, item, ordinal, place, group))
    length = index.lengths[item]
    step = np.diff(place, append=place[-1] + 9)
    cuts = np.flatnonzero(np.diff(group, append=-1))
    step[cuts] = 9
    touched = np.add.reduceat(np.minimum(step, length), np.concatenate(([0], cuts[:-1] + 1)))
    begins = np.concatenate(([0], cuts[:-1] + 1))
    asked = item[begins]
    share = np.where(index.sizes[asked] < WORDS_LONG, SHORT_TOUCHED, TOUCHED)
    enough = touched >= np.minimum(share * index.reach[asked], run)
    for begin, end in zip(begins[enough].tolist(), (cuts[enough] + 1).tolist(), strict=True):
        yield _Stretch(int(row[begin]), int(item[begin]), place[begin:end], ordinal[begin:end])


def _aligned(folded: Folded, index: BenchmarkIndex, stretches: list[_Stretch], least: np.ndarray) -> Iterator[Match]:
    pairs, begins, wanted, short = [], [], [], []
    for stretch in stretches:
        item = index.items[stretch.item]
        size = len(item.tokens)
        if size > LONGEST:
            yield from _chained(item, stretch, float(least[stretch.item]))
            continue
        slack = 4 + size // 8
        begin = max(int(stretch.places[0] - stretch.ordinals[0]) - slack, int(folded.offsets[stretch.row]))
        end = min(int(stretch.places[-1] + size - stretch.ordinals[-1]) + slack, begin + 4 * size + 64, int(folded.offsets[stretch.row + 1]))
        pairs.append(Pair(item.tokens, item.weights, folded.hashes[begin : max(begin, end)]))
        begins.append(begin)
        wanted.append(float(least[stretch.item]) * item.weight)
        short.append(stretch)
    for stretch, begin, alignment in zip(short, begins, align(pairs, wanted), strict=True):
        if alignment is not None and alignment.matched.max() >= 0:
            yield _match(index.items[stretch.item], stretch.row, alignment, begin)


def _match(item: Item, row: int, alignment: Alignment, begin: int) -> Match:
    matched = np.where(alignment.matched >= 0, alignment.matched.astype(np.int64) + begin, -1)
    return Match(row, item, min(1.0, alignment.score / item.weight), matched)


def _chained(item: Item, stretch: _Stretch, least: float) -> Iterator[Match]:
    """A very long question by its seeds alone: the tokens that they touch, in order."""
    matched = np.full(len(item.tokens), -1, np.int64)
    reached = -1
    length = 4 if item.chinese else 3
    for place, ordinal in sorted(zip(stretch.places.tolist(), stretch.ordinals.tolist(), strict=True)):
        for k in range(length):
            if place + k > reached and matched[ordinal + k] < 0 and not (matched[ordinal + k :] >= 0).any():
                matched[ordinal + k] = reached = place + k
    coverage = float(item.weights[matched >= 0].sum()) / item.weight
    if coverage >= least:
        yield Match(stretch.row, item, coverage, matched)
