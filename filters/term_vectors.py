"""Vectors of terms: how alike a passage and a question are by the words that they share, whatever their order.

tf-idf with cosine (Salton and Buckley 1988), the idf taken from the questions; words of exams (`common_phrases`) are left out.
It needs no weights and no network, and knows no synonyms: a rephrasing is found as far as it keeps the words.
"""

from __future__ import annotations

import numpy as np

from tilth.filters.common_phrases import stock_hashes
from tilth.filters.folding import Folded


class TermVectors:
    """Questions as sparse unit vectors of their terms; `cosines` compares a passage with all of them."""

    def __init__(self, questions: Folded) -> None:
        self.count = len(questions.offsets) - 1
        rows = np.repeat(np.arange(self.count), np.diff(questions.offsets))
        said = ~np.isin(questions.hashes, stock_hashes())
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

    def cosines(self, hashes: np.ndarray) -> np.ndarray:
        """float64 [questions]: how like each question a passage with these tokens is; 0 where none shares a term."""
        terms, times = np.unique(hashes[~np.isin(hashes, stock_hashes())], return_counts=True)
        if not len(terms) or not len(self.terms):
            return np.zeros(self.count)
        slot = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        known = self.terms[slot] == terms
        weights = np.log1p(times) * np.where(known, self.idf[slot], self._unknown)
        length = float(np.sqrt((weights**2).sum()))
        slot, weights = slot[known], weights[known]
        counts = self.start[slot + 1] - self.start[slot]
        posting = np.arange(counts.sum()) + np.repeat(self.start[slot] - (np.cumsum(counts) - counts), counts)
        scores = np.bincount(self.rows[posting], np.repeat(weights, counts) * self.weights[posting], minlength=self.count)
        return scores / max(length, 1e-9)
