"""One split for a prompt: published splits that share prompts are parted again.

A model that has trained on a prompt is not tested by it. UltraMedical-Preference, for one, as published has 1,228 prompts
in both train and dev, 30 in train and test, one in dev and test. Splits that the recipe draws itself share none.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.prompts import prompt_keys
from tilth.core.steps import FATES, Context, Step
from tilth.core.units import threshold


class OneSplit(Step, name="one_split", version=1):
    """Of rows with one prompt in several of the sources' splits, keeps those of one: by default test before dev before train."""

    corpora = ("sft", "preference")
    order: tuple[str, ...] = threshold(
        ("test", "dev", "validation", "train"), "splits, the one that keeps its rows first; others come last; empty: the split read first keeps its"
    )

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`prompt`: key of the prompt (u64), null without one; `split`: that of the row's source, null where it says none."""
        return pl.DataFrame([prompt_keys(batch.frame, batch.kind), batch.frame["split"]])

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops the rows whose prompt another split keeps; value is the two splits, `train in test`."""
        rows = signals.select("prompt", "split").with_row_index("index").filter(pl.Series(alive)).drop_nulls()
        ranks = {name: rank for rank, name in enumerate(self.order)}
        rank = pl.col("split").replace_strict(ranks, default=len(ranks), return_dtype=pl.UInt32) if ranks else pl.lit(0, pl.UInt32)
        keepers = rows.with_columns(rank.alias("rank")).sort("rank", "index").group_by("prompt", maintain_order=True).first()
        gone = rows.join(keepers.select("prompt", keeper="split"), on="prompt").filter(pl.col("split") != pl.col("keeper")).sort("index")
        return gone.select(
            pl.col("index").cast(FATES["index"]),
            pl.lit("dropped").alias("status"),
            pl.lit("prompt_in_two_splits").alias("rule"),
            pl.format("{} in {}", "split", "keeper").alias("value"),
            pl.lit(None, pl.String).alias("detail"),
        )  # fmt: skip
