"""Bradley–Terry: strengths of a row's candidates from whatever pairs of them were compared (Biometrika 39 (1952) 324).

By minorise-maximise (Hunter, Annals of Statistics 32 (2004) 384), all rows at once. Half a win and half a loss against a rival of
strength 1 are added for each candidate, so that one never beaten, or never compared, has a finite strength.
"""

from __future__ import annotations

import numpy as np

from tilth.annotators.panels.votes import Floats, Votes


def bradley_terry(votes: Votes, rounds: int = 200, tolerance: float = 1e-8) -> Floats:
    """(n, C) log strengths: P(a above b) = sigmoid(score a - score b). Every answer of every judge counts once."""
    wins = votes.beats.sum(axis=3)
    met = wins + np.swapaxes(wins, 1, 2)
    won = wins.sum(axis=2) + 0.5
    strength = np.ones(won.shape)
    for _ in range(rounds):
        shared = (met / (strength[:, :, None] + strength[:, None, :])).sum(axis=2) + 1 / (strength + 1)
        found = won / shared
        moved = float(np.abs(np.log(found / strength)).max()) if found.size else 0.0
        strength = found
        if moved < tolerance:
            break
    scores: Floats = np.log(strength)
    return scores
