"""FineWeb's own rules: lines that end like sentences, short lines, repeated lines, lists.

Source: Penedo et al. 2024, *The FineWeb Datasets* (arXiv:2406.17557), section 3.5 and appendix E.1: its three filters (share
of lines that end with punctuation, characters in repeated lines, short lines); details, the rule on lists and the order
are those of datatrove 0.10's `FineWebQualityFilter`. They were drawn for web pages after Gopher's and C4's.

Languages written without spaces have thresholds of their own, `zh_…`: a character says what half a word says, so a line
is short sooner; headings, verse and articles of laws make many lines that end without punctuation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import char_classes, lines, words
from tilth.filters.hashing import mix
from tilth.filters.shares import at_least, at_most, ratio
from tilth.filters.words import Definition


class FineWebQuality(Step, name="fineweb_quality", version=1):
    """Drop documents of unfinished, short or repeated lines, and lists, by the rules of FineWeb (arXiv:2406.17557)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    corpora: ClassVar[tuple[Kind, ...]] = ("cpt",)

    words: Definition = "script"
    """What is a word (`filters.words`). With `script`, rows in languages without spaces count two characters as one."""
    short_line: int = 30
    """Lines of at most so many characters are short."""
    zh_short_line: int = 10
    """The same in languages without spaces."""
    min_ended_line_share: float | None = threshold(0.12, "smallest share of lines that end with a terminal mark")
    max_short_line_share: float | None = threshold(0.67, "largest share of short lines")
    max_duplicate_line_char_share: float | None = threshold(0.01, "largest share of characters in lines met before")
    max_newline_ratio: float | None = threshold(0.3, "most line ends for each word")
    zh_min_ended_line_share: float | None = threshold(0.12, "the same in languages without spaces")
    zh_max_short_line_share: float | None = threshold(0.67, "the same without spaces")
    zh_max_duplicate_line_char_share: float | None = threshold(0.1, "the same without spaces")
    zh_max_newline_ratio: float | None = threshold(0.3, "the same without spaces")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_lines (not blank), ended_line_share, short_line_share, duplicate_line_char_share, newline_ratio
        (line ends for each word), unspaced; shares null where there is no line, the ratio where there is no word."""
        texts, found = batch.texts, words.tokens(batch, self.words)
        unspaced = words.unspaced(batch) & (self.words == "script")
        pieces = _lines(texts)
        row, line = pieces["row"].to_numpy(), pieces["line"]
        size = line.str.len_chars().to_numpy()
        short = size <= np.where(unspaced, self.zh_short_line, self.short_line)[row]
        again = ~pl.Series(mix(line.hash().to_numpy() ^ mix(row.astype(np.uint64)))).is_first_distinct().to_numpy()

        def total(weights: np.ndarray | None) -> np.ndarray:
            return np.bincount(row, weights, minlength=len(batch))

        newlines = texts.str.count_matches("\n", literal=True).to_numpy().astype(np.int64)
        num_lines, num_words = total(None), np.diff(found.offsets)
        num_words = np.where(unspaced, (num_words + 1) // 2, num_words)
        return pl.DataFrame(
            {
                "num_lines": num_lines,
                "ended_line_share": ratio(total(line.str.contains(_ended()).to_numpy()), num_lines),
                "short_line_share": ratio(total(short), num_lines),
                "duplicate_line_char_share": ratio(total(size * again), (texts.str.len_chars().to_numpy() - newlines) * (num_lines > 0)),
                "newline_ratio": ratio(newlines, num_words),
                "unspaced": unspaced,
            }
        )

    def rules(self) -> Sequence[Rule]:
        """In the order of datatrove's filter."""
        ended, zh_ended = self.min_ended_line_share, self.zh_min_ended_line_share
        again, zh_again = self.max_duplicate_line_char_share, self.zh_max_duplicate_line_char_share
        return [
            Rule("no_lines", "num_lines", pl.col("num_lines") == 0),
            at_least("few_ended_lines", "ended_line_share", ended, zh_ended),
            at_most("short_lines", "short_line_share", self.max_short_line_share, self.zh_max_short_line_share),
            at_most("duplicate_line_chars", "duplicate_line_char_share", again, zh_again),
            at_most("list", "newline_ratio", self.max_newline_ratio, self.zh_max_newline_ratio),
        ]


def _lines(texts: pl.Series) -> pl.DataFrame:
    """{row, line}: the pieces between `\\n` that are not blank, as they stand."""
    split = texts.rename("line").to_frame().with_row_index("row").with_columns(pl.col("line").str.split("\n")).explode("line")
    return split.filter(pl.col("line").str.strip_chars(lines.BLANKS) != "")


def _ended() -> str:
    """A terminal mark at the end; lines hold no line feed, so `\\z` is that."""
    return f"[{char_classes.TERMINAL}]\\z"
