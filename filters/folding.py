"""Folded tokens: text reduced to what two copies of it share, each token with its place in the text as it stands.

Folding: compatibility forms and width (NFKD), case (casefold), traditional to simplified Chinese, accents and voicing marks
off, zero-width characters out; punctuation and space only part tokens. A token is a run of letters and digits (numbers are
kept), or one Han or Kana character. Everything is a table look-up over code points, in one compiled pass.

>>> import polars as pl
>>> one, two = pl.Series(["Ｓｊögren: 37.5℃, 關節"]), pl.Series(["SJOGREN (37,5 °C) 关节"])
>>> bool((fold(one).hashes == fold(two).hashes).all()), len(fold(one).hashes)
(True, 6)
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.filters import _kernels, scripts, text_buffer
from tilth.filters.scripts import CODES
from tilth.filters.traditional import SIMPLIFIED_OF

BREAK, RUN, SINGLE = 0, 1, 2
MARKS: scripts.Ranges = ((0x300, 0x36F), (0x3099, 0x309A), (0xFE00, 0xFE0F))
"""Accents of Latin, Greek and Cyrillic, voicing marks of Kana, variation selectors."""


@dataclass(frozen=True)
class Folded:
    """Tokens of a series of texts, all rows in one line; row r holds tokens `offsets[r]:offsets[r + 1]`."""

    offsets: np.ndarray
    """int64 [rows + 1]."""
    hashes: np.ndarray
    """uint64 [tokens]: hash of the folded token, the same in every process."""
    starts: np.ndarray
    """int32 [tokens]: first character of the token in its row's text."""
    ends: np.ndarray
    """int32 [tokens]: one past its last character."""
    single: np.ndarray
    """bool [tokens]: a Han or Kana character."""
    breaks: np.ndarray
    """bool [tokens]: first token of a line (of a message too: `Batch.texts` puts each on its own)."""

    @functools.cached_property
    def chinese(self) -> np.ndarray:
        """bool [rows]: at least half of the tokens are Han or Kana characters."""
        counts = np.concatenate(([0], np.cumsum(self.single)))
        singles = counts[self.offsets[1:]] - counts[self.offsets[:-1]]
        mostly: np.ndarray = 2 * singles >= np.maximum(np.diff(self.offsets), 1)
        return mostly


@dataclass(frozen=True)
class _Table:
    lengths: np.ndarray
    """uint8 [CODES]: folded characters of a code point; 0 drops it."""
    folded: np.ndarray
    """uint32 [CODES]: the folded character where there is one, else where the expansion begins in `flat`."""
    flat: np.ndarray
    """uint32: expansions, one after the other."""
    kinds: np.ndarray
    """uint8 [CODES]: BREAK, RUN or SINGLE, of folded characters."""


def batch_tokens(batch: Batch) -> Folded:
    """Folded tokens of `batch.texts`, made once for a batch."""
    return batch.memo("folded_tokens", lambda: fold(batch.texts))


def fold(texts: pl.Series) -> Folded:
    """Tokens of every text; nulls are empty."""
    text, table = text_buffer.of(texts), _table()
    room = 2 * text.num_bytes + 16  # ㌖ is six tokens of three bytes; what is not written to takes no memory
    hashes, starts, ends = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    single, breaks, offsets = np.empty(room, bool), np.empty(room, bool), np.empty(text.rows + 1, np.int64)
    tables = table.lengths, table.folded, table.flat, table.kinds
    count = _kernels.fold_tokens(text.data, text.offsets, *tables, hashes, starts, ends, single, breaks, offsets)
    return Folded(offsets, *(column[:count] for column in (hashes, starts, ends, single, breaks)))


@functools.cache
def _table() -> _Table:
    """The look-up tables, made once a process. Planes 2 and above fold to themselves, but for traditional Han."""
    beyond = sorted(code for code in SIMPLIFIED_OF if code >= 0x20000)
    codes = np.array([*range(0xD800), *range(0xE000, 0x20000), *beyond, *range(0x2F800, 0x2FA20)])
    characters = list(map(chr, codes.tolist()))
    categories = list(map(unicodedata.category, characters))
    kinds = np.zeros(CODES, np.uint8)
    kinds[codes] = [RUN if category[0] in "LNM" else BREAK for category in categories]
    kinds[scripts.members(scripts.HAN, scripts.KANA)] = SINGLE
    marks = scripts.members(MARKS)
    plain = [
        " " if character.isspace() else "" if category in ("Cf", "Cc") or mark else character
        for character, category, mark in zip(characters, categories, marks[codes].tolist(), strict=True)
    ]
    # All at once, line ends between them: neither normalizing nor case folding reaches over one.
    whole = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", "\n".join(plain)).casefold()).translate(SIMPLIFIED_OF)
    parts = whole.split("\n")
    made = np.frombuffer("".join(parts).encode("utf-32-le"), np.uint32)
    owner = np.repeat(np.arange(len(codes)), list(map(len, parts)))[~marks[made]]
    made = made[~marks[made]]
    made = np.where(kinds[made] == BREAK, np.uint32(0x20), made)
    counts = np.bincount(owner, minlength=len(codes))
    alone = counts[owner] == 1
    lengths, folded = np.ones(CODES, np.uint8), np.arange(CODES, dtype=np.uint32)
    lengths[codes] = counts
    folded[codes[counts > 1]] = np.cumsum(counts[counts > 1]) - counts[counts > 1]
    folded[codes[counts == 1]] = made[alone]
    return _Table(lengths, folded, made[~alone], kinds)
