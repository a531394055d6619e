"""How much of a question stands in a stretch of text, in order: weighted alignment of token hashes, many pairs at once.

A token of the question that the text has too, in order, counts `TELLING_WEIGHT`, or `STOCK_WEIGHT` where all exams say it; a
token of the text in between that the question has not costs `INSERTION`; one that the text leaves out costs only its own
share. This is the longest common subsequence (Wagner and Fischer 1974) with weights and linear gap costs, free at both ends of
the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilth.filters import _kernels

TELLING_WEIGHT, STOCK_WEIGHT, INSERTION = 1.0, 0.4, 0.45
LONGEST = 384
"""Tokens up to which a question is aligned; a longer one is measured by its seeds alone (`benchmark_hits`)."""


@dataclass(frozen=True)
class Pair:
    """A question (or a part of it) and the stretch of text that may hold it."""

    question: np.ndarray
    """uint64 [n]."""
    weights: np.ndarray
    """float32 [n]."""
    text: np.ndarray
    """uint64 [m]."""


@dataclass(frozen=True)
class Alignment:
    """What of a question was found: `matched[i]` is the place in the text of its token i, -1 where it is not there."""

    score: float
    matched: np.ndarray
    """int32 [n], ascending where not -1."""


def align(pairs: Sequence[Pair], least: Sequence[float]) -> list[Alignment | None]:
    """The best alignment of each pair; None where its score is under `least`."""
    if not pairs:
        return []
    questions, questions_at = _joined([pair.question for pair in pairs])
    texts, texts_at = _joined([pair.text for pair in pairs])
    weights = np.concatenate([pair.weights for pair in pairs]).astype(np.float32, copy=False)
    wanted, scores = np.array(least, np.float32), np.empty(len(pairs), np.float32)
    matched = np.empty(len(questions), np.int32)
    _kernels.alignments(questions, weights, questions_at, texts, texts_at, INSERTION, wanted, scores, matched)
    places = np.split(matched, questions_at[1:-1])
    enough = scores >= wanted - 1e-4
    return [Alignment(score, place) if yes else None for score, place, yes in zip(scores.tolist(), places, enough.tolist(), strict=True)]


def _joined(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(all parts one after the other, int64 [parts + 1] where each begins)."""
    begins = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=begins[1:])
    return np.concatenate(parts).astype(np.uint64, copy=False), begins
