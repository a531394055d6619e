"""XML documents, one a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from tilth.builders import declared
from tilth.builders.encodings import AUTO, DISTRIBUTIONS
from tilth.builders.records import BadRecord, Format, Record
from tilth.builders.whole_file import whole


class XmlFile(Format, name="xml", version=1):
    """A file as one record: `xml`, `file` (its name in the source), `encoding`. The shapes `jats` and `cnxml` find the text."""

    suffixes = (".xml", ".nxml", ".cnxml")
    distributions = DISTRIBUTIONS
    encoding: str = Field(AUTO, description="a name such as gb18030, or `auto`: byte order mark, XML declaration, else UTF-8")

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        yield 1, whole(path, shown, self.encoding, "xml", declared.in_xml)
