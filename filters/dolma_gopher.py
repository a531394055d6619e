"""Gopher's rules as Dolma computes them: its tagger `gopher_v1`, attribute for attribute, and its thresholds.

Source: Soldaini et al. 2024, *Dolma* (arXiv:2402.00159), section 3.1 and appendix; dolma 1.2's `taggers/gopher.py`. It differs from
`gopher_quality` and `gopher_repetition` in what it counts: words are what stands between white space, the median word is
measured and not the mean, symbols are words that hold `#` or `…`, and of repeated n-grams and lines every occurrence counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import lines, ngrams, words
from tilth.filters.char_classes import HASH, LETTER
from tilth.filters.gopher_quality import STOP_WORDS
from tilth.filters.gopher_repetition import REPEATED, TOP


class DolmaGopher(Step, name="dolma_gopher", version=1):
    """Drop documents by Gopher's rules as Dolma's tagger `gopher_v1` counts them (arXiv:2402.00159)."""

    corpora: ClassVar[tuple[Kind, ...]] = ("cpt",)

    min_words: int | None = threshold(50, "fewest words")
    max_words: int | None = threshold(100_000, "most words")
    min_median_word_length: float | None = threshold(3.0, "shortest median word, in characters")
    max_median_word_length: float | None = threshold(10.0, "longest median word, in characters")
    max_symbol_ratio: float | None = threshold(0.1, "largest share of words that hold `#` or `…`")
    min_alpha_word_share: float | None = threshold(0.8, "smallest share of words with a letter")
    min_stop_words: int | None = threshold(2, "fewest occurrences of Gopher's eight words")
    max_bullet_line_share: float | None = threshold(0.9, "largest share of lines that begin with a bullet")
    max_ellipsis_line_share: float | None = threshold(0.3, "largest share of lines that end with an ellipsis")
    max_duplicate_line_share: float | None = threshold(0.3, "largest share of lines that occur more than once")
    max_duplicate_line_char_share: float | None = threshold(0.2, "largest share of characters in such lines")
    max_top_ngram_shares: tuple[float, float, float] | None = threshold(
        (0.20, 0.18, 0.16), "largest share of characters in the most frequent 2-, 3- and 4-gram"
    )
    max_shared_ngram_shares: tuple[float, float, float, float, float, float] | None = threshold(
        (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), "largest share of characters in 5- to 10-grams that occur more than once"
    )

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Dolma's attributes: num_words, median_word_length, symbol_ratio, alpha_word_share, num_stop_words,
        {bullet,ellipsis,duplicate}_line_share, duplicate_line_char_share, top_{2,3,4}gram_share, shared_{5..10}gram_share
        (null with fewer than n words); 0 throughout for an empty text."""
        found = words.tokens(batch, "whitespace")
        num_words = np.diff(found.offsets)
        num_chars = np.maximum(found.per_row(found.lengths), 1)
        stop = np.isin(found.hashes, words.whole(pl.Series(STOP_WORDS)).hashes)
        signals = {
            "num_words": num_words,
            "median_word_length": _medians(found),
            "symbol_ratio": found.per_row(found.any(HASH)) / np.maximum(num_words, 1),
            "alpha_word_share": found.per_row(found.any(LETTER)) / np.maximum(num_words, 1),
            "num_stop_words": found.per_row(stop),
            **_lines(batch.texts, num_chars),
        }
        grams = ngrams.count(found, top=TOP, shared=REPEATED)
        frame = pl.DataFrame(signals)
        for n in (*TOP, *REPEATED):
            kind = "top" if n in TOP else "shared"
            whole = num_chars if n in TOP else np.maximum(grams["all", n], 1)
            share = pl.Series(f"{kind}_{n}gram_share", grams[kind, n] / whole)
            frame = frame.with_columns(share.set(pl.Series(num_words < n), None))
        return frame

    def rules(self) -> Sequence[Rule]:
        """Words, then lines, then n-grams."""
        tops, shared = self.max_top_ngram_shares, self.max_shared_ngram_shares
        return limits(
            ("short_document", "num_words", "<", self.min_words),
            ("long_document", "num_words", ">", self.max_words),
            ("short_words", "median_word_length", "<", self.min_median_word_length),
            ("long_words", "median_word_length", ">", self.max_median_word_length),
            ("symbols", "symbol_ratio", ">", self.max_symbol_ratio),
            ("few_letters", "alpha_word_share", "<", self.min_alpha_word_share),
            ("few_stop_words", "num_stop_words", "<", self.min_stop_words),
            ("bullet_lines", "bullet_line_share", ">", self.max_bullet_line_share),
            ("ellipsis_lines", "ellipsis_line_share", ">", self.max_ellipsis_line_share),
            ("duplicate_lines", "duplicate_line_share", ">", self.max_duplicate_line_share),
            ("duplicate_line_chars", "duplicate_line_char_share", ">", self.max_duplicate_line_char_share),
            *((f"top_{n}grams", f"top_{n}gram_share", ">", tops[i] if tops else None) for i, n in enumerate(TOP)),
            *((f"shared_{n}grams", f"shared_{n}gram_share", ">", shared[i] if shared else None) for i, n in enumerate(REPEATED)),
        )


def _medians(found: words.Words) -> np.ndarray:
    """float64 [rows]: median characters of a word, 0 where there is none."""
    order = np.lexsort((found.lengths, found.rows))
    lengths = np.append(found.lengths[order], 0)
    first, count = found.offsets[:-1], np.diff(found.offsets)
    low, high = first + np.maximum(count - 1, 0) // 2, first + count // 2
    return np.where(count > 0, (lengths[np.minimum(low, len(lengths) - 1)] + lengths[np.minimum(high, len(lengths) - 1)]) / 2, 0.0)


def _lines(texts: pl.Series, num_chars: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of lines between `\\n`, empty ones too, and of characters in those that occur more than once."""
    size = len(texts)
    split = lines.pieces(texts)
    row, line = split["row"].to_numpy(), split["piece"]
    _, inverse, counts = np.unique(lines.keys(split), return_inverse=True, return_counts=True)
    again = counts[inverse] > 1
    full = (texts != "").to_numpy()
    total = np.bincount(row, minlength=size)

    def share(chosen: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.bincount(row, chosen, minlength=size) / np.maximum(total, 1) * full
        return found

    return {
        "bullet_line_share": share(line.str.contains(r"\A[*\-]").to_numpy()),
        "ellipsis_line_share": share(line.str.ends_with("…").to_numpy()),
        "duplicate_line_share": share(again),
        "duplicate_line_char_share": np.bincount(row, line.str.len_chars().to_numpy() * again, minlength=size) / num_chars,
    }
