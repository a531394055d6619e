"""The desk: what a reviewer is shown next, and what becomes of a verdict. No HTTP here, and no state beside the store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from tilth.annotators.human import SIDES, Sheet, Side, reviewer_name
from tilth.annotators.human_store import ReviewStore, Verdict
from tilth.cards.markdown import block, one_line
from tilth.core.errors import RecipeError
from tilth.review.marks import shown
from tilth.review.progress import progress, reviewer_progress

MOST_COMMENT = 4000
MOST_SECONDS = 600.0
"""A page that was left open is not being read."""

Payload = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """One job's sheets before its reviewers."""

    job: str
    question: str
    seed: int
    sheets: tuple[Sheet, ...]
    """The job's plan, in its order."""
    store: ReviewStore
    reviewer: str | None = None
    """The only one who may sit here; None: whoever says a name."""

    def turn(self, asked: Payload) -> Payload:
        """The next sheet of a reviewer, or that there is none left; who they are where that is not known yet.

        Raises:
            RecipeError: the name is no name, or another's desk.
        """
        if self.reviewer is None and not asked.get("reviewer"):
            return {"job": self.job, "reviewer": None}
        return self._turn(self._who(asked), None)

    def judge(self, asked: Payload) -> Payload:
        """Write down a verdict, then the next turn.

        Raises:
            RecipeError: it is no verdict on this sheet as it was shown.
            StorageError: it could not be written.
        """
        who = self._who(asked)
        sheet = next((sheet for sheet in self.sheets if sheet.key == asked.get("sheet")), None)
        if sheet is None or list(sheet.order(who, self.seed)) != asked.get("order"):
            raise RecipeError("this page is of another review", hint="reload it")
        verdict = Verdict(
            who, sheet.key, sheet.item.id, sheet.order(who, self.seed), values_of(asked.get("answer"), sheet),
            str(asked.get("comment") or "").strip()[:MOST_COMMENT], _seconds(asked.get("seconds")),
        )  # fmt: skip
        self.store.add(self.job, self.question, verdict)
        return self._turn(who, None)

    def take_back(self, asked: Payload) -> Payload:
        """Take back the reviewer's last verdict, and show its sheet again with what was said."""
        who = self._who(asked)
        last = self.store.last(self.job, self.question, who)
        if last is None or last.sheet not in {sheet.key for sheet in self.sheets}:
            return self._turn(who, None)
        self.store.add(self.job, self.question, last, "taken_back")
        return self._turn(who, last)

    def agreement(self, asked: Payload) -> Payload:
        """How far the reviewers agree who have finished; what was said before can then no longer be taken back.

        Raises:
            RecipeError: this reviewer has not finished.
        """
        who = self._who(asked)
        found = progress(self.store.verdicts(self.question), self.sheets)
        if who not in {one.reviewer for one in found.reviewers if one.finished}:
            raise RecipeError("agreement is shown after the last sheet")
        if found.agreement is not None:
            self.store.add(self.job, self.question, Verdict(who, "", "", (), ()), "agreement_seen")
        return {"reviewers": [asdict(one) for one in found.reviewers], "agreement": found.agreement and asdict(found.agreement)}

    def _who(self, asked: Payload) -> str:
        name = reviewer_name(str(asked.get("reviewer") or self.reviewer or ""))
        if self.reviewer not in (None, name):
            raise RecipeError(f"this page is {self.reviewer}'s", hint="start `tilth review` without --reviewer")
        return name

    def _turn(self, who: str, before: Verdict | None) -> Payload:
        keys = {sheet.key for sheet in self.sheets}
        given = [verdict for verdict in self.store.verdicts(self.question, who) if verdict.sheet in keys]
        done = {verdict.sheet for verdict in given}
        key = before.sheet if before is not None else None
        sheet = next((s for s in self.sheets if (s.key not in done if key is None else s.key == key)), None)
        at = reviewer_progress(who, given, len(self.sheets))
        left = None if at.seconds is None else at.seconds * (at.sheets - at.judged)
        return {
            "job": self.job, "reviewer": who, "judged": at.judged, "sheets": at.sheets, "seconds_left": left,
            "may_take_back": self.store.last(self.job, self.question, who) is not None,
            "sheet": None if sheet is None else _page(sheet, sheet.order(who, self.seed)),
            "before": None if before is None else {"values": before.values, "comment": before.comment},
        }  # fmt: skip


def _seconds(told: object) -> float:
    return min(max(float(told), 0.0), MOST_SECONDS) if isinstance(told, int | float) and math.isfinite(told) else 0.0


def values_of(answer: object, sheet: Sheet) -> tuple[float | None, ...]:
    """What the page sent, as values by position shown.

    Raises:
        RecipeError: it answers something else.
    """
    if sheet.scale is None:
        if answer == "cannot_say":
            return (None, None)
        if isinstance(answer, str) and answer in SIDES:
            return SIDES[cast(Side, answer)]
    elif isinstance(answer, list) and len(answer) == max(1, len(sheet.shown)):
        low, high = sheet.scale
        if all(value is None or (type(value) is int and low <= value <= high) for value in answer):
            return tuple(None if value is None else float(value) for value in answer)
    raise RecipeError(f"{str(answer)[:80]!r} is no answer to this sheet", hint="reload the page")


def _page(sheet: Sheet, order: Sequence[int]) -> Payload:
    """A sheet as the page gets it: no model's name in it."""
    item = sheet.item
    reference = sheet.reference()
    hidden = not item.options or all(text in item.prompt[-1]["content"] for _, text in item.options)
    return {
        "key": sheet.key,
        "order": list(order),
        "language": item.language,
        "scale": sheet.scale,
        "rubric": block(sheet.rubric),
        "prompt": [{"role": one_line(turn["role"]), **shown(turn["content"])} for turn in item.prompt],
        "options": [] if hidden else [{"label": one_line(label or ""), "text": block(text or "")} for label, text in item.options],
        "reference": None if reference is None else shown(reference),
        "candidates": [shown(item.texts[index]) for index in order],
    }
