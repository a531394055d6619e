"""Money: what a call costs, and a cap that cannot be passed.

Prices come from the offline snapshot of `genai-prices` (its version is stored with each call) or from the provider's
parameters. The cap works by reservation: before a call is sent, the most that it can cost is reserved, in memory and on
disk; its real cost settles the reservation. A call that would pass the cap waits while others are in flight and may settle
below their worst case, and is refused when none is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tilth.annotators.calls import Call, Request, Usage
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError, RecipeError
from tilth.core.fingerprints import distribution_version

PRICES = "genai-prices"
OWN_ADDRESSES = {"openai": "api.openai.com", "anthropic": "api.anthropic.com"}
FRAMING_TOKENS = 256
"""What a provider may add to a request around our text: roles, the schema's preamble."""


class JudgeBudgetError(BudgetError):
    """The cap of one judge is reached; the others may go on."""


def lowest(*caps: float | None) -> float | None:
    """The cap that holds where several were said; None where none was."""
    return min((cap for cap in caps if cap is not None), default=None)


@dataclass(frozen=True)
class Price:
    """The price of a judge's calls."""

    version: str
    """`genai-prices 0.2.3`, `given`, `free` or `unknown`; with `, batch` behind it for calls in a batch."""
    of: Callable[[Usage], float] | None
    """USD of one call; None where no price is known."""

    def usd(self, usage: Usage) -> float | None:
        """USD of a call with that usage; None where no price is known."""
        return None if self.of is None else self.of(usage)

    def worst(self, most: Usage) -> float:
        """USD of a call of at most that usage: writing the prompt into a provider's cache costs more than reading it once."""
        if self.of is None:
            return 0.0
        written = replace(most, cache_write_tokens=most.input_tokens, cache_write_1h_tokens=most.input_tokens)
        return max(self.of(most), self.of(written))


def price_of(provider: Provider, *, batch: bool = False) -> Price:
    """The price that holds for a provider: its own parameters, else the list price of its model at its maker's address.

    Args:
        batch: of a call in a batch, `batch_price_share` of the price of a single one.

    Raises:
        RecipeError: one of the two prices is given without the other.
    """
    if not isinstance(provider, ApiProvider):
        return Price("free", lambda usage: 0.0)
    single = _single_price(provider)
    if not batch or single.of is None:
        return single
    of, share = single.of, provider.batch_price_share
    return Price(f"{single.version}, batch", lambda usage: of(usage) * share)


def _single_price(provider: ApiProvider) -> Price:
    into, out = provider.input_usd_per_mtok, provider.output_usd_per_mtok
    if (into is None) != (out is None):
        raise RecipeError(
            f"{provider.label}: one price without the other", hint="give input_usd_per_mtok and output_usd_per_mtok"
        )
    if into is not None and out is not None:
        read, write = provider.cached_usd_per_mtok, provider.cache_write_usd_per_mtok
        return Price("given", _given(into, out, into if read is None else read, into if write is None else write))
    if provider.base_url is not None and urlsplit(provider.base_url).hostname != OWN_ADDRESSES.get(provider.name):
        return Price("unknown", None)
    return _list_price(provider.name, provider.model)


def _given(into: float, out: float, read: float, write: float) -> Callable[[Usage], float]:
    def usd(usage: Usage) -> float:
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        return (plain * into + usage.cached_tokens * read + usage.cache_write_tokens * write + usage.output_tokens * out) / 1e6

    return usd


def _list_price(provider: str, model: str) -> Price:
    import genai_prices

    def usd(usage: Usage) -> float:
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens, cache_write_1h_tokens=usage.cache_write_1h_tokens,
        )  # fmt: skip
        return float(genai_prices.calc_price(counted, model, provider_id=provider).total_price)

    try:
        usd(Usage(1, 1))
    except LookupError:
        return Price("unknown", None)
    return Price(f"{PRICES} {distribution_version(PRICES)}", usd)


def most_usage(request: Request, size: int) -> Usage:
    """The most tokens that a request of `size` bytes can use: a token is at least one byte, and the output has a limit."""
    output = next((value for name, value in request.parameters.items() if name.startswith("max_")), 0)
    return Usage(size + FRAMING_TOKENS, int(output), 0)


@dataclass(frozen=True)
class Reservation:
    """USD set aside for one attempt."""

    judge: str
    usd: float
    id: int | None
    """In the store; None where nothing can be spent."""


class Budget:
    """A hard cap on what the calls of a job cost, whenever they were bought, in USD; and one for each judge.

    Args:
        max_usd: cap on all judges together, None for none.
        per_judge: cap on each.
        spent: judge → USD of the job's calls that are bought already, with what an earlier run left at risk.
    """

    def __init__(
        self, store: CallStore, max_usd: float | None, per_judge: float | None = None, spent: dict[str, float] | None = None
    ) -> None:
        self._store = store
        self._max_usd = max_usd
        self._per_judge = per_judge
        self.spent = dict(spent or {})
        """judge → USD settled, and lost to attempts whose reply never arrived."""
        self._reserved: dict[str, float] = {}
        self._beyond: dict[str, float] = {}
        """judge → the most that a call has cost of what was reserved for it, where that was more: a server that passes its limits."""
        self._in_flight = 0
        self._changed = asyncio.Condition()

    @property
    def total(self) -> float:
        """USD settled or lost, of all judges."""
        return sum(self.spent.values())

    @property
    def reserved(self) -> float:
        """USD set aside for what is in flight."""
        return sum(self._reserved.values())

    @property
    def capped(self) -> bool:
        """Whether there is any cap."""
        return self._max_usd is not None or self._per_judge is not None

    async def reserve(self, judge: str, key: str, usd: float) -> Reservation:
        """Set `usd` aside for one attempt, on disk before it returns.

        Raises:
            BudgetError: it does not fit under the cap, and nothing in flight could make room.
        """
        if not self.capped or usd == 0:
            return Reservation(judge, 0.0, None)
        usd *= self._beyond.get(judge, 1.0)
        async with self._changed:
            while (refusal := self.refusal(judge, usd)) is not None:
                if self._in_flight == 0:
                    raise refusal
                await self._changed.wait()
            self._reserved[judge] = self._reserved.get(judge, 0.0) + usd
            self._in_flight += 1
        try:
            number = await asyncio.wrap_future(self._store.reserve(key, usd))
        except BaseException:
            await self._close(Reservation(judge, usd, 0), 0.0)
            raise
        return Reservation(judge, usd, number)

    async def settle(self, reservation: Reservation, call: Call) -> None:
        """Record the answered call and what it cost, together; returns once that is on disk."""
        cost = call.usd or 0.0
        if reservation.id is not None and cost > reservation.usd:
            self._beyond[reservation.judge] = self._beyond.get(reservation.judge, 1.0) * cost / reservation.usd
        try:
            await asyncio.wrap_future(self._store.put(call, reservation.id))
        finally:
            await self._close(reservation, cost)

    async def release(self, reservation: Reservation) -> None:
        """The attempt cost nothing."""
        if reservation.id is not None:
            self._store.release(reservation.id)
        await self._close(reservation, 0.0)

    async def lose(self, reservation: Reservation) -> None:
        """The attempt may have been billed without an answer: its worst case counts as spent, and stays on record."""
        await self._close(reservation, reservation.usd)

    async def _close(self, reservation: Reservation, usd: float) -> None:
        self.spent[reservation.judge] = self.spent.get(reservation.judge, 0.0) + usd
        if reservation.id is None:
            return
        async with self._changed:
            self._reserved[reservation.judge] -= reservation.usd
            self._in_flight -= 1
            self._changed.notify_all()

    def refusal(self, judge: str, usd: float) -> BudgetError | None:
        """Why so much cannot be spent on a judge's next call; None where it can."""
        hint = "raise the cap and run again: what is bought is kept, and is not bought twice"
        if self._max_usd is not None and self.total + self.reserved + usd > self._max_usd:
            return BudgetError(
                f"the cap of ${self._max_usd:.2f} is reached: ${self.total:.4f} spent, the next call may cost ${usd:.4f}",
                hint=hint,
            )
        own = self.spent.get(judge, 0.0)
        if self._per_judge is not None and own + self._reserved.get(judge, 0.0) + usd > self._per_judge:
            return JudgeBudgetError(
                f"{judge}: the cap of ${self._per_judge:.2f} a judge is reached: ${own:.4f} spent, the next call may cost "
                f"${usd:.4f}",
                hint=hint,
            )
        return None
