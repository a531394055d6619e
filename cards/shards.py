"""What the Parquet shards of a release hold: read from the files, so that the card says what is there.

Rows and schemas come from the footers; bytes, languages and licences from one pass over the columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.builds import FileEntry
from tilth.core.errors import GateError
from tilth.core.manifest import Manifest


@dataclass(frozen=True)
class SplitFacts:
    """One split of a config."""

    name: str
    paths: tuple[str, ...]
    num_rows: int
    num_bytes: int
    """Size as Arrow, which is what `datasets` calls `num_bytes`."""
    file_bytes: int
    """Size of the Parquet files, which is what `datasets` calls the download size."""


@dataclass(frozen=True)
class ConfigFacts:
    """One config: its schema (a `pyarrow.Schema`), its splits, and its rows by language and by licence."""

    name: str
    schema: Any
    splits: tuple[SplitFacts, ...]
    languages: dict[str, int]
    licenses: dict[str, int]

    @property
    def num_rows(self) -> int:
        return sum(split.num_rows for split in self.splits)

    @property
    def file_bytes(self) -> int:
        return sum(split.file_bytes for split in self.splits)


def read(folder: Path, manifest: Manifest) -> tuple[ConfigFacts, ...]:
    """The facts of every config of a release, configs and splits in the manifest's order.

    Raises:
        GateError: a shard is missing, is not Parquet, holds other rows than the manifest says, or its schema
            differs from that of the config's other shards.
    """
    return tuple(_config(folder, name, splits) for name, splits in manifest.configs.items())


def _config(folder: Path, name: str, splits: dict[str, list[FileEntry]]) -> ConfigFacts:
    schema: Any = None
    found = []
    languages: Counter[str] = Counter()
    licenses: Counter[str] = Counter()
    for split, entries in splits.items():
        num_bytes = 0
        for entry in entries:
            shard = _open(folder, entry)
            own = shard.schema_arrow.remove_metadata()
            if schema is not None and own != schema:
                raise GateError(f"configs.{name}.{split}: {entry.path} has another schema than the shards before it")
            schema = own
            num_bytes += _measure(shard, languages, licenses)
        paths = tuple(entry.path for entry in entries)
        found.append(SplitFacts(split, paths, sum(e.rows for e in entries), num_bytes, sum(e.bytes for e in entries)))
    return ConfigFacts(name, schema, tuple(found), _ordered(languages), _ordered(licenses))


def _open(folder: Path, entry: FileEntry) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / entry.path
    try:
        size = path.stat().st_size
        shard = pq.ParquetFile(path)
    except FileNotFoundError:
        raise GateError(f"{entry.path}: named in the manifest, not in the release") from None
    except pa.ArrowException as error:
        raise GateError(f"{entry.path}: not Parquet: {str(error).splitlines()[0]}") from None
    if size != entry.bytes:
        raise GateError(f"{entry.path}: {size} bytes, the manifest says {entry.bytes}")
    if shard.metadata.num_rows != entry.rows:
        raise GateError(f"{entry.path}: {shard.metadata.num_rows} rows, the manifest says {entry.rows}")
    return shard


def _measure(shard: Any, languages: Counter[str], licenses: Counter[str]) -> int:
    """Bytes of a shard as Arrow, in the batches that `datasets` reads; counts languages and licences on the way."""
    if not shard.metadata.num_row_groups:
        return 0
    num_bytes = 0
    rows = max(1, shard.metadata.row_group(0).num_rows)
    for group in range(shard.metadata.num_row_groups):
        for batch in shard.iter_batches(batch_size=rows, row_groups=[group]):
            num_bytes += batch.nbytes
            for column, counter in (("language", languages), ("license", licenses)):
                if column in batch.schema.names:
                    for item in batch.column(column).value_counts():
                        counter[item["values"].as_py() or ""] += item["counts"].as_py()
    return num_bytes


def _ordered(counts: Counter[str]) -> dict[str, int]:
    """Most first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
