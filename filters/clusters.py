"""Similar pairs and the clusters they make.

Edges say two things. An edge of similarity exactly 1 means *the same set of shingles*; each member of such a group is
joined to the group's first row only. Every other edge stands between the first rows of two groups and holds for all
their members. So a boilerplate page that comes ten thousand times costs ten thousand edges, not fifty million, and
nothing is lost: `components` rebuilds the groups from the edges, dead rows included, before it looks who is alive.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TILE = 1 << 22
"""Shingles held at once for one side of a comparison (32 MiB)."""

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
        result[some] = [one.jaccard(a, other, b) for a, b in zip(left[some].tolist(), right[some].tolist(), strict=True)]
    return result


class _Tile:
    """The shingle sets of some rows, by their position among the rows compared."""

    def __init__(self, members: np.ndarray, rows: np.ndarray, sets: Sets) -> None:
        values, offsets = sets(rows[members])
        self._sets = {m: values[offsets[i] : offsets[i + 1]] for i, m in enumerate(members.tolist())}

    def jaccard(self, row: int, other: _Tile, other_row: int) -> float:
        one, two = self._sets[row], other._sets[other_row]
        both = np.concatenate((one, two))
        both.sort(kind="stable")  # two sorted runs
        shared = int(np.count_nonzero(both[1:] == both[:-1]))
        return shared / (len(both) - shared) if len(both) else 0.0
