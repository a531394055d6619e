"""Dawid–Skene: judges' confusions and the rows' labels, estimated together by EM (Applied Statistics 28 (1979) 20).

A label is the place of the best candidate in its row, so it wants rows whose places mean the same: pairs (A, B) in a fixed order.
Judges that echo each other look right to it: without gold it can be far worse than one good judge (docs/judges.md).
"""

from __future__ import annotations

import numpy as np

from tilth.annotators.panels.votes import Floats, Pairs, Votes

SMOOTHING = 0.01


def dawid_skene(votes: Votes, gold: Pairs | None = None) -> Floats:
    """(n, C) probabilities of being the best; rows of gold are held at their label."""
    known: dict[int, int] = {}
    if gold is not None:
        for row in np.unique(gold.row):
            beaten = set(gold.worse[gold.row == row])
            best = set(gold.better[gold.row == row]) - beaten
            if len(best) == 1 and len(beaten) == len(votes.candidates[row]) - 1:
                known[int(row)] = int(best.pop())
    return estimate(_labels(votes), known)


def _labels(votes: Votes) -> Floats:
    """(n, J, C): for two candidates every answer; for more, one label a judge, shared among those it puts first."""
    said = votes.beats.sum(axis=(1, 2)) > 0
    if votes.votes.shape[1] == 2:
        found: Floats = np.swapaxes(votes.beats.sum(axis=2), 1, 2)
        return found
    hidden = np.where(votes.present[:, :, None], votes.votes, -np.inf)
    first = (hidden >= hidden.max(axis=1, keepdims=True) - 1e-9) & votes.present[:, :, None]
    shared = np.swapaxes(first / np.maximum(1, first.sum(axis=1, keepdims=True)), 1, 2)
    found = shared * said[:, :, None]
    return found


def estimate(labels: Floats, known: dict[int, int], rounds: int = 100, tolerance: float = 1e-6) -> Floats:
    """(n, C) posteriors of labels (n, J, C): how often judge j gave row i the label c. `known`: row → its label."""
    held = np.array(sorted(known), dtype=np.int64)
    truth = np.zeros((len(held), labels.shape[2]))
    truth[np.arange(len(held)), [known[int(row)] for row in held]] = 1.0
    votes = labels.sum(axis=1)
    total = votes.sum(axis=1, keepdims=True)
    posterior: Floats = np.divide(votes, total, out=np.full_like(votes, 1 / max(1, votes.shape[1])), where=total > 0)
    posterior[held] = truth
    for _ in range(rounds):
        confusion = np.einsum("nc,njk->jck", posterior, labels) + SMOOTHING
        confusion /= confusion.sum(axis=2, keepdims=True)
        prior = posterior.mean(axis=0) + 1e-12
        score = np.einsum("njk,jck->nc", labels, np.log(confusion)) + np.log(prior)
        raised = np.exp(score - score.max(axis=1, keepdims=True))
        found = raised / raised.sum(axis=1, keepdims=True)
        found[held] = truth
        moved = float(np.abs(found - posterior).max()) if len(found) else 0.0
        posterior = found
        if moved < tolerance:
            break
    return posterior
