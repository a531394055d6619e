"""Score-first, diversity-aware selection: walk the rows best first, keep a row unless it is too near to one that is kept.

Deita (Liu et al., arXiv:2312.15685, section 2.4; `tau` 0.9): near means a **cosine similarity above** `tau`, to any row kept
before, and never to a row that was passed over. Their code, with batches, also drops rows for those; distilabel's documents 0.9
as a distance, the opposite.

Exact: blocks are compared in single precision, and what comes within its rounding of `tau` is computed again in double.
Fast: a row first looks for its nearest kept row among sketches, of few dimensions; where the two are too near, it goes. Only the
others meet all rows kept. The sketches hold small integers, whose products are exact: the same answer on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tilth.filters.nearest import unit

BLOCK = 2048
"""Rows that are looked at together."""
CHUNK = 2048
"""Kept rows that a block is compared with at once: 16 MiB of similarities."""
SKETCH_WIDTH = 48
SKETCH_LEVELS = 127
SKETCH_DOUBT = 0.3
"""How far a sketch may be below `tau` and its row still be looked at: twice the error of 48 dimensions."""


@dataclass(frozen=True)
class Selection:
    """What a walk came to; rows that it did not reach, for `count` was full, stand in neither."""

    kept: np.ndarray
    """int64 [kept]: rows, in the order in which they were kept."""
    passed: np.ndarray
    """int64 [passed]: rows that are too near to a kept one, in the order of the walk."""
    near: np.ndarray
    """int64 [passed]: a kept row that each is too near to."""
    similarity: np.ndarray
    """float64 [passed]: cosine similarity of the two, above `tau`."""


def select(vectors: np.ndarray, order: np.ndarray, tau: float, count: int | None = None) -> Selection:
    """Rows to keep of those in `order`, best first.

    Args:
        vectors: float [rows, width], any length; a zero vector is near to nothing.
        order: int64, rows in the order of the walk, each once.
        tau: a row goes when its cosine similarity to a kept row is above that.
        count: stop when so many are kept; None: walk to the end.

    >>> found = select(np.array([[1.0, 0], [1, 0.1], [0, 1]]), np.array([2, 1, 0]), 0.9)
    >>> found.kept.tolist(), found.passed.tolist(), found.near.tolist()
    ([2, 1], [0], [1])
    """
    count = len(order) if count is None else min(count, len(order))
    walk = _Walk(vectors, tau, count)
    for start in range(0, len(order), BLOCK):
        if walk.size >= count:
            break
        walk.take(order[start : start + BLOCK])
    return Selection(walk.rows[: walk.size], *(np.concatenate(parts) for parts in zip(walk.NONE, *walk.gone, strict=True)))


class _Walk:
    """The rows kept so far (their unit vectors and sketches), and those passed over."""

    NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))

    def __init__(self, vectors: np.ndarray, tau: float, count: int) -> None:
        width = vectors.shape[1]
        self._source = vectors
        self._tau = tau
        self._count = count
        self._slack = (width + 8) * 2.0**-23  # more than the rounding of a product of unit vectors in single precision
        self._projection = np.random.default_rng(0).standard_normal((width, SKETCH_WIDTH))
        self.rows = np.empty(count, np.int64)
        self._units = np.empty((count, width), np.float32)
        self._sketches = np.empty((count, SKETCH_WIDTH), np.float32)
        self.size = 0
        self.gone: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def take(self, rows: np.ndarray) -> None:
        """Walk over one block."""
        wide = unit(self._source[rows])
        units, sketches = wide.astype(np.float32), np.rint(unit(wide @ self._projection) * SKETCH_LEVELS).astype(np.float32)
        near = np.full(len(rows), -1)
        similarity = self._likely(wide, sketches, near)
        self._meet_all(rows, units, near)
        self._meet_block(rows, units, near)
        stays = np.flatnonzero(near < 0)
        if self.size + len(stays) > self._count:  # the walk ends within this block
            last = int(stays[self._count - self.size - 1])
            rows, near, stays = rows[: last + 1], near[: last + 1], stays[stays <= last]
        kept = slice(self.size, self.size + len(stays))
        self.rows[kept], self._units[kept], self._sketches[kept] = rows[stays], units[stays], sketches[stays]
        self.size = kept.stop
        gone = np.flatnonzero(near >= 0)
        others = gone[np.isnan(similarity[gone])]
        similarity[others] = cosines(self._source, rows[others], near[others])
        self.gone.append((rows[gone], near[gone], similarity[gone]))

    def _likely(self, wide: np.ndarray, sketches: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Give each row of a block the kept row with the most similar sketch, where it is too near; the similarities, else NaN."""
        best = np.zeros(len(near), np.float32)
        at = np.zeros(len(near), np.int64)
        for start in range(0, self.size, CHUNK):
            similar = sketches @ self._sketches[start : min(start + CHUNK, self.size)].T
            first = similar.argmax(axis=1)
            top = similar[np.arange(len(near)), first]
            better = top > best
            best[better], at[better] = top[better], start + first[better]
        hopeful = np.flatnonzero(best > max(0.0, self._tau - SKETCH_DOUBT) * SKETCH_LEVELS**2)
        found = np.full(len(near), np.nan)
        found[hopeful] = _cosines(wide[hopeful], unit(self._source[self.rows[at[hopeful]]]))
        found[~(found > self._tau)] = np.nan
        near[~np.isnan(found)] = self.rows[at[~np.isnan(found)]]
        return found

    def _meet_all(self, rows: np.ndarray, units: np.ndarray, near: np.ndarray) -> None:
        """Compare what is open of a block with all kept rows; `near` takes the first kept that each is too near to."""
        for start in range(0, self.size, CHUNK):
            part = slice(start, min(start + CHUNK, self.size))
            open_ = np.flatnonzero(near < 0)
            similar = units[open_] @ self._units[part].T
            maybe = np.flatnonzero(similar.max(axis=1, initial=-2) > self._tau - self._slack)
            hits = self._above(similar[maybe], rows[open_[maybe]], self.rows[part])
            found = np.flatnonzero(hits.any(axis=1))
            near[open_[maybe[found]]] = self.rows[part][hits[found].argmax(axis=1)]

    def _meet_block(self, rows: np.ndarray, units: np.ndarray, near: np.ndarray) -> None:
        """Compare the rows of a block that are still open with those before them that stay."""
        open_ = np.flatnonzero(near < 0)
        similar = units[open_] @ units[open_].T
        similar[np.tri(len(open_), dtype=bool)] = -2
        hits = self._above(similar, rows[open_], rows[open_])
        gone = np.zeros(len(open_), bool)
        for one in np.flatnonzero(hits.any(axis=1)).tolist():
            if not gone[one]:
                took = np.flatnonzero(hits[one] & ~gone)
                gone[took] = True
                near[open_[took]] = rows[open_[one]]

    def _above(self, similar: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """bool [ours, theirs]: similarity above tau, in double precision where single cannot tell."""
        hits: np.ndarray = similar > self._tau
        left, right = np.nonzero(np.abs(similar - np.float32(self._tau)) <= self._slack)
        hits[left, right] = cosines(self._source, ours[left], theirs[right]) > self._tau
        return hits


def cosines(vectors: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 [pairs]: cosine similarity of rows `left` and `right`, at most 1; 0 with a zero vector."""
    made = np.empty(len(left))
    for i in range(0, len(left), BLOCK):
        some = slice(i, i + BLOCK)
        made[some] = _cosines(unit(vectors[left[some]]), unit(vectors[right[some]]))
    return made


def _cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    made: np.ndarray = np.minimum(np.einsum("ij,ij->i", left, right), 1.0)
    return made
