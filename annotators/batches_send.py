"""Sending: requests that are neither answered nor in a batch are written down, put into batches within the provider's limits, and sent."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from tilth.annotators.batches_desk import Desk
from tilth.annotators.batches_state import Waiting
from tilth.annotators.failures import CallFailedError
from tilth.annotators.jobs import Task
from tilth.annotators.spend import most_usage
from tilth.core.errors import NetworkError, RecipeError


@dataclass
class _Draft:
    """A batch in the making."""

    token: str
    lines: dict[int, bytes] = field(default_factory=dict)
    unwritten: list[Waiting] = field(default_factory=list)
    bytes: int = 0


class Sender:
    """Sends one judge's batches.

    Args:
        chunks: makes the judge's tasks, all of them, some hundred at a time; called again for every pass.
    """

    def __init__(self, desk: Desk, chunks: Callable[[], Iterator[list[Task]]]) -> None:
        self._desk = desk
        self._chunks = chunks
        self._most_bytes = int(desk.provider.batch_mb * 1e6)
        self._setbacks = 0

    async def send_all(self) -> None:
        """Send every request that is neither answered nor in a batch, as far as the cap and the provider allow."""
        self._desk.again, self._desk.refusal = False, None
        self._desk.crowded = self._desk.crowded and bool(self._desk.open("running"))
        held_back = self._desk.policy.cancel or self._desk.crowded
        draft = None
        for tasks in self._chunks():
            keys = list(dict.fromkeys(task.key for task in tasks))
            known = self._desk.store.get_many(keys)
            standing = self._desk.state.standing(keys)
            self._desk.tokens.update(standing.values())
            self._desk.stands(standing)
            for task in tasks:
                call = known.get(task.key)
                if task.key in standing or task.key in self._desk.given_up or (call is not None and call.status != "failed"):
                    continue
                if not held_back and (worst := self._affordable(task)) is not None:
                    draft = await self._put(draft, task, worst)
                    standing[task.key] = draft.token
            if draft is not None:
                self._write(draft)
            await asyncio.sleep(0)
        if draft is not None:
            await self._send(draft)

    def _affordable(self, task: Task) -> float | None:
        """The worst cost of a request; None where the cap has no room for it."""
        worst = self._desk.price.worst(most_usage(task.request, len(task.text)))
        refused = self._desk.budget.refusal(self._desk.provider.label, worst)
        self._desk.refusal = self._desk.refusal or refused
        return None if refused else worst

    async def _put(self, draft: _Draft | None, task: Task, worst: float) -> _Draft:
        """Put a request into a batch; the batch, which is another one where the old one is full and was sent."""
        draft = draft or self._draft()
        if not self._add(draft, task, worst):
            await self._send(draft)
            draft = self._draft()
            if not self._add(draft, task, worst):
                self._desk.free(draft.token)
                raise self._too_large(task)
        return draft

    def _draft(self) -> _Draft:
        token = secrets.token_hex(8)
        label = {
            "name": self._desk.question.name,
            "version": self._desk.question.version,
            "parameters": self._desk.question.parameters(),
        }
        self._desk.state.begin(token, self._desk.whose, orjson.dumps(label).decode())
        self._desk.tokens.add(token)
        return _Draft(token)

    def _add(self, draft: _Draft, task: Task, worst: float) -> bool:
        """Put a request into a batch, if it fits in."""
        place = len(draft.lines)
        line = self._desk.api.line(f"{draft.token}-{place}", task.request)
        if place >= self._desk.most_requests or draft.bytes + len(line) + 64 > self._most_bytes:
            return False
        shown = orjson.dumps({"order": task.ask.order, "names": task.ask.names}).decode()
        draft.lines[place] = line
        draft.bytes += len(line) + 1
        one = Waiting(task.key, place, task.text.decode(), shown, worst)
        draft.unwritten.append(one)
        self._desk.reserve(one.key, worst)
        return True

    def _write(self, draft: _Draft) -> None:
        """Put on disk what the draft holds; what another process has sent meanwhile leaves it."""
        taken = self._desk.state.add(draft.token, draft.unwritten)
        for one in draft.unwritten:
            if one.place not in taken:
                draft.lines[one.place] = b""
                self._desk.let_go([one])
        draft.unwritten.clear()

    async def _send(self, draft: _Draft) -> None:
        """Send a batch. Where that cannot be done now, its requests are let go of, to be sent again."""
        self._write(draft)
        token, lines = draft.token, [line for line in draft.lines.values() if line]
        draft.lines.clear()
        if not lines:
            self._desk.free(token)
            return
        # Nothing is begun by an upload: the batch counts as sent from just before `create`.
        self._desk.state.note(token, state="writing" if self._desk.api.uploads else "sending", requests=len(lines))
        self._desk.tell("written", token, len(lines))
        begun = not self._desk.api.uploads
        try:
            file = await self._desk.api.upload(token, lines)
            if self._desk.api.uploads:
                self._desk.tell("uploaded", token, len(lines))
                self._desk.state.note(token, state="sending", file=file)
                self._desk.tell("noted", token, len(lines))
            begun = True
            batch = await self._desk.api.create(token, file, lines)
        except CallFailedError as error:
            await self._not_sent(token, error, maybe=begun and _may_have_been_created(error))
            return
        self._desk.tell("created", batch, len(lines))
        self._desk.state.note(token, state="running", id=batch)
        self._desk.tell("sent", batch, len(lines))
        self._setbacks = 0

    async def _not_sent(self, token: str, error: CallFailedError, *, maybe: bool) -> None:
        if not maybe:
            self._desk.free(token)
        self._setbacks += 1
        if error.status in (400, 413):
            raise NetworkError(error.message, hint="lower batch_requests or batch_mb of this judge, or run without --batch")
        if error.status == 404:
            raise NetworkError(error.message, hint="is there a batch API at this address? run without --batch")
        wait = None if error.fatal else self._desk.retry.wait_s(self._setbacks, error, self._desk.draw)
        if wait is None:
            raise error
        await asyncio.sleep(wait)

    def _too_large(self, task: Task) -> RecipeError:
        return RecipeError(
            f"{self._desk.provider.label}: the request about row {task.ask.row_id!r} alone passes batch_mb {self._desk.provider.batch_mb:g}",
            hint="raise batch_mb, or leave the row out",
        )


def _may_have_been_created(error: CallFailedError) -> bool:
    """Whether a failed `create` may have begun a batch all the same: its answer was lost, or the server failed half way."""
    return error.may_be_billed or (error.status is not None and error.status >= 500)
