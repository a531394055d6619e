"""People as judges: what a reviewer is shown, and what they said, as judgements in the same table as the models'.

A sheet is one thing to judge: two candidates of a row (question `pairwise`), or what a question on an integer scale shows. A
reviewer sees it without the models' names, in an order drawn from hash(seed, reviewer, sheet): the same after a restart, and
no two reviewers need see the same. A reviewer is the judge `human/<name>`, and no LLM.

A verdict belongs to the texts that were read: its sheet's key is a hash of all that is shown, so that another text under the
same row id is another sheet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from tilth.annotators.collector import JUDGEMENTS, KEY
from tilth.annotators.human_store import Verdict
from tilth.annotators.question import Item, Question, order_text, shuffled
from tilth.annotators.questions.pairwise import VALUES, Pairwise
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import digest

PREFIX = "human/"
_NAME = re.compile(r"[\w][\w .@+-]{0,39}")

Side = Literal["first", "second", "tie"]
SIDES: Mapping[Side, tuple[float, float]] = {"first": VALUES["A"], "second": VALUES["B"], "tie": VALUES["tie"]}
"""What a choice between the two candidates shown is worth to each: as the question `pairwise` reads a judge's."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One thing for a reviewer to judge."""

    key: str
    """sha256 of the question and everything that is shown."""
    question: str
    """`name@version`, with the aspect where the question is asked about several."""
    item: Item
    shown: tuple[int, ...]
    """Indices of the row's candidates that it shows, ascending; empty where the question shows none."""
    rubric: str
    """The question's own words to a judge."""
    scale: tuple[int, int] | None
    """Lowest and highest score; None for a choice between two."""

    def reference(self) -> str | None:
        """The reference answer, or the key; a question that shows no answer shows none."""
        return self.item.key_text() if self.shown else None

    def order(self, reviewer: str, seed: int) -> tuple[int, ...]:
        """`shown`, in the order in which this reviewer sees them."""
        places = shuffled(len(self.shown), seed, f"{reviewer}/{self.key}")
        return tuple(self.shown[place] for place in places)


def sheets(items: Iterable[Item], question: Question, seed: int) -> list[Sheet]:
    """Everything that people can judge of those rows, in the order that a sample is drawn in: by hash.

    Raises:
        RecipeError: the question is neither a choice between two nor one score on a scale of digits.
    """
    pairs = isinstance(question, Pairwise)
    found: dict[str, Sheet] = {}
    for item in items:
        for ask in question.requests(item, seed):
            nobody: list[str | None] = [None]
            read = [reading.name for reading in question.read("", ask.names)]
            if not pairs and (not _in_digits(question.scale) or read != (list(ask.names) or nobody)):
                raise RecipeError(f"{question.label} is not for people to answer on one page", hint="review takes pairwise and scores up to 10")
            asked = question.labelled(ask.aspect)
            shown = tuple(sorted(int(index) for index in ask.order.split(",") if index))
            rubric = "\n\n".join(turn["content"] for turn in ask.messages if turn["role"] == "system")
            key = _key(asked, item, shown)
            found.setdefault(key, Sheet(key, asked, item, shown, rubric, None if pairs else question.scale))
    return sorted(found.values(), key=lambda sheet: digest([seed, sheet.key]))


def _in_digits(scale: tuple[int, int] | None) -> bool:
    return scale is not None and 0 <= scale[0] < scale[1] <= 10 and scale[1] - scale[0] < 10


def _key(question: str, item: Item, shown: Sequence[int]) -> str:
    seen = {"texts": [item.texts[index] for index in shown], "options": item.options, "reference": item.key_text() if shown else None}
    return digest({"question": question, "row": item.id, "prompt": item.prompt, **seen})


def reviewer_name(text: str) -> str:
    """A reviewer's name, tidied; letters of any script, digits and a few signs.

    >>> reviewer_name("  Ann  Lee "), reviewer_name("王医生")
    ('Ann Lee', '王医生')

    Raises:
        RecipeError: it cannot be a name.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not _NAME.fullmatch(name):
        raise RecipeError(f"reviewer {text[:80]!r} is no name", hint="1 to 40 letters, digits, spaces or . @ + - _")
    return name


def judgements(verdicts: Iterable[Verdict], shown: Iterable[Sheet]) -> pl.DataFrame:
    """What people said of those sheets, columns `JUDGEMENTS`, sorted as there.

    Verdicts on sheets that are not among `shown` (rows gone, or texts changed since) are left out. "Cannot say" has no value and the
    status `refused`.
    """
    known = {sheet.key: sheet for sheet in shown}
    rows: list[dict[str, object]] = []
    for verdict in verdicts:
        sheet = known.get(verdict.sheet)
        if sheet is None:
            continue
        asked = {"row_id": sheet.item.id, "question": sheet.question, "judge": PREFIX + verdict.reviewer, "is_llm": False}
        candidates: Sequence[str | None] = [sheet.item.models[index] for index in verdict.order] or [None]
        for candidate, value in zip(candidates, verdict.values, strict=True):
            said = {"candidate": candidate, "value": value, "status": "refused" if value is None else "ok"}
            rows.append({**asked, "order": order_text(verdict.order), **said})
    return pl.DataFrame(rows, schema=JUDGEMENTS).sort(KEY, nulls_last=True)


def is_human() -> pl.Expr:
    """Whether a judgement is a person's."""
    return pl.col("judge").str.starts_with(PREFIX) & ~pl.col("is_llm")
