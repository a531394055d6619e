"""Logistic stacks on gold, and the mean over many of them: the panel's default where there is gold.

A stack gives each judge a weight w and says P(a better than b) = sigmoid(w · (votes of a - votes of b)), with a Gaussian prior on w.
No intercept: which candidate stands first in a row means nothing. What fits a panel differs from table to table: one
good judge among echoes, equals who add up, judges that are best read upside down. So the default believes none of these ideas
alone: each is a prior, and the mean of their predictions is taken, weighted by the evidence of the gold (the Laplace approximation
of p(gold | prior); MacKay, Neural Computation 4 (1992) 415). With little gold the ideas share the word; with more, one wins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tilth.annotators.panels.votes import Floats, Pairs, Votes

L2 = 3.0
"""Precision of the weights' prior in the plain stacks."""


@dataclass(frozen=True)
class Prior:
    """One idea of how the features tell: weights are Gaussian around `mean` with `precision`, over features made by `mix`."""

    share: float
    """Of belief, before gold."""
    mix: Floats
    """(all features, own features)"""
    mean: Floats
    precision: Floats


def logistic(votes: Votes, gold: Pairs) -> Floats:
    """(n, C) scores: one L2-logistic weight a judge."""
    return _plain(votes.votes, gold)


def logistic_extras(votes: Votes, gold: Pairs) -> Floats:
    """(n, C) scores: the same with what else may tell, as the log length ratio."""
    return _plain(np.concatenate([votes.votes, votes.extras], axis=2), gold)


def _plain(features: Floats, gold: Pairs) -> Floats:
    size = features.shape[2]
    weights, _ = fit(gold.differences(features)[None], gold.weight, np.zeros((1, size)), np.full((1, size), L2))
    scores: Floats = features @ weights[0]
    return scores


def mean_of_stacks(votes: Votes, gold: Pairs) -> Floats:
    """(n, C) probabilities that a candidate is the row's best: the mean over `priors`, weighted by evidence."""
    features = np.concatenate([votes.votes, votes.extras], axis=2)
    apart = gold.differences(features)
    by_size: defaultdict[int, list[Prior]] = defaultdict(list)
    for prior in priors(len(votes.judges), votes.extras.shape[2]):
        by_size[len(prior.mean)].append(prior)
    evidence: list[Floats] = []
    chances: list[Floats] = []
    absent = np.where(votes.present, 0.0, -np.inf)[:, :, None]
    for same in by_size.values():
        mixes = np.stack([prior.mix for prior in same])
        means, precisions = (np.stack([getattr(prior, name) for prior in same]) for name in ("mean", "precision"))
        weights, found = fit(apart @ mixes, gold.weight, means, precisions)
        evidence.append(found + np.log([prior.share for prior in same]))
        chances.append(_softmax(features @ np.einsum("bfk,bk->fb", mixes, weights) + absent))
    belief = np.exp(np.concatenate(evidence) - max(one.max() for one in evidence))
    scores: Floats = np.concatenate(chances, axis=2) @ (belief / belief.sum())
    return scores


def priors(num_judges: int, num_extras: int) -> Iterator[Prior]:
    """The ideas, each without the extras and with them (half the belief): all judges alike; one judge only (believed three times as much,
    for a panel's judges err together; right in 70 to 97 % of the pairs); every judge by itself, near zero or near a weight that all share."""
    judges, ones = np.eye(num_judges), np.ones((num_judges, 1))
    yield from _with_extras(1.0, ones, [1.0], [1.0], num_extras)
    if num_judges == 1:
        return
    for judge in range(num_judges):
        yield from _with_extras(3 / num_judges, judges[:, [judge]], [2.0], [0.5], num_extras)
    for precision in (0.3, 1.0, 3.0):
        yield from _with_extras(1 / 3, judges, [0.0] * num_judges, [precision] * num_judges, num_extras)
    for precision in (1.0, 3.0, 10.0):
        both = np.concatenate([ones, judges], axis=1)
        yield from _with_extras(1 / 3, both, [0.5] + [0.0] * num_judges, [1.0] + [precision] * num_judges, num_extras)


def _with_extras(share: float, mix: Floats, mean: list[float], precision: list[float], num_extras: int) -> Iterator[Prior]:
    judges, own = mix.shape
    wide = np.zeros((judges + num_extras, own + num_extras))
    wide[:judges, :own] = mix
    wide[judges:, own:] = np.eye(num_extras)
    yield Prior(share / 2 if num_extras else share, wide[:, :own], np.array(mean), np.array(precision))
    if num_extras:
        yield Prior(share / 2, wide, np.array(mean + [0.0] * num_extras), np.array(precision + [1.0] * num_extras))


def fit(apart: Floats, weight: Floats, mean: Floats, precision: Floats, rounds: int = 30) -> tuple[Floats, Floats]:
    """Weights (B, k) at the mode and log evidence (B) of B logistic models, by Newton's method with halved steps.

    Args:
        apart: (B or 1, pairs, k) features of the better candidate minus those of the worse.
        weight: (pairs) what a pair counts.
        mean: (B, k) of the Gaussian prior.
        precision: (B, k), diagonal.
    """
    weights = mean.copy()
    value = _objective(apart, weight, weights, mean, precision)
    for _ in range(rounds):
        gradient, hessian = _slopes(apart, weight, weights, mean, precision)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        size = np.ones(len(mean))
        for _ in range(12):
            tried = _objective(apart, weight, weights + size[:, None] * step, mean, precision)
            worse = tried < value - 1e-12
            if not worse.any():
                break
            size[worse] /= 2
        size[tried < value - 1e-12] = 0
        weights = weights + size[:, None] * step
        moved, value = float(np.abs(tried - value).max()), np.maximum(tried, value)
        if moved < 1e-7:
            break
    _, hessian = _slopes(apart, weight, weights, mean, precision)
    evidence: Floats = value + 0.5 * np.log(precision).sum(axis=1) - 0.5 * np.linalg.slogdet(hessian)[1]
    return weights, evidence


def _objective(apart: Floats, weight: Floats, weights: Floats, mean: Floats, precision: Floats) -> Floats:
    margins = (apart @ weights[:, :, None])[:, :, 0]
    found: Floats = -(np.logaddexp(0, -margins) @ weight) - 0.5 * (precision * np.square(weights - mean)).sum(axis=1)
    return found


def _slopes(apart: Floats, weight: Floats, weights: Floats, mean: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Gradient (B, k) and minus the Hessian (B, k, k)."""
    margins = (apart @ weights[:, :, None])[:, :, 0]
    wrong = 1 / (1 + np.exp(np.clip(margins, -30, 30)))
    turned = np.swapaxes(apart, 1, 2)
    gradient: Floats = (turned @ (weight * wrong)[:, :, None])[:, :, 0] - precision * (weights - mean)
    curve = (weight * wrong * (1 - wrong))[:, :, None]
    hessian: Floats = turned @ (curve * apart) + precision[:, :, None] * np.eye(precision.shape[1])
    return gradient, hessian


def _softmax(scores: Floats) -> Floats:
    """Over axis 1."""
    top = scores.max(axis=1, keepdims=True)
    raised = np.exp(scores - top)
    found: Floats = raised / raised.sum(axis=1, keepdims=True)
    return found
