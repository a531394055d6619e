"""Sets of shingles: the n-grams of folded tokens that a row has, which tell how much of it another row shares."""

from __future__ import annotations

import numpy as np

from tilth.filters.folding import Folded
from tilth.filters.hashing import Rolling, mix

BLOCK = 1 << 16
"""Tokens worked on at once, so that the working arrays (512 KiB each) stay in the second-level cache."""


def row_blocks(offsets: np.ndarray, size: int = BLOCK) -> list[tuple[int, int]]:
    """(first, last) rows of blocks of about `size` tokens; a larger row is a block of its own."""
    blocks, first, rows = [], 0, len(offsets) - 1
    while first < rows:
        last = int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1
        last = min(max(last, first + 1), rows)
        blocks.append((first, last))
        first = last
    return blocks


def shingle_sets(folded: Folded, n: int, chinese_n: int) -> tuple[np.ndarray, np.ndarray]:
    """The set of shingles of every row, as (uint64 hashes, int64 offsets [rows + 1]), sorted within a row.

    A shingle is n words; in a row that is mostly Han or Kana it is `chinese_n` characters. A row with fewer tokens is
    one shingle, a row without tokens has none.
    """
    values, counts = [np.zeros(0, np.uint64)], [np.zeros(1, np.int64)]
    lengths = np.where(folded.chinese, chinese_n, n)
    for first, last in row_blocks(folded.offsets):
        offsets = folded.offsets[first : last + 1] - folded.offsets[first]
        rolling = Rolling(folded.hashes[folded.offsets[first] : folded.offsets[last]])
        tokens = np.diff(offsets)
        size = np.minimum(lengths[first:last], tokens)
        places = np.where(tokens > 0, tokens - size + 1, 0)
        ends = np.cumsum(places)
        start = np.arange(int(ends[-1])) + np.repeat(offsets[:-1] - (ends - places), places)
        hashes = mix(rolling.spans(start, start + np.repeat(size, places)))
        for begin, end in zip((ends - places).tolist(), ends.tolist(), strict=True):
            hashes[begin:end].sort()
        first_of = np.ones(len(hashes), bool)
        first_of[1:] = hashes[1:] != hashes[:-1]
        first_of[(ends - places)[places > 0]] = True
        values.append(hashes[first_of])
        seen = np.concatenate(([0], np.cumsum(first_of)))
        counts.append(seen[ends] - seen[ends - places])
    return np.concatenate(values), np.cumsum(np.concatenate(counts))
