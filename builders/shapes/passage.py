"""A text that a model is to write from: a passage, the name of a domain, a question still to be answered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take_text
from tilth.core.rows import conversation
from tilth.filters.pieces import Kind, begins


class Passage(Shape, name="passage", version=2):
    """One user's message a record, which a maker must turn into something or answer; of a long text one a passage."""

    makes = "sft"
    field: str = Field("text", description="field that holds the text")
    max_chars: int | None = Field(
        None, ge=100, description="longer texts are cut into passages of at most so many characters, between paragraphs, lines or sentences; left out: whole"
    )

    def content(self, record: Record) -> dict[str, Any]:
        return next(self.contents(record))

    def contents(self, record: Record) -> Iterator[dict[str, Any]]:
        text = take_text(record, self.field)
        for passage in [text] if self.max_chars is None else passages(text, self.max_chars):
            yield {"messages": conversation([("user", passage)])}


def passages(text: str, most: int, kinds: tuple[Kind, ...] = ("paragraph", "line", "sentence")) -> list[str]:
    """A text in pieces of at most `most` characters, cut where it cuts itself most plainly; blank ones left out.

    >>> passages("One two.\\n\\nThree. Four.", 12)
    ['One two.', 'Three. Four.']
    """
    if len(text.strip()) <= most:
        return [text.strip()] if text.strip() else []
    if not kinds:
        return [text[begin : begin + most] for begin in range(0, len(text), most)]
    found: list[str] = []
    held = ""
    for begin, end in pairwise([*begins(text, kinds[0]), len(text)]):
        piece = text[begin:end]
        if len((held + piece).strip()) <= most:
            held += piece
            continue
        *whole, held = [*([held.strip()] if held.strip() else []), *passages(piece, most, kinds[1:])] or [""]
        found += whole
        held += piece[len(piece.rstrip()) :] if held else ""  # what stands between it and the next
    return [*found, held.strip()] if held.strip() else found
