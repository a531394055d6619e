"""Revise: the survivors of a segment, shard by shard, as its last step leaves them; the next segment begins with those.

One shard of rows is in memory at a time, and of all rows only what the step's `survey` keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from tilth.builders import wipeouts
from tilth.builders.corpus_files import shards
from tilth.builders.decide import ROWS, alive, line
from tilth.builders.layout import Segment
from tilth.core.durable import writing
from tilth.core.rows import content_hashes, schema
from tilth.core.stages import Stage, read_table
from tilth.core.steps import FATES, Context, Revised


def revise(segment: Segment, seed: int, on_progress: Callable[[int, int], None]) -> None:
    """Run the segment's last step over its survivors; its stage then holds shards, `fates.parquet` and `changed.parquet`."""
    step, stage = segment.maker, segment.make
    assert step is not None and stage is not None
    measured = segment.surveyed or segment.edited
    total = segment.decide.facts()["rows"]
    context = Context(segment.corpus, seed, pl.DataFrame())
    known = step.survey(_survivors(segment, measured))
    fates, changed = [pl.DataFrame(schema={**FATES, "id": pl.String, "content_hash": pl.String, "source": pl.String})], []
    before = []
    writer = _Writer(stage, segment)
    done = made = 0
    for rows, signals, found in zip(_survivors(segment, segment.edited), _survivors(segment, measured), known, strict=True):
        after = step.revise(rows, signals, found, context)
        _check(step.name, rows, after)
        named = rows.select("id", "content_hash", "source").with_row_index("index")
        told = after.fates.join(named, on="index", how="left", maintain_order="left")
        fates.append(told.with_columns((pl.col("index") + done).cast(pl.UInt32)))
        changed.append(after.changed.join(named.select("index", "id"), on="index", how="left", maintain_order="left").drop("index"))
        before.append(rows.select(ROWS))
        writer.write(after.rows)
        done += rows.height
        made += after.made
        on_progress(done, total)
    gone, every = pl.concat(fates), pl.concat(before)
    with writing(stage.path("fates.parquet")) as path:
        gone.with_columns(pl.lit(step.name).alias("step")).write_parquet(path)
    with writing(stage.path("changed.parquet")) as path:
        pl.concat(changed).write_parquet(path)
    taken = wipeouts.taken(step, wipeouts.Groups.of(every), np.ones(every.height, bool), gone.select(list(FATES)))
    ledger = line(segment.corpus, step.name, every.height, gone, made)
    stage.finish(
        ledger=[ledger.model_dump()], shards=writer.rows, rows=sum(writer.rows), usd=0.0, judges=[], taken=taken, changed=sum(map(len, changed)),
        mix=step.told(known),
    )  # fmt: skip


def _survivors(segment: Segment, found: dict[str, Stage]) -> Iterator[pl.DataFrame]:
    """What the stages hold of the rows alive, shard by shard, also of a shard of which none is."""
    keep, start = alive(segment), 0
    for shard in shards(segment.inputs):
        frame = read_table(found[shard.stage.key].folder / shard.file)
        yield frame.filter(pl.Series(keep[start : start + shard.rows]))
        start += shard.rows


def _check(name: str, rows: pl.DataFrame, after: Revised) -> None:
    kept = rows.height - after.fates.height
    assert after.rows.height == kept + after.made, f"{name}: rows do not add up"
    going = np.zeros(rows.height, bool)
    going[after.fates["index"].to_numpy()] = True
    assert after.rows["id"].head(kept).equals(rows["id"].filter(pl.Series(~going))), f"{name}: ids or order changed"


class _Writer:
    """Writes shards as they come, one for one, so that the next sweep is divided as the last."""

    def __init__(self, stage: Stage, segment: Segment) -> None:
        self.stage, self.kind = stage, segment.corpus
        self.rows: list[int] = []

    def write(self, rows: pl.DataFrame) -> None:
        frame = rows.select(list(schema(self.kind)))
        frame = frame.with_columns(content_hashes(frame, self.kind))
        with writing(self.stage.path(f"rows-{len(self.rows):05d}.parquet")) as path:
            frame.write_parquet(path, compression="zstd", compression_level=1)
        self.rows.append(frame.height)
