"""A text that a model is to write from: a passage, the name of a domain, a question still to be answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take_text
from tilth.core.rows import conversation


class Passage(Shape, name="passage", version=1):
    """One user's message a record, which a maker must turn into something or answer."""

    makes = "sft"
    field: str = Field("text", description="field that holds the text")

    def content(self, record: Record) -> dict[str, Any]:
        return {"messages": conversation([("user", take_text(record, self.field))])}
