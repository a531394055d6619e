"""Quality of Chinese text, by characters: length, Han, digits, marks, runs, function characters, lines, punctuation.

Gopher's and C4's rules count words between spaces and end lines with `.`: of 12,774 real Chinese documents Gopher's
keep one. These rules ask the same questions of characters. They are our own; no paper publishes thresholds for them.
Measured over 143 laws, 303 translated articles, 180 product manuals, 4,447 sections of old medical books and 2,000
each of four sets of medical and counselling dialogues, all rules together keep, in per cent:

| laws | articles | manuals | old books | huatuo26m | huatuo_llama | smile | toyhom |
|------|----------|---------|-----------|-----------|--------------|-------|--------|
| 98.6 | 99.7     | 95.6    | 97.3      | 99.5      | 100          | 100   | 100    |

What goes is tables and lists without a sentence, headings alone, pages of code with a Chinese title.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import char_classes, lines, text_buffer, words
from tilth.filters.char_classes import HAN, KANA, LETTER, NUMBER, SPACE, WORD

FUNCTION_CHARACTERS = "的一是不了在有和人这中为上个以要就会可也之者其而所与及或无则"
"""Characters of which prose holds some: modern, legal or classical."""
LONG_RUN = 5
"""One character so often in a row is a run: `哈哈哈哈哈`, `。。。。。。`, `-----`."""
SHORT_LINE = 10
"""Lines with fewer characters are short: entries of menus and tables."""

_ENDED = r"[。！？…；：.!?][”’」』）》\"')]*$"
_PAUSE = "[。！？；，、：∶,.!?;:\n]"


class ChineseQuality(Step, name="chinese_quality", version=1):
    """Drop Chinese texts that are not prose; rows in other languages pass."""

    min_chars: int | None = threshold(20, "fewest characters, white space not counted")
    min_han_share: float | None = threshold(0.04, "smallest share of Han characters; manuals full of code have 0.05")
    max_digit_share: float | None = threshold(0.25, "largest share of digits; articles have up to 0.22")
    max_mark_share: float | None = threshold(0.5, "largest share of punctuation and symbols; manuals have up to 0.5")
    max_run_share: float | None = threshold(
        0.4, "largest share of characters in runs of one; manuals with tables have up to 0.38"
    )
    min_function_characters: int | None = threshold(1, "fewest different function characters; lists of names have none")
    min_mean_line_length: float | None = threshold(8.0, "shortest mean line; menus have 2 to 6, verse has 10")
    max_short_line_share: float | None = threshold(0.6, "largest share of characters in lines shorter than 10")
    max_chars_per_pause: float | None = threshold(150.0, "most characters for each punctuation mark or line end")
    min_ended_line_share: float | None = threshold(
        None, "smallest share of characters in lines that end like a sentence; articles with code have 0.15, so off"
    )

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_chars, {han,digit,mark,run}_share of these, num_function_characters, mean_line_length,
        {short,ended}_line_share (by characters), chars_per_pause; null where the row is not Chinese."""
        counts = char_classes.counts(batch)
        num_chars = counts.having(none=SPACE)
        solid = _Solid.of(batch)
        pauses = lines.of(batch).str.count_matches(_PAUSE).to_numpy()
        frame = pl.DataFrame(
            {
                "num_chars": num_chars,
                "han_share": counts.having(HAN) / np.maximum(num_chars, 1),
                "digit_share": counts.having(NUMBER, none=HAN) / np.maximum(num_chars, 1),
                "mark_share": counts.having(none=LETTER | NUMBER | WORD | HAN | KANA | SPACE) / np.maximum(num_chars, 1),
                "run_share": _in_runs(solid) / np.maximum(num_chars, 1),
                "num_function_characters": _function_characters(solid),
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
            ("runs", "run_share", ">", self.max_run_share),
            ("few_function_characters", "num_function_characters", "<", self.min_function_characters),
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

    @classmethod
    def of(cls, batch: Batch) -> _Solid:
        points, rows = text_buffer.of_batch(batch).points()
        solid = (char_classes.classes()[points] & np.uint16(SPACE)) == 0
        before = np.zeros(len(points) + 1, np.int64)
        np.cumsum(solid, out=before[1:])
        return cls(points[solid], before[rows])

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


def _function_characters(solid: _Solid) -> np.ndarray:
    """int64 [rows]: how many different function characters each row holds."""
    known = np.sort(np.array([ord(char) for char in FUNCTION_CHARACTERS], np.uint32))
    table = np.zeros(0x110000, np.uint8)
    table[known] = np.arange(1, len(known) + 1)
    which = table[solid.points]
    places = np.flatnonzero(which)
    held = np.zeros((len(solid.rows) - 1, len(known) + 1), bool)
    held[solid.per_row(places), which[places]] = True
    total: np.ndarray = held.sum(axis=1)
    return total
