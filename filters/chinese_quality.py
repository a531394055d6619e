"""Quality of Chinese text, by characters: length, Han, digits, marks, runs, function characters, lines, punctuation.

Gopher's and C4's rules count words between spaces and end lines with `.`: of 300 documents of each of ten Chinese
sources Gopher's quality rules keep none, even with jieba's words. These rules ask the same questions of characters, and
some that only Chinese raises: files read in the wrong encoding, scans with blanks between characters. They are our own;
no paper publishes thresholds for them. All together they keep, in per cent of documents they were not chosen on:

| laws | articles | old books | huatuo26m | huatuo_llama | smile | toyhom |
|------|----------|-----------|-----------|--------------|-------|--------|
| 98.7 | 99.7     | 97.7      | 99.8      | 99.9         | 100   | 100    |

and of 904 product manuals 97.9. What goes is English that is said to be Chinese, tables and lists without a sentence,
headings alone. docs/chinese.md has every source, every kind of bad text, and the reason of each threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import char_classes, common_han, lines, text_buffer, words
from tilth.filters.char_classes import HAN, KANA, LETTER, NUMBER, SPACE, WORD
from tilth.filters.shares import ratio

FUNCTION_CHARACTERS = "的一是不了在有和人这中为上个以要就会可也之者其而所与及或无则于此若各"
"""Characters of which prose holds some: modern, legal, classical or a prescription."""
LONG_RUN = 5
"""One character so often in a row is a run: `哈哈哈哈哈`, `。。。。。。`, `-----`."""
SHORT_LINE = 10
"""Lines with fewer characters are short: entries of menus and tables."""

_ENDED = r"[。！？…；：.!?][”’」』）》\"')]*$"
_LONG_NUMBER = "[0-9０-９]{7,}"
_PAUSE = "[。！？；，、：∶,.!?;:\n]"


class ChineseQuality(Step, name="chinese_quality", version=1):
    """Drop Chinese texts that are not prose; rows in other languages pass."""

    min_chars: int | None = threshold(20, "fewest characters, white space not counted: a sentence")
    min_han_share: float | None = threshold(0.02, "smallest share of Han characters; 98 % of manuals full of code have 0.03")
    max_digit_share: float | None = threshold(0.25, "largest share of digits; 99 % of articles have at most 0.16")
    max_mark_share: float | None = threshold(0.55, "largest share of punctuation and symbols; 99 % of manuals have at most 0.53")
    max_long_number_share: float | None = threshold(
        0.1, "largest share of characters in runs of 7 digits or more (telephones, QQ); 99 % of manuals have at most 0.06, advertisements 0.1 to 0.5"
    )
    max_run_share: float | None = threshold(
        0.4, "largest share of characters in runs of one; 99 % of manuals with tables have at most 0.38"
    )
    min_common_han_share: float | None = threshold(
        0.8, "smallest share of common characters (`filters.common_han`) in Han; 99 % of each source have 0.86, mojibake 0.2 to 0.7"
    )
    max_spaced_han_share: float | None = threshold(
        0.25, "largest share of Han behind a Han and a blank; 99 % of old books have at most 0.12, bad scans 0.4 to 0.9"
    )
    min_function_characters: int | None = threshold(1, "fewest different function characters; lists of names have none")
    min_function_character_share: float | None = threshold(
        0.015, "smallest share of function characters in Han; 95 % of old books have 0.04, lists of keywords 0 to 0.03"
    )
    min_mean_line_length: float | None = threshold(7.0, "shortest mean line; menus have 2 to 6, 99 % of old books 9, verse 10")
    max_short_line_share: float | None = threshold(
        0.6, "largest share of characters in lines shorter than 10; 99 % of old books have at most 0.49"
    )
    max_chars_per_pause: float | None = threshold(
        150.0, "most characters for each punctuation mark or line end; 99 % of each source have at most 32"
    )
    min_ended_line_share: float | None = threshold(
        None, "smallest share of characters in lines that end like a sentence; articles with code have 0.15, so off"
    )

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_chars, {han,digit,mark,long_number,run}_share of these, {common_han,spaced_han,function_character}_share
        of Han, num_function_characters, mean_line_length, {short,ended}_line_share (by characters), chars_per_pause; null
        where the row is not Chinese."""
        counts = char_classes.counts(batch)
        num_chars = counts.having(none=SPACE)
        solid, num_han = _Solid.of(batch), np.maximum(counts.having(HAN), 1)
        num_function, num_different = _function_characters(solid)
        pauses = lines.of(batch).str.count_matches(_PAUSE).to_numpy()
        frame = pl.DataFrame(
            {
                "num_chars": num_chars,
                "han_share": counts.having(HAN) / np.maximum(num_chars, 1),
                "digit_share": counts.having(NUMBER, none=HAN) / np.maximum(num_chars, 1),
                "mark_share": counts.having(none=LETTER | NUMBER | WORD | HAN | KANA | SPACE) / np.maximum(num_chars, 1),
                "long_number_share": _in_long_numbers(batch.texts) / np.maximum(num_chars, 1),
                "run_share": _in_runs(solid) / np.maximum(num_chars, 1),
                "common_han_share": ratio(solid.count(common_han.table()[solid.points]), counts.having(HAN)),
                "spaced_han_share": _spaced(solid) / num_han,
                "num_function_characters": num_different,
                "function_character_share": num_function / num_han,
                **_line_signals(batch),
                "chars_per_pause": num_chars / (pauses + 1),
            }
        )
        applies = pl.Series(words.chinese(batch))
        return frame.select(pl.when(applies).then(pl.col(name)).alias(name) for name in frame.columns)

    def rules(self) -> Sequence[Rule]:
        """Characters first, then lines."""
        return limits(
            ("short_document", "num_chars", "<", self.min_chars),
            ("little_han", "han_share", "<", self.min_han_share),
            ("digits", "digit_share", ">", self.max_digit_share),
            ("marks", "mark_share", ">", self.max_mark_share),
            ("long_numbers", "long_number_share", ">", self.max_long_number_share),
            ("runs", "run_share", ">", self.max_run_share),
            ("rare_han", "common_han_share", "<", self.min_common_han_share),
            ("spaced_han", "spaced_han_share", ">", self.max_spaced_han_share),
            ("few_function_characters", "num_function_characters", "<", self.min_function_characters),
            ("rare_function_characters", "function_character_share", "<", self.min_function_character_share),
            ("short_mean_line", "mean_line_length", "<", self.min_mean_line_length),
            ("short_lines", "short_line_share", ">", self.max_short_line_share),
            ("few_pauses", "chars_per_pause", ">", self.max_chars_per_pause),
            ("few_ended_lines", "ended_line_share", "<", self.min_ended_line_share),
        )


def _line_signals(batch: Batch) -> dict[str, np.ndarray]:
    """Of each row: mean length of its lines that are not blank, and shares of characters in short and ended ones."""
    split = lines.explode(lines.of(batch)).with_columns(pl.col("line").str.strip_chars()).filter(pl.col("line") != "")
    row, size = split["row"].to_numpy(), split["line"].str.len_chars().to_numpy()

    def total(weights: np.ndarray) -> np.ndarray:
        return np.bincount(row, weights, minlength=len(batch))

    chars, count = np.maximum(total(size), 1), np.maximum(total(np.ones(len(row))), 1)
    return {
        "mean_line_length": total(size) / count,
        "short_line_share": total(size * (size < SHORT_LINE)) / chars,
        "ended_line_share": total(size * split["line"].str.contains(_ENDED).to_numpy()) / chars,
    }


@dataclass(frozen=True)
class _Solid:
    """The characters of all rows but for white space."""

    points: np.ndarray
    """uint32."""
    rows: np.ndarray
    """int64 [rows + 1]: where each row begins among them."""
    blanks: np.ndarray
    """bool: whether white space without a line end stands before it."""

    @classmethod
    def of(cls, batch: Batch) -> _Solid:
        points, rows = text_buffer.of_batch(batch).points()
        solid = (char_classes.classes()[points] & np.uint16(SPACE)) == 0
        before = np.zeros(len(points) + 1, np.int64)
        np.cumsum(solid, out=before[1:])
        places, line = np.flatnonzero(solid), np.cumsum((points == 10) | (points == 13))
        blanks = np.ones(len(places), bool)
        blanks[1:] = (np.diff(places) > 1) & (np.diff(line[places]) == 0)
        return cls(points[solid], before[rows], blanks)

    def count(self, chosen: np.ndarray) -> np.ndarray:
        """int64 [rows]: how many of these characters (bool) each row has."""
        before = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(chosen, out=before[1:])
        return np.diff(before[self.rows])

    def per_row(self, places: np.ndarray) -> np.ndarray:
        """int64: the row of each of these places."""
        found: np.ndarray = np.searchsorted(self.rows, places, side="right") - 1
        return found


def _in_runs(solid: _Solid) -> np.ndarray:
    """int64 [rows]: characters in runs of one character, white space not counted."""
    size = len(solid.points)
    begins = np.ones(size + 1, bool)
    begins[1:size] = solid.points[1:] != solid.points[:-1]
    begins[solid.rows] = True
    starts = np.flatnonzero(begins[:size])
    lengths = np.diff(np.append(starts, size))
    long = lengths >= LONG_RUN
    return np.bincount(solid.per_row(starts[long]), lengths[long], minlength=len(solid.rows) - 1)


def _spaced(solid: _Solid) -> np.ndarray:
    """int64 [rows]: Han characters behind a Han character and a blank."""
    han = (char_classes.classes()[solid.points] & np.uint16(HAN)) > 0
    begins = np.zeros(len(solid.points) + 1, bool)
    begins[solid.rows] = True
    spaced = han & solid.blanks & ~begins[:-1]
    spaced[1:] &= han[:-1]
    return solid.count(spaced)


def _in_long_numbers(texts: pl.Series) -> np.ndarray:
    """Characters in runs of so many digits that they are a telephone or an account."""
    found: np.ndarray = (texts.str.len_chars() - texts.str.replace_all(_LONG_NUMBER, "").str.len_chars()).to_numpy()
    return found


def _function_characters(solid: _Solid) -> tuple[np.ndarray, np.ndarray]:
    """int64 [rows] twice: how many function characters each row holds, and how many different ones."""
    known = np.sort(np.array([ord(char) for char in FUNCTION_CHARACTERS], np.uint32))
    table = np.zeros(0x110000, np.uint8)
    table[known] = np.arange(1, len(known) + 1)
    which = table[solid.points]
    places = np.flatnonzero(which)
    held = np.zeros((len(solid.rows) - 1, len(known) + 1), bool)
    held[solid.per_row(places), which[places]] = True
    return solid.count(which > 0), held.sum(axis=1)
