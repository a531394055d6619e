"""Where benchmark items stand in rows: folded tokens against a `BenchmarkIndex`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tilth.filters.benchmark_index import BenchmarkIndex, Item
from tilth.filters.folding import Folded
from tilth.filters.hashing import Rolling
from tilth.filters.shingles import row_blocks

OPTIONS_SHARE = 2 / 3
"""Share of the options that must follow a question that says little by itself."""


@dataclass(frozen=True)
class Hit:
    """One item in one row: tokens `first:last` of the folded batch."""

    row: int
    item: Item
    coverage: float
    first: int
    last: int
    how: str
    """ngrams, whole, line or options."""


def find(folded: Folded, index: BenchmarkIndex, floor: float) -> list[Hit]:
    """Every item with coverage >= `floor` in every row, by row, best first."""
    hits = [hit for first, last in row_blocks(folded.offsets) for hit in _find_block(folded, index, floor, first, last)]
    return sorted(hits, key=lambda hit: (hit.row, -hit.coverage, hit.item.benchmark, hit.item.item))


def _find_block(folded: Folded, index: BenchmarkIndex, floor: float, first: int, last: int) -> Iterator[Hit]:
    row, item, ordinal, place = _matches(folded, index, first, last)
    if not len(row):
        return
    order = np.lexsort((place, item, row))
    row, item, ordinal, place = row[order], item[order], ordinal[order], place[order]
    cuts = np.flatnonzero(np.diff(row) | np.diff(item)) + 1
    begins, ends = np.concatenate(([0], cuts)), np.append(cuts, len(row))
    # An upper bound first: m n-grams cover at most m * n tokens.
    wanted = index.least[item[begins]] * floor
    likely = ends - begins >= wanted
    for begin, end in zip(begins[likely].tolist(), ends[likely].tolist(), strict=True):
        found = index.items[item[begin]]
        where = place[begin:end].tolist()
        if found.how == "ngrams":
            hit = _together(found, where, ordinal[begin:end].tolist(), int(row[begin]), floor)
        elif found.how == "whole":
            hit = Hit(int(row[begin]), found, 1.0, where[0], where[0] + found.num_tokens, "whole")
        else:
            hit = _careful(folded, found, where, int(row[begin]))
        if hit is not None:
            yield hit


def _matches(folded: Folded, index: BenchmarkIndex, first: int, last: int) -> tuple[np.ndarray, ...]:
    """(row, item, ordinal, token) of every n-gram of rows first:last that some item has."""
    begin, end = folded.offsets[first], folded.offsets[last]
    rolling = Rolling(folded.hashes[begin:end])
    places, sizes, grams = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for n in index.lengths:
        hashes = rolling.grams(n)
        passed = np.flatnonzero(index.sieve[hashes >> index.shift])
        places.append(passed)
        sizes.append(np.full(len(passed), n))
        grams.append(hashes[passed])
    place, size, gram = np.concatenate(places) + begin, np.concatenate(sizes), np.concatenate(grams)
    slot = np.searchsorted(index.grams, gram)
    known = index.grams[np.minimum(slot, len(index.grams) - 1)] == gram if len(index.grams) else np.zeros(0, bool)
    row = np.searchsorted(folded.offsets, place, side="right") - 1
    known &= place + size <= folded.offsets[row + 1]
    place, row, slot = place[known], row[known], slot[known]
    counts = index.posting_start[slot + 1] - index.posting_start[slot]
    posting = np.arange(counts.sum()) + np.repeat(index.posting_start[slot] - (np.cumsum(counts) - counts), counts)
    return np.repeat(row, counts), index.posting_item[posting], index.posting_ordinal[posting], np.repeat(place, counts)


def _together(item: Item, places: list[int], ordinals: list[int], row: int, floor: float) -> Hit | None:
    """The window of `item.window` tokens with most of the question's n-grams, if they cover enough of its tokens."""
    inside: dict[int, int] = {}
    best: set[int] = set()
    best_span, left = (0, 0), 0
    for right, (place, ordinal) in enumerate(zip(places, ordinals, strict=True)):
        inside[ordinal] = inside.get(ordinal, 0) + 1
        while places[left] + item.window < place + item.n:
            inside[ordinals[left]] -= 1
            if not inside[ordinals[left]]:
                del inside[ordinals[left]]
            left += 1
        if len(inside) > len(best):
            best, best_span = set(inside), (places[left], places[right] + item.n)
    covered, reached = 0, 0
    for ordinal in sorted(best):
        covered += ordinal + item.n - max(ordinal, reached)
        reached = ordinal + item.n
    coverage = covered / item.num_tokens
    return Hit(row, item, coverage, *best_span, "ngrams") if coverage >= floor else None


def _careful(folded: Folded, item: Item, places: list[int], row: int) -> Hit | None:
    """The question as a whole line, or with most of its options after it."""
    row_end = int(folded.offsets[row + 1])
    for place in places:
        end = place + item.num_tokens
        if item.options and (last := _options_end(folded.hashes[end : min(end + item.window, row_end)], item)):
            return Hit(row, item, 1.0, place, end + last, "options")
        if item.line and folded.breaks[place] and (end == row_end or folded.breaks[end]):
            return Hit(row, item, 1.0, place, end, "line")
    return None


def _options_end(tokens: np.ndarray, item: Item) -> int:
    """Tokens up to the end of the last option found, 0 where fewer than `OPTIONS_SHARE` of them are."""
    text, found, last = tokens.tobytes(), 0, 0
    for option in item.options:
        at = text.find(option)
        while at >= 0 and at % 8:  # hashes are 8 bytes; a match across two of them is none
            at = text.find(option, at + 1)
        if at >= 0:
            found += 1
            last = max(last, (at + len(option)) // 8)
    return last if found >= max(2, OPTIONS_SHARE * len(item.options) - 1e-9) else 0
