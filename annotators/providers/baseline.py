"""A scorer that is no LLM: answer keys and overlap with a reference. Free, offline, and the same on every machine.

It exists so that a recipe runs without an API, and as the bar that a judge must clear. It never calls itself a judge
of language: its name is `baseline` and `is_llm` is false wherever it appears.

How it scores a candidate, 0–1:
1. Where the row has an answer key and options: 1 for the right option, 0 for another. The option chosen is the verdict
   (`tilth.annotators.answers`); where the text states no conclusion at all, the only option whose text stands in it, not
   negated. Where none is found the candidate is *missing*, not wrong.
2. Else, where it has a reference: token F1 (English words in lower case, Chinese characters), counting occurrences.
   Longer answers cannot gain by length: of a candidate, only `length_ratio` times as many tokens as the reference has are
   read, and one that is longer is scaled by the share that was read.
3. Else: missing.
Shares become the question's own scale (1–5, 1–6, A/B/tie), rounded half to even.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from tilth.annotators.answers import named, verdict
from tilth.annotators.calls import Reply, Request, Usage
from tilth.annotators.provider import Provider, Session
from tilth.annotators.question import Ask, Question
from tilth.core import units
from tilth.core.errors import RecipeError

_TOKEN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\W_\u3400-\u9fff\U00020000-\U0003ffff]+")


class Baseline(Provider, name="baseline", version=2):
    """Answer-key agreement, else overlap with the reference; no LLM."""

    is_llm: ClassVar[bool] = False
    order_free: ClassVar[bool] = True

    length_ratio: float = Field(2.0, ge=1, description="tokens read of a candidate, as a multiple of the reference's tokens")

    @property
    def label(self) -> str:
        return self.name

    def request(self, ask: Ask, question: Question) -> Request:
        """All that decides the reply, as facts.

        Raises:
            RecipeError: the question cannot be answered by comparing texts.
        """
        if not question.takes_shares():
            raise RecipeError(
                f"baseline cannot answer {question.label}: it compares answers with a key", hint="name an LLM judge"
            )
        item = ask.item
        facts = {
            "question": question.name,
            "parameters": question.parameters(),
            "names": list(ask.names),
            "texts": list(ask.texts),
            "options": [list(option) for option in item.options],
            "answer": item.answer,
            "reference": item.reference,
        }
        return Request(
            provider=self.name, base_url="", model=f"{self.name}@{self.version}", messages=(),
            parameters={"length_ratio": self.length_ratio}, schema=None, facts=facts,
        )  # fmt: skip

    def connect(self) -> Session:
        return _Session()


class _Session:
    async def ask(self, request: Request) -> Reply:
        facts = request.facts
        assert facts is not None
        question = units.find("question", facts["question"])(**facts["parameters"])
        assert isinstance(question, Question)
        shares = [share(text, facts, request.parameters["length_ratio"]) for text in facts["texts"]]
        return Reply(question.reply_from(shares, facts["names"]), "ok", Usage(), 0.0)

    async def close(self) -> None:
        return None


def share(text: str, facts: Mapping[str, Any], length_ratio: float) -> float | None:
    """How good a candidate is, 0–1; None where there is nothing to compare it with, or no answer is found in it."""
    options: Sequence[Sequence[str]] = facts["options"]
    answer: str | None = facts["answer"]
    reference: str | None = facts["reference"] or answer
    if answer is not None and options:
        key = next((label for label, option in options if answer in (label, option)), None)
        chosen = chosen_option(text, options)
        return None if key is None or chosen is None else float(chosen == key)
    return None if not reference else overlap(text, reference, length_ratio)


def chosen_option(text: str, options: Sequence[Sequence[str]]) -> str | None:
    """The label of the option that a text settles on.

    >>> chosen_option("B is tempting. So, the answer is C.", [["B", "iron"], ["C", "zinc"]]), chosen_option("Take zinc.", [["C", "zinc"]])
    ('C', 'C')
    >>> chosen_option("故选B。", [["A", "铁"], ["B", "锌"]]), chosen_option("Hard to say.", [["A", "iron"]])
    ('B', None)
    """
    labels, texts = [label for label, _ in options], [option or "" for _, option in options]
    found = verdict(text, labels, texts)
    return named(text, labels, texts) if found.rule is None else found.label


def overlap(text: str, reference: str, length_ratio: float) -> float:
    """Length-controlled token F1 of a text against a reference.

    >>> overlap("Zinc helps growth", "zinc helps growth", 2.0), overlap("铁", "锌", 2.0)
    (1.0, 0.0)
    """
    wanted = _TOKEN.findall(reference.lower())
    found = _TOKEN.findall(text.lower())
    if not wanted or not found:
        return 0.0
    read = found[: max(1, int(length_ratio * len(wanted)))]
    common = sum((Counter(wanted) & Counter(read)).values())
    return 2 * common / (len(wanted) + len(read)) * len(read) / len(found)
