"""Sweep: one pass over shards of rows that applies edits and measures every signal that is not there yet.

The datatrove pipeline is  ReadShards → Apply(step) → Apply(step) → … → KeepEdited.  What travels is a `Slice`: a
batch of rows of one shard. Steps of one batch share its memo, so a text is tokenised once however many steps ask.
Each `Apply` writes a sidecar (a Parquet file for the shard, in its step's own stage); a sidecar that lies there is
never made again, so a killed sweep goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from datatrove.pipeline.base import PipelineStep

from tilth.builders.benchmark_items import items
from tilth.core.batch import Batch
from tilth.core.durable import writing
from tilth.core.rows import CONTENT, Kind, content_hashes
from tilth.core.stages import Stage, read_table
from tilth.core.steps import Context, Step

BATCH_BYTES = 2 << 20
"""Text in one batch, about: small enough for the caches and for memory, large enough for columns to pay."""

@dataclass(frozen=True)
class Shard:
    """One shard of rows: the stage whose file it is, its number, its rows."""

    stage: Stage
    number: int
    rows: int

    @property
    def file(self) -> str:
        return f"rows-{self.number:05d}.parquet"

    @property
    def num_bytes(self) -> int:
        """Of its file; 0 where that is gone, which who reads it will say."""
        path = self.stage.folder / self.file
        return path.stat().st_size if path.exists() else 0


@dataclass(frozen=True)
class Slice:
    """Some rows of a shard on their way; `last` ends the shard."""

    shard: Shard
    batch: Batch
    last: bool


@dataclass(frozen=True)
class Setting:
    """What all blocks of a sweep know: small, for it is copied to every task; the benchmark items are read from a file."""

    kind: Kind
    seed: int
    benchmarks: Stage | None

    def context(self) -> Context:
        """The steps' context, the benchmark items read once a process."""
        return Context(self.kind, self.seed, _items(self.benchmarks))


_ITEMS: dict[str | None, pl.DataFrame] = {}


def _items(stage: Stage | None) -> pl.DataFrame:
    key = stage.key if stage else None
    if key not in _ITEMS:
        _ITEMS[key] = items(stage)
    return _ITEMS[key]


def batches(frame: pl.DataFrame, kind: Kind) -> Iterator[tuple[Batch, bool]]:
    """(batch, whether it is the last) of a shard's rows, about `BATCH_BYTES` of text each; one empty batch of no rows."""
    if not frame.height:
        yield Batch(frame, kind), True
    each = max(1, int(frame.height * BATCH_BYTES / max(1, frame.estimated_size())))
    for start in range(0, frame.height, each):
        yield Batch(frame.slice(start, each), kind), start + each >= frame.height


class ReadShards(PipelineStep):  # type: ignore[misc]
    """Task `rank` reads shard `rank` of those given, batch by batch."""

    name, type = "shards", "tilth"

    def __init__(self, shards: Sequence[Shard], kind: Kind) -> None:
        super().__init__()
        self.shards, self.kind = list(shards), kind

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Slice]:
        for shard in self.shards[rank::world_size]:
            frame = read_table(shard.stage.folder / shard.file)
            for batch, last in batches(frame, self.kind):
                yield Slice(shard, batch, last)


def edited(step: Step, batch: Batch) -> Batch:
    """The batch after a step's edit, with `content_hash` made anew for the rows that changed."""
    if not step.does("edit"):
        return batch
    after = step.edit(batch)
    if len(after) != len(batch):
        raise AssertionError(f"{step.name}: an edit must keep all rows")
    content = list(CONTENT[batch.kind])
    differs = batch.frame.select(
        pl.any_horizontal(pl.col(name).ne_missing(after.frame[name]) for name in content).alias("differs")
    )["differs"]
    if not differs.any():
        return after
    hashes = content_hashes(after.frame.filter(differs), batch.kind)
    whole = after.frame["content_hash"].to_list()
    for position, hashed in zip(differs.arg_true(), hashes, strict=True):
        whole[position] = hashed
    return Batch(after.frame.with_columns(pl.Series("content_hash", whole, dtype=pl.String)), batch.kind)


class Apply(PipelineStep):  # type: ignore[misc]
    """One step over every slice: edit, then measure where the sidecar is not there yet."""

    type = "tilth"

    def __init__(self, step: Step, stages: dict[str, Stage], setting: Setting) -> None:
        super().__init__()
        self.step, self.stages, self.setting = step, stages, setting
        self.name = step.name

    def run(self, data: Iterator[Slice], rank: int = 0, world_size: int = 1) -> Iterator[Slice]:
        parts: list[pl.DataFrame] = []
        for piece in data:
            with self.track_time(unit="batch"):
                stage = self.stages[piece.shard.stage.key]
                path = stage.folder / piece.shard.file
                batch = edited(self.step, piece.batch)
                if not path.exists():
                    parts.append(self._measure(piece.batch, batch))
                    if piece.last:
                        with writing(path) as temporary:
                            pl.concat(parts).write_parquet(temporary, compression="zstd", compression_level=1)
                        parts = []
            yield replace(piece, batch=batch)

    def _measure(self, before: Batch, after: Batch) -> pl.DataFrame:
        columns = [after.frame["id"], after.frame["content_hash"]]
        if self.step.does("edit"):
            columns.append((before.frame["content_hash"] != after.frame["content_hash"]).rename("edited"))
        if self.step.does("measure"):
            signals = self.step.measure(after, self.setting.context())
            assert signals.height == len(after), f"{self.step.name}: {signals.height} signals for {len(after)} rows"
            columns += signals.get_columns()
        return pl.DataFrame(columns)


class KeepEdited(PipelineStep):  # type: ignore[misc]
    """Writes the rows as they stand after the last edit: what makers and the release are made from."""

    name, type = "keep edited", "tilth"

    def __init__(self, stages: dict[str, Stage]) -> None:
        super().__init__()
        self.stages = stages

    def run(self, data: Iterator[Slice], rank: int = 0, world_size: int = 1) -> Iterator[Slice]:
        parts: list[pl.DataFrame] = []
        for piece in data:
            with self.track_time(unit="batch"):
                path = self.stages[piece.shard.stage.key].folder / piece.shard.file
                if not path.exists():
                    parts.append(piece.batch.frame)
                    if piece.last:
                        with writing(path) as temporary:
                            pl.concat(parts).write_parquet(temporary, compression="zstd", compression_level=1)
                        parts = []
            yield piece
