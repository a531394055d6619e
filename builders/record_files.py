"""Files of records, by the end of their name: `.jsonl`, `.jsonl.zst`, `.jsonl.gz` and `.parquet`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

import orjson

from tilth.builders.records import Record
from tilth.core.errors import StorageError

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".jsonl", ".jsonl.zst", ".jsonl.gz", ".parquet")
BATCH = 2000
"""Records that become one row group of Parquet."""


class Sink(Protocol):
    """Where records go."""

    def add(self, records: Sequence[Record]) -> None:
        """Write some more."""


def ending(path: Path) -> str | None:
    """The end of the name that says how records are written; None where it says nothing."""
    return next((one for one in ENDINGS if path.name.endswith(one) and path.name != one), None)


@contextmanager
def opened(path: Path, end: str) -> Iterator[Sink]:
    """A file to write records to, at `path`, in the form that `end` names. It is whole when the block has ended well.

    Raises:
        StorageError: the records do not make one table (Parquet).
    """
    if end == ".parquet":
        spool = path.with_name(path.name + ".spool")
        try:
            with _lines(spool, ".jsonl.zst") as file:
                table = _Table(_Lines(file))
                yield table
            _write_parquet(spool, path, table.schema)
        finally:
            spool.unlink(missing_ok=True)
    else:
        with _lines(path, end) as file:
            yield _Lines(file)


@contextmanager
def _lines(path: Path, end: str) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if end == ".jsonl.zst":
            import zstandard

            with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as packed:
                yield packed
        elif end == ".jsonl.gz":
            # Without a name and a time the same records give the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped:
                yield cast(IO[bytes], zipped)
        else:
            yield file


class _Lines:
    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def add(self, records: Sequence[Record]) -> None:
        self.file.write(b"".join(map(_line, records)))


def _line(record: Record) -> bytes:
    try:
        return orjson.dumps(record) + b"\n"
    except TypeError:  # whole numbers of more than 64 bits
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class _Table:
    """Records put aside as lines while the types of their columns are gathered."""

    def __init__(self, lines: _Lines) -> None:
        self.lines = lines
        self.schema: pa.Schema | None = None

    def add(self, records: Sequence[Record]) -> None:
        import pyarrow as pa

        self.lines.add(records)
        try:
            found = pa.Table.from_pylist(list(records)).schema
            self.schema = found if self.schema is None else pa.unify_schemas([self.schema, found], promote_options="permissive")
        except (pa.ArrowException, OverflowError) as error:
            raise StorageError(f"the records make no table: {str(error).splitlines()[0]}", hint="name a .jsonl file") from None


def _write_parquet(spool: Path, path: Path, schema: pa.Schema | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import zstandard

    try:
        with pq.ParquetWriter(path, schema or pa.schema([]), compression="zstd") as writer, zstandard.open(spool, "rt", encoding="utf-8", newline="\n") as file:
            while records := [json.loads(line) for line in islice(file, BATCH)]:
                writer.write_table(pa.Table.from_pylist(records, schema=schema))
    except pa.ArrowException as error:
        raise StorageError(f"the records make no Parquet file: {str(error).splitlines()[0]}", hint="name a .jsonl file") from None
