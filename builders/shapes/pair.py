"""A preference pair: UltraMedical-Preference, AquilaMed-RL (`output` = [chosen, rejected]), HH, DPO and reward sets of any trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tilth.builders.records import BadRecord, Blank, Record, as_number, put, take, take_text
from tilth.builders.shapes.chat import KNOWN
from tilth.builders.shapes.speakers import Speakers, check, turns, written
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core.rows import message

Messages = list[dict[str, str]]


class Pair(TwoWay, name="pair", version=1):
    """One pair a record. Each side is a text, a list of messages (with the prompt or without it), or a dialogue in one text."""

    makes = "preference"
    prompt: str | None = Field("prompt", description="field of the prompt, a text or messages; null: what both sides begin with")
    chosen: str = Field("chosen", description="field of the better side (`output.0` of a list)")
    rejected: str = Field("rejected", description="field of the other side")
    preferred: str | None = Field(
        None, description="field that says which is better: 1 or 2, a number between, or the side's field; left out: `chosen` is"
    )
    chosen_score: str | None = Field(None, description="field of the better side's score, a number; with the other's: the margin")
    rejected_score: str | None = Field(None, description="field of the other side's score")
    margin: str | None = Field(None, description="field of the margin, where a record says it")
    chosen_model: str | None = Field(None, description="field that names the better side's model")
    rejected_model: str | None = Field(None, description="field that names the other side's model")
    label: str | None = Field(None, description="field of the pair's label (easy, hard, length, human)")
    speakers: Speakers = Field(default_factory=dict, description="sides are dialogues in one text: words that begin a turn → role")
    form: Literal["messages", "texts", "conversations", "dialogues"] = Field(
        "messages",
        description="how a pair is written: messages; texts; a text and whole conversations (UltraMedical-Preference); dialogues",
    )

    @model_validator(mode="after")
    def _speakers_are_known(self) -> Self:
        check(self.speakers)
        if self.form == "dialogues" and not self.speakers:
            raise ValueError("form dialogues needs speakers")
        return self

    def parse(self, record: Record) -> dict[str, Any]:
        sides = [self._messages(record, field, "assistant") for field in (self.chosen, self.rejected)]
        models = [_name(take(record, field)) if field else None for field in (self.chosen_model, self.rejected_model)]
        second = self.preferred is not None and self._second(take(record, self.preferred))
        if second:
            sides.reverse()
            models.reverse()
        if self.prompt is not None:
            prompt = self._messages(record, self.prompt, "user")
            sides = [side[len(prompt) :] if _stripped(side[: len(prompt)]) == _stripped(prompt) else side for side in sides]
        else:
            common = next((i for i, (a, b) in enumerate(zip(*sides, strict=False)) if a != b), min(map(len, sides)))
            common = min(common, *(len(side) - 1 for side in sides))
            prompt, sides = sides[0][:common], [side[common:] for side in sides]
        if not any(turn["role"] == "user" for turn in prompt):
            raise BadRecord("nobody asks")
        for side, name in zip(sides, ("chosen", "rejected"), strict=True):
            if not side or side[-1]["role"] != "assistant":
                raise Blank(f"{name} does not end with an answer")
            if side[0]["role"] == prompt[-1]["role"] == "user":
                raise BadRecord(f"{name} begins with another prompt")
        return {"prompt": prompt, "chosen": sides[0], "rejected": sides[1], "margin": self._margin(record, second),
                "chosen_model": models[0], "rejected_model": models[1],
                "label": _name(take(record, self.label)) if self.label else None}  # fmt: skip

    def _messages(self, record: Record, field: str, role: str) -> Messages:
        value = take(record, field)
        if not isinstance(value, list) or (len(value) == 1 and isinstance(value[0], str)):
            text = take_text(record, field)
            return turns(text, self.speakers, role) if self.speakers else [message(role, text)]
        found = []
        for turn in value:
            if not isinstance(turn, dict) or turn.get("role") not in KNOWN or not isinstance(turn.get("content"), str):
                raise BadRecord(f"field {field!r} is neither text nor messages")
            found.append(message(KNOWN[turn["role"]], turn["content"]))
        return found

    def _second(self, said: Any) -> bool:
        if said in (self.chosen, self.rejected):
            return bool(said == self.rejected)
        place = as_number(said)
        if said is None or place == 1.5:
            raise Blank(f"field {self.preferred!r} prefers neither side")
        if place is None or not 1 <= place <= 2:
            raise BadRecord(f"field {self.preferred!r} prefers {said!r}, neither side")
        return place > 1.5

    def _margin(self, record: Record, second: bool) -> float | None:
        if self.margin is not None:
            return as_number(take(record, self.margin))
        if self.chosen_score is None or self.rejected_score is None:
            return None
        better, worse = (as_number(take(record, field)) for field in (self.chosen_score, self.rejected_score))
        if better is None or worse is None:
            return None
        return worse - better if second else better - worse

    def plain(self, row: Mapping[str, Any]) -> Record:
        prompt, sides = row["prompt"], [row["chosen"], row["rejected"]]
        if not prompt or not all(sides):
            raise Unfit("it has no prompt, or not two sides")
        if self.prompt is None or self.form == "conversations":
            sides = [[*prompt, *side] for side in sides]
        made: Record = {}
        if self.prompt is not None:
            put(made, self.prompt, prompt if self.form == "messages" else self._text(prompt, "user"))
        for field, side in zip((self.chosen, self.rejected), sides, strict=True):
            put(made, field, side if self.form in ("messages", "conversations") else self._text(side, "assistant"))
        if self.preferred is not None:
            put(made, self.preferred, 1)
        said = [(self.margin, "margin"), (self.label, "label"), (self.chosen_model, "chosen_model"), (self.rejected_model, "rejected_model")]
        said += [(field, "") for field in (self.chosen_score, self.rejected_score) if not self.margin]  # a margin does not tell them
        for place, column in said:
            if place is not None:
                put(made, place, row.get(column))
        return made

    def _text(self, messages: Messages, role: str) -> str:
        if self.form == "dialogues":
            return written(messages, self.speakers)
        if [turn["role"] for turn in messages] != [role]:
            raise Unfit(f"a side of {len(messages)} messages where there is a place for one text")
        return messages[0]["content"]


def _stripped(messages: Messages) -> list[tuple[str, str]]:
    """What tells a prompt that a side begins with: published rows differ in the white space around it."""
    return [(turn["role"], turn["content"].strip()) for turn in messages]


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
