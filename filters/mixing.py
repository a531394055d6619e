"""The arithmetic of a mix: which rows, and how often, so that every cell has its share of a budget.

A cell is what a share is asked of: a part of a stage, or a language within one. Rows are drawn in the order of their keys (seeded
hashes), so a smaller budget takes a subset of what a larger one takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from tilth.filters.hashing import mix

WhenShort = Literal["shrink", "repeat", "stop"]


@dataclass(frozen=True)
class Drawn:
    """What was drawn: `times` (uint16, one a row) how often each row is taken.

    `had` and `got` (int64, one a cell) are units there and units taken; `size` is the total that was aimed at, `short` the cell
    that had too little for the budget, None where there was enough.
    """

    times: np.ndarray
    had: np.ndarray
    got: np.ndarray
    size: float
    short: int | None


def draw(
    keys: np.ndarray, sizes: np.ndarray, cells: np.ndarray, shares: Sequence[float], *,
    budget: float | None = None, when_short: WhenShort = "shrink", max_epochs: int = 1,
) -> Drawn:  # fmt: skip
    """Draw rows so that each cell has its share.

    Every cell gets the prefix of its rows, by key, that comes nearest to what it should have: it is off by half of one row at most.

    Args:
        keys: uint64 [rows]; rows of equal keys are drawn in their order.
        sizes: int64 [rows], units (tokens, or 1) of each.
        cells: int [rows], the cell of each; -1: none.
        shares: of the cells, positive; they are taken in proportion to their sum.
        budget: units in all; None: as many as the shares allow.
        when_short: what gives way where a cell has too little: with `shrink` all cells in proportion; with `repeat` its rows come
            up to `max_epochs` times, and all shrink where that is too little; with `stop` `size` is 0 and nothing is taken.

    >>> one = draw(np.arange(6, dtype=np.uint64), np.ones(6, np.int64), np.array([0, 0, 0, 0, 1, 1]), [1, 1])
    >>> one.times.tolist(), one.size, one.short
    ([1, 1, 0, 0, 1, 1], 4.0, 1)
    >>> two = draw(np.arange(6, dtype=np.uint64), np.ones(6, np.int64), np.array([0, 0, 0, 0, 1, 1]), [1, 1], when_short="repeat", budget=6, max_epochs=2)
    >>> two.times.tolist(), two.short
    ([1, 1, 1, 0, 2, 1], 1)
    """
    share = np.asarray(shares, np.float64) / sum(shares)
    held = cells >= 0
    had = np.bincount(cells[held], weights=sizes[held].astype(np.float64), minlength=len(share)).astype(np.int64)
    most = had / share
    scarcest = int(np.argmin(most))
    wanted = float(most[scarcest]) if budget is None else float(budget)
    short = scarcest if budget is None or most[scarcest] < wanted else None
    epochs = max_epochs if when_short == "repeat" else 1
    size = min(wanted, float(most[scarcest]) * epochs)
    if when_short == "stop" and budget is not None and short is not None:
        size = 0.0
    times = np.zeros(len(cells), np.uint16)
    got = np.zeros(len(share), np.int64)
    order = np.lexsort((keys, cells))  # stable
    begins = np.searchsorted(cells[order], np.arange(len(share) + 1))
    for cell, (begin, end) in enumerate(pairwise(begins)):
        mine = order[begin:end]
        if not had[cell] or not size:
            continue
        whole, rest = divmod(size * share[cell], had[cell])
        own = sizes[mine]
        further = int(np.searchsorted(np.cumsum(own) - own / 2, rest, side="right")) if rest >= 0.5 else 0
        times[mine] = int(whole)
        times[mine[:further]] += 1
        got[cell] = int(whole) * had[cell] + own[:further].sum()
    return Drawn(times, had, got, size, short)


def keys(hashes: np.ndarray, seed: int, name: str) -> np.ndarray:
    """uint64: an order of rows (of hashes that differ) for each seed and name."""
    salt = int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8])
    return mix(hashes ^ np.uint64(salt))
