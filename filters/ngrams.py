"""Repeated n-grams of the words of a batch, counted as Gopher counts them, over hashes.

Two questions are asked of each row, for some n:

- top: characters in all occurrences of its most frequent n-gram, of equally frequent ones the first;
- repeated: characters in n-grams met before, from left to right, a repeat being stepped over whole.

Nearly all n-grams occur once. A table of four slots for each finds those that may be repeated (0.8 M tokens: 15 ms for
one n, where a sort takes 60), and Python looks at these alone.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from tilth.filters.hashing import Rolling, mix, power
from tilth.filters.words import Words

_ROW = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class Tokens:
    """What n-grams need of some tokens of a batch."""

    rows: np.ndarray
    """int32 [tokens]: row of each, ascending."""
    lengths: np.ndarray
    """int64 [tokens]: characters."""
    polynomials: np.ndarray
    """uint64 [tokens]: `Words.polynomials`."""
    hashes: np.ndarray
    """uint64 [tokens]: `Words.hashes`."""

    @classmethod
    def of(cls, found: Words, chosen: np.ndarray) -> Tokens:
        """The tokens where `chosen` (bool, one a token) is true."""
        columns = (found.rows, found.lengths.astype(np.int64), found.polynomials, found.hashes)
        return cls(*columns) if chosen.all() else cls(*(column[chosen] for column in columns))


def characters(
    tokens: Tokens, num_rows: int, *, top: Container[int], repeated: Container[int], longest: int, separator: int
) -> dict[tuple[str, int], np.ndarray]:
    """Characters in the top and in the repeated n-grams of each row, for the n asked, none above `longest`.

    `separator` characters stand between the tokens of a top n-gram, none between those of a repeated one.

    Returns:
        ("top" or "repeated", n) → int64 [num_rows]; zero where a row has fewer than n tokens.
    """
    result: dict[tuple[str, int], np.ndarray] = {}
    count = len(tokens.rows)
    sizes = np.zeros(count, np.int64)
    texts, rolling = np.zeros(count, np.uint64), Rolling(tokens.hashes)
    salt = tokens.rows.astype(np.uint64) * _ROW
    for n in range(1, longest + 1):
        room = max(0, count - n + 1)
        # Equal here means equal text, wherever its tokens end: `in to` and `into` read the same.
        texts = texts[:room] + tokens.polynomials[n - 1 :] * power(sizes[:room])
        sizes = sizes[:room] + tokens.lengths[n - 1 :]
        if n not in top and n not in repeated:
            continue
        at = np.flatnonzero(tokens.rows[n - 1 :] == tokens.rows[:room])
        if n in top:
            joined = sizes[at] + separator * (n - 1)
            result["top", n] = _top(tokens.rows[at], mix(rolling.grams(n)[at] ^ salt[at]), joined, num_rows)
        if n in repeated:
            same = mix(mix(texts[at] + sizes[at].astype(np.uint64)) ^ salt[at])
            result["repeated", n] = _repeated(tokens.rows[at], same, sizes[at], at, n, num_rows)
    return result


def _maybe_repeated(keys: np.ndarray) -> np.ndarray:
    """int64: ascending, all places whose key occurs twice, and a few others (keys that share a slot)."""
    size = 1 << max(10, (4 * len(keys)).bit_length())
    slots = (keys & np.uint64(size - 1)).astype(np.int32)
    last = np.zeros(size, np.int32)
    order = np.arange(len(keys), dtype=np.int32)
    last[slots] = order
    shared = np.zeros(size, bool)
    shared[slots[last[slots] != order]] = True
    return np.flatnonzero(shared[slots])


def _top(rows: np.ndarray, keys: np.ndarray, sizes: np.ndarray, num_rows: int) -> np.ndarray:
    """int64 [num_rows]: size times count of the most frequent key of each row."""
    result = np.zeros(num_rows, np.int64)
    firsts = np.flatnonzero(np.diff(rows, prepend=-1))
    result[rows[firsts]] = sizes[firsts]
    chosen = _maybe_repeated(keys)
    _, first, counts = np.unique(keys[chosen], return_index=True, return_counts=True)
    place, counts = chosen[first[counts > 1]], counts[counts > 1]
    order = np.lexsort((place, -counts, rows[place]))
    best = order[np.flatnonzero(np.diff(rows[place[order]], prepend=-1))]
    result[rows[place[best]]] = sizes[place[best]] * counts[best]
    return result


def _repeated(rows: np.ndarray, keys: np.ndarray, sizes: np.ndarray, at: np.ndarray, n: int, num_rows: int) -> np.ndarray:
    """int64 [num_rows]: sizes of the keys met before in their row, the n - 1 places after each such not being asked."""
    chosen = _maybe_repeated(keys)
    _, inverse, counts = np.unique(keys[chosen], return_inverse=True, return_counts=True)
    real = counts[inverse] > 1
    chosen, codes = chosen[real], inverse[real]
    result = [0] * num_rows
    seen = bytearray(len(counts))
    free_from = 0
    columns = (at[chosen], codes, rows[chosen], sizes[chosen])
    for place, code, row, size in zip(*(column.tolist() for column in columns), strict=True):
        if place < free_from:
            continue
        if seen[code]:
            result[row] += size
            free_from = place + n
        else:
            seen[code] = 1
    return np.array(result, np.int64)
