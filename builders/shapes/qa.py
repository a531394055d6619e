"""A question and an answer in two fields, and what came before them: Alpaca rows, CSV dialogues, CMtMedQA, AquilaMed-Instruct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from tilth.builders.records import BadRecord, Blank, Record, put, take, take_text
from tilth.builders.shapes.speakers import Speakers, check, turns, written
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core.rows import conversation


class Qa(TwoWay, name="qa", version=1):
    """One exchange of two messages. Several question fields are joined by a line feed, blank ones left out."""

    makes = "sft"
    question: str | list[str] = Field("question", description="field or fields of the question")
    answer: str = Field("answer", description="field of the answer")
    instruction: str | None = Field(None, description="fixed words put before every question")
    system: str | None = Field(None, description="field of a system message, where a record has one")
    history: str | None = Field(None, description="field of the exchanges before: a list of [question, answer]")
    speakers: Speakers = Field(
        default_factory=dict, description="question and answer hold dialogues: words that begin a turn → system, user or assistant"
    )

    @model_validator(mode="after")
    def _speakers_are_known(self) -> Self:
        check(self.speakers)
        return self

    def parse(self, record: Record) -> dict[str, Any]:
        question, answer = self._question(record), take_text(record, self.answer)
        before = [("system", text) for text in self._system(record)]
        before += [(role, text) for pair in self._history(record) for role, text in zip(("user", "assistant"), pair, strict=True)]
        if not self.speakers:
            return {"messages": conversation([*before, ("user", question), ("assistant", answer)])}
        told = [*turns(question, self.speakers, "user"), *turns(answer, self.speakers, "assistant")]
        if not told:
            raise Blank("nobody says anything")
        return {"messages": [*conversation(before), *told]}

    def _question(self, record: Record) -> str:
        if isinstance(self.question, str):
            question = take_text(record, self.question)
        else:
            said = [take(record, field) for field in self.question]
            parts = [text for text in said if isinstance(text, str) and text.strip()]
            question = "\n".join(parts) if parts else take_text(record, self.question[0])
        return f"{self.instruction}\n\n{question}" if self.instruction else question

    def _system(self, record: Record) -> list[str]:
        said = record.get(self.system) if self.system else None
        return [said] if isinstance(said, str) and said.strip() else []

    def _history(self, record: Record) -> list[list[str]]:
        pairs = record.get(self.history) if self.history else None
        if not isinstance(pairs or [], list) or not all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs or []
        ):
            raise BadRecord(f"field {self.history!r} is not a list of [question, answer]")
        return pairs or []

    def plain(self, row: Mapping[str, Any]) -> Record:
        messages = list(row["messages"])
        made: Record = {}
        if self.system:
            made[self.system] = messages.pop(0)["content"] if messages and messages[0]["role"] == "system" else ""
        last = messages.pop()["content"] if messages and messages[-1]["role"] == "assistant" else None
        if last is None:
            raise Unfit("it does not end with an answer")
        if self.history:
            said = [turn["content"] for turn in messages[:-1]]
            made[self.history] = [list(pair) for pair in zip(said[::2], said[1::2], strict=False)]
            messages = messages[-1:]
        if len(messages) != 1 and not self.speakers:
            raise Unfit(f"{len(row['messages'])} messages where there is a place for a question and an answer")
        question = messages[0]["content"] if [turn["role"] for turn in messages] == ["user"] else written(messages, self.speakers)
        if self.instruction:
            question = question.removeprefix(f"{self.instruction}\n\n")
        for number, field in enumerate([self.question] if isinstance(self.question, str) else self.question):
            put(made, field, "" if number else question)
        put(made, self.answer, last)
        return made
