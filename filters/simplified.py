"""Text as datatrove simplifies it before it hashes n-grams (`datatrove.utils.text.simplify_text`, version 0.10.1).

Lower case; each number to `0`; punctuation to spaces; white space to one space; accents off (NFD without marks). Note what
that does to medicine: 5 mg and 50 mg become the same. Our own folding (`filters.folding`) keeps numbers.

>>> of(text_buffer.of(pl.Series(["Élan, 3.14 % of\\n ½ cases!"]))).data.tobytes().decode()
'elan 0 of ½ cases'
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NamedTuple

import numpy as np

from tilth.core.batch import Batch
from tilth.filters import _kernels, text_buffer, words
from tilth.filters.char_classes import PUNCTUATION
from tilth.filters.scripts import CODES
from tilth.filters.text_buffer import Text

SPACE, DIGIT, SEPARATOR, MARK, CHANGED = 1, 2, 4, 8, 16
_SEPARATORS = ".,،٫⎖⎗⎘"


class _Tables(NamedTuple):
    classes: np.ndarray
    """uint8 [CODES]."""
    begins: np.ndarray
    """int32 [CODES + 1]: where the replacement of each code point begins in `utf8`."""
    utf8: np.ndarray
    growth: int
    """Bytes that one byte can become, at most."""


@functools.cache
def _tables() -> _Tables:
    """0.3 s, once for a process."""
    classes = np.zeros(CODES, np.uint8)
    lengths = np.zeros(CODES, np.int32)
    pieces: list[bytes] = []
    growth = 1
    for point in (*range(0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FA20), *range(0xE0100, 0xE01F0)):
        char = chr(point)
        if unicodedata.category(char) == "Nd":
            classes[point] = DIGIT
        plain = "".join(c for c in unicodedata.normalize("NFD", char) if unicodedata.category(c) != "Mn")
        if plain != char:
            classes[point] |= CHANGED
            pieces.append(plain.encode())
            lengths[point] = len(pieces[-1])
            growth = max(growth, -(-len(pieces[-1]) // len(char.encode())))
    for match in re.finditer(r"\s", "".join(map(chr, range(0x3001)))):
        classes[ord(match[0])] = SPACE
    for char in PUNCTUATION:
        classes[ord(char)] |= MARK
    for char in _SEPARATORS:
        classes[ord(char)] |= SEPARATOR
    begins = np.zeros(CODES + 1, np.int32)
    np.cumsum(lengths, out=begins[1:])
    return _Tables(classes, begins, np.frombuffer(b"".join(pieces), np.uint8), growth)


def of(text: Text) -> Text:
    """The simplified texts."""
    lower = text_buffer.of(text.series().str.to_lowercase())
    tables = _tables()
    out = np.empty(lower.num_bytes * tables.growth + 4, np.uint8)
    offsets = np.empty(lower.rows + 1, np.int64)
    size = _kernels.simplify(lower.data, lower.offsets, tables.classes, tables.begins, tables.utf8, out, offsets)
    return Text(out[:size].copy(), offsets)


def tokens(batch: Batch, definition: words.Definition) -> words.Words:
    """The words of the simplified texts, made once for the batch."""
    return batch.memo(f"simplified:{definition}", lambda: words.of_text(of(text_buffer.of_batch(batch)), definition))


def ngram_hashes(found: words.Words, n: int) -> tuple[np.ndarray, np.ndarray]:
    """xxHash64 of the n words from each place on, joined by a space: (uint64 hashes, int64 offsets [rows + 1])."""
    hashes, offsets = np.empty(len(found.begins), np.uint64), np.empty(len(found.offsets), np.int64)
    count = _kernels.joined_ngrams(found.text.data, found.begins, found.ends, found.offsets, n, hashes, offsets)
    return hashes[:count], offsets
