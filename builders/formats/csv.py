"""Comma-separated values with a header line, plain or compressed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from tilth.builders.open_file import chunks
from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError

csv.field_size_limit(1 << 27)


class Csv(Format, name="csv", version=2):
    """Records of a CSV (or, by name, TSV) file; every value is text. A line of the wrong width fails and is listed."""

    suffixes = (".csv", ".tsv")

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        self.check_encoding(shown)
        utf8 = self.encoding.lower().replace("-", "") == "utf8"
        text = _Text(path, shown, "utf-8-sig" if utf8 else self.encoding)  # a byte order mark is no part of the first name
        delimiter = "\t" if ".tsv" in path.suffixes else ","
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        try:
            for row in reader:
                if not row:
                    continue
                if header is None:
                    header = row
                    if len(set(header)) != len(header):
                        raise SourceError(f"{shown}:1: two columns have one name: {', '.join(header)}")
                elif len(row) == len(header):
                    yield reader.line_num, dict(zip(header, row, strict=True))
                else:
                    yield reader.line_num, BadRecord(f"{len(row)} values under {len(header)} columns")
        except csv.Error as error:
            raise SourceError(f"{shown}:{reader.line_num}: not CSV: {error}") from None
        except UnicodeError as error:
            raise SourceError(
                f"{shown}:{reader.line_num + 1}: not {self.encoding}: {getattr(error, 'reason', error)}",
                hint="set the source's `encoding`, as in `encoding: gb18030`",
            ) from None


class _Text(io.TextIOBase):
    """Lines of text decoded strictly, as the csv module wants them."""

    def __init__(self, path: Path, shown: str, encoding: str) -> None:
        raw = io.BufferedReader(_Raw(chunks(path, shown)))
        self._text = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="")

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self._text)


class _Raw(io.RawIOBase):
    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._rest = source, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._source, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
