"""JSON Lines, plain or compressed (.zst, .gz): one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from tilth.builders.open_file import lines
from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError


class Jsonl(Format, name="jsonl", version=2):
    """One JSON object a line; blank lines are skipped. A line that is not JSON fails and is listed."""

    suffixes = (".jsonl", ".ndjson", ".json")

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        self.check_encoding(shown)
        utf8 = self.encoding.lower().replace("-", "") == "utf8"
        for number, line in enumerate(lines(path, shown), start=1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark, as editors on Windows write it
            if not line.strip():
                continue
            if not utf8:
                line = _recode(line, self.encoding, shown, number)
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                _check_utf8(line, shown, number)
                yield number, BadRecord(f"not JSON: {error.msg}")
                continue
            if isinstance(record, dict):
                yield number, record
            else:
                yield number, BadRecord(f"a JSON {type(record).__name__}, not an object")


def _recode(line: bytes, encoding: str, shown: str, number: int) -> bytes:
    try:
        return line.decode(encoding).encode()
    except UnicodeError as error:
        raise SourceError(f"{shown}:{number}: not {encoding}: {error}", hint="set the source's `encoding`") from None


def _check_utf8(line: bytes, shown: str, number: int) -> None:
    # A file in another encoding is one mistake in the recipe, not a thousand failed rows.
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{shown}:{number}: not UTF-8 at byte {error.start} of the line", hint="set the source's `encoding`, as in `encoding: gb18030`"
        ) from None
