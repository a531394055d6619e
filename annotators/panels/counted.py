"""Counted votes: the best judge, the majority, votes weighted by each judge's log odds of being right."""

from __future__ import annotations

import numpy as np

from tilth.annotators.panels.votes import Floats, Pairs, Votes


def strongest(votes: Votes) -> Floats:
    """(n, C): votes of the first judge that said anything about the row; of the others, only where those before it are silent."""
    said = (votes.beats.sum(axis=(1, 2)) > 0).argmax(axis=1) if votes.judges else np.zeros(len(votes.rows), dtype=np.int64)
    found: Floats = np.take_along_axis(votes.votes, said[:, None, None], axis=2)[:, :, 0]
    return found


def majority(votes: Votes) -> Floats:
    """(n, C): mean vote, every judge counting once."""
    found: Floats = votes.votes.mean(axis=2)
    return found


def best_single(votes: Votes, gold: Pairs) -> Floats:
    """(n, C): votes of the judge that is right most often on gold, the first of equals."""
    found: Floats = votes.votes[:, :, int(np.argmax(gold.accuracy(votes.votes)))]
    return found


def log_odds(votes: Votes, gold: Pairs) -> Floats:
    """(n, C): votes weighted by log(right / wrong) on gold, one of each added: naive Bayes, were the judges independent."""
    right = gold.weight @ gold.right(votes.votes)
    wrong = gold.weight.sum() - right
    found: Floats = votes.votes @ np.log((right + 1) / (wrong + 1))
    return found
