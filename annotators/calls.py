"""Calls: the values that pass between questions, providers, the runner and the store.

A `Request` is all that decides an answer; its `key` is its identity. A `Reply` is what came back, untouched. A `Reading`
is what a question found in the reply for one of the names it showed. A `Call` is the row of the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tilth.annotators.rate_headers import Allowance
from tilth.core.fingerprints import digest

CallStatus = Literal["ok", "refused", "truncated", "unparsed", "out_of_range", "failed"]
VerdictStatus = Literal["ok", "refused", "truncated", "unparsed", "out_of_range", "failed", "missing"]
Language = Literal["en", "zh"]
Message = dict[str, str]
"""{role, content}"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a provider, complete: equal requests are the same call and are bought once."""

    provider: str
    base_url: str
    """Empty for the provider's own address."""
    model: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any]
    """As sent: token limit, temperature where the model takes one …"""
    schema: Mapping[str, Any] | None
    """JSON schema of the answer."""
    sample: int = 0
    """Index of the sample where the same thing is asked several times."""
    facts: Mapping[str, Any] | None = None
    """What a scorer that is no LLM reads in place of messages; never sent anywhere."""

    def canonical(self) -> dict[str, Any]:
        """The request as plain JSON values."""
        plain: dict[str, Any] = {
            "provider": self.provider,
            "base_url": self.base_url,
            "model": self.model,
            "messages": list(self.messages),
            "parameters": dict(self.parameters),
            "schema": self.schema,
            "sample": self.sample,
        }
        if self.facts is not None:
            plain["facts"] = dict(self.facts)
        return plain

    def key(self) -> str:
        """sha256 (64 hex digits) of the canonical request."""
        return digest(self.canonical())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model, at which address, through which API."""

    provider: str
    base_url: str
    model: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `input_tokens` includes the cached ones, `output_tokens` the reasoning."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Input tokens read from the provider's prompt cache."""
    cache_write_tokens: int = 0
    """Input tokens written to it."""
    cache_write_1h_tokens: int = 0
    """Of these, those that it keeps for an hour, at a higher price."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered: the text as it came, how it ended, what it used."""

    raw: str
    status: Literal["ok", "refused", "truncated"]
    usage: Usage
    latency_s: float
    allowances: tuple[Allowance, ...] = ()
    """What the rate headers said."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question found in a reply for one shown name (None where the question shows no candidates)."""

    name: str | None
    value: float | None
    status: VerdictStatus
    rank: int | None = None
    """1 = best, where the question asks for a ranking."""
    label: str | None = None
    """The category, where the question asks for one."""
    aspect: str | None = None
    """What it is about, where one reply says several things."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the store keeps of a question beside the request, so that a reply can be read again for free."""

    question: str
    """`name@version`"""
    order: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the call store."""

    key: str
    provider: str
    base_url: str
    model: str
    request: str
    """Canonical request, JSON."""
    asked: Asked
    raw: str
    """The reply as it came; for a failed call, the last error."""
    readings: tuple[Reading, ...] | None
    status: CallStatus
    usage: Usage
    usd: float | None
    """None where the price is not known."""
    price_version: str
    latency_s: float
    created: str = ""
    """UTC, ISO 8601; set by the store."""


def summarise(readings: Sequence[Reading]) -> CallStatus:
    """The status of a call from its readings: `ok` only where all are; a missing candidate makes it `unparsed`."""
    found = {reading.status for reading in readings}
    for status in ("failed", "refused", "truncated", "unparsed"):
        if status in found:
            return status
    if "missing" in found or not readings:
        return "unparsed"
    return "out_of_range" if "out_of_range" in found else "ok"
