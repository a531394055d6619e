"""Looking through the call store: by status, judge, question, job and time."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tilth.annotators.calls import Call
from tilth.core.errors import RecipeError

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class CallFilter:
    """Which calls; what is None or empty does not matter."""

    statuses: Collection[str] = ()
    judge: str | None = None
    """`provider/model`, or a part of it."""
    question: str | None = None
    """`name`, or `name@version`."""
    since: str | None = None
    """UTC, ISO 8601."""

    def sql(self) -> tuple[str, list[str]]:
        """A condition and its values."""
        parts, values = ["1"], list(self.statuses)
        if self.statuses:
            parts.append(f"status IN ({','.join('?' * len(self.statuses))})")
        if self.judge is not None:
            parts.append("instr(provider || '/' || model, ?) > 0")
            values.append(self.judge)
        if self.question is not None:
            parts.append("(prompt_version = ? OR substr(prompt_version, 1, length(?)) = ?)")
            values += [self.question, f"{self.question}@", f"{self.question}@"]
        if self.since is not None:
            parts.append("created >= ?")
            values.append(self.since)
        return " AND ".join(parts), values

    def holds(self, call: Call) -> bool:
        """Whether a call fits; as `sql` says."""
        judge, question = f"{call.provider}/{call.model}", call.asked.question
        return (
            (not self.statuses or call.status in self.statuses)
            and (self.judge is None or self.judge in judge)
            and (self.question is None or question == self.question or question.startswith(f"{self.question}@"))
            and (self.since is None or call.created >= self.since)
        )


def moment(text: str, now: datetime | None = None) -> str:
    """A moment as the store writes it, from `90m`, `2h`, `3d`, `1w` ago or an ISO date or time (UTC where it names no zone).

    Raises:
        RecipeError: it is neither.

    >>> moment("2h", datetime(2026, 11, 29, 12, tzinfo=UTC)), moment("2026-11-01")
    ('2026-11-29T10:00:00.000+00:00', '2026-11-01T00:00:00.000+00:00')
    """
    try:
        if found := re.fullmatch(r"(\d{1,6})([mhdw])", text.strip()):
            when = (now or datetime.now(UTC)) - timedelta(**{UNITS[found[2]]: int(found[1])})
        else:
            when = datetime.fromisoformat(text.strip())
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):  # before the year 1 there is no time either
        raise RecipeError(f"{text!r} is no time", hint="say 90m, 2h, 3d, 1w, or 2026-11-01 or 2026-11-01T09:30") from None
    return when.isoformat(timespec="milliseconds")
