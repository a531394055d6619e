"""A dialogue in one text, each turn behind the name of who speaks: MTS-Dialog, HH, transcripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from tilth.builders.records import Record, put, take_text
from tilth.builders.shapes.speakers import Speakers, check, turns, written
from tilth.builders.two_way import TwoWay


class Dialogue(TwoWay, name="dialogue", version=1):
    """One conversation a record, out of one text."""

    makes = "sft"
    field: str = Field("dialogue", description="field that holds the text")
    speakers: Speakers = Field(min_length=1)

    @model_validator(mode="after")
    def _speakers_are_known(self) -> Self:
        check(self.speakers)
        return self

    def parse(self, record: Record) -> dict[str, Any]:
        return {"messages": turns(take_text(record, self.field), self.speakers, "user")}

    def plain(self, row: Mapping[str, Any]) -> Record:
        made: Record = {}
        put(made, self.field, written(row["messages"], self.speakers))
        return made
