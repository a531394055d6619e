"""Gopher's repetition rules: duplicate lines and paragraphs, frequent and repeated n-grams.

Source: Rae et al. 2021, *Scaling Language Models* (arXiv:2112.11446), Table A1, section "Repetition removal"; what
the paper leaves open is done as datatrove 0.10's `GopherRepetitionFilter` does it, given the words of `filters.words`.

Languages written without spaces have no words to count, so there n-grams of words become n-grams of 2n Han or Kana
characters (a Chinese word has 1.6 to 2), all else skipped, joined by nothing; their share is of the whole text. One rule
is added there: the share of characters in clauses (what stands between punctuation marks and holds Han) met before, for
slogans shorter than any n-gram and not on lines of their own. The thresholds, `zh_…`, are our own: of documents they
were not chosen on they keep 99.0 % of laws, 100 of articles, 100 of sections of old medical books, 97.2 to 100 of medical
dialogues; 98.8 of product manuals (docs/chinese.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import lines, ngrams, words
from tilth.filters.char_classes import HAN, KANA
from tilth.filters.shares import at_most
from tilth.filters.words import Definition, Words

TOP = (2, 3, 4)
_MARK = "[。！？；…，、：∶!?;,:|]"
REPEATED = (5, 6, 7, 8, 9, 10)


class GopherRepetition(Step, name="gopher_repetition", version=1):
    """Drop documents that repeat themselves, by the rules of Gopher (Rae et al. 2021, Table A1)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    words: Definition = "script"
    """What is a word (`filters.words`). With `script`, rows in languages without spaces are judged by characters."""
    max_duplicate_paragraph_share: float | None = threshold(0.3, "largest share of paragraphs met before in the document")
    max_duplicate_paragraph_char_share: float | None = threshold(0.2, "largest share of characters in such paragraphs")
    max_duplicate_line_share: float | None = threshold(0.3, "largest share of lines met before in the document")
    max_duplicate_line_char_share: float | None = threshold(0.2, "largest share of characters in such lines")
    max_top_ngram_shares: tuple[float, float, float] | None = threshold(
        (0.20, 0.18, 0.16), "largest share of characters in the most frequent 2-, 3- and 4-gram"
    )
    max_repeated_ngram_shares: tuple[float, float, float, float, float, float] | None = threshold(
        (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), "largest share of characters in repeated 5- to 10-grams"
    )
    zh_max_duplicate_paragraph_share: float | None = threshold(0.45, "the same without spaces; 99 % of manuals, whose code blocks recur, have at most 0.32")
    zh_max_duplicate_paragraph_char_share: float | None = threshold(0.35, "the same without spaces; 99 % of manuals have at most 0.19")
    zh_max_duplicate_line_share: float | None = threshold(0.6, "the same without spaces; 99 % of manuals have at most 0.55")
    zh_max_duplicate_line_char_share: float | None = threshold(0.45, "the same without spaces; 99 % of manuals have at most 0.41")
    zh_max_duplicate_clause_char_share: float | None = threshold(
        0.22, "largest share of characters in clauses met before, without spaces; 99 % of nine sources in ten have at most 0.17, slogans 0.2 to 0.8"
    )
    zh_max_top_ngram_shares: tuple[float, float, float] | None = threshold(
        (0.26, 0.33, 0.40), "the same without spaces: most frequent 4, 6 and 8 characters; 95 % of single turns of 40 have at most 0.20, 0.27, 0.33"
    )
    zh_max_repeated_ngram_shares: tuple[float, float, float, float, float, float] | None = threshold(
        (0.30, 0.28, 0.26, 0.24, 0.22, 0.20), "the same without spaces: repeated runs of 10, 12 … 20 characters; 95 % of laws have at most 0.24 … 0.10"
    )

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals duplicate_{paragraph,line}_share and …_char_share, top_{2,3,4}gram_share, repeated_{5..10}gram_share,
        duplicate_clause_char_share (0 in languages with spaces), and unspaced: whether n-grams are of characters. All null for an empty text."""
        texts, found = batch.texts, words.tokens(batch, self.words)
        unspaced = words.unspaced(batch) & (self.words == "script")
        num_rows, num_chars = len(batch), texts.str.len_chars().to_numpy()
        signals: dict[str, np.ndarray] = {}
        for name, pieces in (("paragraph", _paragraphs(texts)), ("line", _lines(texts))):
            share, chars = _duplicates(pieces, num_rows)
            signals[f"duplicate_{name}_share"] = share
            signals[f"duplicate_{name}_char_share"] = chars / np.maximum(num_chars, 1)
        signals["duplicate_clause_char_share"] = _duplicates(_clauses(texts, unspaced), num_rows)[1] / np.maximum(num_chars, 1)
        for (kind, n), counts in self._ngrams(found, unspaced).items():
            signals[f"{kind}_{n}gram_share"] = counts / np.maximum(num_chars, 1)
        frame = pl.DataFrame({**signals, "unspaced": unspaced})
        full = pl.Series(num_chars > 0)
        return frame.select(pl.when(full).then(pl.col(name)).alias(name) for name in frame.columns)

    @staticmethod
    def _ngrams(found: Words, by_row: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
        """Characters in top and repeated n-grams of every row, by words or, where `by_row` says so, by characters."""
        by_character = by_row[found.rows]
        of_words = ngrams.count(found, ~by_character, top=TOP, repeated=REPEATED)
        spaces = {n: (n - 1) * of_words["times", n] for n in TOP}  # datatrove joins the words of a top n-gram by spaces
        counts = {("top", n): of_words["top", n] + spaces[n] for n in TOP} | {("repeated", n): of_words["repeated", n] for n in REPEATED}
        if not by_row.any():
            return counts
        letters = by_character & found.any(HAN | KANA)
        doubled = ngrams.count(found, letters, top=[2 * n for n in TOP], repeated=[2 * n for n in REPEATED])
        return {(kind, n): count + doubled[kind, 2 * n] for (kind, n), count in counts.items()}

    def rules(self) -> Sequence[Rule]:
        """In the order of datatrove's filter, which calls an empty document `empty`; ours leaves that to others. Clauses last."""
        paragraphs, zh_paragraphs = self.max_duplicate_paragraph_share, self.zh_max_duplicate_paragraph_share
        paragraph_chars, zh_paragraph_chars = self.max_duplicate_paragraph_char_share, self.zh_max_duplicate_paragraph_char_share
        line_chars = self.max_duplicate_line_char_share
        limits: list[Limit] = [
            ("duplicate_paragraphs", "duplicate_paragraph_share", paragraphs, zh_paragraphs),
            ("duplicate_paragraph_chars", "duplicate_paragraph_char_share", paragraph_chars, zh_paragraph_chars),
            ("duplicate_lines", "duplicate_line_share", self.max_duplicate_line_share, self.zh_max_duplicate_line_share),
            ("duplicate_line_chars", "duplicate_line_char_share", line_chars, self.zh_max_duplicate_line_char_share),
            *_each("top", TOP, self.max_top_ngram_shares, self.zh_max_top_ngram_shares),
            *_each("repeated", REPEATED, self.max_repeated_ngram_shares, self.zh_max_repeated_ngram_shares),
            ("duplicate_clause_chars", "duplicate_clause_char_share", None, self.zh_max_duplicate_clause_char_share),
        ]
        return [at_most(*limit) for limit in limits]


Limit = tuple[str, str, float | None, float | None]
"""Rule, signal, limit with spaces, limit without."""


def _each(kind: str, sizes: Sequence[int], spaced: Sequence[float] | None, unspaced: Sequence[float] | None) -> list[Limit]:
    """One limit for each n."""
    return [
        (f"{kind}_{n}grams", f"{kind}_{n}gram_share", spaced[i] if spaced else None, unspaced[i] if unspaced else None)
        for i, n in enumerate(sizes)
    ]


def _paragraphs(texts: pl.Series) -> pl.DataFrame:
    return lines.pieces(texts.str.strip_chars(lines.BLANKS).str.replace_all(r"\n{2,}", "\n\n"), "\n\n")


def _lines(texts: pl.Series) -> pl.DataFrame:
    return lines.pieces(texts.str.replace_all(r"\n{2,}", "\n"))


def _clauses(texts: pl.Series, wanted: np.ndarray) -> pl.DataFrame:
    """{row, piece}: of the rows wanted, what stands between punctuation marks, without blanks around it."""
    rows = texts.rename("piece").to_frame().with_row_index("row").filter(pl.Series(wanted))
    split = rows.with_columns(pl.col("piece").str.replace_all(_MARK, "\n").str.split("\n")).explode("piece")
    return split.with_columns(pl.col("piece").str.strip_chars(lines.BLANKS)).filter(pl.col("piece").str.contains(r"\p{Han}"))


def _duplicates(pieces: pl.DataFrame, num_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each row: the share of pieces met before, and the characters in them."""
    rows, text = pieces["row"].to_numpy(), pieces["piece"]
    again = ~pl.Series(lines.keys(pieces)).is_first_distinct().to_numpy()
    total = np.bincount(rows, minlength=num_rows)
    share = np.bincount(rows[again], minlength=num_rows) / np.maximum(total, 1)
    return share, np.bincount(rows[again], text.str.len_chars().to_numpy()[again], minlength=num_rows)
