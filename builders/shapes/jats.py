"""Articles in JATS (NISO Z39.96), the XML of PubMed Central and most journals."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tilth.builders import mathml, xml_prose
from tilth.builders.creative_commons import spdx
from tilth.builders.records import BadRecord, Blank, Record, Shape, take_text
from tilth.builders.xml_prose import Prose, Vocabulary
from tilth.builders.xml_tree import DISTRIBUTIONS, name, parse

if TYPE_CHECKING:
    from lxml.etree import _Element

_NUMBERS = re.compile(r"(?!.*(?:1[5-9]|20)\d\d)[\s\d,;.–—\-*†‡§a-f()\[\]]*")
"""What a citation by number says, or a mark of a note; a year is part of the sentence: (Ihle et al., 2012)."""
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Jats(Shape, name="jats", version=1):
    """Title, abstract and body of an article, a block a paragraph; references, notes, tables' cells and numbers of citations are left out.

    `key`, `license` and `language` of the source may name `article.pmcid`, `.doi`, `.pmid`, `.license`, `.language`, `.title`.
    """

    makes = "cpt"
    distributions = DISTRIBUTIONS
    field: str = Field("xml", description="field that holds the article")
    abstract: bool = Field(True, description="the abstract, under the title")
    captions: bool = Field(True, description="labels and captions of figures and tables")
    tables: bool = Field(False, description="cells of tables, a row a line")
    back: bool = Field(False, description="acknowledgements, appendices, notes and glossary; never the references")
    markdown: bool = Field(False, description="mark titles with #")

    def content(self, record: Record) -> dict[str, Any]:
        return next(self.read(record))[1]

    def read(self, record: Record) -> Iterator[tuple[Record, dict[str, Any]]]:
        root = parse(take_text(record, self.field))
        article = root if name(root) == "article" else next(root.iter("{*}article"), None)  # PMC's OAI wraps it
        if article is None:
            raise BadRecord(f"no JATS article: its root is <{name(root)}>")
        text = self._text(article)
        if not text:
            raise Blank("an article without text")
        yield {**record, "article": _facts(article)}, {"text": text}

    def _text(self, article: _Element) -> str:
        prose = Prose(vocabulary(self.captions, self.tables), self.markdown)
        meta = _first(article, "front/article-meta")
        title = None if meta is None else _first(meta, "title-group/article-title")
        if title is not None:
            prose.heading(title)
        if self.abstract and meta is not None:
            prose.level = 2
            for abstract in meta.iterfind("{*}abstract"):
                if not abstract.get("abstract-type"):  # others are graphical, teasers, for search engines
                    _titled(prose, abstract, "Abstract")
        prose.level = 1
        for part in ("body", "floats-group", *(("back",) if self.back else ())):
            found = _first(article, part)
            if found is not None:
                prose.read(found)
        return prose.text()


def _first(element: _Element, path: str) -> _Element | None:
    return element.find("/".join(f"{{*}}{step}" for step in path.split("/")))


def _titled(prose: Prose, part: _Element, title: str) -> None:
    if _first(part, "title") is None:
        prose.blocks.append(f"{'## ' if prose.markdown else ''}{title}")
    xml_prose.section(prose, part) if prose.level > 2 else prose.inside(part)
    prose.end_line()


@functools.cache
def vocabulary(captions: bool, tables: bool) -> Vocabulary:
    """What the elements of JATS are."""
    left_out = {
        "ref-list", "fn", "fn-group", "table-wrap-foot", "graphic", "inline-graphic", "media", "supplementary-material", "object-id",
        "permissions", "attrib", "alt-text", "long-desc", "sec-meta", "index-term", "processing-meta", "ref", "target", "x",
        "private-char", "email", "bio", "author-notes", "kwd-group", "front-stub", "front", "custom-meta", "label-group",
    }  # fmt: skip
    if not captions:
        left_out |= {"caption"}
    return Vocabulary(
        left_out=frozenset(left_out),
        blocks=frozenset(
            {"p", "body", "abstract", "disp-quote", "boxed-text", "fig", "fig-group", "table-wrap", "table-wrap-group", "caption", "list",
             "def-list", "verse-group", "verse-line", "speech", "statement", "preformat", "disp-formula-group", "back", "ack", "app-group",
             "notes", "glossary", "floats-group", "answer", "question", "question-wrap"}
        ),
        headings=frozenset({"title", "subtitle", "list-title"}),
        rules={
            "sec": xml_prose.section, "app": xml_prose.section, "list-item": xml_prose.item, "def-item": _definition, "sup": xml_prose.high,
            "sub": xml_prose.low, "math": xml_prose.formula, "tex-math": _tex, "alternatives": _alternatives, "xref": _citation,
            "disp-formula": _display, "label": _label if captions else _nothing, "break": xml_prose.line_break,
            "table": xml_prose.table if tables else _nothing, "caption": _caption, "array": xml_prose.table,
        },
    )


def _nothing(prose: Prose, element: _Element) -> None:
    """Left out."""


def _citation(prose: Prose, element: _Element) -> None:
    # The number of a reference says nothing where the references are not; names and years are part of the sentence.
    words = prose.apart(element)
    numbered = element.get("ref-type") in ("bibr", "fn", "table-fn", "aff", "corresp") and _NUMBERS.fullmatch(words)
    prose.line.append(xml_prose.LEFT_OUT if numbered else words)


def _label(prose: Prose, element: _Element) -> None:
    # `Figure 1` begins its caption's line; the numbers of sections, formulae and list items are left out.
    parent = element.getparent()
    if parent is not None and name(parent) in ("fig", "table-wrap", "boxed-text", "statement"):
        prose.end_line()
        prose.line.append(prose.apart(element).rstrip(".") + ". ")


def _caption(prose: Prose, element: _Element) -> None:
    # Its title and paragraphs are one block after the label.
    if "caption" in prose.vocabulary.left_out:
        return
    for part in element:
        words = prose.apart(part) if name(part) != "&" else ""
        if words:
            prose.line.append(words if words.endswith((".", "?", "!", "。")) else f"{words}.")
            prose.line.append(" ")
    prose.end_line()


def _definition(prose: Prose, element: _Element) -> None:
    prose.end_line()
    term, meaning = _first(element, "term"), _first(element, "def")
    words = [prose.apart(part) for part in (term, meaning) if part is not None]
    prose.blocks.append(f"- {': '.join(word for word in words if word)}")


def _display(prose: Prose, element: _Element) -> None:
    prose.end_line()
    prose.inside(element)
    prose.end_line()


def _alternatives(prose: Prose, element: _Element) -> None:
    # One thing in several forms: the first that is text.
    for form in ("math", "tex-math", "table", "textual-form", "preformat"):
        found = _first(element, form)
        if found is not None:
            prose.read(found)
            return


def _tex(prose: Prose, element: _Element) -> None:
    prose.line.append(mathml.tex("".join(element.itertext())))


def _facts(article: _Element) -> dict[str, str | None]:
    """What the front says of the article: its ids, licence, language and title."""
    meta = _first(article, "front/article-meta")
    facts: dict[str, str | None] = {"pmcid": None, "pmid": None, "doi": None, "license": None, "language": article.get(_LANGUAGE), "title": None}
    if meta is None:
        return facts
    for found in meta.iterfind("{*}article-id"):
        kind, value = found.get("pub-id-type"), "".join(found.itertext()).strip()
        if kind in ("pmc", "pmcid", "pmcaid") and value and not facts["pmcid"]:
            facts["pmcid"] = value if value.startswith("PMC") else f"PMC{value}"
        elif kind in ("pmid", "doi") and value:
            facts[kind] = value
    for licence in meta.iterfind("{*}permissions/{*}license"):
        addresses = [str(value) for part in licence.iter() for value in part.attrib.values()]
        facts["license"] = facts["license"] or spdx(" ".join([*addresses, *licence.itertext()])[:20_000])
    title = _first(meta, "title-group/article-title")
    if title is not None:
        facts["title"] = Prose(vocabulary(True, False)).apart(title)
    return facts
