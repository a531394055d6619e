"""Read: the records of one source → shards of rows, each with its id, given here once and for all.

A shard is a Parquet file of about 16 MiB of text with the columns of the kind; beside it stand `origin.parquet`
(id → file, record) for `tilth trace` and `failed.parquet` (what could not become a row, and why).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl
from datatrove.pipeline.base import PipelineStep

from tilth.builders.records import BadRecord, Blank, Format, MissingField, Record, Shape, TooLarge, take
from tilth.core.durable import writing
from tilth.core.errors import LockError, SourceError
from tilth.core.lock import LockedFile
from tilth.core.recipe import FieldOf, Source, is_split
from tilth.core.rows import COMMON, Kind, content_hash, row_id, schema
from tilth.core.stages import Stage

SHARD_BYTES = 16 << 20
MAX_CHARS = 20_000_000
"""A record with more text than this is put aside (quarantined): no document is so long, and one of it fills memory."""

FAILED = {"id": pl.String, "content_hash": pl.String, "source": pl.String, "status": pl.String, "rule": pl.String,
          "value": pl.String, "detail": pl.String}  # fmt: skip
ITEM: dict[str, Any] = {"id": pl.String, "content_hash": pl.String, "source": pl.String, "revision": pl.String, "license": pl.String,
        "language": pl.String, "parents": pl.List(pl.String), "item": pl.String, "question": pl.String,
        "options": pl.List(pl.String), "answer": pl.String}  # fmt: skip
"""Columns of a benchmark item; `item` is its key in the benchmark, or its record number."""

ORIGIN = {"id": pl.String, "file": pl.String, "record": pl.Int64, "shard": pl.Int32}


class ReadSource(PipelineStep):  # type: ignore[misc]
    """datatrove block: task `rank` reads the source `rank` of those given."""

    name, type = "read", "tilth"

    def __init__(self, sources: list[SourceReader]) -> None:
        super().__init__()
        self.sources = sources

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        for source in self.sources[rank::world_size]:
            with self.track_time(unit="source"):
                source.read()
        yield from data or ()


class SourceReader:
    """Reads one source into its stage."""

    def __init__(
        self, name: str, source: Source, files: list[tuple[LockedFile, Path]], revision: str, form: Format, shape: Shape,
        kind: Kind | Literal["item"], stage: Stage, limit: int | None, share: float,
    ) -> None:  # fmt: skip
        self.name, self.source, self.files, self.revision = name, source, files, revision
        self.form, self.shape, self.kind, self.stage = form, shape, kind, stage
        self.limit, self.share = limit, share

    def read(self) -> None:
        """Read all files; the stage is done when this returns.

        Raises:
            SourceError: a file is damaged, or no record of it becomes a row.
        """
        shards = _Shards(self.stage, self.kind)
        origin: list[tuple[str, str, int, int]] = []
        failed: list[dict[str, Any]] = []
        seen: Counter[bytes] = Counter()
        read = 0
        for file, path in self.files:
            before = read
            for number, record in self.form.records(path, file.name):
                if self.limit is not None and read >= self.limit:
                    break
                read += 1
                for row in self._rows(record, file.name, number, seen, failed):
                    if not self._chosen(row["id"]):
                        continue
                    origin.append((row["id"], file.name, number, shards.number))
                    shards.add(row)
            if self.limit is None and read - before != file.rows:
                raise LockError(f"source {self.name}: {file.name} has {read - before} records, the lock says {file.rows}", hint="lock it again")
        if not origin:
            reason = f": {failed[0]['detail']}" if failed else ""
            if self.share < 1:
                raise SourceError(f"source {self.name}: no row falls into share {self.share:g}", hint="take a larger share")
            raise SourceError(f"source {self.name}: {self.source.path}: no record became a row{reason}", hint="check the source's `shape`")
        self._check_fields(failed, read)
        shards.close()
        self._finish(shards, origin, [line for line in failed if self._chosen(line["id"])])

    def _finish(self, shards: _Shards, origin: list[tuple[str, str, int, int]], failed: list[dict[str, Any]]) -> None:
        with writing(self.stage.path("origin.parquet")) as path:
            pl.DataFrame(origin, schema=ORIGIN, orient="row").write_parquet(path)
        with writing(self.stage.path("failed.parquet")) as path:
            pl.DataFrame(failed, schema=FAILED).write_parquet(path)
        statuses = Counter(line["status"] for line in failed)
        self.stage.finish(
            rows=sum(shards.rows), shards=shards.rows, bytes=shards.total,
            dropped=statuses["dropped"], failed=statuses["failed"], quarantined=statuses["quarantined"],
        )  # fmt: skip

    def _chosen(self, identity: str) -> bool:
        return self.share >= 1 or int(identity[:8], 16) < self.share * 0x1_0000_0000

    def _rows(
        self, record: Record | BadRecord, file: str, number: int, seen: Counter[bytes], failed: list[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        try:
            if isinstance(record, BadRecord):
                raise record
            for found, content in self.shape.read(record):
                row = self._row(found, content, seen)
                if self.kind == "item":
                    row["item"] = str(take(found, self.source.key)) if self.source.key else str(number)
                yield row
        except BadRecord as error:
            status, rule = _FATES.get(type(error), ("failed", "bad_record"))
            value = error.field if isinstance(error, MissingField) else f"{file}:{number}"
            failed.append(
                {"id": row_id(self.name, [file, number]), "content_hash": None, "source": self.name, "status": status,
                 "rule": rule, "value": value, "detail": f"{file}:{number}: {error}"[:500]}
            )  # fmt: skip

    def _row(self, record: Record, content: dict[str, Any], seen: Counter[bytes]) -> dict[str, Any]:
        if _num_chars(content) > MAX_CHARS:
            raise TooLarge(f"more than {MAX_CHARS:,} characters")
        try:
            hashed = content_hash({name: value for name, value in content.items() if name not in COMMON})
        except (TypeError, UnicodeEncodeError) as error:
            raise BadRecord(f"text that is not Unicode: {error}") from None
        key: object = hashed
        if self.source.key is not None:
            key = take(record, self.source.key)
            if not isinstance(key, str | int):
                raise BadRecord(f"key field {self.source.key!r} holds a {type(key).__name__}, no text or whole number")
        # What came before is counted by digest: a set of keys of a large source must stay small.
        mark = hashlib.blake2b(json.dumps(key).encode(), digest_size=12).digest()
        ordinal = seen[mark]
        seen[mark] += 1
        return {
            "id": row_id(self.name, key, ordinal), "content_hash": hashed, "source": self.name, "revision": self.revision,
            "license": self._said(record, self.source.license, "license"),
            "language": self._said(record, self.source.language, "language") if self.source.language else None,
            "parents": [], "split": self._split(record), **content,
        }  # fmt: skip

    def _split(self, record: Record) -> str | None:
        if self.source.split is None:
            return None
        name = self._said(record, self.source.split, "split")
        if not is_split(name):
            raise BadRecord(f"split {name[:60]!r} is no name for a split")
        return name

    def _said(self, record: Record, said: str | FieldOf | None, what: str) -> str:
        if not isinstance(said, FieldOf):
            return str(said)
        value = take(record, said.field)
        if not isinstance(value, str) or not value.strip():
            raise BadRecord(f"{what} field {said.field!r} is blank")
        return value.strip()

    def _check_fields(self, failed: list[dict[str, Any]], read: int) -> None:
        missing = Counter(line["value"] for line in failed if line["rule"] == "missing_field")
        for field, times in missing.items():
            if times >= read:
                raise SourceError(f"source {self.name}: {self.source.path}: no record has the field {field!r}")


_FATES = {TooLarge: ("quarantined", "too_long"), Blank: ("dropped", "blank"), MissingField: ("failed", "missing_field")}


class _Shards:
    """Rows collected into shards of about `SHARD_BYTES` of text."""

    def __init__(self, stage: Stage, kind: Kind | Literal["item"]) -> None:
        self.stage, self.schema = stage, ITEM if kind == "item" else schema(kind)
        self.waiting: list[dict[str, Any]] = []
        self.size, self.total, self.number = 0, 0, 0
        self.rows: list[int] = []

    def add(self, row: dict[str, Any]) -> None:
        self.waiting.append(row)
        self.size += _size(row)
        if self.size >= SHARD_BYTES:
            self.close()

    def close(self) -> None:
        if not self.waiting:
            return
        with writing(self.stage.path(f"rows-{self.number:05d}.parquet")) as path:
            pl.DataFrame(self.waiting, schema=self.schema).write_parquet(path, compression="zstd", compression_level=1)
        self.rows.append(len(self.waiting))
        self.total += self.size
        self.waiting, self.size, self.number = [], 0, self.number + 1


def _num_chars(value: object) -> int:
    """Characters of all texts in a value."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(map(_num_chars, value.values()))
        case list():
            return sum(map(_num_chars, value))
        case _:
            return 0


def _size(value: object) -> int:
    """Bytes of all texts in a value, as UTF-8."""
    match value:
        case str():
            return len(value.encode("utf-8", "replace")) if not value.isascii() else len(value)
        case dict():
            return sum(map(_size, value.values()))
        case list():
            return sum(map(_size, value))
        case _:
            return 0
