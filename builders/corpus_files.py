"""The files of a segment as columns of the whole corpus: shards of rows, sidecars of signals, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from tilth.builders.sweep import Shard, edited
from tilth.core.batch import Batch
from tilth.core.errors import StorageError
from tilth.core.rows import Kind
from tilth.core.stages import Stage, read_table
from tilth.core.steps import Step


def shards(inputs: Sequence[Stage]) -> list[Shard]:
    """All shards of a segment, in the order of its rows."""
    return [Shard(stage, number, rows) for stage in inputs for number, rows in enumerate(stage.facts()["shards"])]


def columns(inputs: Sequence[Stage], found: dict[str, Stage], names: Sequence[str] | None = None, but: Sequence[str] = ()) -> pl.DataFrame:
    """Columns of sidecars (or rows) over the whole segment.

    Args:
        inputs: stages of the rows.
        found: key of an input stage → stage whose shards to read.
        names: columns to read; all when None.
        but: columns to leave out.

    Raises:
        StorageError: a file is missing or damaged.
    """
    frames = []
    for shard in shards(inputs):
        path = found[shard.stage.key].folder / shard.file
        frame = read_table(path, names).drop(but, strict=False)
        if frame.height != shard.rows:
            raise StorageError(f"{path}: {frame.height} rows, its shard has {shard.rows}", hint=f"remove {path.parent} and build again")
        frames.append(frame)
    return pl.concat(frames)


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
