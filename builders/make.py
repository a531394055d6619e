"""Make: the survivors of a segment → new rows, by its maker; written as shards that the next segment begins with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from tilth.builders import wipeouts
from tilth.builders.corpus_files import columns
from tilth.builders.decide import alive, line
from tilth.builders.layout import Segment
from tilth.builders.read import SHARD_BYTES
from tilth.core.durable import writing
from tilth.core.rows import content_hashes, schema
from tilth.core.steps import MakeContext


def make(
    segment: Segment, seed: int, benchmarks: pl.DataFrame, calls: Path, max_usd: float | None, on_progress: Callable[[int, int, float], None]
) -> None:
    """Run the segment's maker; its stage then holds shards, `fates.parquet`, and `judgements.parquet` and `hits.parquet` where there are any.

    Raises:
        BudgetError: the maker would spend more than `max_usd`; what was bought is in the call store.
    """
    maker, stage = segment.maker, segment.make
    assert maker is not None and stage is not None
    rows = columns(segment.inputs, segment.edited).filter(pl.Series(alive(segment)))
    made = maker.make(rows, MakeContext(segment.corpus, seed, benchmarks, calls, max_usd, on_progress, surveyed(segment)))
    assert made.rows.height == rows.height - made.fates.height + made.made - made.merged, f"{maker.name}: rows do not add up"
    frame = made.rows.select(list(schema(segment.corpus)))
    frame = frame.with_columns(content_hashes(frame, segment.corpus))
    each = max(1, int(frame.height * SHARD_BYTES / max(1, frame.estimated_size())))
    shards = []
    for number, start in enumerate(range(0, max(1, frame.height), each)):
        part = frame.slice(start, each)
        with writing(stage.path(f"rows-{number:05d}.parquet")) as path:
            part.write_parquet(path, compression="zstd", compression_level=1)
        shards.append(part.height)
    meta = rows.select("id", "content_hash", "source").with_row_index("index")
    fates = made.fates.with_columns(pl.lit(maker.name).alias("step")).join(meta, on="index", how="left", maintain_order="left")
    with writing(stage.path("fates.parquet")) as path:
        fates.write_parquet(path)
    if made.judgements is not None:
        with writing(stage.path("judgements.parquet")) as path:
            made.judgements.write_parquet(path)
    if made.hits is not None:
        with writing(stage.path("hits.parquet")) as path:
            made.hits.join(meta, on="index", how="left", maintain_order="left").write_parquet(path)
    taken = wipeouts.taken(maker, wipeouts.Groups.of(rows), np.ones(rows.height, bool), made.fates)
    ledger = line(segment.corpus, maker.name, rows.height, made.fates, made.made, made.merged)
    asked = {"usd": made.usd, "judges": list(made.judges), "panels": list(made.panels), "writers": list(made.writers)}
    stage.finish(ledger=[ledger.model_dump()], shards=shards, rows=frame.height, taken=taken, contamination=list(made.contamination), **asked)


def surveyed(segment: Segment) -> pl.DataFrame | None:
    """What the segment's maker measured of the survivors; None where it measures nothing."""
    return columns(segment.inputs, segment.surveyed).filter(pl.Series(alive(segment))) if segment.surveyed else None
