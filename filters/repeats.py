"""Which of many keys stand in more rows than they may: 8 bytes a key are held, and a slice of them is sorted at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SLICE = 1 << 22
"""Keys sorted together (32 MiB, and three arrays beside them)."""


def repeated(keys: Sequence[np.ndarray], sizes: Sequence[np.ndarray], max_rows: int, keep_first: bool) -> list[np.ndarray]:
    """bool, as `keys`: whether a key stands in more than `max_rows` rows.

    Args:
        keys: uint64, part by part (shards, in the order of the corpus), all keys of a row side by side; 0 is no key.
        sizes: for each part how many keys each of its rows has.
        max_rows: rows that a key may stand in; more than once in a row counts once.
        keep_first: leave the first place of each such key out.

    >>> [one.tolist() for one in repeated([np.array([7, 9, 7], np.uint64), np.array([7], np.uint64)], [np.array([2, 1]), np.array([1])], 2, False)]
    [[True, False, True], [True]]
    """
    part_ends = np.cumsum([0, *(len(one) for one in keys)])
    row_ends = np.cumsum(np.concatenate([np.zeros(0, np.int64), *sizes]))
    found = np.zeros(part_ends[-1], bool)
    slices = int(part_ends[-1]) // SLICE + 1
    for number in range(slices):
        places = [start + np.flatnonzero((one % np.uint64(slices) == number) & (one != 0)) for start, one in zip(part_ends[:-1], keys, strict=True)]
        mine = [one[place - start] for start, one, place in zip(part_ends[:-1], keys, places, strict=True)]
        place, key = np.concatenate([np.zeros(0, np.int64), *places]), np.concatenate([np.zeros(0, np.uint64), *mine])
        order = np.argsort(key, kind="stable")  # stable: the places of a key stay in the order of the corpus
        place, key = place[order], key[order]
        row = np.searchsorted(row_ends, place, side="right")
        opens = np.ones(len(key), bool)
        opens[1:] = key[1:] != key[:-1]
        new_row = opens.copy()
        new_row[1:] |= row[1:] != row[:-1]
        group = np.cumsum(opens) - 1
        often = np.bincount(group[new_row], minlength=0)[group] > max_rows if len(key) else np.zeros(0, bool)
        found[place[often & ~opens if keep_first else often]] = True
    return np.split(found, part_ends[1:-1]) if keys else []
