"""How far reviewers agree: percent, Cohen's kappa for each two, Krippendorff's alpha for all.

What is compared is one choice a pair of candidates (nominal: this one, that one, tie), or one score a candidate (distances squared:
quadratic weights for kappa, interval data for alpha). "Cannot say" is no vote. Source of kappa: Cohen 1960 and 1968.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tilth.annotators.agreement import krippendorff_alpha
from tilth.annotators.human import Sheet
from tilth.annotators.human_store import Verdict

Ratings = dict[tuple[str, int], float]
"""(sheet, candidate of the row, -1 for none) → value"""


@dataclass(frozen=True)
class TwoReviewers:
    """How far two reviewers agree."""

    reviewers: tuple[str, str]
    compared: int
    """Choices or scores that both gave."""
    agree_share: float | None
    """Of these, the share that is the same; None for none."""
    kappa: float | None
    """None where chance explains everything: nothing compared, or only one answer ever given."""


@dataclass(frozen=True)
class Agreement:
    """How far all reviewers agree."""

    pairs: tuple[TwoReviewers, ...]
    alpha: float | None
    """Krippendorff's, over everything that two or more have judged; None where it is not defined."""


def agreement(verdicts: Iterable[Verdict], shown: Iterable[Sheet]) -> Agreement:
    """Agreement of the reviewers on those sheets."""
    known = {sheet.key: sheet for sheet in shown}
    scores = any(sheet.scale is not None for sheet in known.values())
    given: dict[str, Ratings] = {}
    for verdict in verdicts:
        if verdict.sheet in known:
            given.setdefault(verdict.reviewer, {}).update(_ratings(verdict, known[verdict.sheet]))
    pairs = tuple(_compare((a, b), given[a], given[b], scores) for a, b in combinations(sorted(given), 2))
    units = sorted({unit for ratings in given.values() for unit in ratings})
    values = np.array([[ratings.get(unit, np.nan) for unit in units] for ratings in given.values()]).reshape(len(given), len(units))
    return Agreement(pairs, krippendorff_alpha(values, "interval" if scores else "nominal"))


def _ratings(verdict: Verdict, sheet: Sheet) -> Ratings:
    places = verdict.order or (-1,)
    known = {(verdict.sheet, place): value for place, value in zip(places, verdict.values, strict=True) if value is not None}
    if sheet.scale is None:  # of two candidates, one's value is the whole choice
        known.pop((verdict.sheet, max(places)), None)
    return known


def _compare(names: tuple[str, str], one: Ratings, two: Ratings, squared: bool) -> TwoReviewers:
    both = [(one[unit], two[unit]) for unit in one.keys() & two.keys()]
    same = sum(a == b for a, b in both) / len(both) if both else None
    return TwoReviewers(names, len(both), same, kappa(both, squared=squared))


def _distance(a: float, b: float, squared: bool) -> float:
    return (a - b) ** 2 if squared else float(a != b)


def kappa(pairs: Sequence[tuple[float, float]], *, squared: bool = False) -> float | None:
    """Cohen's kappa of two raters; with quadratic weights where `squared`.

    >>> kappa([(1, 1), (1, 1), (0, 0), (0, 1)]), kappa([(1, 1)]), kappa([])
    (0.5, None, None)
    """
    if not pairs:
        return None
    seen = sum(_distance(a, b, squared) for a, b in pairs) / len(pairs)
    first, second = _counts(a for a, _ in pairs), _counts(b for _, b in pairs)
    chance = sum(n * m * _distance(a, b, squared) for a, n in first.items() for b, m in second.items()) / len(pairs) ** 2
    return 1 - seen / chance if chance else None


def _counts(values: Iterable[float]) -> Mapping[float, int]:
    found: dict[float, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found
