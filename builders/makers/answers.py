"""Questions → answered conversations: a model answers, the key is held against it, and what is wrong is tried again after examples.

UltraMedical (arXiv 2406.03949, answer annotation): step-by-step answers; where there is a key the last option must be it; wrong ones are
tried again after worked examples from those already right, the most similar first (Medprompt, arXiv 2311.16452, section 4). No code was
published. Here similarity is tf-idf cosine (`filters.term_vectors`), and the examples of a turn are what the turns before it left, whatever
the order in which replies arrive. What the last turn leaves wrong is dropped: no answer that misses its key passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from tilth.annotators.answers import verdict
from tilth.annotators.calls import Message
from tilth.annotators.drafts import refuses, says_nothing
from tilth.annotators.generator import BrokenReply
from tilth.annotators.generators.worked_answer import WorkedAnswer
from tilth.annotators.pen import Pen, Turn
from tilth.builders.model_step import ModelStep, Worked
from tilth.builders.pending import Row, ends_with_user, key_label, language_of, noted, turns_of
from tilth.core.rows import message
from tilth.filters.folding import fold
from tilth.filters.term_vectors import TermVectors


@dataclass
class _Question:
    """A row that waits for its answer, and how far it has come."""

    row: Row
    turns: list[Message]
    key: str | None
    """Label of the right option; None: nothing to hold an answer against."""
    answer: str | None = None
    tries: int = 0
    call: str | None = None
    shown: set[str] = field(default_factory=set)
    """Ids of the rows whose answers it was shown."""
    wrong: BrokenReply | None = None
    """Why the last try did not count."""


class Answers(ModelStep, name="answers", version=1):
    """Answers each row that ends with the user; with a key, only right answers pass."""

    ask: WorkedAnswer = Field(WorkedAnswer(), description="what is asked for: the generator `worked_answer`")
    retries: int = Field(2, ge=0, le=10, description="times that a question whose answer misses the key is tried again; open questions are answered once")
    examples: int = Field(3, ge=0, le=20, description="right answers to the most similar questions that are shown when one is tried again, others each time")
    unchecked: Literal["drop", "keep"] = Field(
        "drop", description="rows with options and no key, or a key and no options: drop them, or take the answer as it comes"
    )

    def generator(self) -> WorkedAnswer:
        return self.ask

    def work(self, rows: list[Row], pen: Pen) -> Worked:
        worked = Worked()
        waiting: dict[int, _Question] = {}
        for index, row in enumerate(rows):
            if self.takes(row) and ends_with_user(row):
                key = key_label(row) if row["options"] and row["answer"] is not None else None
                if row["options"] and row["answer"] is not None and key is None:
                    worked.lose(index, "failed", "bad_key", row["answer"][:200])
                elif self.unchecked == "drop" and bool(row["options"]) != (row["answer"] is not None):
                    worked.lose(index, "dropped", "no_key" if row["options"] else "no_options", None)
                else:
                    waiting[index] = _Question(row, turns_of(row), key)
        for time in range(1 + self.retries):
            again = [one for one in waiting.values() if one.answer is None and (time == 0 or one.key is not None)]
            self._turn(again, [one for one in waiting.values() if one.answer is not None and one.key is not None], time, pen)
        for index, one in waiting.items():
            if one.answer is None:
                assert one.wrong is not None
                status = "dropped" if one.wrong.rule in ("wrong_key", "no_verdict") else "failed"
                worked.lose(index, status, one.wrong.rule, str(one.wrong)[:200], f"tried {one.tries} times")
            else:
                row = {**one.row, "messages": [*one.turns, message("assistant", one.answer)]}
                worked.keep(index, noted(row, self.name, {"model": pen.model.label, "call": one.call, "tries": one.tries}))
        return worked

    def _turn(self, asked: list[_Question], right: list[_Question], time: int, pen: Pen) -> None:
        """Ask once, and see what came of it."""
        shown: list[list[_Question]] = nearest(asked, right, self.examples) if time else [[] for _ in asked]
        messages = {
            one.row["id"]: self.ask.messages(one.turns, [(_text(other), other.answer or "") for other in some], bool(one.row["options"]), language_of(one.row))
            for one, some in zip(asked, shown, strict=True)
        }
        turn = pen.write(self.ask.again(time), messages, f"retry {time}" if time else "")
        for one, some in zip(asked, shown, strict=True):
            one.tries += 1
            one.shown.update(other.row["id"] for other in some)
            try:
                one.answer = self._answer(one, turn)
            except BrokenReply as error:
                one.wrong = error
                turn.note(one.row["id"], error.rule)
                continue
            one.call = turn.call(one.row["id"])
            turn.note(one.row["id"], "ok")

    def _answer(self, one: _Question, turn: Turn) -> str:
        """The answer, held against the key where there is one.

        Raises:
            BrokenReply: wrong_key, no_verdict, refuses, says_nothing, or there is no reply.
        """
        raw = turn.raw(one.row["id"])
        if raw is None:  # a pencil's: taken to be right
            return ""
        answer = self.ask.written(raw)
        if one.key is None:
            if refuses(answer):
                raise BrokenReply("refuses", answer[:200])
            if says_nothing(answer) and not one.row["options"]:
                raise BrokenReply("says_nothing", answer[:200])
            return answer
        labels, texts = ([option[part] for option in one.row["options"]] for part in ("label", "text"))
        chosen = verdict(answer, labels, texts).label
        if chosen is None:
            raise BrokenReply("no_verdict", answer[-200:])
        if chosen != one.key:
            raise BrokenReply("wrong_key", f"{chosen}, the key is {one.key}")
        return answer


def nearest(asked: list[_Question], right: list[_Question], count: int) -> list[list[_Question]]:
    """Of each question the right ones that are most like it and were not shown with it before, the most similar last; fewer where fewer
    share a word with it."""
    if not right or not count or not asked:
        return [[] for _ in asked]
    vectors = TermVectors(fold(pl.Series([_text(one) for one in right], dtype=pl.String)))
    folded = fold(pl.Series([_text(one) for one in asked], dtype=pl.String))
    found = []
    whole = list(pairwise(folded.offsets.tolist()))
    for one, cosines in zip(asked, vectors.cosines(folded.hashes, whole), strict=True):
        order = np.argsort(-cosines, kind="stable")[: count + len(one.shown)]
        fresh = [right[place] for place in order if cosines[place] > 0 and right[place].row["id"] not in one.shown]
        found.append(fresh[:count][::-1])
    return found


def _text(one: _Question) -> str:
    """What is asked: the last message, options included."""
    return one.turns[-1]["content"]
