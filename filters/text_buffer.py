"""Rows of text in one buffer of UTF-8, as Arrow holds them and the compiled kernels read them: nothing is copied.

>>> of(pl.Series(["é", None, "abc"])).offsets.tolist()
[0, 2, 2, 5]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from tilth.core.batch import Batch


@dataclass(frozen=True)
class Text:
    """Row r is the bytes `offsets[r]:offsets[r + 1]` of `data`."""

    data: np.ndarray
    """uint8."""
    offsets: np.ndarray
    """int64 [rows + 1]."""

    @property
    def rows(self) -> int:
        """How many texts."""
        return len(self.offsets) - 1

    @property
    def num_bytes(self) -> int:
        """Bytes of all rows."""
        return int(self.offsets[-1] - self.offsets[0])

    def series(self) -> pl.Series:
        """The texts as a string series, over the same bytes."""
        array = pa.LargeStringArray.from_buffers(self.rows, pa.py_buffer(self.offsets), pa.py_buffer(self.data))
        return pl.Series(array)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Code points of all rows (uint32), and where each row begins among them (int64 [rows + 1])."""
        data = self.data[self.offsets[0] : self.offsets[-1]]
        points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), "<u4").astype(np.uint32, copy=False)
        before = np.zeros(len(data) + 1, np.int64)
        np.cumsum((data & 0xC0) != 0x80, out=before[1:])
        return points, before[self.offsets - self.offsets[0]]


def of(texts: pl.Series) -> Text:
    """The texts of a string series; null is empty."""
    if texts.null_count():
        texts = texts.fill_null("")
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    offsets = np.zeros(1, np.int64)
    if len(array):
        offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2] if len(array) else None
    return Text(np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8), offsets)


def of_batch(batch: Batch) -> Text:
    """`of(batch.texts)`, made once for the batch."""
    return batch.memo("text_buffer", lambda: of(batch.texts))
