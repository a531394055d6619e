"""When to ask again, and how fast to ask at all: the one retry policy, and the pace of one provider."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from tilth.annotators.provider import CallFailedError


@dataclass(frozen=True)
class RetryPolicy:
    """429, 408, 409, 5xx, 529, lost connections and timeouts are asked again, after the wait that the provider names or
    an exponential one with jitter; at most `max_attempts` times in all."""

    max_attempts: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    longest_retry_after_s: float = 300.0
    """A provider that asks for more than this is not waited for."""

    def wait_s(self, attempt: int, error: CallFailedError, draw: random.Random) -> float | None:
        """Seconds to wait after failed attempt number `attempt` (from 1); None to give up."""
        if not error.retry or attempt >= self.max_attempts:
            return None
        backoff = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1)) * draw.uniform(0.75, 1.25)
        if error.retry_after_s is None:
            return backoff
        if error.retry_after_s > self.longest_retry_after_s:
            return None
        # Never early, and not all at once.
        return error.retry_after_s + draw.uniform(0.05, 0.15) * max(1.0, error.retry_after_s)


class Stopped(Exception):
    """The job is stopping: nothing new is sent."""


class Pace:
    """When the next call to one provider may go: its request and token limits, and the pauses it asks for."""

    def __init__(self, rpm: float | None, tpm: float | None, stop: asyncio.Event) -> None:
        self._rpm = rpm
        self._tpm = tpm
        self._stop = stop
        self._next = 0.0
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Send nothing to this provider for so long."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def turn(self, tokens: int) -> None:
        """Wait for a turn to send a call of at most so many tokens.

        Raises:
            Stopped: the job is stopping.
        """
        gap = max(60 / self._rpm if self._rpm else 0.0, 60 * tokens / self._tpm if self._tpm else 0.0)
        slot = max(self._next, time.monotonic())
        self._next = slot + gap
        while True:
            await self.sleep(max(slot, self._paused_until) - time.monotonic())
            if time.monotonic() >= self._paused_until:
                return

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not past a stop.

        Raises:
            Stopped: the job is stopping.
        """
        if not self._stop.is_set() and seconds > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), seconds)
            except TimeoutError:
                return
        if self._stop.is_set():
            raise Stopped
