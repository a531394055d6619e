"""A question that models are to answer several times: the raw material of `completions`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take, take_text
from tilth.builders.shapes.choices import asked, key_of, options_of
from tilth.core.rows import conversation


class Prompt(Shape, name="prompt", version=1):
    """One question a record without completions, with options and key, or a reference answer, where known."""

    makes = "preference"
    question: str = Field("question", description="field of the question")
    options: str | list[str] | dict[str, str] | None = Field(None, description="options, as in the shape `item`")
    answer: str | None = Field(None, description="field of the key, where there are options")
    base: int = Field(0, description="what the first option's number is, where the key is a number")
    several: bool = Field(False, description="take keys that name several options (`ABD`); they fail otherwise")
    reference: str | None = Field(None, description="field of a reference answer")

    def content(self, record: Record) -> dict[str, Any]:
        options = options_of(record, self.options)
        return {
            "prompt": conversation([("user", asked(take_text(record, self.question), options))]),
            "options": options or None,
            "answer": key_of(take(record, self.answer), options, self.base, self.several) if self.answer and options else None,
            "reference": take_text(record, self.reference) if self.reference else None,
            "candidates": [],
        }
