"""How far judges agree beyond chance, and how many independent votes they amount to."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(values: Floats, level: Level = "nominal") -> float | None:
    """Krippendorff's alpha: 1 where judges always agree, 0 where they agree as often as chance, below where less often.

    Values missing are no disagreement; a unit with fewer than two is left out. Source: Krippendorff, Computing Krippendorff's
    Alpha-Reliability (2011).

    Args:
        values: (judges, units), NaN where there is none.
        level: what a disagreement weighs: nominal 1; ordinal the ranks between; interval the distance squared.

    Returns:
        None where it is not defined: nothing was judged twice, or only one value was ever given.

    >>> round(krippendorff_alpha(np.array([[1, 0, 1, 1], [1, 0, 0, np.nan]])), 4)
    0.4444
    """
    given = np.isfinite(values)
    counts = given.sum(axis=0)
    values, given, counts = values[:, counts > 1], given[:, counts > 1], counts[counts > 1]
    if not counts.size:
        return None
    if level == "interval":  # in closed form: no matrix of the distinct values
        filled = np.where(given, values, 0.0)
        within = 2 * (counts * np.square(filled).sum(axis=0) - np.square(filled.sum(axis=0))) / (counts - 1)
        total = counts.sum()
        expected = 2 * (total * np.square(filled).sum() - filled.sum() ** 2) / (total - 1)
        return None if expected <= 1e-12 * total else float(1 - within.sum() / expected)
    distinct, at = np.unique(values[given], return_inverse=True)
    table = np.zeros((values.shape[1], len(distinct)))
    np.add.at(table, (np.nonzero(given)[1], at), 1.0)
    weighted = table / (counts - 1)[:, None]
    seen = table.T @ weighted - np.diag(weighted.sum(axis=0))
    marginal = table.sum(axis=0)
    distance = _distance(marginal, level)
    expected = float((np.outer(marginal, marginal) * distance).sum() / (marginal.sum() - 1))
    return None if not expected else float(1 - (seen * distance).sum() / expected)


def _distance(marginal: Floats, level: Level) -> Floats:
    size = len(marginal)
    if level == "nominal":
        return 1.0 - np.eye(size)
    below = np.concatenate([[0.0], np.cumsum(marginal)[:-1]])
    middle = below + marginal / 2
    found: Floats = np.square(middle[:, None] - middle[None, :])
    return found


def effective_votes(right: Floats) -> float | None:
    """Kish's effective number: J / (1 + (J - 1) r), r the mean correlation of the judges over the items.

    With columns that say where each judge is right, J judges that err independently are J votes, J that err together are one.

    Args:
        right: (items, judges), NaN where a judge said nothing.

    Returns:
        From 1 to J; None with fewer than two items or where no two judges ever vary together.

    >>> round(effective_votes(np.array([[1, 1], [0, 0], [1, 1]], dtype=float)), 6)
    1.0
    """
    judges = right.shape[1]
    if judges == 1:
        return 1.0
    found: list[float] = []
    for one in range(judges):
        for two in range(one + 1, judges):
            both = right[np.isfinite(right[:, one]) & np.isfinite(right[:, two])][:, [one, two]]
            if len(both) > 1 and (spread := both.std(axis=0)).min() > 0:
                found.append(float((both - both.mean(axis=0)).prod(axis=1).mean() / spread.prod()))
    if not found:
        return None
    shared = max(0.0, sum(found) / len(found))
    return float(judges / (1 + (judges - 1) * shared))
