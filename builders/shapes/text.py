"""A document in one field."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take_text


class Text(Shape, name="text", version=1):
    """One document a record."""

    makes = "cpt"
    field: str = Field("text", description="field that holds the document")

    def content(self, record: Record) -> dict[str, Any]:
        return {"text": take_text(record, self.field)}
