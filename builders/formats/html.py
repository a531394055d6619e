"""HTML pages, one a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from tilth.builders import declared
from tilth.builders.encodings import AUTO, DISTRIBUTIONS
from tilth.builders.records import BadRecord, Format, Record
from tilth.builders.whole_file import whole


class HtmlFile(Format, name="html", version=1):
    """A file as one record: `html`, `file` (its name in the source), `encoding`. The shape `html` finds the text."""

    suffixes = (".html", ".htm", ".xhtml")
    distributions = DISTRIBUTIONS
    encoding: str = Field(AUTO, description="a name such as gb18030, or `auto`: byte order mark, `<meta charset>`, else detected")

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        yield 1, whole(path, shown, self.encoding, "html", declared.in_html)
