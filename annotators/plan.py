"""What a job has to do: which calls the store knows, which must be bought, and what those would cost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tilth.annotators.calls import Call, Usage
from tilth.annotators.estimates import Estimator
from tilth.annotators.jobs import Task
from tilth.annotators.provider import Provider
from tilth.annotators.question import Ask, Item, Question
from tilth.annotators.spend import price_of
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import canonical

CHUNK = 128
"""Rows whose calls are looked up together."""


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
    batch_usd: float | None
    """The same in batches."""
    prefix_cached_usd: float | None
    """The same where the provider reads from its cache what all requests begin with; None where it is too short to be cached."""
    known_calls: int
    """Earlier calls of the judge that the estimate rests on; 0 where it is a rule of thumb."""


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


def cost_of(
    provider: Provider, items: Sequence[Item], question: Question, store: CallStore, seed: int, *, foresee: bool = True
) -> Cost:
    """What a judge's part costs, had and to come.

    Args:
        foresee: estimate what is to come; else only what was had counts.
    """
    price, batch = price_of(provider), price_of(provider, batch=True)
    estimator: Estimator | None = None
    calls = cached = tokens_in = tokens_out = prefixed = 0
    cached_usd = at_risk = usd = batch_usd = prefix_usd = 0.0
    for tasks in chunks(provider, items, question, seed):
        keys = [task.key for task in tasks]
        known = {key: call for key, call in store.get_many(keys).items() if call.status != "failed"}
        calls, cached = calls + len(tasks), cached + len(known)
        cached_usd += sum(call.usd or 0.0 for call in known.values())
        at_risk += store.at_risk(keys)
        for task in tasks if foresee else ():
            if task.key in known:
                continue
            estimator = estimator or Estimator(task.request, question, store)
            expected = estimator.expect(task.request, len(task.ask.names))
            usage = expected.usage
            tokens_in, tokens_out = tokens_in + usage.input_tokens, tokens_out + usage.output_tokens
            usd, batch_usd = usd + (price.usd(usage) or 0.0), batch_usd + (batch.usd(usage) or 0.0)
            prefixed += expected.prefix_tokens > 0
            prefix_usd += price.usd(replace(usage, cached_tokens=max(usage.cached_tokens, expected.prefix_tokens))) or 0.0
    known_price = price.of is not None
    return Cost(
        calls, cached, cached_usd, at_risk, Usage(tokens_in, tokens_out), usd if known_price else None,
        batch_usd if known_price else None, prefix_usd if known_price and prefixed else None,
        estimator.calls if estimator is not None else 0,
    )  # fmt: skip


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
