"""The heuristic filters that NeMo Curator applies to English by default, at words between white space.

Source: NeMo Curator 1.4, `config/text/heuristic_filter_english_pipeline.yaml`: its filters, order and thresholds, each score as it
computes it, over columns. They go back to Gopher (arXiv:2112.11446) and C4; those on letters, brackets, URLs and white space
are NeMo's. Made for English: other languages fail the share of Latin letters and digits. Where NeMo takes any of several
equally frequent n-grams (it walks a Python set), the first one is taken here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import _kernels, lines, ngrams, text_buffer, words
from tilth.filters.gopher_quality import STOP_WORDS
from tilth.filters.gopher_repetition import REPEATED, TOP
from tilth.filters.scripts import CODES
from tilth.filters.shares import ratio

POLICY = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "privacy overview", "use of cookies", "use cookies",
    "privacy & cookies policy", "privacy and cookies policy",
    (
        "necessary cookies are absolutely essential for the website to function properly. this category only includes cookies that "
        "ensures basic functionalities and security features of the website. these cookies do not store any personal information."
    ),
    (
        "any cookies that may not be particularly necessary for the website to function and is used specifically to collect user "
        "personal data via analytics, ads, other embedded contents are termed as non-necessary cookies. it is mandatory to procure "
        "user consent prior to running these cookies on your website."
    ),
    "if you continue to browse this site without changing your cookie settings, you agree to this use. acceptread more",
)  # fmt: skip
"""NeMo lists two more notices, which hold `uses cookies`."""
URL = r"https?://(?:[A-Za-z0-9$\-_@.&+/:=?#~]|[!*\(\),]|(?:%[0-9A-Fa-f]{2}))+"
_ALNUM, _DIGIT, _BLANK, _BRACKET = 1, 2, 4, 8
_ALPHA, _MARK = 1, 2
_ELLIPSES = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")
_BULLETS = "•‣⁃⁌⁍∙○●◘◦⦾⦿"


class NemoHeuristics(Step, name="nemo_heuristics", version=1):
    """Drop English documents by NeMo Curator's default heuristic filters."""

    corpora: ClassVar[tuple[Kind, ...]] = ("cpt",)

    max_other_char_share: float | None = threshold(0.25, "largest share of characters that are no Latin letter, digit, line end or `?!,.`")
    max_symbol_word_share: float | None = threshold(0.1, "largest share of words that are an ellipsis or mostly `#`")
    max_digit_share: float | None = threshold(0.15, "largest share of characters that are digits")
    max_url_share: float | None = threshold(0.2, "largest share of characters in URLs")
    max_white_space_share: float | None = threshold(0.25, "largest share of characters that are white space")
    max_bracket_share: float | None = threshold(0.1, "largest share of characters that are brackets")
    max_boilerplate_share: float | None = threshold(0.4, "largest share of paragraphs that speak of cookies or terms of use")
    min_distinct_line_share: float | None = threshold(0.7, "smallest share of lines that are left without repeats")
    min_distinct_paragraph_share: float | None = threshold(0.7, "the same of paragraphs")
    min_distinct_line_char_share: float | None = threshold(0.8, "smallest share of characters that are left without repeated lines")
    min_distinct_paragraph_char_share: float | None = threshold(0.8, "the same without repeated paragraphs")
    min_words: int | None = threshold(50, "fewest words")
    max_words: int | None = threshold(100_000, "most words")
    max_open_line_share: float | None = threshold(0.85, "largest share of lines without a terminal mark")
    min_alpha_word_share: float | None = threshold(0.8, "smallest share of words with a letter")
    min_stop_words: int | None = threshold(2, "fewest occurrences of Gopher's eight words")
    min_mean_word_length: float | None = threshold(3.0, "shortest mean word, in characters")
    max_mean_word_length: float | None = threshold(10.0, "longest mean word, in characters")
    max_word_length: int | None = threshold(1000, "longest word, in characters")
    max_ellipsis_line_share: float | None = threshold(0.3, "largest share of lines that end with an ellipsis")
    max_top_ngram_shares: tuple[float, float, float] | None = threshold(
        (0.20, 0.18, 0.16), "largest share of characters in the most frequent 2-, 3- and 4-gram"
    )
    max_covered_ngram_shares: tuple[float, float, float, float, float, float] | None = threshold(
        (0.15, 0.14, 0.13, 0.12, 0.11, 0.10), "largest share of characters in repeated 5- to 10-grams"
    )
    max_bullet_line_share: float | None = threshold(0.9, "largest share of lines that begin with a bullet")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """One signal a rule, named as its threshold without min_ or max_; null where NeMo would divide by zero."""
        found = words.tokens(batch, "whitespace")
        num_chars = batch.texts.str.len_chars().to_numpy().astype(np.int64)
        return pl.DataFrame({
            **_characters(batch, num_chars),
            **_words(found),
            **_lines(batch.texts),
            **_paragraphs(batch.texts),
            **_ngrams(found, batch.texts, num_chars),
        })  # fmt: skip

    def rules(self) -> Sequence[Rule]:
        """In the order of NeMo's pipeline."""
        tops, covers = self.max_top_ngram_shares, self.max_covered_ngram_shares
        return limits(
            ("other_chars", "other_char_share", ">", self.max_other_char_share),
            ("symbols", "symbol_word_share", ">", self.max_symbol_word_share),
            ("digits", "digit_share", ">", self.max_digit_share),
            ("urls", "url_share", ">", self.max_url_share),
            ("white_space", "white_space_share", ">", self.max_white_space_share),
            ("brackets", "bracket_share", ">", self.max_bracket_share),
            ("boilerplate", "boilerplate_share", ">", self.max_boilerplate_share),
            ("duplicate_lines", "distinct_line_share", "<", self.min_distinct_line_share),
            ("duplicate_paragraphs", "distinct_paragraph_share", "<", self.min_distinct_paragraph_share),
            ("duplicate_line_chars", "distinct_line_char_share", "<", self.min_distinct_line_char_share),
            ("duplicate_paragraph_chars", "distinct_paragraph_char_share", "<", self.min_distinct_paragraph_char_share),
            ("short_document", "words", "<", self.min_words),
            ("long_document", "words", ">", self.max_words),
            ("open_lines", "open_line_share", ">", self.max_open_line_share),
            ("few_letters", "alpha_word_share", "<", self.min_alpha_word_share),
            ("few_stop_words", "stop_words", "<", self.min_stop_words),
            ("short_words", "mean_word_length", "<", self.min_mean_word_length),
            ("long_words", "mean_word_length", ">", self.max_mean_word_length),
            ("long_word", "word_length", ">", self.max_word_length),
            ("ellipsis_lines", "ellipsis_line_share", ">", self.max_ellipsis_line_share),
            *((f"top_{n}grams", f"top_{n}gram_share", ">", tops[i] if tops else None) for i, n in enumerate(TOP)),
            *((f"covered_{n}grams", f"covered_{n}gram_share", ">", covers[i] if covers else None) for i, n in enumerate(REPEATED)),
            ("bullet_lines", "bullet_line_share", ">", self.max_bullet_line_share),
        )


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """(classes of characters uint8, classes for words uint16), both [CODES]."""
    valid = [point for point in range(0x33480) if not 0xD800 <= point < 0xE000]
    each = pl.Series([chr(point) for point in valid])
    points = np.array(valid)
    chars, of_words = np.zeros(CODES, np.uint8), np.zeros(CODES, np.uint16)
    for pattern, bit in ((r"[a-zA-Z0-9\n?!,.]", _ALNUM), (r"\p{Nd}", _DIGIT), (r"[\t\n\r\x08 ]", _BLANK), (r"[{}⟨⟩\[\]()]", _BRACKET)):
        chars[points[each.str.contains(pattern).to_numpy()]] |= bit
    of_words[points[each.str.contains(r"\p{Alphabetic}").to_numpy()]] |= _ALPHA
    of_words[ord("#")] |= _MARK
    return chars, of_words


def _characters(batch: Batch, num_chars: np.ndarray) -> dict[str, pl.Series]:
    """Shares of characters; an empty text is all of everything, as NeMo has it."""
    text = text_buffer.of_batch(batch)
    counts = np.zeros((text.rows, 256), np.int64)
    _kernels.class_counts(text.data, text.offsets, _tables()[0], counts)
    values = np.arange(256)
    urls = batch.texts.str.contains("http", literal=True)
    in_urls = np.zeros(len(batch), np.int64)
    some = urls.arg_true()
    if len(some):
        in_urls[some.to_numpy()] = batch.texts.gather(some).str.extract_all(URL).list.eval(pl.element().str.len_chars()).list.sum().to_numpy()
    found = {
        "other_char_share": num_chars - counts[:, (values & _ALNUM) > 0].sum(axis=1),
        "digit_share": counts[:, (values & _DIGIT) > 0].sum(axis=1),
        "url_share": in_urls,
        "white_space_share": counts[:, (values & _BLANK) > 0].sum(axis=1),
        "bracket_share": counts[:, (values & _BRACKET) > 0].sum(axis=1),
    }
    return {name: ratio(part, num_chars).fill_null(1.0) for name, part in found.items()}


def _words(found: words.Words) -> dict[str, pl.Series]:
    """Numbers about words; NeMo stops counting stop words at two, which decides nothing."""
    flags = np.empty(len(found.begins), np.uint16)
    lengths, polynomials = np.empty(len(found.begins), np.int32), np.empty(len(found.begins), np.uint64)
    _kernels.describe(found.text.data, found.begins, found.ends, _tables()[1], lengths, flags, polynomials)
    symbol = np.isin(found.hashes, words.whole(pl.Series(_ELLIPSES)).hashes)
    for place in np.flatnonzero(flags & _MARK):
        word = found.text.data[found.begins[place] : found.ends[place]].tobytes().decode()
        runs = sum(part == "#" and word[i - 1 : i] != "#" for i, part in enumerate(word))
        symbol[place] |= runs / len(word) > 0.5
    num_words = np.diff(found.offsets)
    longest = np.maximum.reduceat(np.append(lengths, 0), np.minimum(found.offsets[:-1], len(lengths))) if len(num_words) else num_words
    stop = np.isin(found.hashes, words.whole(pl.Series(STOP_WORDS)).hashes)
    return {
        "words": pl.Series(num_words),
        "symbol_word_share": ratio(found.per_row(symbol), num_words),
        "alpha_word_share": ratio(found.per_row(flags & _ALPHA), num_words),
        "stop_words": pl.Series(found.per_row(stop)),
        "mean_word_length": ratio(found.per_row(lengths), num_words),
        "word_length": pl.Series(longest).set(pl.Series(num_words == 0), None),
    }


def _distinct(split: pl.DataFrame, size: int) -> tuple[pl.Series, pl.Series]:
    """Shares of pieces, and of characters, that are left of each row when repeats go."""
    row, first = split["row"].to_numpy(), pl.Series(lines.keys(split)).is_first_distinct().to_numpy()
    chars = split["piece"].str.len_chars().to_numpy().astype(np.int64)
    return (
        ratio(np.bincount(row, first, minlength=size), np.bincount(row, minlength=size)),
        ratio(np.bincount(row, chars * first, minlength=size), np.bincount(row, chars, minlength=size)),
    )


def _lines(texts: pl.Series) -> dict[str, pl.Series]:
    """Shares of the lines that are not blank."""
    split = lines.pieces(texts).with_columns(bare=pl.col("piece").str.strip_chars(lines.BLANKS)).filter(pl.col("bare") != "")
    row, bare = split["row"].to_numpy(), split["bare"]
    size, total = len(texts), np.bincount(row, minlength=len(texts))
    ended = bare.str.contains(r"""[.?!"']\z""")
    ellipsis = bare.str.to_lowercase().str.contains(rf"(?:{'|'.join(pl.Series(_ELLIPSES).str.escape_regex())})\z")
    bullet = bare.str.contains(rf"\A[{_BULLETS}]")
    share, char_share = _distinct(split, size)
    return {
        "distinct_line_share": share,
        "distinct_line_char_share": char_share,
        "open_line_share": ratio(np.bincount(row, ~ended.to_numpy(), minlength=size), total),
        "ellipsis_line_share": ratio(np.bincount(row, ellipsis.to_numpy(), minlength=size), total),
        "bullet_line_share": ratio(np.bincount(row, bullet.to_numpy(), minlength=size), total),
    }


def _paragraphs(texts: pl.Series) -> dict[str, pl.Series]:
    """Shares of what stands between two line ends."""
    share, char_share = _distinct(lines.pieces(texts, "\n\n"), len(texts))
    lower = texts.str.to_lowercase()
    rows = lower.str.contains_any(list(POLICY)).arg_true().to_numpy()
    boilerplate = np.zeros(len(texts))
    if len(rows):
        split = lines.pieces(lower.gather(rows), "\n\n")
        place = split["row"].to_numpy()
        boilerplate[rows] = np.bincount(place, split["piece"].str.contains_any(list(POLICY)).to_numpy()) / np.bincount(place)
    boilerplate[lower.str.contains("lorem ipsum", literal=True).to_numpy()] = 1.0
    return {"boilerplate_share": pl.Series(boilerplate), "distinct_paragraph_share": share, "distinct_paragraph_char_share": char_share}


def _ngrams(found: words.Words, texts: pl.Series, num_chars: np.ndarray) -> dict[str, pl.Series]:
    """Shares of characters in n-grams; 1 with fewer than n words. A top n-gram counts wherever its text stands."""
    counts = ngrams.count(found, top=TOP, covered=REPEATED)
    num_words = np.diff(found.offsets)
    shares = {}
    for n in TOP:
        part = np.zeros(len(texts), np.int64)
        for r, text in enumerate(texts):
            if num_words[r] >= n:
                place = found.offsets[r] + counts["place", n][r]
                gram = " ".join(found.strings(place, place + n))
                part[r] = len(gram) * text.count(gram)
        shares[f"top_{n}gram_share"] = ratio(part, num_chars)
    for n in REPEATED:
        shares[f"covered_{n}gram_share"] = ratio(counts["covered", n], num_chars)
    return {name: share.set(pl.Series(num_words < int(name.split("_")[1].removesuffix("gram"))), 1.0) for name, share in shares.items()}
