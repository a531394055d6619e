"""How far each reviewer is, and how far those agree who have finished: agreement is nobody's business before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tilth.annotators.human import Sheet
from tilth.annotators.human_agreement import Agreement, agreement
from tilth.annotators.human_store import Verdict

RECENT = 30
"""Verdicts that the time left is judged by."""


@dataclass(frozen=True)
class ReviewerProgress:
    """One reviewer's part."""

    reviewer: str
    judged: int
    sheets: int
    cannot_say: int
    """Sheets with no value for at least one of what they show."""
    seconds: float | None
    """Median of the last sheets."""

    @property
    def finished(self) -> bool:
        return self.judged >= self.sheets


@dataclass(frozen=True)
class Progress:
    """All reviewers of a job."""

    sheets: int
    reviewers: tuple[ReviewerProgress, ...]
    agreement: Agreement | None
    """Of those who have finished; None while fewer than two have."""


def progress(verdicts: Sequence[Verdict], listed: Sequence[Sheet]) -> Progress:
    """Progress over the sheets of a plan."""
    keys = {sheet.key for sheet in listed}
    given: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.sheet in keys:
            given.setdefault(verdict.reviewer, []).append(verdict)
    reviewers = tuple(reviewer_progress(name, given[name], len(listed)) for name in sorted(given))
    done = [one.reviewer for one in reviewers if one.finished]
    agreed = agreement((v for name in done for v in given[name]), listed) if len(done) > 1 else None
    return Progress(len(listed), reviewers, agreed)


def reviewer_progress(reviewer: str, verdicts: Sequence[Verdict], sheets: int) -> ReviewerProgress:
    """One reviewer's progress; `verdicts` in the order given."""
    seconds = [verdict.seconds for verdict in verdicts[-RECENT:] if verdict.seconds > 0]
    unsaid = sum(None in verdict.values for verdict in verdicts)
    return ReviewerProgress(reviewer, len(verdicts), sheets, unsaid, median(seconds) if seconds else None)
