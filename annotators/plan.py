"""What a job has to do: which calls the store knows, which must be bought, and what those would cost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tilth.annotators.calls import Call, Request, Usage
from tilth.annotators.failures import CallFailedError
from tilth.annotators.jobs import Task
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.question import Ask, Item, Question
from tilth.annotators.spend import likely_input_tokens, price_of
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError, TilthError
from tilth.core.fingerprints import canonical

CHUNK = 128
"""Rows whose calls are looked up together."""
ENOUGH_CALLS = 20
"""Stored calls of a judge from which its averages go before rules of thumb."""


@dataclass(frozen=True)
class Cost:
    """One judge's part of a job."""

    calls: int
    cached_calls: int
    cached_usd: float
    at_risk_usd: float
    """Reserved for calls of this job by runs that never settled it."""
    usage: Usage
    """Estimate for the calls to be bought."""
    usd: float | None
    """Estimate for the calls to be bought; None where no price is known."""


def asks_of(provider: Provider, item: Item, question: Question, seed: int) -> list[Ask]:
    """What a judge is asked about a row: of the orders, only the first where order cannot matter to it."""
    asks = question.requests(item, seed)
    if not provider.order_free:
        return asks
    first: dict[tuple[str | None, frozenset[str]], Ask] = {}
    for ask in asks:
        first.setdefault((ask.aspect, frozenset(ask.order.split(","))), ask)
    return list(first.values())


def chunks(provider: Provider, items: Sequence[Item], question: Question, seed: int) -> Iterator[list[Task]]:
    """The tasks of a judge, in the order of the rows, some hundred at a time."""
    for start in range(0, len(items), CHUNK):
        tasks = []
        for item in items[start : start + CHUNK]:
            for ask in asks_of(provider, item, question, seed):
                request = provider.request(ask, question)
                text = canonical(request.canonical())
                tasks.append(Task(hashlib.sha256(text).hexdigest(), request, ask, text))
        yield tasks


def tasks_of(
    provider: Provider,
    items: Sequence[Item],
    question: Question,
    store: CallStore,
    seed: int,
    on_known: Callable[[Ask, Call], None],
) -> Iterator[Task | None]:
    """The tasks of a judge that the store has no final answer to; the others go to `on_known`. None after each chunk."""
    for tasks in chunks(provider, items, question, seed):
        known = store.get_many(task.key for task in tasks)
        for task in tasks:
            call = known.get(task.key)
            if call is None or call.status == "failed":
                yield task
            else:
                on_known(task.ask, call)
        yield None


def cost_of(provider: Provider, items: Sequence[Item], question: Question, store: CallStore, seed: int) -> Cost:
    """What a judge's part costs, had and to come."""
    price = price_of(provider)
    rule = None
    calls = cached = tokens_in = tokens_out = 0
    cached_usd = at_risk = usd = 0.0
    for tasks in chunks(provider, items, question, seed):
        keys = [task.key for task in tasks]
        known = {key: call for key, call in store.get_many(keys).items() if call.status != "failed"}
        calls, cached = calls + len(tasks), cached + len(known)
        cached_usd += sum(call.usd or 0.0 for call in known.values())
        at_risk += store.at_risk(keys)
        for task in tasks:
            if task.key in known:
                continue
            rule = rule or _Rule(task.request, question, store)
            usage = rule.usage(task)
            tokens_in, tokens_out = tokens_in + usage.input_tokens, tokens_out + usage.output_tokens
            usd += price.usd(usage) or 0.0
    return Cost(calls, cached, cached_usd, at_risk, Usage(tokens_in, tokens_out), None if price.of is None else usd)


class _Rule:
    """How many tokens a judge's call takes: from its earlier calls, or by rule of thumb."""

    def __init__(self, request: Request, question: Question, store: CallStore) -> None:
        self._question = question
        self._messages = bool(request.messages)
        count, self._output, self._input_per_byte = store.averages(request.provider, request.model, question.label)
        self._measured = count >= ENOUGH_CALLS

    def usage(self, task: Task) -> Usage:
        if not self._messages:  # no model reads it
            return Usage()
        if self._measured:
            size = len(canonical(task.request.canonical()))
            return Usage(round(size * self._input_per_byte), round(self._output))
        return Usage(likely_input_tokens(task.request), self._question.expected_output_tokens(len(task.ask.names)))


def need_prices(judges: Sequence[Provider]) -> None:
    """See that a cap can be kept.

    Raises:
        RecipeError: a judge has no known price.
    """
    for provider in judges:
        if price_of(provider).of is None:
            raise RecipeError(
                f"{provider.label}: its price is not known, so no cap in USD can be kept",
                hint="give input_usd_per_mtok and output_usd_per_mtok (0 for a server of your own), or set no cap",
            )


PING = ({"role": "user", "content": 'Answer with JSON only: {"ok": true}'},)
PING_SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}


async def ping(provider: Provider) -> tuple[str, bool, str, str | None]:
    """(judge, whether it answers, what is wrong or how long it took, hint). A scorer of our own always answers."""
    if not isinstance(provider, ApiProvider):
        return provider.label, True, "needs no connection", None
    parameters = dict(provider.wire_parameters())
    request = Request(provider.name, provider.base_url or "", provider.model, PING, parameters, PING_SCHEMA)
    started = time.monotonic()
    try:
        session = provider.connect()
    except TilthError as error:
        return provider.label, False, error.message, error.hint
    try:
        reply = await session.ask(request)
    except CallFailedError as error:
        return provider.label, False, error.message, error.hint
    finally:
        await session.close()
    seconds = f"{time.monotonic() - started:.1f} s"
    return provider.label, reply.status == "ok", f"answered in {seconds}" if reply.status == "ok" else reply.status, None
