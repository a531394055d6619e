"""Batches beside single calls: who buys which judge's calls how, and what stands in batches now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tilth.annotators.batches import BatchBuyer, BatchPolicy
from tilth.annotators.batches_desk import Desk
from tilth.annotators.batches_state import BatchState
from tilth.annotators.calls import Call, Endpoint
from tilth.annotators.jobs import Task, run
from tilth.annotators.plan import chunks
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.question import Item, Question
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.spend import Budget
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError, RecipeError


def buyers_of(
    judges: Sequence[ApiProvider], items: Sequence[Item], question: Question, store: CallStore, seed: int, budget: Budget,
    policy: BatchPolicy, retry: RetryPolicy, hold: Callable[[float], None],
) -> list[BatchBuyer]:  # fmt: skip
    """One buyer a judge."""

    def buyer(judge: ApiProvider) -> BatchBuyer:
        asked = lambda: chunks(judge, items, question, seed)
        return BatchBuyer(Desk(judge, question, store=store, budget=budget, policy=policy, retry=retry, hold=hold), asked)

    return [buyer(judge) for judge in judges]


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all; a cap that is reached lets the others end, any other error stops them. What was stopped goes on in the next run."""
    tasks = {asyncio.ensure_future(work) for work in works}
    try:
        pending = tasks
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
            if any(not isinstance(one.exception(), BudgetError | None) for one in done):
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    errors = [error for one in tasks if not one.cancelled() and (error := one.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, BudgetError)):
        raise error


def known_calls(
    judge: Provider, items: Sequence[Item], question: Question, store: CallStore, seed: int
) -> Iterator[tuple[Task, Call]]:
    """The tasks of a judge that the store has a call of, failed ones included."""
    for tasks in chunks(judge, items, question, seed):
        known = store.get_many(task.key for task in tasks)
        yield from ((task, known[task.key]) for task in tasks if task.key in known)


def see_that_none_waits(
    judges: Sequence[Provider], items: Sequence[Item], question: Question, store: CallStore, seed: int
) -> None:
    """See that no call stands in a batch: it is paid for already.

    Raises:
        RecipeError: some do.
    """
    state = BatchState(store.path)
    try:
        for judge in judges:
            if not isinstance(judge, ApiProvider) or not state.open(_endpoint(judge)):
                continue
            keys = ([task.key for task in tasks] for tasks in chunks(judge, items, question, seed))
            if waiting := sum(len(state.standing(some)) for some in keys):
                raise RecipeError(
                    f"{judge.label}: {waiting:,} of its calls are in batches that were sent already",
                    hint="collect them with --batch, or end them with --batch-cancel",
                )
    finally:
        state.close()


@dataclass(frozen=True)
class OpenBatch:
    """A batch that is not collected yet, as it was left."""

    judge: str
    batch: str
    """The provider's id, or our own name for it while that is not known."""
    state: str
    requests: int
    left: int
    """Requests whose answers are not in the store."""


def open_batches(judges: Sequence[Provider], store: CallStore) -> list[OpenBatch]:
    """The batches of these judges that are not collected yet, whichever job sent them. Asks nobody."""
    state = BatchState(store.path)
    try:
        return [
            OpenBatch(
                judge.label, known.sent.id or known.sent.token, known.state, known.sent.requests, state.left(known.sent.token)
            )
            for judge in judges
            if isinstance(judge, ApiProvider)
            for known in state.open(_endpoint(judge))
        ]
    finally:
        state.close()


def end_batches(
    items: Sequence[Item], *, question: Question, judges: Sequence[Provider], store: CallStore, seed: int,
    policy: BatchPolicy, retry: RetryPolicy | None = None,
) -> int:  # fmt: skip
    """Ask the batches of these judges to end, and collect what they have answered by then; how many of the job's calls that is.

    Raises:
        NetworkError: a provider cannot be asked.
    """
    assert policy.cancel
    budget = Budget(store, None)
    asked = [judge for judge in judges if isinstance(judge, ApiProvider)]
    state = BatchState(store.path)
    asked = [judge for judge in asked if state.open(_endpoint(judge))]
    state.close()

    async def work() -> int:
        buyers = buyers_of(asked, items, question, store, seed, budget, policy, retry or RetryPolicy(), lambda usd: None)
        await together(*(buyer.run() for buyer in buyers))
        return sum(buyer.bought for buyer in buyers)

    return run(work)


def _endpoint(judge: ApiProvider) -> Endpoint:
    return Endpoint(judge.name, judge.base_url or "", judge.model)
