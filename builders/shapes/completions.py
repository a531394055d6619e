"""A question with the completions of several models: the raw material of preference pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.builders.records import BadRecord, Record, put, take, take_text
from tilth.builders.shapes.choices import asked, bare, key_of, options_in, options_of, put_options
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core.rows import conversation


class Completions(TwoWay, name="completions", version=1):
    """One question a record, with its completions, and with options and key, or a reference answer, where known."""

    makes = "preference"
    question: str = Field("question", description="field of the question")
    options: str | list[str] | dict[str, str] | None = Field(None, description="options, as in the shape `item`")
    options_in_question: bool = Field(False, description="the question's last lines are its options (`A. …`)")
    answer: str | None = Field(None, description="field of the key, where there are options")
    base: int = Field(0, description="what the first option's number is, where the key is a number")
    several: bool = Field(False, description="take keys that name several options (`ABD`); they fail otherwise")
    reference: str | None = Field(None, description="field of a reference answer")
    completions: str | None = Field("completions", description="field of the list of completions; null: records that have none, as exam items")
    model: str | None = Field("model", description="field of a completion that names its model; null: each completion is {model: text}")
    text: str = Field("text", description="field of a completion that holds its text")

    def parse(self, record: Record) -> dict[str, Any]:
        question = take_text(record, self.question)
        options = options_in(question) if self.options_in_question else options_of(record, self.options)
        candidates = self._candidates(take(record, self.completions)) if self.completions is not None else []
        models = [one["model"] for one in candidates]
        if len(set(models)) != len(models):
            raise BadRecord("two completions name one model")
        return {
            "prompt": conversation([("user", question if self.options_in_question else asked(question, options))]),
            "options": options or None,
            "answer": key_of(take(record, self.answer), options, self.base, self.several) if self.answer and options else None,
            "reference": take_text(record, self.reference) if self.reference else None,
            "candidates": candidates,
        }

    def _candidates(self, listed: Any) -> list[dict[str, str]]:
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise BadRecord(f"field {self.completions!r} is not a list of objects")
        if self.model is not None:
            return [{"model": take_text(one, self.model), "text": take_text(one, self.text)} for one in listed]
        if any(len(one) != 1 for one in listed):
            raise BadRecord(f"a completion under {self.completions!r} is not one {{model: text}}")
        return [{"model": model, "text": take_text(one, model)} for one in listed for model in one]

    def plain(self, row: Mapping[str, Any]) -> Record:
        if row.get("candidates") is None:
            raise Unfit("it has no completions")
        options = row.get("options") or []
        question = row["prompt"][0]["content"]
        made: Record = {}
        if self.options_in_question:
            put(made, self.question, question)
        else:
            put(made, self.question, bare(question, options))
            put_options(made, self.options, options)
        for field, column in ((self.answer, "answer"), (self.reference, "reference")):
            if field is not None:
                put(made, field, row.get(column))
        said = [(one["model"], one["text"]) for one in row["candidates"]]
        if self.completions is not None:
            put(made, self.completions, [{self.model: model, self.text: text} if self.model else {model: text} for model, text in said])
        return made
