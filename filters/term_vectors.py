"""Vectors of terms: how alike a passage and a question are by the words that they share, whatever their order.

tf-idf with cosine (Salton and Buckley 1988), the idf taken from the questions; words of exams (`common_phrases`) are left out.
It needs no weights and no network, and knows no synonyms: a rephrasing is found as far as it keeps the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tilth.filters.common_phrases import stock_hashes
from tilth.filters.folding import Folded


class TermVectors:
    """Questions as sparse unit vectors of their terms; `cosines` compares passages with all of them."""

    def __init__(self, questions: Folded) -> None:
        self.count = len(questions.offsets) - 1
        rows = np.repeat(np.arange(self.count), np.diff(questions.offsets))
        self._stock = stock_hashes()
        said = ~np.isin(questions.hashes, self._stock)
        pairs, times = np.unique(np.stack([questions.hashes[said], rows[said].astype(np.uint64)]), axis=1, return_counts=True)
        self.terms, at, frequency = np.unique(pairs[0], return_inverse=True, return_counts=True)
        self.idf = np.log((self.count + 1) / (frequency + 0.5))
        self.start = np.concatenate(([0], np.cumsum(frequency)))
        self.rows = pairs[1].astype(np.int64)
        weights = np.log1p(times) * self.idf[at]
        lengths = np.sqrt(np.bincount(self.rows, weights**2, minlength=self.count))
        self.weights = weights / np.maximum(lengths[self.rows], 1e-9)
        self.empty = np.bincount(self.rows, minlength=self.count) == 0
        """bool [questions]: whether it says nothing to compare by."""
        self._unknown = float(np.log(2 * (self.count + 1)))
        """idf of a term that no question has: as rare as rare can be."""

    def cosines(self, hashes: np.ndarray, passages: Sequence[tuple[int, int]]) -> Iterator[np.ndarray]:
        """Of each passage, tokens [first, last) of a row with these tokens: float64 [questions], how like each question it is.

        What the terms of the row weigh is looked up once.
        """
        terms, ids = np.unique(hashes, return_inverse=True)
        slot = np.minimum(np.searchsorted(self.terms, terms), max(0, len(self.terms) - 1))
        known = self.terms[slot] == terms if len(self.terms) else np.zeros(len(terms), bool)
        told = ~np.isin(terms, self._stock)
        weight = np.full(len(terms), self._unknown) * told
        weight[known] = self.idf[slot[known]]
        begin, many = np.zeros((2, len(terms)), np.int64)
        begin[known] = self.start[slot[known]]
        many[known] = self.start[slot[known] + 1] - begin[known]
        for first, last in passages:
            there, times = np.unique(ids[first:last], return_counts=True)
            weights, count = np.log1p(times) * weight[there], many[there]
            posting = np.arange(count.sum()) + np.repeat(begin[there] - (np.cumsum(count) - count), count)
            scores = np.bincount(self.rows[posting], np.repeat(weights, count) * self.weights[posting], minlength=self.count)
            yield scores / max(float(np.sqrt((weights**2).sum())), 1e-9)
