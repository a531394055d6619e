"""A document in one field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.builders.records import Record, put, take_text
from tilth.builders.two_way import TwoWay


class Text(TwoWay, name="text", version=1):
    """One document a record."""

    makes = "cpt"
    field: str = Field("text", description="field that holds the document")

    def parse(self, record: Record) -> dict[str, Any]:
        return {"text": take_text(record, self.field)}

    def plain(self, row: Mapping[str, Any]) -> Record:
        made: Record = {}
        put(made, self.field, row["text"])
        return made
