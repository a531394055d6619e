"""Collecting: looking at batches that run, and putting the answers of those that are over into the store."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import orjson

from tilth.annotators.batches_api import Look, Result
from tilth.annotators.batches_desk import Desk
from tilth.annotators.batches_state import Known, Waiting
from tilth.annotators.calls import Asked, Call
from tilth.annotators.failures import CallFailedError
from tilth.annotators.question import Question
from tilth.annotators.recorded import answered_call, failed_call
from tilth.core import units
from tilth.core.errors import NetworkError, RecipeError

STORED_TOGETHER = 500
"""Answers in one transaction."""
LOOKS_FOR_THE_REST = 3
"""How often results with lines missing are fetched before what is missing counts as not answered."""
TOO_MANY_TOKENS = "token_limit_exceeded"
"""OpenAI's word for more tokens waiting in batches than the account may have."""


class Collector:
    """Collects one judge's batches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._short: Counter[str] = Counter()
        """Token → how often lines were missing."""

    async def look(self, known: Known) -> bool:
        """Whether a batch is over, and then collected."""
        sent = known.sent
        try:
            look = await self._desk.api.look(sent.id)
            self._desk.tell("looked", sent.id, sent.requests, look.answered, look.status)
            if look.state == "running":
                return False
            if look.state == "invalid":
                self._refuse(known, look)
            else:
                return await self._collect(known)
        except CallFailedError as error:
            if error.status != 404:
                raise
            if time.time() - sent.sent_at < self._desk.policy.grace_s:  # it was created a moment ago, and is not everywhere yet
                return False
            if self._desk.policy.cancel:
                self._desk.free(sent.token)
                return True
            raise NetworkError(
                f"{self._desk.provider.label}: {sent.id}, sent from here, is not known there",
                hint="batches belong to the workspace of the key that sent them: set that key; --batch-cancel gives it up",
            ) from error
        return True

    def _refuse(self, known: Known, look: Look) -> None:
        """The provider will not run a batch: nothing was billed for it."""
        self._desk.free(known.sent.token)
        codes = {code for code, _ in look.problems}
        if TOO_MANY_TOKENS in codes and self._desk.most_requests > 1:
            self._desk.crowded = True  # wait for what runs; where nothing does, a batch of half the size may fit
            if not self._desk.open("running"):
                self._desk.most_requests = max(1, min(self._desk.most_requests, known.sent.requests) // 2)
            return
        told = "; ".join(f"{code}: {message}" for code, message in look.problems[:3]) or look.status
        raise NetworkError(f"{self._desk.provider.label}: {known.sent.id} was not run: {told}"[:600])

    async def _collect(self, known: Known) -> bool:
        """Store every answer of a batch that is over; False where some are missing and may come yet."""
        sent, lines, some = known.sent, 0, list[Result]()
        async with aclosing(self._desk.api.results(sent.id)) as results:
            async for result in results:
                lines += 1
                some.append(result)
                if len(some) == STORED_TOGETHER:
                    self._store_results(known, some)
                    some = []
        self._store_results(known, some)
        if lines < sent.requests and self._short[sent.token] < LOOKS_FOR_THE_REST and self._desk.state.left(sent.token):
            self._short[sent.token] += 1
            return False
        for places in _some(self._desk.state.places(sent.token)):
            missing = [Result(f"{sent.token}-{place}", None, "its batch ended without it", again=True) for place in places]
            self._store_results(known, missing)
        self._desk.free(sent.token)
        self._desk.tell("collected", sent.id, sent.requests, lines)
        return True

    def _store_results(self, known: Known, results: Sequence[Result]) -> None:
        token = known.sent.token
        told = {place: result for result in results if (place := _place(result.custom_id, token)) is not None}
        waiting = self._desk.state.waiting(token, list(told))
        answered: list[tuple[Waiting, Call]] = []
        freed: list[Waiting] = []
        for place, one in waiting.items():
            result = told[place]
            if result.body is None and result.again:
                self._desk.attempts[one.key] += 1
                if self._desk.attempts[one.key] < self._desk.policy.max_attempts:
                    freed.append(one)
                    continue
            if result.body is None:
                self._desk.given_up.add(one.key)
            answered.append((one, self._call(known, one, result)))
        self._desk.settle(token, answered, freed)
        self._desk.tell("stored", known.sent.id, known.sent.requests, known.sent.requests - self._desk.state.left(token))

    def _call(self, known: Known, one: Waiting, result: Result) -> Call:
        shown = orjson.loads(one.shown)
        question, label = self._asked(known)
        about = (one.key, one.request, Asked(label, shown["order"], tuple(shown["names"])), self._desk.whose)
        if result.body is None:
            return failed_call(*about, f"{self._desk.provider.label}: {result.error}", self._desk.price)
        return answered_call(*about, self._desk.provider.reply(result.body, 0.0), self._desk.price, question)

    def _asked(self, known: Known) -> tuple[Question | None, str]:
        """The question that a batch puts, which may be another job's; None where it is not here any more."""
        told = orjson.loads(known.question)
        label = f"{told['name']}@{told['version']}"
        if label == self._desk.question.label:
            return self._desk.question, label
        try:
            question = units.find("question", told["name"])(**told["parameters"])
        except (RecipeError, ValueError):
            return None, label
        assert isinstance(question, Question)
        return (question if question.label == label else None), label


def _some(places: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(places), STORED_TOGETHER):
        yield places[start : start + STORED_TOGETHER]


def _place(custom_id: str, token: str) -> int | None:
    """The place in a batch that an id names; None where it is not one of ours."""
    head, _, place = custom_id.rpartition("-")
    return int(place) if head == token and place.isascii() and place.isdigit() and len(place) < 10 else None
