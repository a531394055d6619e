"""Passages → questions: a model says whether a passage is worth one, and writes it.

UltraMedical (arXiv 2406.03949, TextBookQA). Among the options the right one stands where a hash puts it, so that no letter is the key more
often than chance; the question names its passage as its parent. Examples of the kind wanted come from another source of the corpus, three
drawn for each passage as in the paper, and stay rows of their own.
"""

from __future__ import annotations

import hashlib

from pydantic import Field

from tilth.annotators.calls import Language
from tilth.annotators.drafts import same_language
from tilth.annotators.generator import BrokenReply
from tilth.annotators.generators.passage_question import PassageQuestion
from tilth.annotators.pen import Pen
from tilth.builders.model_step import ModelStep, Worked
from tilth.builders.pending import Row, language_of, lone_text, question_row, turns_of

KEY: dict[Language, str] = {"en": "Right option: ", "zh": "正确选项："}


class PassageQuestions(ModelStep, name="passage_questions", version=1):
    """One question from each passage (a row that is one user's message), where it is worth one."""

    ask: PassageQuestion = Field(PassageQuestion(), description="what is asked for: `tilth units generator`, passage_question")
    examples_from: str | None = Field(None, description="source whose questions are shown as examples; it is no passage, and passes")
    examples: int = Field(3, ge=1, le=20, description="examples shown with a passage, drawn by hash among those in its language")

    def generator(self) -> PassageQuestion:
        return self.ask

    def sources_named(self) -> list[str]:
        return [*self.sources, *([self.examples_from] if self.examples_from else [])]

    def work(self, rows: list[Row], pen: Pen) -> Worked:
        known: dict[Language, list[str]] = {"en": [], "zh": []}
        passages: dict[int, str] = {}
        for index, row in enumerate(rows):
            if self.examples_from is not None and row["source"] == self.examples_from:
                if any(turn["role"] == "user" for turn in row["messages"]):
                    known[language_of(row)].append(_example(row))
            elif self.takes(row) and (text := lone_text(row)) is not None:
                passages[index] = text
        asked = {}
        for index, text in passages.items():
            identity, language = rows[index]["id"], language_of(rows[index])
            shown = drawn(known[language], self.examples, pen.seed, identity)
            asked[identity] = self.ask.messages(text, shown, pen.seed, identity, language)
        turn, worked = pen.write(self.ask, asked), Worked()
        for index in passages:
            row = rows[index]
            try:
                raw = turn.raw(row["id"])
                found = None if raw is None else self.ask.written(raw)
                if found is None:
                    turn.note(row["id"], "not_worth_asking")
                    worked.lose(index, "dropped", "not_worth_asking")
                    continue
                same_language(found.whole, language_of(row))
            except BrokenReply as error:
                turn.note(row["id"], error.rule)
                worked.lose(index, "failed", error.rule, str(error)[:200])
                continue
            turn.note(row["id"], "ok")
            worked.keep(index, question_row(row, found, pen.seed, self.name, 0, {"model": turn.model, "call": turn.call(row["id"])}))
        return worked


def drawn(examples: list[str], count: int, seed: int, identity: str) -> list[str]:
    """Different ones of the examples, drawn by hash of seed and row.

    >>> drawn(["a", "b"], 3, 0, "r1") in (["a", "b"], ["b", "a"])
    True
    """
    found: dict[int, None] = {}
    turn = 0
    while len(found) < min(count, len(examples)):
        number = hashlib.sha256(f"{seed}/{identity}/example/{turn}".encode()).digest()
        found[int.from_bytes(number[:8]) % len(examples)] = None
        turn += 1
    return [examples[place] for place in found]


def _example(row: Row) -> str:
    """An exam question as it is shown, with its key where it has one."""
    question = [turn for turn in row["messages"] if turn["role"] == "user"][:1]
    text = turns_of({**row, "messages": question})[-1]["content"]
    return text if row["answer"] is None else f"{text}\n{KEY[language_of(row)]}{row['answer']}"
