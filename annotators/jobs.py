"""The runner: sends the calls of a job, each judge at its own pace, and stores every answer before the next is sent.

A worker holds one call from reservation to commit, so that a kill loses at most the calls in flight. It stops for a
fatal error (a bad key), for the spend cap, for a provider that fails twenty times in a row, and for Ctrl-C; each time
what is in flight is awaited and committed first.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tilth.annotators.calls import Asked, Call, Endpoint, Reply, Request
from tilth.annotators.failures import CallFailedError
from tilth.annotators.meter import JudgeMeter
from tilth.annotators.pace import Pace, Stopped
from tilth.annotators.provider import Provider, Session
from tilth.annotators.question import Ask, Question
from tilth.annotators.recorded import answered_call, failed_call
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.spend import Budget, JudgeBudgetError, Price, Reservation, most_usage, price_of
from tilth.annotators.store import CallStore
from tilth.core.errors import NetworkError, TilthError

T = TypeVar("T")

FAILURES_IN_A_ROW = 20
"""Calls in a row that a provider may fail, retries and all, before the job stops."""


@dataclass(frozen=True, slots=True)
class Task:
    """One call to make."""

    key: str
    request: Request
    ask: Ask
    text: bytes
    """The canonical request: what the key is a hash of."""


class Judge:
    """A provider at work: its price, and the tasks that are still to do (None: time for others)."""

    def __init__(self, provider: Provider, tasks: Iterator[Task | None], meter: JudgeMeter) -> None:
        self.provider = provider
        self.meter = meter
        self.tasks = tasks
        self.price: Price = price_of(provider)
        self.lock = asyncio.Lock()
        """Held by the worker that takes the next task."""
        self.failures_in_a_row = 0


class Job:
    """One run over the tasks of several judges.

    Args:
        on_call: told of every call as it is committed.
    """

    def __init__(
        self, question: Question, store: CallStore, budget: Budget, policy: RetryPolicy, seed: int,
        on_call: Callable[[Judge, Task, Call], None],
    ) -> None:  # fmt: skip
        self._question = question
        self._store = store
        self._budget = budget
        self._policy = policy
        self._seed = seed
        self._on_call = on_call
        self._stop = asyncio.Event()
        self._error: TilthError | None = None

    async def run(self, judges: Sequence[Judge]) -> None:
        """Do all tasks; returns when every answer is on disk.

        Raises:
            BudgetError: the cap is reached; what was bought is committed.
            NetworkError: a provider cannot answer at all, or failed too often in a row.
            StorageError: the store cannot be written.
        """
        workers = [asyncio.create_task(self._serve(judge)) for judge in judges]
        try:
            await self._all(workers)
        except asyncio.CancelledError:  # Ctrl-C: what is in flight is paid for, so it is awaited and kept
            self._stop.set()
            await self._all(workers)
            raise
        finally:
            self._stop.set()
            self._store.flush()
        if self._error is not None:
            raise self._error

    async def _all(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """Wait for all, without cancelling any, and raise what is not ours to handle."""
        await asyncio.wait(workers)
        for worker in workers:
            worker.result()

    async def _serve(self, judge: Judge) -> None:
        """All workers of one judge."""
        session: Session | None = None
        try:
            session = judge.provider.connect()
            pace = Pace(judge.provider.concurrency, judge.provider.rpm, judge.provider.tpm, self._stop)
            await self._all([asyncio.create_task(self._work(judge, session, pace)) for _ in range(judge.provider.concurrency)])
        except TilthError as error:  # no key: nothing can be asked
            self._error = self._error or error
            self._stop.set()
        finally:
            if session is not None:
                await session.close()

    async def _work(self, judge: Judge, session: Session, pace: Pace) -> None:
        """One worker: one call after the other, each committed before the next."""
        try:
            while (task := await self._next(judge)) is not None:
                call = await self._buy(judge, session, pace, task)
                judge.failures_in_a_row = judge.failures_in_a_row + 1 if call.status == "failed" else 0
                self._on_call(judge, task, call)
                if judge.failures_in_a_row >= FAILURES_IN_A_ROW:
                    message = f"{judge.provider.label}: {FAILURES_IN_A_ROW} calls in a row failed, the last with: {call.raw}"
                    raise NetworkError(message, hint="run again when it is mended: what is answered is kept")
        except Stopped:
            return
        except JudgeBudgetError as error:  # the other judges go on
            self._error = self._error or error
        except TilthError as error:
            self._error = self._error or error
            self._stop.set()
        except BaseException:
            self._stop.set()
            raise

    async def _next(self, judge: Judge) -> Task | None:
        """The judge's next task; None at the end or at a stop."""
        async with judge.lock:
            for task in judge.tasks:
                if self._stop.is_set():
                    return None
                if task is not None:
                    return task
                await asyncio.sleep(0)
        return None

    async def _buy(self, judge: Judge, session: Session, pace: Pace, task: Task) -> Call:
        """Ask until there is a reply or no hope of one; the call, committed."""
        most = most_usage(task.request, len(task.text))
        worst = judge.price.worst(most)
        draw = random.Random(f"{self._seed}/{task.key}")
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            await pace.turn(most.input_tokens // 4 + most.output_tokens)
            answer = await self._attempt(judge, session, pace, task, worst)
            if not isinstance(answer, CallFailedError):
                reply, reservation = answer
                return await self._record(judge, task, reply, reservation)
            if answer.fatal:
                raise answer
            wait = self._policy.wait_s(attempt, answer, draw, waited)
            if wait is None:
                return await self._record_failure(judge, task, answer)
            if answer.retry_after_s is not None:
                pace.pause(wait)
            waited += wait
            judge.meter.retrying += 1
            try:
                await pace.sleep(wait)
            finally:
                judge.meter.retrying -= 1

    async def _attempt(
        self, judge: Judge, session: Session, pace: Pace, task: Task, worst: float
    ) -> tuple[Reply, Reservation] | CallFailedError:
        """Ask once, in a turn that has come; the turn is ended and, without a reply, the money settled."""
        reply = error = None
        try:
            reservation = await self._budget.reserve(judge.provider.label, task.key, worst)
            if self._stop.is_set():  # while it waited for room
                await self._budget.release(reservation)
                raise Stopped
            try:
                reply = await session.ask(task.request)
            except CallFailedError as caught:
                error = caught
        finally:
            told = reply or error
            pace.done(
                refused=error is not None and error.slow_down,
                usage=None if reply is None else reply.usage,
                allowances=() if told is None else told.allowances,
            )
        if reply is not None:
            return reply, reservation
        assert error is not None
        await (self._budget.lose if error.may_be_billed else self._budget.release)(reservation)
        return error

    async def _record(self, judge: Judge, task: Task, reply: Reply, reservation: Reservation) -> Call:
        call = answered_call(*self._about(task), reply, judge.price, self._question)
        await self._budget.settle(reservation, call)
        return call

    async def _record_failure(self, judge: Judge, task: Task, error: CallFailedError) -> Call:
        call = failed_call(*self._about(task), error.message, judge.price)
        await asyncio.wrap_future(self._store.put(call))
        return call

    def _about(self, task: Task) -> tuple[str, str, Asked, Endpoint]:
        request, ask = task.request, task.ask
        asked = Asked(self._question.label, ask.order, ask.names)
        return (
            task.key,
            task.text.decode(),
            asked,
            Endpoint(request.provider, request.base_url, request.model),
        )


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine from ordinary code; inside a running loop (a notebook), in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
