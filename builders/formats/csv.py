"""Comma-separated values with a header line, plain or compressed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tilth.builders.encoded_file import HINT, TextLines, codec_of
from tilth.builders.encodings import DISTRIBUTIONS
from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError

csv.field_size_limit(1 << 27)


class Csv(Format, name="csv", version=3):
    """Records of a CSV (or, by name, TSV) file; every value is text. A line of the wrong width fails and is listed."""

    suffixes = (".csv", ".tsv")
    distributions = DISTRIBUTIONS

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        codec = codec_of(path, shown, self.encoding)
        text = TextLines(path, shown, codec)
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
                f"{shown}:{reader.line_num + 1}: not {codec}: {getattr(error, 'reason', error)}", hint=HINT
            ) from None
