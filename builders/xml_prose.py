"""An XML article as prose: blocks of text in reading order, by what a vocabulary says of each element.

JATS and CNXML differ in names, not in kind: there are elements to leave out, elements that break the line (paragraphs, sections,
items) and elements within it (emphasis, scripts, formulae). Paragraphs may hold lists, figures and tables; what stands before
and after them is two paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tilth.builders import mathml
from tilth.builders.xml_tree import entity, name

if TYPE_CHECKING:
    from lxml.etree import _Element

Rule = Callable[["Prose", "_Element"], None]

LEFT_OUT = "\0"
"""Stands in a line for a citation that was left out, until the line ends; XML has no such character."""

_GAP = rf"{LEFT_OUT}(?:\s*(?:[,;–—-]|and)?\s*{LEFT_OUT})*"
_CITED = re.compile(rf"\s*(?:\[\s*{_GAP}\s*\]|\(\s*{_GAP}\s*\)|[,;]\s*{_GAP}\s*(?=[)\]])|(?<=\.){_GAP}\.(?!\.)|{_GAP})")
_SPACE_BEFORE = re.compile(r"\s+([,;:.!?)\]])(?=\s|$)")


@dataclass(frozen=True)
class Vocabulary:
    """What the elements of an XML language are, by their names without namespace."""

    left_out: frozenset[str]
    """With all that they hold."""
    blocks: frozenset[str]
    """Their text stands apart from what is around it."""
    headings: frozenset[str]
    """Blocks that are a line over what follows."""
    rules: Mapping[str, Rule]
    """Elements that are read in their own way; what is in no set is text within a line."""


@dataclass
class Prose:
    """Blocks read so far, and the line that is being read."""

    vocabulary: Vocabulary
    markdown: bool = False
    blocks: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    level: int = 1

    def read(self, element: _Element) -> None:
        """Read an element with all that it holds, not what follows it.

        Raises:
            BadRecord: an entity in it stands for nothing known.
        """
        what = name(element)
        if what == "&":
            self.line.append(entity(element))
        elif what in self.vocabulary.left_out:
            return
        elif rule := self.vocabulary.rules.get(what):
            rule(self, element)
        elif what in self.vocabulary.headings:
            self.heading(element)
        elif what in self.vocabulary.blocks:
            self.end_line()
            self.inside(element)
            self.end_line()
        else:
            self.inside(element)

    def inside(self, element: _Element) -> None:
        """Read what an element holds."""
        self.line.append(element.text or "")
        for child in element:
            self.read(child)
            self.line.append(child.tail or "")

    def end_line(self, prefix: str = "") -> None:
        """What was read since the last end is a block."""
        text = tidy("".join(self.line))
        self.line.clear()
        if text:
            self.blocks.append(prefix + text)

    def heading(self, element: _Element) -> None:
        """A line over what follows."""
        self.end_line()
        self.inside(element)
        self.end_line("#" * min(self.level, 6) + " " if self.markdown else "")

    def apart(self, element: _Element, tidied: bool = True) -> str:
        """The text of an element that is not put among the blocks, in one line."""
        own = Prose(self.vocabulary, level=self.level)
        own.inside(element)
        if not tidied and not own.blocks:
            return "".join(own.line)
        own.end_line()
        return " ".join(own.blocks)

    def text(self) -> str:
        """All blocks, an empty line between two, none between items of a list or rows of a table."""
        self.end_line()
        lines: list[str] = []
        for before, block in zip(["", *self.blocks], self.blocks, strict=False):
            close = before and (before[:2], block[:2]) in (("- ", "- "), ("| ", "| "))
            lines.append(("\n" if close else "\n\n") + block if before else block)
        return "".join(lines)


def tidy(text: str) -> str:
    r"""White space as one space; citations that were left out go with the brackets and commas that held only them.

    >>> tidy("as  shown [\0, \0] before .")
    'as shown before.'
    """
    line = " ".join(text.split())
    if LEFT_OUT in line:
        line = _CITED.sub("", line)
    return _SPACE_BEFORE.sub(r"\1", line).strip()


def section(prose: Prose, element: _Element) -> None:
    """A part of the text with its own title, one level down."""
    prose.end_line()
    prose.level += 1
    prose.inside(element)
    prose.end_line()
    prose.level -= 1


def item(prose: Prose, element: _Element) -> None:
    """A list's item: `- ` and its words; lists and paragraphs within it are items of their own."""
    prose.end_line()
    before = len(prose.blocks)
    prose.inside(element)
    prose.end_line()
    prose.blocks[before:] = [block if block.startswith("- ") else f"- {block}" for block in prose.blocks[before:]]


def table(prose: Prose, element: _Element) -> None:
    """A row a line, cells between bars; a table of nothing is nothing."""
    prose.end_line()
    for row in element.iter("{*}tr", "{*}row"):
        cells = [prose.apart(cell) for cell in row]
        if any(cells):
            prose.blocks.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")


def high(prose: Prose, element: _Element) -> None:
    """Above the line; numbers of citations there, with their commas, are one that is left out."""
    words = prose.apart(element, tidied=False)
    prose.line.append(LEFT_OUT if LEFT_OUT in words and not tidy(words) else mathml.superscript(tidy(words)))


def low(prose: Prose, element: _Element) -> None:
    """Below the line."""
    prose.line.append(mathml.subscript(prose.apart(element)))


def formula(prose: Prose, element: _Element) -> None:
    """MathML within the line."""
    prose.line.append(mathml.line(element))


def line_break(prose: Prose, element: _Element) -> None:
    """A new line is a space: blocks are told by elements."""
    prose.line.append(" ")
