"""Folded tokens: text reduced to what two copies of it share, each token with its place in the text as it stands.

Folding: compatibility forms and width (NFKD), case (casefold), accents and voicing marks off, zero-width characters out;
punctuation and space only part tokens. A token is a run of letters and digits (numbers are kept), or one Han or Kana
character. Everything is a table look-up over code points, so a batch is folded by some fifteen numpy passes and never
by a loop over tokens. A further folding (traditional to simplified, say) is one more entry in the table.

>>> import polars as pl
>>> one, two = pl.Series(["Ｓｊögren: 37.5℃, 胃"]), pl.Series(["SJOGREN (37,5 °C) 胃"])
>>> bool((fold(one).hashes == fold(two).hashes).all()), len(fold(one).hashes)
(True, 5)
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.filters import scripts
from tilth.filters.hashing import Rolling, mix
from tilth.filters.scripts import CODES

BLOCK = 1 << 17
"""Characters folded at once: the working arrays (2 MiB) stay in the second-level cache."""
BREAK, RUN, SINGLE = 0, 1, 2


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
    values: np.ndarray
    """uint64 [CODES]: random value of a folded character."""


def batch_tokens(batch: Batch) -> Folded:
    """Folded tokens of `batch.texts`, made once for a batch."""
    return batch.memo("folded_tokens", lambda: fold(batch.texts))


def fold(texts: pl.Series) -> Folded:
    """Tokens of every text; nulls are empty."""
    rows = texts.fill_null("").to_list()
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    offsets, pieces = np.zeros(len(rows) + 1, np.int64), []
    first = total = 0
    while first < len(rows):
        last = max(first + 1, int(np.searchsorted(np.cumsum(sizes[first : first + BLOCK] + 1), BLOCK, side="right")) + first)
        last = min(last, len(rows))
        begins = np.concatenate(([0], np.cumsum(sizes[first:last] + 1)))
        piece = _fold_block("\n".join(rows[first:last]))
        cuts = np.searchsorted(piece[1], begins)
        shift = np.repeat(begins[:-1], np.diff(cuts))
        pieces.append((piece[0], (piece[1] - shift).astype(np.int32), (piece[2] - shift).astype(np.int32), *piece[3:]))
        offsets[first + 1 : last + 1] = total + cuts[1:]
        total += len(piece[0])
        first = last
    if not pieces:
        pieces = [_fold_block("")]
    hashes, starts, ends, single, breaks = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Folded(offsets, hashes, starts.astype(np.int32), ends.astype(np.int32), single, breaks)


def _fold_block(text: str) -> tuple[np.ndarray, ...]:
    """(hashes, starts, ends, single, breaks) of the tokens of one text; starts and ends in its characters."""
    table = _table()
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    lengths = table.lengths[codes]
    folded, origin = table.folded[codes], None
    if (lengths != 1).any():
        origin = np.repeat(np.arange(len(codes)), lengths)
        within = np.arange(len(origin)) - np.repeat(np.cumsum(lengths, dtype=np.int64) - lengths, lengths)
        begin = folded[origin]
        long = lengths[origin] > 1
        begin[long] = table.flat[begin[long] + within[long]]
        folded = begin
    kinds = table.kinds[folded]
    run = kinds == RUN
    single = kinds == SINGLE
    opens, closes = run.copy(), run.copy()
    opens[1:] &= ~run[:-1]
    closes[:-1] &= ~run[1:]
    first = np.flatnonzero(opens | single)
    last = np.flatnonzero(closes | single)
    hashes = mix(Rolling(table.values[folded]).spans(first, last + 1))
    starts, ends = (first, last + 1) if origin is None else (origin[first], origin[last] + 1)
    breaks = np.zeros(len(starts) + 1, bool)
    breaks[0] = True
    breaks[np.searchsorted(starts, np.flatnonzero(codes == 10))] = True
    return hashes, starts, ends, single[first], breaks[:-1]


@functools.cache
def _table() -> _Table:
    """The look-up tables; about 0.2 s, once a process. Planes 2 and above fold to themselves, but for one block of Han."""
    lengths = np.ones(CODES, np.uint8)
    folded = np.arange(CODES, dtype=np.uint32)
    kinds = np.zeros(CODES, np.uint8)
    kinds[_han_and_kana()] = SINGLE
    flat: list[int] = []
    for code in (*range(0x20000), *range(0x2F800, 0x2FA20)):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        kinds[code] = _kind_of(character)
        mapped = _folded_character(character)
        if mapped == character:
            continue
        lengths[code] = len(mapped)
        if len(mapped) == 1:
            folded[code] = ord(mapped)
        else:
            folded[code] = len(flat)
            flat.extend(map(ord, mapped))
    return _Table(lengths, folded, np.array(flat, np.uint32), kinds, mix(np.arange(CODES, dtype=np.uint64)))


def _folded_character(character: str) -> str:
    """What one character folds to; a space for what parts tokens, nothing for what does not count."""
    if character.isspace():
        return " "
    if unicodedata.category(character) in ("Cf", "Cc") or _is_mark(character):
        return ""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part if _kind_of(part) else " " for part in parts if not _is_mark(part))


def _is_mark(character: str) -> bool:
    """Accents of Latin, Greek and Cyrillic, voicing marks of Kana, variation selectors."""
    return "̀" <= character <= "ͯ" or character in "゙゚" or "︀" <= character <= "️"


@functools.cache
def _han_and_kana() -> np.ndarray:
    return scripts.members(scripts.HAN, scripts.KANA)


def _kind_of(character: str) -> int:
    if _han_and_kana()[ord(character)]:
        return SINGLE
    return RUN if unicodedata.category(character)[0] in "LNM" else BREAK
