"""How much of a question stands in a stretch of text, in order: weighted alignment of token hashes, many pairs at once.

A token of the question that the text has too, in order, counts `TELLING_WEIGHT`, or `STOCK_WEIGHT` where all exams say it; a
token of the text in between that the question has not costs `INSERTION`; one that the text leaves out costs only its own
share. This is the longest common subsequence (Wagner and Fischer 1974) with weights and linear gap costs, free at both ends of
the text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tilth.filters import _kernels

TELLING_WEIGHT, STOCK_WEIGHT, INSERTION = 1.0, 0.4, 0.45
LONGEST = 384
"""Tokens up to which a question is aligned; a longer one is measured by its seeds alone (`benchmark_hits`)."""


@dataclass(frozen=True)
class Lists:
    """Lists of tokens one after the other; list k holds `tokens[offsets[k]:offsets[k + 1]]`."""

    tokens: np.ndarray
    offsets: np.ndarray
    """int64 [lists + 1]."""

    def __getitem__(self, number: int) -> np.ndarray:
        return self.tokens[self.offsets[number] : self.offsets[number + 1]]

    @staticmethod
    def of(parts: list[np.ndarray]) -> Lists:
        """The lists, joined."""
        offsets = np.concatenate(([0], np.cumsum([len(part) for part in parts], dtype=np.int64)))
        return Lists(np.concatenate([np.zeros(0, np.uint64), *parts]), offsets)


@dataclass(frozen=True)
class Stretches:
    """Where lists may stand in a text: list `item[k]` in its tokens `begin[k]:end[k]`; int64."""

    item: np.ndarray
    begin: np.ndarray
    end: np.ndarray


def align(
    questions: Lists, weights: np.ndarray, text: np.ndarray, where: Stretches, least: np.ndarray
) -> tuple[np.ndarray, Lists]:
    """The best alignment of every pair of a question and a stretch of the text.

    Args:
        weights: float32, of the questions' tokens.
        text: uint64, the text's tokens.
        least: float32 [stretches]: score from which what matches is asked for.

    Returns:
        float32 [stretches], the scores; and of each as int64 which token of the text the question's token i is: ascending,
        and -1 where it is not there or the score is under `least`.
    """
    scores = np.empty(len(where.item), np.float32)
    offsets = np.zeros(len(where.item) + 1, np.int64)
    np.cumsum(questions.offsets[where.item + 1] - questions.offsets[where.item], out=offsets[1:])
    matched = np.empty(int(offsets[-1]), np.int64)
    _kernels.alignments(
        questions.tokens, weights, questions.offsets, text, where.item, where.begin, where.end, INSERTION, least, scores, matched
    )
    return scores, Lists(matched, offsets)


def held(lists: Lists, text: np.ndarray, where: Stretches) -> np.ndarray:
    """int32: how many tokens of each list its stretch of the text holds, in any order."""
    counts = np.empty(len(where.item), np.int32)
    _kernels.tokens_held(lists.tokens, lists.offsets, text, where.item, where.begin, where.end, counts)
    return counts
