"""Buying a judge's calls in batches, at half the price and within a day, under the same keys as single calls.

    write down → upload → create → note the id → look … → collect → settle

Each arrow may be where the process dies: what is on disk (`batches_state.py`) says how far it came, and what was sent but not noted is
looked for at the provider before anything is sent again. Only requests that expired or failed by the provider's fault are sent
again. The cap holds: the worst cost of every request is reserved before it is sent, and what does not fit waits until
answers have settled below theirs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tilth.annotators.batches_collect import Collector
from tilth.annotators.batches_desk import BatchEvent, BatchPolicy, Desk
from tilth.annotators.batches_send import Sender
from tilth.annotators.batches_state import Known
from tilth.annotators.failures import CallFailedError
from tilth.annotators.jobs import Task
from tilth.core.errors import StorageError

__all__ = ["BatchBuyer", "BatchEvent", "BatchPolicy"]


class BatchBuyer:
    """Buys the calls of one judge in batches.

    Args:
        chunks: makes the judge's tasks, all of them, some hundred at a time; called again for every pass.
    """

    def __init__(self, desk: Desk, chunks: Callable[[], Iterator[list[Task]]]) -> None:
        self._desk = desk
        self._sender = Sender(desk, chunks)
        self._collector = Collector(desk)

    @property
    def bought(self) -> int:
        """Answers that this run put into the store."""
        return self._desk.bought

    async def run(self) -> None:
        """Send what is not there yet, and return when everything is answered or given up.

        Raises:
            BudgetError: not all fits under the cap; what does is answered and stored.
            NetworkError: the provider will not take or give batches.
            StorageError: the store cannot be written.
        """
        desk = self._desk
        try:
            while True:
                async with self._alone():
                    await self._find_lost()
                    await self._sender.send_all()
                if not desk.mine() and not desk.again and not desk.crowded:
                    break
                await self._watch()
            if desk.refusal is not None:
                raise desk.refusal
        finally:
            await desk.close()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One process at a time sends: a batch that is written down and not sent is then one whose process died."""
        from filelock import FileLock, Timeout

        held = FileLock(Path(f"{self._desk.store.path}.batches.lock"), timeout=0)
        while True:
            try:
                held.acquire()
                break
            except Timeout:
                await asyncio.sleep(min(1.0, self._desk.policy.first_look_s))
            except OSError as error:
                raise StorageError(f"{held.lock_file}: {error.strerror or error}") from error
        try:
            yield
        finally:
            held.release()

    async def _find_lost(self) -> None:
        """Settle what became of batches whose process died, or lost touch, while it sent them."""
        for known in self._desk.open("writing"):  # nothing of it was begun
            self._desk.free(known.sent.token)
        for known in self._desk.open("sending"):
            sent = known.sent
            try:
                found = await self._desk.api.find(sent, self._desk.state.ids(self._desk.whose.provider))
            except CallFailedError as error:
                if not error.retry:
                    raise
                continue
            if found:
                self._desk.state.note(sent.token, state="running", id=found)
                self._desk.tell("found", found, sent.requests)
            elif found is None and time.time() - sent.sent_at > self._desk.policy.settle_s:
                self._desk.free(sent.token)
            else:
                self._desk.tell(
                    "looked", sent.token, sent.requests, status="looked for" if found is None else "one of those that run?"
                )

    async def _watch(self) -> None:
        """Look at what runs until there is something to send, or nothing of ours runs any more."""
        wait, failures, asked = self._desk.policy.first_look_s, 0, set[str]()
        while True:
            await asyncio.sleep(wait * self._desk.draw.uniform(0.9, 1.1))
            collected = 0
            try:
                if self._desk.open("sending"):
                    async with self._alone():
                        await self._find_lost()
                for known in self._desk.open("running"):
                    if self._desk.policy.cancel and known.sent.token not in asked:
                        asked.add(known.sent.token)
                        await self._cancel(known)
                    collected += await self._collector.look(known)
                failures = 0
            except CallFailedError as error:
                failures += 1
                if error.fatal or self._desk.retry.wait_s(failures, error, self._desk.draw) is None:
                    raise
            if (
                self._desk.again
                or (collected and (self._desk.crowded or self._desk.refusal is not None))
                or not self._desk.open()
            ):
                return
            if not self._desk.mine() and not self._desk.crowded:
                return
            wait = min(wait * 1.5, self._desk.policy.longest_look_s)

    async def _cancel(self, known: Known) -> None:
        try:
            await self._desk.api.cancel(known.sent.id)
        except CallFailedError as error:
            if error.status not in (400, 404, 409):  # it is over already, or nowhere
                raise
