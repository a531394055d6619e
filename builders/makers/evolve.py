"""Questions → harder questions: evol-instruct, open and multiple choice, so many rounds, each with its parent.

WizardLM (arXiv 2304.12244, section 3.2): an instruction is rewritten by a method drawn at random, in several rounds; what failed is
eliminated, and its parent goes into the next round. Eliminated is, there: a text without new information, one that is answered by "sorry" or
by nothing but punctuation and stop words, one that copies words of the prompt. UltraMedical (arXiv 2406.03949) takes two rounds and keeps
multiple choice with one right option. Here the method is drawn by hash, and what failed is counted and listed by its rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from pydantic import Field

from tilth.annotators.drafts import Draft, plain, same_language
from tilth.annotators.generator import BrokenReply
from tilth.annotators.generators.evolved_question import EvolvedQuestion, Form, Method
from tilth.annotators.pen import Pen, Turn
from tilth.builders import draws
from tilth.builders.model_step import ModelStep, Worked
from tilth.builders.pending import Row, ends_with_user, key_label, language_of, question_row, stem_of
from tilth.builders.shapes.choices import LABELS
from tilth.core.prompts import folded
from tilth.filters import words

FORMS: tuple[Form, ...] = ("open", "choice")
BLANK = {"en": " word", "zh": "字"}


@dataclass
class _Chain:
    """A question on its way through the rounds: its rows, the first as it came; what it says now; why a round failed last."""

    rows: list[Row]
    draft: Draft
    draw: str
    """What decides the split of all its rows."""
    failed: BrokenReply | None = None

    @property
    def form(self) -> Form:
        return "choice" if self.draft.options else "open"


class Evolve(ModelStep, name="evolve", version=1):
    """Pending questions of a single turn, rewritten to be harder; several turns, and options without a key, pass as they are."""

    ask: EvolvedQuestion = Field(EvolvedQuestion(), description="what is asked for: the generator `evolved_question`")
    rounds: int = Field(2, ge=1, le=10, description="rounds; one that fails is tried from the same parent in the next")
    keep: Literal["all", "last"] = Field("all", description="the question as it came and every round's, or the last round's that did not fail")
    tolerance: int = Field(10, ge=0, description="words (characters in Chinese) that the growth may lie below `ask.low` or above `ask.high`")
    min_new_words: int = Field(3, ge=1, description="words (characters) that a rewritten question must have and its parent not: else it says nothing new")

    def generator(self) -> EvolvedQuestion:
        return self.ask

    def work(self, rows: list[Row], pen: Pen) -> Worked:
        worked = Worked()
        chains: dict[int, _Chain] = {}
        for index, row in enumerate(rows):
            if self.takes(row) and sum(turn["role"] != "system" for turn in row["messages"] or ()) == 1 and ends_with_user(row):
                found = _draft_of(row)
                if isinstance(found, BrokenReply):
                    worked.lose(index, "failed", found.rule, str(found))
                elif found is not None:
                    first = next(turn["content"] or "" for turn in row["messages"] if turn["role"] == "user")
                    chains[index] = _Chain([row], found, draws.inherited(row) or draws.draw(folded(first), pen.seed))
        for number in range(1, self.rounds + 1):
            for form in FORMS:
                self._round([chain for chain in chains.values() if chain.form == form], form, number, pen)
        for index, chain in chains.items():
            if self.keep == "all":
                worked.keep(index, *chain.rows)
            elif len(chain.rows) > 1:
                worked.keep(index, chain.rows[-1])
            else:
                assert chain.failed is not None
                worked.lose(index, "failed", chain.failed.rule, str(chain.failed)[:200])
        return worked

    def _round(self, chains: Sequence[_Chain], form: Form, number: int, pen: Pen) -> None:
        """One round over the questions of a form."""
        ask = self.ask.of(form)
        methods: dict[str, Method] = {}
        asked = {}
        for chain in chains:
            row = chain.rows[-1]
            root = chain.rows[0]["id"]
            methods[root] = ask.method(pen.seed, f"{root}/{number}")
            asked[root] = ask.messages(chain.draft, methods[root], pen.seed, f"{root}/{number}", language_of(row))
        turn = pen.write(ask, asked, f"round {number}")
        read = [(chain, found) for chain in chains if (found := self._read(chain, ask, turn)) is not None]
        for (chain, found), grown in zip(read, growths([(chain.draft, found) for chain, found in read]), strict=True):
            root = chain.rows[0]["id"]
            try:
                if turn.replies.get(root) is not None:
                    self._check(chain, found, methods[root], grown)
            except BrokenReply as error:
                turn.note(root, error.rule)
                chain.failed = error
                continue
            turn.note(root, "ok")
            facts = {"method": methods[root], "round": number, "model": turn.model, "call": turn.call(root), draws.DRAW: chain.draw}
            chain.rows.append(question_row(chain.rows[-1], found, pen.seed, self.name, number, facts))
            chain.draft = found

    def _read(self, chain: _Chain, ask: EvolvedQuestion, turn: Turn) -> Draft | None:
        """The question in a reply; None where it breaks a rule of its own. What a pencil does not know is as long as it may be."""
        root = chain.rows[0]["id"]
        try:
            raw = turn.raw(root)
            if raw is None:
                return Draft(chain.draft.question + ask.high * BLANK[language_of(chain.rows[0])], chain.draft.options, chain.draft.right)
            return ask.written(raw)
        except BrokenReply as error:
            turn.note(root, error.rule)
            chain.failed = error
            return None

    def _check(self, chain: _Chain, found: Draft, method: Method, grown: tuple[int, int]) -> None:
        """See that it is still the same kind of question, longer within bounds, and says something new.

        Raises:
            BrokenReply: other_language, option_count, key_changed, no_gain, shrank, grew.
        """
        added, new = grown
        same_language(found.whole, language_of(chain.rows[0]))
        if len(found.options) != len(chain.draft.options):
            raise BrokenReply("option_count", f"{len(found.options)} options, not {len(chain.draft.options)}")
        if method == "distractors" and plain(found.options[found.right or 0]) != plain(chain.draft.options[chain.draft.right or 0]):
            raise BrokenReply("key_changed", found.options[found.right or 0])
        if new < self.min_new_words:
            raise BrokenReply("no_gain", f"{new} new words")
        low, high = (-self.ask.high, self.ask.high) if method == "distractors" else (self.ask.low, self.ask.high)
        if added < low - self.tolerance:
            raise BrokenReply("shrank", f"{added:+} words")
        if added > high + self.tolerance:
            raise BrokenReply("grew", f"{added:+} words")


def growths(pairs: Sequence[tuple[Draft, Draft]]) -> list[tuple[int, int]]:
    """Of each (question, its rewriting): words added, and words of the rewriting that the question does not have.

    A Chinese character is a word (`filters.words`, definition `script`).

    >>> growths([(Draft("Which mineral is it?"), Draft("Which trace mineral of the liver is it?")), (Draft("哪种？"), Draft("哪种元素？"))])
    [(4, 4), (2, 2)]
    """
    texts = pl.Series([text for pair in pairs for text in (pair[0].whole, pair[1].whole)], dtype=pl.String)
    found = words.of(texts.str.to_lowercase())
    counted: list[Counter[int]] = [Counter() for _ in texts]
    for row, is_word, hashed in zip(found.rows.tolist(), found.is_word.tolist(), found.hashes.tolist(), strict=True):
        if is_word:
            counted[row][hashed] += 1
    return [(new.total() - old.total(), (new - old).total()) for old, new in zip(counted[::2], counted[1::2], strict=True)]


def _draft_of(row: Row) -> Draft | BrokenReply | None:
    """The question of a row; None where it has options and no key."""
    text = row["messages"][-1]["content"] or ""
    if not row["options"]:
        return Draft(text)
    if row["answer"] is None:
        return None
    if (key := key_label(row)) is None:
        return BrokenReply("bad_key", f"{row['answer']!r} names none of the options")
    if len(row["options"]) > len(LABELS):
        return BrokenReply("option_count", f"{len(row['options'])} options, more than {len(LABELS)}")
    if (stem := stem_of(text, row["options"])) is None:
        return BrokenReply("options_inside", "the options stand in the question, and not a line each at its end")
    labels = [option["label"] for option in row["options"]]
    return Draft(stem, tuple(option["text"] for option in row["options"]), labels.index(key))
