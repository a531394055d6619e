"""The items of all benchmarks of a recipe in one table: what decontamination looks for, and what completions answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tilth.core.durable import writing
from tilth.core.stages import Stage, read_table

FILE = "items.parquet"

ITEMS: dict[str, Any] = {
    "benchmark": pl.String, "item": pl.String, "question": pl.String, "options": pl.List(pl.String), "answer": pl.String,
}  # fmt: skip
"""Columns; `item` is the item's key in its benchmark."""


def gather(stage: Stage, reads: Mapping[str, Stage]) -> None:
    """Write the items of all benchmarks (name → stage that read it) into `stage`, which is then done."""
    frames = [pl.DataFrame(schema=ITEMS)]
    for name, read in reads.items():
        for number in range(len(read.facts()["shards"])):
            part = read_table(read.folder / f"rows-{number:05d}.parquet")
            frames.append(part.with_columns(pl.lit(name).alias("benchmark")).select(list(ITEMS)))
    whole = pl.concat(frames)
    with writing(stage.path(FILE)) as path:
        whole.write_parquet(path)
    stage.finish(rows=whole.height)


def items(stage: Stage | None) -> pl.DataFrame:
    """The table of a finished stage; empty where the recipe names no benchmark."""
    return read_table(stage.folder / FILE) if stage else pl.DataFrame(schema=ITEMS)
