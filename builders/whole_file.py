"""A file that is one record: read whole, up to a bound, and decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tilth.builders.encodings import decode_as
from tilth.builders.open_file import chunks
from tilth.builders.records import BadRecord, Record, TooLarge

MAX_BYTES = 64 << 20
"""Of one document, after `.gz` and `.zst` are opened: no page, article or book of text is so large, and a gzip of a thousandth of
it can be (a bomb)."""


def whole(path: Path, shown: str, encoding: str, field: str, declared: Callable[[bytes], str | None] = lambda data: None) -> Record | BadRecord:
    """{field: the file's text, file: its name in the source, encoding: what it was decoded from}, or what is wrong with it.

    Args:
        encoding: what the recipe says, a name or `auto`.
        declared: finds the label that such a file declares of itself.

    Raises:
        SourceError: the file cannot be opened, its compressed stream is damaged, or the recipe names no encoding.
    """
    parts, size = [], 0
    for chunk in chunks(path, shown):
        size += len(chunk)
        if size > MAX_BYTES:
            return TooLarge(f"more than {MAX_BYTES >> 20} MiB")
        parts.append(chunk)
    data = b"".join(parts)
    try:
        text, codec = decode_as(data, encoding, shown, declared(data), "it declares")
    except BadRecord as error:
        return error
    return {field: text, "file": shown, "encoding": codec}
