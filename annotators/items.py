"""The rows of a job as questions see them, made some at a time: a job of millions of rows holds them once, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import polars as pl

from tilth.annotators.question import Item
from tilth.core.errors import RecipeError


class Items(Sequence[Item]):
    """Items of a frame of rows: id, prompt, candidates, and where there are answer, options, reference, language.

    Raises:
        RecipeError: two rows have one id.
        SourceError: on access, a row has no id or no prompt.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows
        ids = rows["id"] if "id" in rows.columns else pl.Series("id", [], dtype=pl.String)
        if ids.n_unique() != len(ids):
            most = ids.value_counts(sort=True).row(0, named=True)
            if most["id"] is not None:
                raise RecipeError(f"row {most['id']!r} comes {most['count']} times", hint="ids must be unique")

    def __len__(self) -> int:
        return self._rows.height

    def __iter__(self) -> Iterator[Item]:
        return (Item.of(row) for row in self._rows.iter_rows(named=True))

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [Item.of(row) for row in self._rows[index].iter_rows(named=True)]
        return Item.of(self._rows.row(index, named=True))
