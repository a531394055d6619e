"""Rate headers: how many requests and tokens a provider still allows, as it says with every reply.

OpenAI and most servers that speak its API write `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` with durations
(`1s`, `6m0s`, `20ms`); Anthropic `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`
with RFC 3339 times. A header that cannot be read says nothing.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Resource = Literal["requests", "tokens", "input-tokens", "output-tokens"]

_NAME = re.compile(
    rb"x-ratelimit-(?P<a>limit|remaining|reset)-(?P<b>requests|tokens)$"
    rb"|anthropic-ratelimit-(?P<c>requests|tokens|input-tokens|output-tokens)-(?P<d>limit|remaining|reset)$"
)
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|us|µs|ns|[dhms]))")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one resource, and in how many seconds it will be whole again."""

    resource: Resource
    limit: float
    remaining: float
    reset_s: float


def allowances(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Allowance, ...]:
    """What rate headers say; a resource without all three of its headers says nothing.

    >>> allowances([(b"X-RateLimit-Limit-Requests", b"60"), (b"x-ratelimit-remaining-requests", b"59"),
    ...     (b"x-ratelimit-reset-requests", b"1m30s")])
    (Allowance(resource='requests', limit=60.0, remaining=59.0, reset_s=90.0),)
    """
    told: dict[str, dict[str, float]] = {}
    for raw, value in headers:
        if b"ratelimit-" not in (name := raw.lower()) or (match := _NAME.match(name)) is None:
            continue
        resource, part = (match["b"] or match["c"]).decode(), (match["a"] or match["d"]).decode()
        number = seconds(value.decode("latin-1")) if part == "reset" else _number(value)
        if number is not None:
            told.setdefault(resource, {})[part] = number
    return tuple(
        Allowance(resource, parts["limit"], parts["remaining"], parts["reset"])  # type: ignore[arg-type]
        for resource, parts in told.items()
        if len(parts) == 3 and parts["limit"] > 0
    )


def seconds(text: str) -> float | None:
    """Seconds of a duration, of a number, or until an RFC 3339 time; None where it is none of them.

    >>> seconds("6m0s"), seconds("20ms"), seconds("1.5"), seconds("soon"), seconds("2020-01-01T00:00:00Z")
    (360.0, 0.02, 1.5, None, 0.0)
    """
    text = text.strip()
    parts = _DURATION.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if "T" in text:
        try:
            return max(0.0, datetime.fromisoformat(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    return _number(text.encode())


def _number(value: bytes) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
