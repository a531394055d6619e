"""The rows of an earlier release as rows of a corpus, so that steps measure them as they measure our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tilth.builders.read import SHARD_BYTES
from tilth.core.durable import writing
from tilth.core.errors import SourceError
from tilth.core.rows import RELEASED, Kind, schema
from tilth.core.stages import Stage

GROUP_ROWS = 20_000
"""Rows held at once."""
LATER = {"options", "answer", "label"}
"""Columns that rows of a release need not have: older ones had none."""


def gather(stage: Stage, name: str, title: str, kind: Kind, files: Sequence[tuple[str, Path]]) -> None:
    """Write the rows of one kind, `id` being `title/kind/id`, as shards of `stage`, which is then done.

    Raises:
        SourceError: a file is no release's, or none has rows of that kind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shards: list[int] = []
    waiting: list[pl.DataFrame] = []

    def close() -> None:
        if waiting:
            with writing(stage.path(f"rows-{len(shards):05d}.parquet")) as path:
                pl.concat(waiting).write_parquet(path, compression="zstd", compression_level=1)
            shards.append(sum(frame.height for frame in waiting))
            waiting.clear()

    for shown, path in files:
        try:
            file = pq.ParquetFile(path)
            if not set(RELEASED[kind]) - LATER <= set(file.schema_arrow.names):
                continue
            if "id" not in file.schema_arrow.names:
                raise SourceError(f"earlier release {name}: {shown} has no column `id`", hint="name the Parquet files of a release")
            for batch in file.iter_batches(GROUP_ROWS, columns=_columns(file.schema_arrow.names, kind)):
                waiting.append(_rows(pl.DataFrame(pa.Table.from_batches([batch])), f"{title}/{kind}/", kind))
                if sum(frame.estimated_size() for frame in waiting) >= SHARD_BYTES:
                    close()
        except (pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise SourceError(f"earlier release {name}: {shown}: {str(error).splitlines()[0]}") from None
    close()
    if not shards:
        raise SourceError(f"earlier release {name}: {title} has no {kind} rows", hint="take it out of this corpus's `against_release`")
    stage.finish(shards=shards, rows=sum(shards))


def _columns(there: Sequence[str], kind: Kind) -> list[str]:
    return [column for column in ("id", "content_hash", "source", "revision", "license", "language", *RELEASED[kind]) if column in there]


def _rows(frame: pl.DataFrame, prefix: str, kind: Kind) -> pl.DataFrame:
    """With all columns of the kind, those that a release does not publish as nulls."""
    named = frame.with_columns((pl.lit(prefix) + pl.col("id").cast(pl.String)).alias("id"))
    return named.select(
        (pl.col(name) if name in named.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema(kind).items()
    )
