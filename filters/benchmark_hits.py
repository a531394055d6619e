"""Where benchmark items may stand in rows: seeds point to stretches of text, alignment says how much of the question is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tilth.filters import _kernels
from tilth.filters.alignment import LONGEST, Stretches, align, held
from tilth.filters.benchmark_index import WORDS_LONG, BenchmarkIndex, Item, Seeds
from tilth.filters.folding import Folded

TOUCHED, SHORT_TOUCHED = 0.4, 0.33
"""Share of the tokens of a question that seeds can reach, and that seeds must touch before it is aligned; of one under
13 tokens, of which one seed is enough up to nine. Where one word in ten was dropped, seeds still touch 0.85 of the others.
"""
SLOTS = 1 << 18
"""Places to count seeds in by row and item: some ten times those of a thousand rows."""
LISTED_SHARE, BETWEEN = 0.7, 2
"""Share of the tokens of all options that must come at once, with a label each and so many others between."""


@dataclass(frozen=True, eq=False)
class Match:
    """A question in a row, as far as it is there."""

    row: int
    item: Item
    coverage: float
    """Share of the question's weight that stands there in order, less what stands in between."""
    matched: np.ndarray
    """int64 [n]: token of the folded batch that is the question's token i, -1 for none; ascending."""
    listed: bool
    """Whether the item's options follow at once: `LISTED_SHARE` of their tokens, in any order."""

    @cached_property
    def first(self) -> int:
        """First matched token."""
        return int(self.matched[self.matched >= 0][0])

    @cached_property
    def last(self) -> int:
        """One past the last matched token."""
        return int(self.matched[self.matched >= 0][-1]) + 1


@dataclass(frozen=True)
class _Groups:
    """Seeds of one item that stand together in a row: group g holds `place[first[g]:last[g] + 1]`."""

    row: np.ndarray
    item: np.ndarray
    first: np.ndarray
    last: np.ndarray
    place: np.ndarray
    ordinal: np.ndarray


def matches(folded: Folded, index: BenchmarkIndex, least: np.ndarray, alone: np.ndarray, run: int | None = None) -> Iterator[Match]:
    """Every stretch of every row that holds an item with the coverage that is `least` for it, `alone` where no options follow
    (float64 [items]).

    With `run`, every stretch too whose seeds touch that many tokens.
    """
    found = [_seeds_found(folded, seeds) for seeds in index.seeds]
    if not found:
        return
    groups = _groups(index, run or LONGEST, *(np.concatenate(column) for column in zip(*found, strict=True)))
    long = index.sizes[groups.item] > LONGEST
    for group in np.flatnonzero(long).tolist():
        yield from _chained(index, groups, group, least)
    yield from _aligned(folded, index, groups, np.flatnonzero(~long), least, alone)


def _seeds_found(folded: Folded, seeds: Seeds) -> tuple[np.ndarray, ...]:
    """(row, item, ordinal, token) of every seed in the rows."""
    row, place, slot = (np.empty(len(folded.hashes), np.int64) for _ in range(3))
    count = _kernels.known_grams(
        folded.hashes, folded.offsets, seeds.length, seeds.grams, seeds.sieve, int(seeds.shift), seeds.heads, row, place, slot
    )
    row, place, slot = row[:count], place[:count], slot[:count]
    counts = seeds.start[slot + 1] - seeds.start[slot]
    posting = np.arange(counts.sum()) + np.repeat(seeds.start[slot] - (np.cumsum(counts) - counts), counts)
    columns = seeds.item[posting], seeds.ordinal[posting]
    return np.repeat(row, counts), *(column.astype(np.int64) for column in columns), np.repeat(place, counts)


def _groups(index: BenchmarkIndex, run: int, row: np.ndarray, item: np.ndarray, ordinal: np.ndarray, place: np.ndarray) -> _Groups:
    """Seeds of one row and item on about one diagonal (place - ordinal), if they touch enough of the question."""
    needed = np.ceil(np.minimum(np.where(index.sizes < WORDS_LONG, SHORT_TOUCHED, TOUCHED) * index.reach, run)).astype(np.int64)
    row, item, ordinal, place = _often(index.lengths, needed, row, item, ordinal, place)
    if not len(row):
        return _Groups(row, item, row, row, place, ordinal)
    diagonal = place - ordinal
    order = np.lexsort((diagonal, item, row))
    row, item, ordinal, place, diagonal = (column[order] for column in (row, item, ordinal, place, diagonal))
    far = np.diff(diagonal) > 12 + index.sizes[item[1:]] // 2
    group = np.concatenate(([0], np.cumsum((np.diff(row) != 0) | (np.diff(item) != 0) | far)))
    order = np.lexsort((place, group))
    row, item, ordinal, place, group = (column[order] for column in (row, item, ordinal, place, group))
    step = np.diff(place, append=place[-1] + 9)
    last = np.flatnonzero(np.diff(group, append=-1))
    step[last] = 9
    first = np.concatenate(([0], last[:-1] + 1))
    touched = np.add.reduceat(np.minimum(step, index.lengths[item]), first)
    asked = item[first]
    enough = touched >= needed[asked]
    return _Groups(row[first[enough]], asked[enough], first[enough], last[enough], place, ordinal)


def _often(
    lengths: np.ndarray, needed: np.ndarray, row: np.ndarray, item: np.ndarray, ordinal: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The seeds but for most of those whose row has too few of their item: they are counted by a hash of both, before all are sorted."""
    slot = (row * 0x9E3779B1 + item * 0x85EBCA77) & (SLOTS - 1)
    kept = np.bincount(slot, lengths[item], SLOTS)[slot] >= needed[item]
    return row[kept], item[kept], ordinal[kept], place[kept]


def _aligned(
    folded: Folded, index: BenchmarkIndex, groups: _Groups, chosen: np.ndarray, least: np.ndarray, alone: np.ndarray
) -> Iterator[Match]:
    row, item, first, last = (column[chosen] for column in (groups.row, groups.item, groups.first, groups.last))
    size = index.sizes[item]
    slack = 4 + size // 8
    begin = np.maximum(groups.place[first] - groups.ordinal[first] - slack, folded.offsets[row])
    end = np.minimum(groups.place[last] + size - groups.ordinal[last] + slack, folded.offsets[row + 1])
    end = np.maximum(np.minimum(end, begin + 4 * size + 64), begin)
    wanted = (least[item] * index.weight[item]).astype(np.float32)
    scores, matched = align(index.questions, index.weights, folded.hashes, Stretches(item, begin, end), wanted)
    after = np.maximum.reduceat(matched.tokens, matched.offsets[:-1]) + 1 if len(item) else item
    kept = np.flatnonzero((scores >= wanted - 1e-4) & (after > 0))
    item, row, after = item[kept], row[kept], after[kept]
    coverage = np.minimum(scores[kept] / index.weight[item], 1.0)
    options = index.options.offsets[item + 1] - index.options.offsets[item]
    soon = np.minimum(after + options + index.num_options[item] + BETWEEN, folded.offsets[row + 1])
    listed = (options > 0) & (held(index.options, folded.hashes, Stretches(item, after, soon)) >= LISTED_SHARE * options - 1e-9)
    for at in np.flatnonzero(listed | (coverage >= alone[item] - 1e-9)).tolist():
        yield Match(int(row[at]), index.items[item[at]], float(coverage[at]), matched[int(kept[at])], bool(listed[at]))


def _chained(index: BenchmarkIndex, groups: _Groups, group: int, least: np.ndarray) -> Iterator[Match]:
    """A very long question by its seeds alone: the tokens that they touch, in order."""
    item = index.items[groups.item[group]]
    here = slice(groups.first[group], groups.last[group] + 1)
    matched = np.full(len(item.tokens), -1, np.int64)
    reached = -1
    length = 4 if item.chinese else 3
    for place, ordinal in sorted(zip(groups.place[here].tolist(), groups.ordinal[here].tolist(), strict=True)):
        for k in range(length):
            if place + k > reached and matched[ordinal + k] < 0 and not (matched[ordinal + k :] >= 0).any():
                matched[ordinal + k] = reached = place + k
    coverage = float(item.weights[matched >= 0].sum()) / item.weight
    if coverage >= least[groups.item[group]]:
        yield Match(int(groups.row[group]), item, coverage, matched, False)
