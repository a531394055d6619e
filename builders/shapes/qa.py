"""A question and an answer in two fields: Alpaca rows, CSV dialogues, consumer-health pairs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take, take_text
from tilth.core.rows import conversation


class Qa(Shape, name="qa", version=1):
    """One exchange of two messages. Several question fields are joined by a line feed, blank ones left out."""

    makes = "sft"
    question: str | list[str] = Field("question", description="field or fields of the question")
    answer: str = Field("answer", description="field of the answer")
    instruction: str | None = Field(None, description="fixed words put before every question")

    def content(self, record: Record) -> dict[str, Any]:
        if isinstance(self.question, str):
            question = take_text(record, self.question)
        else:
            said = [take(record, field) for field in self.question]
            parts = [text for text in said if isinstance(text, str) and text.strip()]
            question = "\n".join(parts) if parts else take_text(record, self.question[0])
        if self.instruction:
            question = f"{self.instruction}\n\n{question}"
        return {"messages": conversation([("user", question), ("assistant", take_text(record, self.answer))])}
