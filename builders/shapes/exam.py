"""An exam item as a question to learn from: MedQA, MedMCQA, PubMedQA, CMB-Exam, CMMLU, with options and key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.builders.records import BadRecord, Record, put, take, take_text
from tilth.builders.shapes.choices import asked, bare, key_of, options_of, put_options
from tilth.builders.two_way import TwoWay
from tilth.core.rows import conversation


class Exam(TwoWay, name="exam", version=1):
    """One question with its options a line each; it ends with the user where the source has no written answer."""

    makes = "sft"
    question: str = Field("question", description="field of the question")
    context: str | list[str] | None = Field(None, description="field or fields (texts, lists of texts) that stand before the question")
    options: str | list[str] | dict[str, str] | None = Field(
        "options", description="field of the options (mapping or list), or one field an option, or fixed choices"
    )
    answer: str | None = Field("answer", description="field of the key: a label, an option's text, or a number; null: not known")
    base: int = Field(0, description="what the first option's number is, where the key is a number")
    several: bool = Field(False, description="take keys that name several options (`ABD`); they fail otherwise")
    reply: str | None = Field(None, description="field of a written answer (explanation, long answer), where a record has one")

    def parse(self, record: Record) -> dict[str, Any]:
        options = options_of(record, self.options)
        question = "\n\n".join([*self._context(record), take_text(record, self.question)])
        turns = [("user", asked(question, options))]
        reply = record.get(self.reply) if self.reply else None
        if isinstance(reply, str) and reply.strip():
            turns.append(("assistant", reply))
        return {"messages": conversation(turns), "options": options or None, "answer": self._key(record, options)}

    def _context(self, record: Record) -> list[str]:
        fields = [self.context] if isinstance(self.context, str) else self.context or []
        said = [text for field in fields for text in _list(take(record, field))]
        if any(not isinstance(text, str) for text in said):
            raise BadRecord(f"context {fields} is not text")
        return ["\n".join(text for text in said if text.strip())] if any(map(str.strip, said)) else []

    def _key(self, record: Record, options: list[dict[str, str]]) -> str | None:
        if self.answer is None or not options:
            return None
        said = take(record, self.answer)
        if said is None:
            return None
        return key_of(said, options, self.base, self.several)

    def plain(self, row: Mapping[str, Any]) -> Record:
        messages, options = row["messages"], row.get("options") or []
        made: Record = {}
        put_options(made, self.options, options)
        if self.answer is not None:
            put(made, self.answer, row.get("answer"))
        if self.reply is not None and len(messages) > 1:
            put(made, self.reply, messages[1]["content"])
        put(made, self.question, bare(messages[0]["content"], options))
        for field in [self.context] if isinstance(self.context, str) else self.context or []:
            put(made, field, [])
        return made


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
