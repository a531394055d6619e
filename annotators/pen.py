"""Pen: puts what a maker wants written to a model, a turn at a time, all turns under one cap.

    pen = Pen(model, store=store, max_usd=20, seed=0)
    turn = pen.write(generator, {row_id: messages, …})
    turn.raw(row_id)                       # the reply, or `BrokenReply` where there is none
    turn.note(row_id, "ok")                # what came of it: counted in the record, listed among the judgements

A `Pencil` writes nothing: it knows the replies that the store has, and adds up what the others would cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tilth.annotators.calls import Message
from tilth.annotators.canary_round import spent
from tilth.annotators.collector import JUDGEMENTS
from tilth.annotators.generator import BrokenReply, Generator
from tilth.annotators.items import Items
from tilth.annotators.judge import estimate, judge
from tilth.annotators.plan import chunks
from tilth.annotators.provider import ApiProvider
from tilth.annotators.store import CallStore
from tilth.core.rows import MESSAGES

Asked = Mapping[str, tuple[Message, ...]]
"""Row id → what is asked about it."""
OnProgress = Callable[[int, int, float], None]
_LOOKUP = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said: the call's status, its text, its key in the store."""

    status: str
    raw: str
    call: str


@dataclass(frozen=True)
class Turn:
    """One thing asked about some rows, and what came of it."""

    question: str
    """`name@version` of the generator, and the turn's name behind a slash."""
    model: str
    replies: dict[str, Reply]
    usd: float
    """What its calls cost, whenever they were bought."""
    notes: list[tuple[str, str | None, str]] = field(default_factory=list)
    """(row, which of several things in one reply, outcome)"""

    def raw(self, row_id: str) -> str | None:
        """The reply about a row; None where a pencil does not know it.

        Raises:
            BrokenReply: there is none: failed, refused, truncated.
        """
        reply = self.replies.get(row_id)
        if reply is not None and reply.status in ("failed", "refused", "truncated"):
            raise BrokenReply(reply.status, reply.raw[:200])
        return None if reply is None else reply.raw

    def call(self, row_id: str) -> str | None:
        """Key of the call about a row; None where a pencil does not know it."""
        return self.replies[row_id].call if row_id in self.replies else None

    def note(self, row_id: str, outcome: str, which: str | None = None) -> None:
        """What came of a reply: `ok`, or the rule that it broke."""
        self.notes.append((row_id, which, outcome))

    def outcomes(self) -> dict[str, int]:
        """Outcome → how often, sorted."""
        return dict(sorted(Counter(outcome for _, _, outcome in self.notes).items()))


class Pen:
    """Writes with one model.

    Args:
        max_usd: cap on what all turns cost, earlier runs included; None for none.
    """

    def __init__(
        self, model: ApiProvider, *, store: CallStore, max_usd: float | None, seed: int, on_progress: OnProgress | None = None
    ) -> None:
        self.model, self.store, self.seed = model, store, seed
        self.turns: list[Turn] = []
        self.usd = 0.0
        """Spent by this run."""
        self._max_usd = max_usd
        self._on_progress = on_progress
        self._done = 0

    def write(self, generator: Generator, asked: Asked, name: str = "") -> Turn:
        """Ask about every row; a turn of no rows asks nobody.

        Args:
            name: what tells the turn from others of the same generator.

        Raises:
            BudgetError, NetworkError, RecipeError, StorageError: as `judge`.
        """
        frame = pl.DataFrame({"id": list(asked), "prompt": [list(turns) for turns in asked.values()]}, schema={"id": pl.String, "prompt": MESSAGES})
        replies, usd = self._replies(frame, generator) if asked else ({}, 0.0)
        self.turns.append(Turn(f"{generator.label}/{name}" if name else generator.label, self.model.label, replies, usd))
        return self.turns[-1]

    def _replies(self, frame: pl.DataFrame, generator: Generator) -> tuple[dict[str, Reply], float]:
        before, told = self._done, self._on_progress
        so_far = self.usd
        judged = judge(
            frame, question=generator, judges=[self.model], store=self.store, max_usd=self._max_usd, seed=self.seed,
            on_progress=None if told is None else lambda done, calls, usd: told(before + done, before + calls, so_far + usd),
        )  # fmt: skip
        self._done += judged.calls
        self.usd += judged.usd
        if self._max_usd is not None:
            self._max_usd = max(0.0, self._max_usd - spent(frame, generator, [self.model], self.store, self.seed))
        replies: dict[str, Reply] = {}
        for some in judged.judgements.iter_slices(_LOOKUP):
            calls = self.store.get_many(some["call"])
            replies |= {row_id: Reply(calls[key].status, calls[key].raw, key) for row_id, key in some.select("row_id", "call").iter_rows()}
        return replies, judged.judges[0].usd

    def entries(self) -> tuple[dict[str, Any], ...]:
        """Fields of `core.builds.WriterEntry`, but corpus and step, for each turn."""
        return tuple(
            {"model": turn.model, "task": turn.question, "calls": len(turn.replies), "outcomes": turn.outcomes(), "usd": turn.usd}
            for turn in self.turns
            if turn.replies
        )

    def listed(self) -> pl.DataFrame:
        """What came of every reply: columns `JUDGEMENTS`, `label` the outcome, `candidate` which of several things in one reply."""
        lines = []
        for turn in self.turns:
            for row_id, which, outcome in turn.notes:
                if reply := turn.replies.get(row_id):
                    lines.append((row_id, turn.question, turn.model, True, "", which, None, outcome, None, reply.status, reply.call))
        return pl.DataFrame(lines, schema=JUDGEMENTS, orient="row")


class Pencil(Pen):
    """Writes nothing, and says what it would cost."""

    def __init__(self, model: ApiProvider, *, store: CallStore, seed: int) -> None:
        super().__init__(model, store=store, max_usd=None, seed=seed)
        self.expected_usd: float | None = 0.0
        """USD for what is not bought yet; None where no price is known."""

    def _replies(self, frame: pl.DataFrame, generator: Generator) -> tuple[dict[str, Reply], float]:
        [part] = estimate(frame, question=generator, judges=[self.model], store=self.store, seed=self.seed)
        if part.calls > part.cached_calls:
            self.expected_usd = None if part.usd is None or self.expected_usd is None else self.expected_usd + part.usd
        replies: dict[str, Reply] = {}
        for tasks in chunks(self.model, Items(frame), generator, self.seed):
            known = self.store.get_many(task.key for task in tasks)
            replies |= {
                task.ask.row_id: Reply(call.status, call.raw, task.key)
                for task in tasks
                if (call := known.get(task.key)) is not None and call.status != "failed"
            }
        return replies, 0.0
