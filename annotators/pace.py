"""Pace: when the next call to one provider may go.

Four things hold a call back, and the tightest counts:
- the *window*, calls in flight: it begins at 8, doubles for as long as no call is turned away, then grows by one a round
  (as many calls as the window is wide); a round in which more than a quarter was turned away (429, 503, 529, timeouts)
  halves it, more than a tenth takes one off. It never passes `concurrency`. A stray error does not narrow it.
- the job file's `rpm` and `tpm`, spread evenly;
- what the provider's rate headers leave (`rate_headers.py`), refilled at the rate that they imply;
- a pause that the provider asks for by Retry-After.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable

from tilth.annotators.calls import Usage
from tilth.annotators.rate_headers import Allowance

FIRST_WINDOW = 8
HALVE_ABOVE, NARROW_ABOVE = 0.25, 0.1
"""Shares of a round that were turned away."""
SHORTEST_ROUND = 4
LONGEST_WAIT_S = 300.0
"""Rate headers that leave nothing for longer are not waited for: the next call is sent, and may be refused."""


class Stopped(Exception):
    """The job is stopping: nothing new is sent."""


class Pace:
    """The pace of one provider.

    Args:
        concurrency: calls in flight at most.
        rpm: requests a minute at most.
        tpm: tokens a minute at most.
        stop: set when nothing new may be sent.
    """

    def __init__(self, concurrency: int, rpm: float | None, tpm: float | None, stop: asyncio.Event) -> None:
        self._most = concurrency
        self._rpm, self._tpm = rpm, tpm
        self._stop = stop
        self.window = min(concurrency, FIRST_WINDOW)
        self._doubling = True
        self._finished = self._refused = 0
        """Calls of this round."""
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next = self._paused_until = 0.0
        self._meters: dict[str, _Meter] = {}
        self._mean: dict[str, float] = {"requests": 1.0}
        """Resource → what a call has used of it, averaged."""

    def pause(self, seconds: float) -> None:
        """Send nothing to this provider for so long."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def turn(self, tokens: int) -> None:
        """Wait for a turn to send a call of about so many tokens. Every turn must be ended by `done`.

        Raises:
            Stopped: the job is stopping.
        """
        while self._in_flight >= self.window and not self._stop.is_set():
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await place
        if self._stop.is_set():
            self._wake()
            raise Stopped
        self._in_flight += 1
        try:
            await self._in_time(tokens)
        except BaseException:
            self._leave()
            raise

    async def _in_time(self, tokens: int) -> None:
        gap = max(60 / self._rpm if self._rpm else 0.0, 60 * tokens / self._tpm if self._tpm else 0.0)
        slot = max(self._next, time.monotonic())
        self._next = slot + gap
        patient_until = slot + LONGEST_WAIT_S
        while True:
            now = time.monotonic()
            left = max((meter.wait_s(self._use(name, tokens), now) for name, meter in self._meters.items()), default=0.0)
            wait = max(slot - now, self._paused_until - now, min(left, patient_until - now))
            if wait <= 0:
                break
            await self.sleep(wait)
        for name, meter in self._meters.items():
            meter.left -= self._use(name, tokens)

    def _use(self, resource: str, tokens: int) -> float:
        return self._mean.get(resource, float(tokens))

    def done(self, *, refused: bool = False, usage: Usage | None = None, allowances: Iterable[Allowance] = ()) -> None:
        """The call has ended.

        Args:
            refused: the provider had too much to do.
            usage: what the call used, where it was answered.
            allowances: what the reply's rate headers said.
        """
        self._finished += 1
        self._refused += refused
        if self._finished >= max(self.window, SHORTEST_ROUND):
            self._end_round()
        if usage is not None:
            self._learn(usage)
        now = time.monotonic()
        for told in allowances:
            # What is in flight may or may not be counted in it yet.
            ahead = (self._in_flight - 1) * self._use(told.resource, 0)
            self._meters[told.resource] = _Meter(told, ahead, now)
        self._leave()

    def _end_round(self) -> None:
        share = self._refused / self._finished
        self._finished = self._refused = 0
        if share > HALVE_ABOVE:
            self.window = max(1, self.window // 2)
        elif share > NARROW_ABOVE:
            self.window = max(1, self.window - 1)
        elif share == 0:
            self.window = min(self._most, self.window * 2 if self._doubling else self.window + 1)
        self._doubling = self._doubling and share == 0

    def _learn(self, usage: Usage) -> None:
        into, out = usage.input_tokens, usage.output_tokens
        for resource, used in (("tokens", into + out), ("input-tokens", into), ("output-tokens", out)):
            mean = self._mean.get(resource, float(used))
            self._mean[resource] = mean + (used - mean) / 16

    def _leave(self) -> None:
        self._in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        """Let in whoever fits; at a stop, everyone, to be told of it."""
        room = len(self._waiting) if self._stop.is_set() else self.window - self._in_flight
        while room > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                room -= 1

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


class _Meter:
    """What a provider leaves of a resource between two of its replies: a bucket that fills evenly."""

    def __init__(self, told: Allowance, ahead: float, now: float) -> None:
        self.left = told.remaining - ahead
        self._limit = told.limit
        self._rate = (told.limit - told.remaining) / max(told.reset_s, 0.001)
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until there is enough for a call that uses so much."""
        short = min(amount, self._limit) - min(self._limit, self.left + self._rate * (now - self._at))
        if short <= 0:
            return 0.0
        return short / self._rate if self._rate > 0 else 0.0
