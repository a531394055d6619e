"""Words of a batch of texts: one tokenisation, in columns, that every step of a sweep reads.

Four definitions of a word:

- `script`: Unicode segmentation without models, the same for every language. A run of letters, marks and digits outside
  Han, Hiragana and Katakana is one word; an apostrophe (or a zero-width joiner) between two such characters belongs to
  it: `don't` is one word, `3.14` is `3 . 14`; each Han or Kana character is one word; each other character that is not
  white space is one token, and no word.
- `whitespace`: what stands between white space.
- `spacy`: the tokens of spaCy's English tokenizer, what datatrove calls words in `eng_Latn` (`filters.spacy_words`).
- `jieba`: the words of jieba, what datatrove calls words in `cmn_Hani` (`filters.jieba_words`).

>>> found = of(pl.Series(["It's 5 mg。服药后"]))
>>> found.strings()
["It's", '5', 'mg', '。', '服', '药', '后']
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.filters import _kernels, text_buffer
from tilth.filters.char_classes import LETTER, NUMBER, classes
from tilth.filters.hashing import mix
from tilth.filters.text_buffer import Text

Definition = Literal["script", "whitespace", "spacy", "jieba"]
"""What is called a word."""


@dataclass(frozen=True)
class Words:
    """All tokens of all rows, in order. Row r owns the tokens `offsets[r]:offsets[r + 1]`."""

    text: Text
    begins: np.ndarray
    """int64 [tokens]: first byte of each token in `text.data`."""
    ends: np.ndarray
    """int64 [tokens]: one past its last byte."""
    offsets: np.ndarray
    """int64 [rows + 1]: first token of each row."""

    @functools.cached_property
    def _described(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = len(self.begins)
        lengths, flags, polynomials = np.empty(size, np.int32), np.empty(size, np.uint16), np.empty(size, np.uint64)
        _kernels.describe(self.text.data, self.begins, self.ends, classes(), lengths, flags, polynomials)
        return lengths, flags, polynomials

    @property
    def lengths(self) -> np.ndarray:
        """int32 [tokens]: characters of each token."""
        return self._described[0]

    @property
    def flags(self) -> np.ndarray:
        """uint16 [tokens]: class bits (`char_classes`) that any character of the token has."""
        return self._described[1]

    @property
    def polynomials(self) -> np.ndarray:
        """uint64 [tokens]: sum of code point times `hashing.BASE`^position, mod 2^64.

        Concatenates: that of `ab` is that of `a` plus that of `b` times BASE^len(a).
        """
        return self._described[2]

    @functools.cached_property
    def hashes(self) -> np.ndarray:
        """uint64 [tokens]: hash of each token's text, the same on every machine and for ever."""
        return mix(self.polynomials ^ (self.lengths.astype(np.uint64) << np.uint64(48)))

    @functools.cached_property
    def is_word(self) -> np.ndarray:
        """bool [tokens]: whether it has a letter or a digit."""
        return self.any(LETTER | NUMBER)

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """int32 [tokens]: the row of each token."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))

    def any(self, bits: int) -> np.ndarray:
        """bool [tokens]: whether any character of the token has any of these class bits."""
        return (self.flags & np.uint16(bits)) > 0

    def per_row(self, tokens: np.ndarray) -> np.ndarray:
        """int64 [rows]: sum over each row of a number or bool given for each token."""
        running = np.zeros(len(tokens) + 1, np.int64)
        np.cumsum(tokens, out=running[1:])
        return np.diff(running[self.offsets])

    def strings(self, first: int = 0, last: int | None = None) -> list[str]:
        """The tokens `first:last` themselves, one by one in Python."""
        data, some = self.text.data, slice(first, last)
        return [data[begin:end].tobytes().decode() for begin, end in zip(self.begins[some], self.ends[some], strict=True)]


def of(texts: pl.Series, definition: Definition = "script") -> Words:
    """The words of a string series (null counts as empty)."""
    return of_text(text_buffer.of(texts), definition)


def of_text(text: Text, definition: Definition = "script") -> Words:
    """The words of some texts."""
    match definition:
        case "script":
            begins, ends, offsets = _segment(_kernels.script_spans, text)
        case "whitespace":
            begins, ends, offsets = _segment(_kernels.whitespace_spans, text)
        case "spacy":
            from tilth.filters import spacy_words

            begins, ends, offsets = spacy_words.spans(text.data, text.offsets)
        case "jieba":
            from tilth.filters import jieba_words

            begins, ends, offsets = jieba_words.spans(text.data, text.offsets)
    return Words(text, begins, ends, offsets)


def whole(texts: pl.Series) -> Words:
    """Each text as one token, for its hash."""
    text = text_buffer.of(texts)
    return Words(text, text.offsets[:-1], text.offsets[1:], np.arange(len(text.offsets)))


def _segment(kernel: Callable[..., int], text: Text) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # A token for every byte at most; what is not written to takes no memory.
    begins, ends, offsets = np.empty(text.num_bytes, np.int64), np.empty(text.num_bytes, np.int64), np.empty(text.rows + 1, np.int64)
    count = kernel(text.data, text.offsets, classes(), begins, ends, offsets)
    return begins[:count], ends[:count], offsets


_UNSPACED = ("zh", "ja", "yue", "lzh", "wuu", "th", "lo", "km", "my")


def unspaced(batch: Batch) -> np.ndarray:
    """bool [rows]: whether the row's language is written without spaces, so that its words cannot be seen."""
    return _base_language(batch).is_in(list(_UNSPACED)).fill_null(False).to_numpy()


def chinese(batch: Batch) -> np.ndarray:
    """bool [rows]: whether the row's language is Chinese (`zh`, `zh-Hant`, `yue`, `lzh` …)."""
    return _base_language(batch).is_in(["zh", "yue", "lzh", "wuu"]).fill_null(False).to_numpy()


def _base_language(batch: Batch) -> pl.Series:
    return batch.frame["language"].str.to_lowercase().str.extract("^([a-z]+)")


def tokens(batch: Batch, definition: Definition = "script") -> Words:
    """The words of `batch.texts`, computed once for the batch."""
    return batch.memo(f"words:{definition}", lambda: of_text(text_buffer.of_batch(batch), definition))
