"""How much of a question stands in a stretch of text, in order: weighted alignment of token hashes, many pairs at once.

A token of the question that the text has too, in order, counts `TELLING_WEIGHT`, or `STOCK_WEIGHT` where all exams say it; a
token of the text in between that the question has not costs `INSERTION`; one that the text leaves out costs only its own
share. This is the longest common subsequence (Wagner and Fischer 1974) with weights and linear gap costs, free at both ends of
the text; rows of the table are made by a running maximum, so that a batch of pairs is a few numpy calls for each token of the
question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TELLING_WEIGHT, STOCK_WEIGHT, INSERTION = 1.0, 0.4, 0.45
CELLS = 1 << 22
"""Cells of tables held at once (16 MiB)."""
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
    found: list[Alignment | None] = [None] * len(pairs)
    for group in _groups(pairs):
        sizes = [len(pairs[k].question) for k in group]
        table = _table([pairs[k] for k in group])
        last = table[np.array(sizes), np.arange(len(group))]
        ends = last.argmax(axis=1)
        scores = last[np.arange(len(group)), ends]
        for c, k in enumerate(group):
            if scores[c] >= least[k] - 1e-4:
                found[k] = _trace(table[: sizes[c] + 1, c], pairs[k], int(ends[c]), float(scores[c]))
    return found


def _groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Pairs of like size together, as many as `CELLS` allows."""
    order = sorted(range(len(pairs)), key=lambda k: (len(pairs[k].question), len(pairs[k].text)))
    groups: list[list[int]] = []
    widest = 0
    for k in order:
        size, room = len(pairs[k].question) + 1, len(pairs[k].text) + 1
        if groups:
            smallest = len(pairs[groups[-1][0]].question) + 1
            wide = max(widest, room)
            if size <= 1.25 * smallest + 2 and (len(groups[-1]) + 1) * size * wide <= CELLS:
                groups[-1].append(k)
                widest = wide
                continue
        groups.append([k])
        widest = room
    return groups


def _table(pairs: Sequence[Pair]) -> np.ndarray:
    """float32 [n + 1, pairs, m + 1]: best score of the first i tokens of a question that ends at or before place j, costs paid."""
    tall, wide = max(len(pair.question) for pair in pairs), max(len(pair.text) for pair in pairs)
    question, text = np.zeros((tall, len(pairs)), np.uint64), np.ones((len(pairs), wide), np.uint64)
    weights = np.zeros((tall, len(pairs)), np.float32)
    for c, pair in enumerate(pairs):
        question[: len(pair.question), c] = pair.question
        weights[: len(pair.question), c] = pair.weights
        text[c, : len(pair.text)] = pair.text
    table = np.zeros((tall + 1, len(pairs), wide + 1), np.float32)
    paid = (INSERTION * np.arange(wide + 1)).astype(np.float32)
    for i in range(tall):
        row = table[i + 1]
        row[:] = table[i]
        equal = text == question[i][:, None]
        if not equal.any():
            continue
        taken = table[i][:, :-1] + weights[i][:, None]
        np.maximum(row[:, 1:], np.where(equal, taken, 0), out=row[:, 1:])
        row += paid
        np.maximum.accumulate(row, axis=1, out=row)
        row -= paid
    return table


def _trace(table: np.ndarray, pair: Pair, end: int, score: float) -> Alignment:
    matched = np.full(len(pair.question), -1, np.int32)
    i, j = len(pair.question), end
    while i and j:
        if abs(table[i, j] - table[i - 1, j]) < 1e-4:
            i -= 1
        elif pair.text[j - 1] == pair.question[i - 1] and abs(table[i, j] - table[i - 1, j - 1] - pair.weights[i - 1]) < 1e-3:
            matched[i - 1] = j - 1
            i, j = i - 1, j - 1
        else:
            j -= 1
    return Alignment(score, matched)
