"""Questions whose published answers are not wanted: the last answer goes, so that the row waits for another (UltraMedical answered all anew)."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Step


class Reopen(Step, name="reopen", version=1):
    """Takes the answer off conversations that end with one, for `answers` to write it anew."""

    corpora: ClassVar[tuple[Kind, ...]] = ("sft",)
    sources: tuple[str, ...] = Field((), description="sources whose rows it works on; left out: all")

    def sources_named(self) -> tuple[str, ...]:
        return self.sources

    def edit(self, batch: Batch) -> Batch:
        """The rows without their last messages where those are the assistant's; a row of nothing else stays as it is."""
        last = pl.col("messages").list.last().struct.field("role") == "assistant"
        mine = pl.col("source").is_in(self.sources) if self.sources else pl.lit(True)
        asked = pl.col("messages").list.head(pl.col("messages").list.len() - 1)
        reopened = pl.when(mine & last & (asked.list.len() > 0)).then(asked).otherwise(pl.col("messages"))
        return batch.with_columns(batch.frame.select(reopened.alias("messages"))["messages"])
