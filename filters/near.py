"""Parts of texts that are worth a search: those around so many bytes of one kind, close together. Compiled, some 2 GB/s.

>>> from tilth.filters import text_buffer
>>> parts = near(text_buffer.of(pl.Series(["no digits, 1 digit", "患者电话13812345678，谢谢"])), Near.of(b"0123456789", 7, 24), 6)
>>> parts.places, parts.begins, parts.texts.to_list()
([1], [2], ['电话13812345678，谢'])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.filters import _kernels
from tilth.filters.text_buffer import Text


@dataclass(frozen=True)
class Near:
    """At least so many bytes of a kind within so many bytes."""

    members: bytes
    """256 bytes: 1 for each byte of the kind."""
    least: int
    within: int

    @classmethod
    def of(cls, members: bytes, least: int = 1, within: int = 1) -> Near:
        """Of the bytes listed."""
        return cls(bytes(byte in members for byte in range(256)), least, within)


@dataclass(frozen=True)
class Parts:
    """Part i is `texts[i]`, which stands in text `places[i]` behind `begins[i]` characters; parts are in order and apart."""

    places: list[int]
    begins: list[int]
    texts: pl.Series

    def within(self, parts: Parts) -> Parts:
        """Parts of these parts, as parts of the texts."""
        return Parts(
            [self.places[place] for place in parts.places],
            [self.begins[place] + begin for place, begin in zip(parts.places, parts.begins, strict=True)],
            parts.texts,
        )


def near(text: Text, wanted: Near, around: int) -> Parts:
    """The parts that hold what is wanted and `around` bytes on both sides."""
    room = text.num_bytes // (around + 1) + text.rows + 1
    rows, begins, offsets = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room + 1, np.int64)
    out = np.empty(text.num_bytes, np.uint8)
    count = _kernels.near(
        text.data, text.offsets, wanted.members, wanted.least, wanted.within, around, rows, begins, out, offsets
    )
    texts = Text(out[: offsets[count]], offsets[: count + 1]).series()
    return Parts(rows[:count].tolist(), begins[:count].tolist(), texts)
