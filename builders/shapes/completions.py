"""A question with the completions of several models: the raw material of preference pairs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import BadRecord, Record, Shape, take, take_text
from tilth.builders.shapes.choices import key_of, options_of
from tilth.core.rows import conversation


def asked(question: str, options: list[dict[str, str]]) -> str:
    """The question as it is put to a model, with its options a line each (the UltraMedical form)."""
    return "\n".join([question, *([""] if options else []), *(f"{o['label']}. {o['text']}" for o in options)])


class Completions(Shape, name="completions", version=1):
    """One question a record, with its completions, and with options and key, or a reference answer, where known."""

    makes = "preference"
    question: str = Field("question", description="field of the question")
    options: str | list[str] | dict[str, str] | None = Field(None, description="options, as in the shape `item`")
    answer: str | None = Field(None, description="field of the key, where there are options")
    base: int = Field(0, description="what the first option's number is, where the key is a number")
    reference: str | None = Field(None, description="field of a reference answer")
    completions: str | None = Field("completions", description="field of the list of completions; null: records that have none, as exam items")
    model: str = Field("model", description="field of a completion that names its model")
    text: str = Field("text", description="field of a completion that holds its text")

    def content(self, record: Record) -> dict[str, Any]:
        options = options_of(record, self.options)
        listed = take(record, self.completions) if self.completions is not None else []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise BadRecord(f"field {self.completions!r} is not a list of objects")
        candidates = [{"model": take_text(one, self.model), "text": take_text(one, self.text)} for one in listed]
        models = [one["model"] for one in candidates]
        if len(set(models)) != len(models):
            raise BadRecord("two completions name one model")
        return {
            "prompt": conversation([("user", asked(take_text(record, self.question), options))]),
            "options": options or None,
            "answer": key_of(take(record, self.answer), options, self.base) if self.answer and options else None,
            "reference": take_text(record, self.reference) if self.reference else None,
            "candidates": candidates,
        }
