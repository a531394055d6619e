"""Modules of textbooks in CNXML, the XML of OpenStax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tilth.builders import xml_prose
from tilth.builders.creative_commons import spdx
from tilth.builders.records import BadRecord, Blank, Record, Shape, take_text
from tilth.builders.xml_prose import Prose, Vocabulary
from tilth.builders.xml_tree import DISTRIBUTIONS, name, parse

if TYPE_CHECKING:
    from lxml.etree import _Element


class Cnxml(Shape, name="cnxml", version=1):
    """Title and content of a module, a block a paragraph, with its captions, notes, exercises and glossary.

    `key` and `license` of the source may name `module.id`, `module.license`, `module.title`, `module.language`.
    """

    makes = "cpt"
    distributions = DISTRIBUTIONS
    field: str = Field("xml", description="field that holds the module")
    tables: bool = Field(True, description="cells of tables, a row a line")
    exercises: bool = Field(True, description="problems with their solutions")
    glossary: bool = Field(True, description="terms and what they mean")
    markdown: bool = Field(False, description="mark titles with #")

    def content(self, record: Record) -> dict[str, Any]:
        return next(self.read(record))[1]

    def read(self, record: Record) -> Iterator[tuple[Record, dict[str, Any]]]:
        root = parse(take_text(record, self.field))
        if name(root) != "document":
            raise BadRecord(f"no CNXML document: its root is <{name(root)}>")
        prose = Prose(self._vocabulary(), self.markdown)
        prose.read(root)
        text = prose.text()
        if not text:
            raise Blank("a module without text")
        yield {**record, "module": _facts(root)}, {"text": text}

    def _vocabulary(self) -> Vocabulary:
        left_out = {"metadata", "media", "image", "object-id"}
        left_out |= set() if self.exercises else {"exercise"}
        left_out |= set() if self.glossary else {"glossary"}
        left_out |= set() if self.tables else {"tgroup"}
        return Vocabulary(
            left_out=frozenset(left_out),
            blocks=frozenset(
                {"document", "content", "para", "note", "figure", "subfigure", "caption", "table", "equation", "exercise", "problem",
                 "solution", "commentary", "example", "quote", "list", "glossary", "rule", "statement", "proof", "preformat"}
            ),
            headings=frozenset({"title"}),
            rules={
                "section": xml_prose.section, "item": xml_prose.item, "sup": xml_prose.high, "sub": xml_prose.low, "math": xml_prose.formula,
                "newline": xml_prose.line_break, "tgroup": xml_prose.table, "definition": _definition, "label": _nothing, "link": _link,
            },
        )


def _nothing(prose: Prose, element: _Element) -> None:
    """Left out: labels name kinds of notes for the layout."""


def _link(prose: Prose, element: _Element) -> None:
    # An empty link is a number that the layout fills in (`see Figure 3`): its brackets go with it.
    prose.line.append(prose.apart(element) or xml_prose.LEFT_OUT)


def _definition(prose: Prose, element: _Element) -> None:
    prose.end_line()
    parts = {name(part): prose.apart(part) for part in element}
    prose.blocks.append(f"- {': '.join(words for words in (parts.get('term'), parts.get('meaning')) if words)}")


def _facts(root: _Element) -> dict[str, str | None]:
    """What the metadata say of the module."""
    said = {name(part): part for part in root.iterfind("{*}metadata/*")}
    facts: dict[str, str | None] = {
        what: "".join(said[tag].itertext()).strip() if tag in said else None
        for what, tag in (("id", "content-id"), ("title", "title"), ("language", "language"))
    }
    licence = said.get("license")
    facts["license"] = None if licence is None else spdx(" ".join([*map(str, licence.attrib.values()), *licence.itertext()]))
    return facts
