"""Gopher's quality rules: word count and length, symbols, bullets, ellipses, letters, stop words.

Source: Rae et al. 2021, *Scaling Language Models* (arXiv:2112.11446), Table A1, section "Quality filtering"; where
the paper leaves a choice (which tokens are words, what a line is) this does what datatrove 0.10's
`GopherQualityFilter` does, given the words of `filters.words`, and asks its rules in the same order.
The thresholds suit languages written with spaces: rows in Chinese, Japanese, Thai … have null signals and pass
(see `chinese_quality`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import lines, words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_TERMINAL = """
589 61d 61e 61f 6d4 700 701 702 7f9 837 839 83d 83e 964 965 104a 104b 1362 1367 1368 166e 1735 1736 17d4 17d5 17d6
17d9 17da 1803 1809 1944 1945 1aa8 1aa9 1aaa 1aab 1b5a 1b5b 1b5e 1b5f 1b7d 1b7e 1c3b 1c3c 1c7e 1c7f 203c 203d 2047
2048 2049 2e2e 2e3c 2e53 2e54 a4ff a60e a60f a6f3 a6f7 a876 a877 a8ce a8cf a92f a9c8 a9c9 aa5d aa5e aa5f aaf0 aaf1
abeb fe52 fe56 fe57 ff61 10a56 10a57 10f55 10f56 10f57 10f58 10f59 10f86 10f87 10f88 10f89 11047 11048 110be 110bf
110c0 110c1 11141 11142 11143 111c5 111c6 111cd 111de 111df 11238 11239 1123b 1123c 112a9 1144b 1144c 115c2 115c3
115c9 115ca 115cb 115cc 115cd 115ce 115cf 115d0 115d1 115d2 115d3 115d4 115d5 115d6 115d7 11641 11642 1173c 1173d
1173e 11944 11946 11a42 11a43 11a9b 11a9c 11c41 11c42 11ef7 11ef8 11f43 11f44 16a6e 16a6f 16af5 16b37 16b38 16b44
16e98 1bc9f 1da88
"""
"""Sentence-final punctuation of all scripts, as code points (Unicode's Sentence_Terminal, as datatrove lists it)."""

_SYMBOLS = (
    "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"
    + "".join(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
    + "".join(chr(int(point, 16)) for point in _TERMINAL.split())
)
"""datatrove's `PUNCTUATION_SET`, character for character: a token made of these alone is no word."""


class GopherQuality(Step, name="gopher_quality", version=1):
    """Drop documents that do not look like prose, by the rules of Gopher (Rae et al. 2021, Table A1)."""

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
        found = words.tokens(batch)
        is_word = found.any_of(_not_symbol()[found.points])
        num_tokens, num_words = np.diff(found.offsets), found.per_row(is_word)
        alpha_of = num_tokens if self.alpha_share_of == "tokens" else found.per_row(found.is_word)
        texts, unix = batch.texts, lines.of(batch)
        num_lines = unix.str.count_matches("\n", literal=True).to_numpy() + (unix != "").to_numpy()
        frame = pl.DataFrame(
            {
                "num_words": num_words.astype(np.int64),
                "mean_word_length": _ratio(found.per_row(found.lengths * is_word), num_words),
                "hash_ratio": _ratio(texts.str.count_matches("#", literal=True).to_numpy(), num_tokens),
                "ellipsis_ratio": _ratio(texts.str.count_matches(r"\.\.\.|…").to_numpy(), num_tokens),
                "bullet_line_share": _ratio(unix.str.count_matches(rf"(?m)^{lines.BLANK}*[•\-]").to_numpy(), num_lines),
                "ellipsis_line_share": _ratio(unix.str.count_matches(rf"(?m)(?:\.\.\.|…){lines.BLANK}*$").to_numpy(), num_lines),
                "alpha_word_share": _ratio(found.per_row(found.any(words.LETTER)), alpha_of),
                "num_stop_words": self._stop_words(found),
            }
        )
        applies = pl.Series(~words.unspaced(batch))
        return frame.select(pl.when(applies).then(pl.col(name)).alias(name) for name in frame.columns)

    def _stop_words(self, found: words.Words) -> np.ndarray:
        """int64 [rows]: different stop words in each row."""
        wanted = sorted(set(self.stop_words))
        total = np.zeros(len(found.offsets) - 1, np.int64)
        for word in words.of(pl.Series(wanted, dtype=pl.String)).hashes if wanted else ():
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


def _ratio(part: np.ndarray, whole: np.ndarray) -> pl.Series:
    """part / whole in double precision, null where whole is zero."""
    return (pl.Series(part.astype(np.float64)) / pl.Series(np.where(whole, whole, 1))).set(pl.Series(whole == 0), None)


@functools.cache
def _not_symbol() -> np.ndarray:
    table = np.ones(0x110000, bool)
    table[[ord(char) for char in _SYMBOLS]] = False
    return table
