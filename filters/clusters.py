"""Similar pairs and the clusters they make.

Edges say two things. An edge of similarity exactly 1 means *the same set of shingles*; each member of such a group is
joined to the group's first row only. Every other edge stands between the first rows of two groups and holds for all
their members. So a boilerplate page that comes ten thousand times costs ten thousand edges, not fifty million, and
nothing is lost: `components` rebuilds the groups from the edges, dead rows included, before it looks who is alive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from tilth.core import threads
from tilth.filters import _kernels

TILE = 1 << 22
"""Shingles held at once for one side of a comparison (32 MiB)."""
PAIRS = 1 << 14
"""Pairs that a thread compares at a time."""
BLOCK = 1 << 20
"""Pairs that are looked at together."""
SHIFT, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
"""Of a pair of rows in one number: left << 32 | right."""

Sets = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Row positions (ascending) → their shingle sets: uint64 hashes sorted within a row, int64 offsets [rows + 1]."""


def find_roots(size: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """int64 [size]: for every node the smallest node of its connected component.

    Hooking and pointer jumping (Shiloach and Vishkin, 1982) in numpy: a logarithmic number of passes over the edges.

    >>> find_roots(5, np.array([3, 1]), np.array([4, 3])).tolist()
    [0, 1, 2, 1, 1]
    """
    roots = np.arange(size)
    _join(roots, left, right)
    return roots


def _join(roots: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Add edges to a graph whose roots are these."""
    while len(left):
        a, b = roots[left], roots[right]
        apart = a != b
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(roots, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(jumped := roots[roots], roots):
            roots[:] = jumped


def components(alive: np.ndarray, left: np.ndarray, right: np.ndarray, similarity: np.ndarray, least: float) -> np.ndarray:
    """int64 [rows]: for every row alive the first row alive of its cluster; for a dead row itself.

    The clusters are those of the graph over the rows alive that has every pair with similarity >= `least`, whoever else
    is dead: an edge between two groups counts as long as each has a member alive.
    """
    rows = len(alive)
    same = similarity == 1
    group = find_roots(rows, left[same], right[same])
    group_alive = np.zeros(rows, bool)
    group_alive[group[alive]] = True
    a, b = group[left], group[right]
    joined = ~same & (similarity >= least) & group_alive[a] & group_alive[b]
    cluster = find_roots(rows, a[joined], b[joined])[group]
    first = np.full(rows, rows)
    living = np.flatnonzero(alive)
    np.minimum.at(first, cluster[living], living)
    result = np.arange(rows)
    result[living] = first[cluster[living]]
    return result


def relabel(pairs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pairs with the labels of their rows for these, in place; labels must be in the order of the rows within a pair."""
    for some in _slices(len(pairs), BLOCK):
        pairs[some] = labels[pairs[some] >> SHIFT].astype(np.uint64) << SHIFT | labels[pairs[some] & LOW].astype(np.uint64)
    return pairs


def similar(pairs: np.ndarray, sizes: np.ndarray, sets: Sets, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (uint64 left << 32 | right) whose exact Jaccard similarity is at least `floor`, and that, float64. Uses `pairs` up.

    Rows are put in tiles of at most `TILE` shingles, those of one candidate component side by side, and two tiles are held at a
    time: texts are read about once, and memory grows by 8 bytes a pair.
    """
    roots, compared = np.arange(len(sizes)), np.zeros(len(sizes), bool)
    for block in _slices(len(pairs), BLOCK):
        left, right = pairs[block] >> SHIFT, pairs[block] & LOW
        compared[left] = compared[right] = True
        _join(roots, left, right)
    rows = np.flatnonzero(compared)
    rows = rows[np.argsort(roots[rows], kind="stable")]
    labels = np.zeros(len(sizes), np.int64)
    labels[rows] = np.arange(len(rows))
    relabel(pairs, labels).sort()
    tile = np.cumsum(sizes[rows]) // TILE
    begins = np.searchsorted(tile, np.arange(tile[-1] + 2 if len(rows) else 1))
    kept, found = [pairs[:0]], [np.zeros(0)]
    held: dict[int, _Tile] = {}
    for number, mine in enumerate(np.split(pairs, np.searchsorted(pairs, begins[1:-1].astype(np.uint64) << SHIFT))):
        others = tile[mine & LOW]
        for other in np.unique(others).tolist():
            some = mine[others == other]
            wanted = {number, other}
            held = {one: held[one] if one in held else _Tile(begins[one], rows[begins[one] : begins[one + 1]], sets) for one in wanted}
            similarity = held[number].jaccard(held[other], some)
            kept.append(some[similarity >= floor])
            found.append(similarity[similarity >= floor])
    return relabel(np.concatenate(kept), rows), np.concatenate(found)


def _slices(length: int, step: int) -> list[slice]:
    return [slice(i, i + step) for i in range(0, length, step)]


class _Tile:
    """The shingle sets of some rows, whose labels go on from `first`."""

    def __init__(self, first: int, rows: np.ndarray, sets: Sets) -> None:
        self.first = np.uint64(first)
        order = np.argsort(rows)
        self.places = np.empty(len(rows), np.int64)
        self.places[order] = np.arange(len(rows))
        parts = list(threads.each(sets, np.array_split(rows[order], threads.allowed())))
        self.values = np.concatenate([values for values, _ in parts])
        self.sizes = np.concatenate([np.diff(offsets) for _, offsets in parts])
        self.offsets = np.concatenate(([0], np.cumsum(self.sizes)))

    def jaccard(self, other: _Tile, pairs: np.ndarray) -> np.ndarray:
        """float64 [pairs]: of rows of this tile with rows of the other."""
        result = np.empty(len(pairs))

        def compare(some: slice) -> None:
            left, right = self.places[(pairs[some] >> SHIFT) - self.first], other.places[(pairs[some] & LOW) - other.first]
            shared = np.empty(len(left), np.int64)
            _kernels.shared(self.values, self.offsets, other.values, other.offsets, left, right, shared)
            either = self.sizes[left] + other.sizes[right] - shared
            result[some] = np.where(either > 0, shared / np.maximum(either, 1), 0.0)

        deque(threads.each(compare, _slices(len(pairs), PAIRS)), maxlen=0)
        return result
