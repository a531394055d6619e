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

Sets = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Row positions (ascending) → their shingle sets: uint64 hashes sorted within a row, int64 offsets [rows + 1]."""


def find_roots(size: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """int64 [size]: for every node the smallest node of its connected component.

    Hooking and pointer jumping (Shiloach and Vishkin, 1982) in numpy: a logarithmic number of passes over the edges.

    >>> find_roots(5, np.array([3, 1]), np.array([4, 3])).tolist()
    [0, 1, 2, 1, 1]
    """
    roots = np.arange(size)
    left, right = left.astype(np.int64), right.astype(np.int64)
    while len(left):
        a, b = roots[left], roots[right]
        apart = a != b
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(roots, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(jumped := roots[roots], roots):
            roots = jumped
    return roots


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


def jaccard(pairs: np.ndarray, sizes: np.ndarray, sets: Sets) -> np.ndarray:
    """Exact Jaccard similarity, float64 [pairs], of pairs given as uint64 left << 32 | right.

    Rows are put in tiles of at most `TILE` shingles, those of one candidate component side by side, and two tiles are
    held at a time: texts are read about once and memory does not grow with the corpus.
    """
    left = (pairs >> np.uint64(32)).astype(np.int64)
    right = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    rows = np.unique(np.concatenate([left, right]))
    left, right = np.searchsorted(rows, left), np.searchsorted(rows, right)
    order = np.argsort(find_roots(len(rows), left, right), kind="stable")
    tile = np.zeros(len(rows), np.int64)
    tile[order] = np.cumsum(sizes[rows[order]]) // TILE
    result = np.zeros(len(pairs))
    by_tile = np.lexsort((right, left, tile[right], tile[left]))
    held: dict[int, _Tile] = {}
    cuts = np.flatnonzero(np.diff(tile[left[by_tile]]) | np.diff(tile[right[by_tile]])) + 1
    for some in np.split(by_tile, cuts):
        if not len(some):
            continue
        wanted = {int(tile[left[some[0]]]), int(tile[right[some[0]]])}
        held = {
            number: held[number] if number in held else _Tile(np.flatnonzero(tile == number), rows, sets) for number in wanted
        }
        one, other = held[int(tile[left[some[0]]])], held[int(tile[right[some[0]]])]
        result[some] = one.jaccard(left[some], other, right[some])
    return result


class _Tile:
    """The shingle sets of some rows (`members`: their positions among the rows compared, ascending)."""

    def __init__(self, members: np.ndarray, rows: np.ndarray, sets: Sets) -> None:
        self.members = members
        parts = list(threads.each(sets, np.array_split(rows[members], threads.allowed())))
        self.values = np.concatenate([values for values, _ in parts])
        self.offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(offsets) for _, offsets in parts]))])

    def jaccard(self, left: np.ndarray, other: _Tile, right: np.ndarray) -> np.ndarray:
        """float64 [pairs]: of rows of this tile with rows of the other."""
        one, two = np.searchsorted(self.members, left), np.searchsorted(other.members, right)
        shared = np.empty(len(one), np.int64)

        def count(some: slice) -> None:
            _kernels.shared(self.values, self.offsets, other.values, other.offsets, one[some], two[some], shared[some])

        deque(threads.each(count, [slice(i, i + PAIRS) for i in range(0, len(one), PAIRS)]), maxlen=0)
        either = np.diff(self.offsets)[one] + np.diff(other.offsets)[two] - shared
        return np.where(either > 0, shared / np.maximum(either, 1), 0.0)
