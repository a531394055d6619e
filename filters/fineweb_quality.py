"""FineWeb's own rules: lines that end like sentences, short lines, repeated lines, lists.

Source: Penedo et al. 2024, *The FineWeb Datasets* (arXiv:2406.17557), section 3.5 and appendix E.1: its three filters (share
of lines that end with punctuation, characters in repeated lines, short lines); details, the rule on lists and the order
are those of datatrove 0.10's `FineWebQualityFilter`. They were drawn for web pages after Gopher's and C4's.

Languages written without spaces have thresholds of their own, `zh_…`: a character says what half a word says, so a line
is short sooner. Lines that end with a mark say little there: old books are broken every 36 characters, patients and
doctors leave the last mark out, and of 2,000 sections of old books the English rule keeps two. What tells prose
from menus and headings is whether lines *flow*: they hold a sentence mark, two pauses, or 30 Han characters in a row.
Of documents they were not chosen on the four rules keep 98.4 % of laws, 100 of articles, 97.2 of sections of old books,
99.7 to 100 of dialogues; of product manuals 97.1 (docs/chinese.md).
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
from tilth.filters.shares import at_least, at_most, ratio
from tilth.filters.words import Definition

_PAUSES = r"[，；：∶].*[，；：∶]|\p{Han}[,;:].*\p{Han}[,;:]"
_FLOWING = rf"[。！？…．｡]|\p{{Han}}[!?.]|{_PAUSES}|[\x{{3400}}-\x{{9fff}}]{{30}}"
"""Prose holds one of these; `、` is none, for it parts the entries of lists."""


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
    zh_min_flowing_line_share: float | None = threshold(
        0.03, "smallest share of characters in lines that flow, without spaces; 95 % of manuals have 0.06, menus and headings 0"
    )
    zh_max_short_line_share: float | None = threshold(0.85, "the same without spaces; 99 % of old books have at most 0.80")
    zh_max_duplicate_line_char_share: float | None = threshold(0.45, "the same without spaces; 99 % of manuals, whose code blocks recur, have at most 0.43")
    zh_max_newline_ratio: float | None = threshold(0.6, "the same without spaces, two characters being a word; 99 % of old books have at most 0.50")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_lines (not blank), ended_line_share, flowing_line_share (by characters; null with spaces), short_line_share,
        duplicate_line_char_share, newline_ratio (line ends for each word), unspaced; shares null where there is no line, the ratio where there is no word."""
        texts, found = batch.texts, words.tokens(batch, self.words)
        unspaced = words.unspaced(batch) & (self.words == "script")
        split = lines.pieces(texts).filter(pl.col("piece").str.strip_chars(lines.BLANKS) != "")
        row, line = split["row"].to_numpy(), split["piece"]
        size = line.str.len_chars().to_numpy()
        short = size <= np.where(unspaced, self.zh_short_line, self.short_line)[row]
        again = ~pl.Series(lines.keys(split)).is_first_distinct().to_numpy()

        def total(weights: np.ndarray | None) -> np.ndarray:
            return np.bincount(row, weights, minlength=len(batch))

        newlines = texts.str.count_matches("\n", literal=True).to_numpy().astype(np.int64)
        num_lines, num_words = total(None), np.diff(found.offsets)
        num_words = np.where(unspaced, (num_words + 1) // 2, num_words)
        return pl.DataFrame(
            {
                "num_lines": num_lines,
                "ended_line_share": ratio(total(line.str.contains(_ended()).to_numpy()), num_lines),
                "flowing_line_share": ratio(total(size * _flows(line, unspaced[row])), total(size) * unspaced),
                "short_line_share": ratio(total(short), num_lines),
                "duplicate_line_char_share": ratio(total(size * again), (texts.str.len_chars().to_numpy() - newlines) * (num_lines > 0)),
                "newline_ratio": ratio(newlines, num_words),
                "unspaced": unspaced,
            }
        )

    def rules(self) -> Sequence[Rule]:
        """In the order of datatrove's filter, `few_flowing_lines` in the place of `few_ended_lines` without spaces."""
        again, zh_again = self.max_duplicate_line_char_share, self.zh_max_duplicate_line_char_share
        return [
            Rule("no_lines", "num_lines", pl.col("num_lines") == 0),
            at_least("few_ended_lines", "ended_line_share", self.min_ended_line_share, None),
            at_least("few_flowing_lines", "flowing_line_share", None, self.zh_min_flowing_line_share),
            at_most("short_lines", "short_line_share", self.max_short_line_share, self.zh_max_short_line_share),
            at_most("duplicate_line_chars", "duplicate_line_char_share", again, zh_again),
            at_most("list", "newline_ratio", self.max_newline_ratio, self.zh_max_newline_ratio),
        ]


def _flows(line: pl.Series, wanted: np.ndarray) -> np.ndarray:
    """bool [lines]: which of the lines wanted flow."""
    flows = np.zeros(len(line), bool)
    flows[wanted] = line.filter(pl.Series(wanted)).str.contains(_FLOWING).to_numpy()
    return flows


def _ended() -> str:
    """A terminal mark at the end; lines hold no line feed, so `\\z` is that."""
    return f"[{char_classes.TERMINAL}]\\z"
