"""How good a classifier is on documents that it has not seen, every figure with its interval.

Intervals of shares are Wilson's; those of F1, errors and rank correlations are the 2.5th and 97.5th percentile of a bootstrap over
documents (Efron 1979), 1,000 draws by a seed. Of a perfect F1 a bootstrap knows no doubt: there the share that is right says more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from tilth.core.intervals import wilson

DRAWS = 1000
NONE = "(none)"
TIERS = (3, 4)
"""Of quality 0–6: relatively good, clearly good (BAAI/IndustryCorpus2_DataRater)."""


def of_labels(held: pl.DataFrame, labels: Sequence[str], seed: int) -> dict[str, Any]:
    """F1 by label and macro, accuracy, confusion, by language and by source.

    Args:
        held: one row or more of label, predicted (null: it says nothing), language, source.
        labels: all labels, in order; those with no held-out document have no F1 and do not enter the mean.
    """
    labels = [*labels, NONE] if held["predicted"].null_count() else labels
    places = {label: place for place, label in enumerate(labels)}
    held = held.with_columns(pl.col("predicted").fill_null(NONE))
    truth, guess = (held[name].replace_strict(places, return_dtype=pl.Int64).to_numpy() for name in ("label", "predicted"))
    confusion = _confusion(truth, guess, len(labels))
    spread = np.array([_f1s(_confusion(truth[one], guess[one], len(labels))) for one in _draws(held.height, seed)])
    f1 = _f1s(confusion)
    there = [place for place in range(len(labels)) if confusion[place].sum()]
    told: dict[str, Any] = {"documents": held.height, "accuracy": _share(truth == guess), "macro_f1": _bounded(_mean(f1[there]), [_mean(one[there]) for one in spread])}
    told["labels"] = [
        {"label": labels[place], "documents": int(confusion[place].sum()), "precision": _ratio(confusion[place, place], confusion[:, place].sum()),
         "recall": _ratio(confusion[place, place], confusion[place].sum()), "f1": _bounded(f1[place], spread[:, place])}
        for place in there
    ]  # fmt: skip
    told["confusion"] = {"labels": list(labels), "counts": confusion.tolist()}
    for by in ("language", "source"):
        told[f"by_{by}"] = {name: {"documents": own.height, "accuracy": _share((own["label"] == own["predicted"]).to_numpy())} for (name,), own in sorted(held.group_by(by))}
    return told


def of_scores(held: pl.DataFrame, mean: float, seed: int) -> dict[str, Any]:
    """Mean absolute error, rank correlation, and precision and recall of the tiers; by language and by source.

    Args:
        held: one row or more of value, predicted, language, source.
        mean: of the scores that taught: what one would say of every document without a model.
    """
    truth, guess = held["value"].to_numpy(), held["predicted"].to_numpy()

    def bounded(of: Callable[[np.ndarray, np.ndarray], float]) -> dict[str, Any]:
        return _bounded(of(truth, guess), [of(truth[one], guess[one]) for one in _draws(held.height, seed)])

    told: dict[str, Any] = {
        "documents": held.height, "mean_error": bounded(_error), "mean_error_of_the_mean": _rounded(np.abs(truth - mean).mean()),
        "bias": _rounded((guess - truth).mean()), "spearman": bounded(spearman),
    }  # fmt: skip
    told["tiers"] = [
        {"at_least": tier, "documents": int((truth >= tier).sum()), "predicted": int((guess >= tier).sum()),
         "precision": _ratio(((truth >= tier) & (guess >= tier)).sum(), (guess >= tier).sum()),
         "recall": _ratio(((truth >= tier) & (guess >= tier)).sum(), (truth >= tier).sum()), "f1": bounded(lambda a, b, tier=tier: _tier_f1(a, b, tier))}  # type: ignore[misc]
        for tier in TIERS
    ]  # fmt: skip
    for by in ("language", "source"):
        told[f"by_{by}"] = {
            name: {"documents": own.height, "mean_error": _rounded(_error(own["value"].to_numpy(), own["predicted"].to_numpy())),
                   "spearman": _rounded(spearman(own["value"].to_numpy(), own["predicted"].to_numpy()))}
            for (name,), own in sorted(held.group_by(by))
        }  # fmt: skip
    return told


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    """Rank correlation, ties at their mean rank; NaN where one side says the same of all.

    >>> round(spearman(np.array([1.0, 2, 2, 5]), np.array([1.0, 3, 4, 9])), 4)
    0.9487
    """
    ranks = [pl.Series(one).rank("average").to_numpy() for one in (left, right)]
    if len(left) < 2 or any(np.ptp(one) == 0 for one in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _draws(documents: int, seed: int) -> Iterator[np.ndarray]:
    """The same at every call."""
    chance = np.random.default_rng(seed)
    return (chance.integers(0, documents, documents) for _ in range(DRAWS))


def _confusion(truth: np.ndarray, guess: np.ndarray, labels: int) -> np.ndarray:
    return np.bincount(truth * labels + guess, minlength=labels**2).reshape(labels, -1)


def _f1s(confusion: np.ndarray) -> np.ndarray:
    """float64 [labels]; NaN for a label that neither is there nor was guessed."""
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    return np.where(both > 0, 2 * confusion.diagonal() / np.where(both > 0, both, 1), np.nan)


def _tier_f1(truth: np.ndarray, guess: np.ndarray, tier: float) -> float:
    both = int((truth >= tier).sum() + (guess >= tier).sum())
    return 2 * int(((truth >= tier) & (guess >= tier)).sum()) / both if both else float("nan")


def _error(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(np.abs(truth - guess).mean())


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _bounded(value: float, drawn: Sequence[float] | np.ndarray) -> dict[str, Any]:
    known = np.array([one for one in drawn if not np.isnan(one)])
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (None, None)
    return {"value": _rounded(value), "low": _rounded(low), "high": _rounded(high)}


def _share(right: np.ndarray) -> dict[str, Any]:
    low, high = wilson(int(right.sum()), len(right))
    return {"value": _ratio(right.sum(), len(right)), "low": _rounded(low), "high": _rounded(high)}


def _ratio(part: Any, whole: Any) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None


def _rounded(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 4)
