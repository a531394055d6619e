"""The ways to aggregate, by name, and how good each is on gold that it has not seen.

Without gold the default is the strongest judge, which is the one named first, asked in both orders; the other judges are a flag of
disagreement and no more. An unweighted majority can be far worse than one good judge: 50 % against 81 % on LLMBar Adversarial.
With gold the default is the mean over logistic stacks (`stack.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from tilth.annotators.panels.bradley_terry import bradley_terry
from tilth.annotators.panels.counted import best_single, log_odds, majority, strongest
from tilth.annotators.panels.dawid_skene import dawid_skene
from tilth.annotators.panels.stack import logistic, logistic_extras, mean_of_stacks
from tilth.annotators.panels.votes import Floats, Pairs, Votes

Strategy = Literal[
    "default", "strongest", "majority", "dawid_skene", "bradley_terry",
    "best_single", "log_odds", "logistic", "logistic_extras", "mean_of_stacks",
]  # fmt: skip
WITHOUT_GOLD: dict[str, Callable[[Votes], Floats]] = {
    "strongest": strongest,
    "majority": majority,
    "dawid_skene": dawid_skene,
    "bradley_terry": bradley_terry,
}
WITH_GOLD: dict[str, Callable[[Votes, Pairs], Floats]] = {
    "best_single": best_single,
    "log_odds": log_odds,
    "logistic": logistic,
    "logistic_extras": logistic_extras,
    "mean_of_stacks": mean_of_stacks,
    "dawid_skene": dawid_skene,
}


def chosen(strategy: Strategy, has_gold: bool) -> str:
    """The strategy that `default` stands for."""
    if strategy != "default":
        return strategy
    return "mean_of_stacks" if has_gold else "strongest"


def scores(votes: Votes, gold: Pairs | None = None, strategy: Strategy = "default") -> Floats:
    """(n, C): the higher, the better; of a row's candidates, that is, for scores of other rows may be on another scale.

    Raises:
        ValueError: the strategy needs gold and there is none.
    """
    name = chosen(strategy, gold is not None and len(gold) > 0)
    if gold is not None and len(gold) and name in WITH_GOLD:
        return WITH_GOLD[name](votes, gold)
    if name not in WITHOUT_GOLD:
        raise ValueError(f"{name} needs gold")
    return WITHOUT_GOLD[name](votes)


def on_gold(votes: Votes, gold: Pairs, seed: int = 0, folds: int = 10) -> dict[str, float]:
    """Strategy → accuracy on gold, of rows that it was not fitted to: by cross-validation, folds drawn by `seed`."""
    rows = np.random.default_rng(seed).permutation(np.unique(gold.row))
    found = {name: float(gold.accuracy(way(votes))) for name, way in WITHOUT_GOLD.items()}
    parts = [part for part in np.array_split(rows, min(folds, len(rows))) if len(part) < len(rows)]
    if not parts:
        return found
    for name, way in WITH_GOLD.items():
        if name in found:
            continue
        right = 0.0
        for part in parts:
            test = gold.of_rows(part)
            right += float(test.accuracy(way(votes, gold.of_rows(np.setdiff1d(rows, part))))) * len(part)
        found[name] = right / len(rows)
    return found
