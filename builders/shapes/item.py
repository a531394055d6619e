"""A benchmark item: question, options, answer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take, take_text
from tilth.builders.shapes.choices import key_of, options_of


class Item(Shape, name="item", version=1):
    """One item a record; options and answer where there are any."""

    makes = "item"
    question: str = Field("question", description="field of the question")
    options: str | list[str] | dict[str, str] | None = Field(
        None, description="field of the options (mapping or list), or one field an option, or fixed choices"
    )
    answer: str | None = Field("answer", description="field of the key: a label, an option's text, or a number")
    base: int = Field(0, description="what the first option's number is, where the key is a number")

    def content(self, record: Record) -> dict[str, Any]:
        options = options_of(record, self.options)
        answer = None
        if self.answer is not None and options:
            answer = key_of(take(record, self.answer), options, self.base)
        elif self.answer is not None and self.answer in record:
            answer = str(record[self.answer])
        return {"question": take_text(record, self.question), "options": [o["text"] for o in options], "answer": answer}
