"""Which row of a cluster of duplicates stays: a row of a preferred source, then the longest if asked, then the first read.

Every rule ends in the order of the corpus, so that the answer never depends on how the cluster was found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

PREFER = "sources, best first: a row of an earlier one stays before a row of a later one, and before rows of sources not named"
"""Description of the field `prefer` of the steps that choose."""


def source_ranks(sources: pl.Series, prefer: Sequence[str]) -> np.ndarray:
    """int64 [rows]: place of a row's source among those preferred, their number where it is not named (lower is better).

    >>> source_ranks(pl.Series(["b", "a", "c"]), ["a", "b"]).tolist()
    [1, 0, 2]
    """
    places = {name: place for place, name in enumerate(prefer)}
    return sources.replace_strict(places, default=len(places), return_dtype=pl.Int64).to_numpy()


def best_rows(cluster: np.ndarray, alive: np.ndarray, *ranks: np.ndarray) -> np.ndarray:
    """int64 [rows]: for every row alive the row that stays for its cluster; for a dead row itself.

    Args:
        cluster: int64 [rows], one number a cluster; only rows alive count.
        alive: bool [rows].
        ranks: numbers [rows], lower is better; a later one decides among rows that are equal in those before.

    >>> best_rows(np.array([0, 0, 0]), np.array([True, False, True]), np.array([5, 0, 3])).tolist()
    [2, 1, 2]
    """
    living = np.flatnonzero(alive)
    keys = (living, *(rank[living] for rank in reversed(ranks)), cluster[living])
    order = living[np.lexsort(keys)]
    _, at, inverse = np.unique(cluster[order], return_index=True, return_inverse=True)
    result = np.arange(len(cluster))
    result[order] = order[at][inverse]
    return result
