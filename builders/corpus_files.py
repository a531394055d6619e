"""The files of a segment as columns of the whole corpus: shards of rows, sidecars of signals, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from tilth.builders.sweep import Shard, edited
from tilth.core.batch import Batch
from tilth.core.errors import StorageError
from tilth.core.rows import Kind
from tilth.core.stages import Stage, read_table
from tilth.core.steps import Step, Texts


def shards(inputs: Sequence[Stage]) -> list[Shard]:
    """All shards of a segment, in the order of its rows."""
    return [Shard(stage, number, rows) for stage in inputs for number, rows in enumerate(stage.facts()["shards"])]


def columns(inputs: Sequence[Stage], found: dict[str, Stage], names: Sequence[str] | None = None, but: Sequence[str] = ()) -> pl.DataFrame:
    """Columns of sidecars (or rows) over the whole segment.

    Args:
        inputs: stages of the rows.
        found: key of an input stage → stage whose shards to read.
        names: columns to read; all when None.
        but: columns to leave out: they are not read.

    Raises:
        StorageError: a file is missing or damaged.
    """
    every = shards(inputs)
    paths = [found[shard.stage.key].folder / shard.file for shard in every]
    try:
        # One scan of all files: a third of the time of a file at a time.
        lazy = pl.scan_parquet(paths, glob=False, hive_partitioning=False).drop(list(but), strict=False)
        frame = (lazy if names is None else lazy.select(names)).collect()
    except (OSError, pl.exceptions.PolarsError):
        frame = None
    if frame is None or frame.height != sum(shard.rows for shard in every):
        frame = pl.concat([_one_file(path, shard.rows, names, but) for path, shard in zip(paths, every, strict=True)])
    return frame


def _one_file(path: Path, rows: int, names: Sequence[str] | None, but: Sequence[str]) -> pl.DataFrame:
    frame = read_table(path, names).drop(but, strict=False)
    if frame.height != rows:
        raise StorageError(f"{path}: {frame.height} rows, its shard has {rows}", hint=f"remove {path.parent} and build again")
    return frame


class TextsAt:
    """Texts of chosen rows as they stand after some of the steps: what `Step.link` verifies with."""

    def __init__(self, inputs: Sequence[Stage], steps: Sequence[Step], kind: Kind) -> None:
        self.shards = shards(inputs)
        self.edits = [step for step in steps if step.does("edit")]
        self.kind = kind
        self.starts = np.cumsum([0, *(shard.rows for shard in self.shards)])

    def __call__(self, positions: np.ndarray) -> list[str]:
        """Texts of the rows at these positions (ascending) of the corpus."""
        return [text for part in self._parts(positions) for text in part]

    def _parts(self, positions: np.ndarray) -> Iterator[list[str]]:
        for shard, start, end in zip(self.shards, self.starts[:-1], self.starts[1:], strict=True):
            low, high = np.searchsorted(positions, [start, end])
            if low == high:
                continue
            frame = read_table(shard.stage.folder / shard.file)[(positions[low:high] - start).tolist()]
            batch = Batch(frame, self.kind)
            for step in self.edits:
                batch = edited(step, batch)
            yield batch.texts.to_list()


def signals_behind(inputs: Sequence[Stage], found: dict[str, Stage], signals: pl.DataFrame) -> pl.DataFrame:
    """Signals of a corpus behind those of the rows of earlier releases: what `Step.link` gets that reads such.

    Args:
        inputs, found: stages of the earlier rows, and of their signals, as in `columns`.
    """
    earlier = columns(inputs, found).select(signals.columns)
    return pl.concat([frame.with_columns(pl.lit(value).alias("earlier")) for frame, value in ((earlier, True), (signals, False))])


def texts_behind(inputs: Sequence[Stage], kind: Kind, texts: Texts) -> Texts:
    """Texts of the rows whose signals `signals_behind` gives."""
    earlier = TextsAt(inputs, (), kind)
    count = int(earlier.starts[-1])

    def both(positions: np.ndarray) -> list[str]:
        cut = int(np.searchsorted(positions, count))
        return [*earlier(positions[:cut]), *texts(positions[cut:] - count)]

    return both
