"""Gopher's quality rules: word count and length, symbols, bullets, ellipses, letters, stop words.

Source: Rae et al. 2021, *Scaling Language Models* (arXiv:2112.11446), Table A1, section "Quality filtering"; where
the paper leaves a choice (which tokens are words, what a line is) this does what datatrove 0.10's
`GopherQualityFilter` does, given the words of `filters.words`, and asks its rules in the same order.
The thresholds suit languages written with spaces: rows in Chinese, Japanese, Thai … have null signals and pass
(see `chinese_quality`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import lines, words
from tilth.filters.char_classes import LETTER, PLAIN
from tilth.filters.shares import ratio
from tilth.filters.words import Definition, Words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


class GopherQuality(Step, name="gopher_quality", version=1):
    """Drop documents that do not look like prose, by the rules of Gopher (Rae et al. 2021, Table A1)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    words: Definition = "script"
    """What is a word (`filters.words`). Rows in languages without spaces are judged with `jieba`, `spacy` or `whitespace` only."""
    stop_words: tuple[str, ...] = STOP_WORDS
    """Words of which some must occur, as written (lower case)."""
    alpha_share_of: Literal["words", "tokens"] = "words"
    """Of what `min_alpha_word_share` is a share: of tokens with a letter or a digit, nearer to the paper's words, or of
    all tokens, as datatrove counts (punctuation is most of the rest). Of 96 articles of PMC the first keeps 87 %, the
    second 12 %, datatrove with spaCy's tokens 40 %, white space 96 %: `tokens` throws good medical prose away."""
    min_words: int | None = threshold(50, "fewest words, symbols not counted")
    max_words: int | None = threshold(100_000, "most words, symbols not counted")
    min_mean_word_length: float | None = threshold(3.0, "shortest mean word, in characters")
    max_mean_word_length: float | None = threshold(10.0, "longest mean word, in characters")
    max_symbol_ratio: float | None = threshold(0.1, "most `#`, and most ellipses, for each token")
    max_bullet_line_share: float | None = threshold(0.9, "largest share of lines that begin with a bullet")
    max_ellipsis_line_share: float | None = threshold(0.3, "largest share of lines that end with an ellipsis")
    min_alpha_word_share: float | None = threshold(0.8, "smallest share of tokens with a letter")
    min_stop_words: int | None = threshold(2, "fewest different stop words")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_words, mean_word_length, hash_ratio, ellipsis_ratio, bullet_line_share, ellipsis_line_share,
        alpha_word_share, num_stop_words; null in languages written without spaces, ratios null where there is nothing."""
        found = words.tokens(batch, self.words)
        is_word = found.any(PLAIN)
        num_tokens, num_words = np.diff(found.offsets), found.per_row(is_word)
        alpha_of = num_tokens if self.alpha_share_of == "tokens" else found.per_row(found.is_word)
        texts, unix = batch.texts, lines.of(batch)
        num_lines = unix.str.count_matches("\n", literal=True).to_numpy() + (unix != "").to_numpy()
        frame = pl.DataFrame(
            {
                "num_words": num_words.astype(np.int64),
                "mean_word_length": ratio(found.per_row(found.lengths * is_word), num_words),
                "hash_ratio": ratio(texts.str.count_matches("#", literal=True).to_numpy(), num_tokens),
                "ellipsis_ratio": ratio(texts.str.count_matches(r"\.\.\.|…").to_numpy(), num_tokens),
                "bullet_line_share": ratio(unix.str.count_matches(rf"(?m)^{lines.BLANK}*[•\-]").to_numpy(), num_lines),
                "ellipsis_line_share": ratio(unix.str.count_matches(rf"(?m)(?:\.\.\.|…){lines.BLANK}*$").to_numpy(), num_lines),
                "alpha_word_share": ratio(found.per_row(found.any(LETTER)), alpha_of),
                "num_stop_words": self._stop_words(found),
            }
        )
        applies = pl.Series(~words.unspaced(batch) | (self.words != "script"))
        return frame.select(pl.when(applies).then(pl.col(name)).alias(name) for name in frame.columns)

    def _stop_words(self, found: Words) -> np.ndarray:
        """int64 [rows]: different stop words in each row."""
        wanted = sorted(set(self.stop_words))
        total = np.zeros(len(found.offsets) - 1, np.int64)
        for word in words.whole(pl.Series(wanted, dtype=pl.String)).hashes:
            total += np.bincount(found.rows[found.hashes == word], minlength=len(total)) > 0
        return total

    def rules(self) -> Sequence[Rule]:
        """In the order of datatrove's filter."""
        return limits(
            ("short_document", "num_words", "<", self.min_words),
            ("long_document", "num_words", ">", self.max_words),
            ("short_words", "mean_word_length", "<", self.min_mean_word_length),
            ("long_words", "mean_word_length", ">", self.max_mean_word_length),
            ("hashes", "hash_ratio", ">", self.max_symbol_ratio),
            ("ellipses", "ellipsis_ratio", ">", self.max_symbol_ratio),
            ("bullet_lines", "bullet_line_share", ">", self.max_bullet_line_share),
            ("ellipsis_lines", "ellipsis_line_share", ">", self.max_ellipsis_line_share),
            ("few_letters", "alpha_word_share", "<", self.min_alpha_word_share),
            ("few_stop_words", "num_stop_words", "<", self.min_stop_words),
        )
