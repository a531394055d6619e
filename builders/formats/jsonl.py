"""JSON Lines, plain or compressed (.zst, .gz): one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from tilth.builders.encoded_file import HINT, codec_of, encoded_lines, is_wide
from tilth.builders.encodings import DISTRIBUTIONS, Undecodable, decode
from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError


class Jsonl(Format, name="jsonl", version=3):
    """One JSON object a line; blank lines are skipped. A line that is not JSON, or not in the encoding, fails and is listed."""

    suffixes = (".jsonl", ".ndjson")
    distributions = DISTRIBUTIONS

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        codec = codec_of(path, shown, self.encoding)
        inside = "utf-8" if is_wide(codec) else codec
        told = False
        for number, line in enumerate(encoded_lines(path, shown, codec), start=1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark, as editors on Windows write it
            if not line.strip():
                continue
            record = _record(line, inside)
            if isinstance(record, Undecodable) and not told:
                # A file in another encoding is one mistake in the recipe, not a thousand failed rows.
                raise SourceError(f"{shown}:{number}: {record}", hint=HINT)
            told = told or not line.isascii()
            yield number, record


def _record(line: bytes, codec: str) -> Record | BadRecord:
    try:
        if codec != "utf-8":
            line = decode(line, codec).encode()
        record = orjson.loads(line)
    except Undecodable as error:
        return error
    except orjson.JSONDecodeError as error:
        try:
            decode(line, "utf-8")  # orjson's own word for it is "surrogates not allowed"
        except Undecodable as undecodable:
            return undecodable
        return BadRecord(f"not JSON: {error.msg}")
    return record if isinstance(record, dict) else BadRecord(f"a JSON {type(record).__name__}, not an object")
