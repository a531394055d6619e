"""Batch: a slice of rows on its way through the steps of a corpus, with what was computed about it on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import polars as pl
import pyarrow as pa

from tilth.core.rows import CONTENT, MESSAGES, Kind

T = TypeVar("T")


class Batch:
    """Rows (a polars frame with the columns of `core.rows.schema(kind)`) and a memo for what several steps share.

    A batch is never changed: `with_columns` and `map_text` return a new one, with an empty memo.
    """

    def __init__(self, frame: pl.DataFrame, kind: Kind) -> None:
        self.frame = frame
        self.kind = kind
        self._memo: dict[str, object] = {}

    def __len__(self) -> int:
        return self.frame.height

    @cached_property
    def texts(self) -> pl.Series:
        """One string a row: all its text, messages and candidates joined by a newline. Never null."""
        if self.kind == "cpt":
            return self.frame["text"].fill_null("").rename("text")
        pieces = []
        for name, dtype in CONTENT[self.kind].items():
            if isinstance(dtype, pl.List):
                field = "content" if dtype == MESSAGES else "text"
                pieces.append(pl.col(name).list.eval(pl.element().struct.field(field)).list.join("\n", ignore_nulls=True))
        return self.frame.select(pl.concat_str(pieces, separator="\n", ignore_nulls=True).fill_null("").alias("text"))["text"]

    def memo(self, key: str, make: Callable[[], T]) -> T:
        """`make()`, computed once for this batch under `key` (a tokenisation, say, that several steps read)."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]  # type: ignore[return-value]

    def with_columns(self, *columns: pl.Series) -> Batch:
        """A new batch with those columns in place of its own."""
        return Batch(self.frame.with_columns(*columns), self.kind)

    def map_text(self, change: Callable[[pl.Series], pl.Series]) -> Batch:
        """A new batch with `change` applied to every piece of text (a document, a message, an option, a candidate).

        `change` takes and returns a string series of any length, piece by piece: it must keep length and order.
        """
        columns = []
        for name, dtype in CONTENT[self.kind].items():
            column = self.frame[name]
            if dtype == pl.String and name == "text":
                columns.append(change(column).rename(name))
            elif isinstance(dtype, pl.List):
                columns.append(_map_inner(column, "content" if dtype == MESSAGES else "text", change))
        return self.with_columns(*columns)


def _map_inner(column: pl.Series, field: str, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Apply `change` to one string field of a list-of-struct column, offsets and nulls as they are."""
    array = column.to_arrow()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    offsets = array.offsets
    first = offsets[0].as_py() if len(offsets) else 0
    last = offsets[-1].as_py() if len(offsets) else 0
    inner = array.values.slice(first, last - first)
    changed = change(pl.Series(inner.field(field), dtype=pl.String)).to_arrow()
    names = [item.name for item in inner.type]
    arrays = [changed if name == field else inner.field(name) for name in names]
    rebuilt = pa.StructArray.from_arrays(arrays, names=names)
    moved = pa.compute.subtract(offsets, first)
    lists = type(array).from_arrays(moved, rebuilt, mask=array.is_null() if array.null_count else None)
    return pl.Series(column.name, pl.from_arrow(lists), dtype=column.dtype)
