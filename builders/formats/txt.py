"""Plain text, one document a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from tilth.builders.encodings import AUTO, DISTRIBUTIONS
from tilth.builders.records import BadRecord, Format, Record
from tilth.builders.whole_file import whole


class Txt(Format, name="txt", version=1):
    """A file as one record: `text`, `file` (its name in the source), `encoding` (what it was decoded from)."""

    suffixes = (".txt", ".md")
    distributions = DISTRIBUTIONS
    encoding: str = Field(AUTO, description="a name such as gb18030, or `auto`: byte order mark, UTF-8 where valid, else detected")

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        yield 1, whole(path, shown, self.encoding, "text")
