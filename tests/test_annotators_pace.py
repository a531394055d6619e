"""Pace: the window follows what the provider can take, and rate headers are kept before they are hit."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_annotators_loopback import Loopback, loopback
from test_annotators_providers import anthropic, ask, openai

from tilth.annotators.calls import Usage
from tilth.annotators.failures import retry_after
from tilth.annotators.pace import FIRST_WINDOW, Pace, Stopped
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.rate_headers import Allowance, allowances, seconds

__all__ = ["loopback"]


def pace(concurrency: int = 64, **limits: Any) -> Pace:
    return Pace(concurrency, limits.get("rpm"), limits.get("tpm"), asyncio.Event())


async def round_of(limits: Pace, refused: int) -> int:
    """One round of calls, some of which are turned away; the window after it."""
    count = max(limits.window, 4)
    for index in range(count):
        await limits.turn(1)
        limits.done(refused=index < refused)
    return limits.window


def test_the_window_doubles_then_creeps_and_halves_when_turned_away() -> None:
    async def story() -> list[int]:
        limits = pace(40)
        return [limits.window, *[await round_of(limits, refused) for refused in (0, 0, 0, 30, 0, 0, 1, 3, 30, 30, 30, 30, 30)]]

    assert asyncio.run(story()) == [FIRST_WINDOW, 16, 32, 40, 20, 21, 22, 22, 21, 10, 5, 2, 1, 1]


def test_no_more_in_flight_than_the_window_and_everyone_gets_a_turn() -> None:
    async def story() -> int:
        limits, now, most = pace(3), 0, 0

        async def call() -> None:
            nonlocal now, most
            await limits.turn(1)
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0.001)
            now -= 1
            limits.done()

        await asyncio.gather(*(call() for _ in range(20)))
        return most

    assert asyncio.run(story()) == 3


def test_a_stop_lets_go_of_everyone_who_waits() -> None:
    async def story() -> list[Any]:
        stop = asyncio.Event()
        limits = Pace(2, None, None, stop)
        await limits.turn(1)
        await limits.turn(1)
        waiting = [asyncio.create_task(limits.turn(1)) for _ in range(5)]
        await asyncio.sleep(0)
        stop.set()
        limits.done()
        return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)

    assert [type(found) for found in asyncio.run(story())] == [Stopped] * 5


def test_what_the_provider_leaves_is_not_passed() -> None:
    """Ten requests a second are left to refill: twenty calls take a second, not none."""

    async def story() -> float:
        limits = pace(64)
        await limits.turn(1)
        limits.done(usage=Usage(10, 10), allowances=[Allowance("requests", 100, 10, 9.0)])
        started = time.monotonic()
        for _ in range(15):
            await limits.turn(1)
            limits.done()
        return time.monotonic() - started

    assert 0.4 <= asyncio.run(story()) <= 2


@given(st.text(max_size=12))
def test_any_header_is_read_or_says_nothing(text: str) -> None:
    found = seconds(text)
    assert found is None or found >= 0
    raw = text.encode()
    assert allowances([(b"x-ratelimit-limit-requests", raw), (b"x-ratelimit-remaining-requests", raw), (raw, raw)]) == ()


def test_headers_that_leave_nothing_for_years_do_not_stop_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tilth.annotators.pace.LONGEST_WAIT_S", 0.1)

    async def story() -> None:
        limits = Pace(2, None, None, asyncio.Event())
        await limits.turn(1)
        limits.done(allowances=[Allowance("requests", 1.0, 0.0, 1e9)])
        await asyncio.wait_for(limits.turn(1), 5)

    asyncio.run(story())


@pytest.mark.parametrize("headers", [{"retry-after-ms": "nan"}, {"retry-after": "0"}, {"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}, {"retry-after": "soon"}])
def test_a_wait_that_is_none_leaves_it_to_us(headers: dict[str, str]) -> None:
    assert retry_after(headers) is None


def test_both_families_of_headers() -> None:
    from datetime import UTC, datetime, timedelta

    later = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z").encode()
    told = allowances([
        (b"anthropic-ratelimit-output-tokens-limit", b"8000"), (b"anthropic-ratelimit-output-tokens-remaining", b"7000"),
        (b"anthropic-ratelimit-output-tokens-reset", later), (b"x-ratelimit-limit-tokens", b"1"), (b"server", b"x"),
    ])  # fmt: skip
    assert [(one.resource, one.limit, one.remaining) for one in told] == [("output-tokens", 8000, 7000)]
    assert 28 < told[0].reset_s <= 30


def test_a_server_that_takes_five_at_a_time_is_not_flooded(loopback: Loopback, tmp_path: Path) -> None:
    def busy(body: Any, number: int) -> Any:
        return (529, {}, "{}") if loopback.in_flight > 5 else 0.01

    loopback.fault = busy
    found = ask(tmp_path, anthropic(loopback.anthropic_url, concurrency=64), rows=150, question=Difficulty())
    assert found.statuses == {"ok": 150}
    assert loopback.most_in_flight < 40 and len(loopback.bodies) < 150 * 1.5


@pytest.mark.parametrize("family", ["x-ratelimit", "anthropic-ratelimit"])
def test_headers_keep_a_job_under_the_server_s_own_limit(loopback: Loopback, tmp_path: Path, family: str) -> None:
    """A bucket of 10 that refills 40 a second, told in headers: 30 calls, and hardly one is turned away."""
    from datetime import UTC, datetime, timedelta

    taken: deque[float] = deque()
    refused = 0

    def headers() -> dict[str, str]:
        now = time.monotonic()
        while taken and taken[0] < now:
            taken.popleft()
        full = taken[-1] - now if taken else 0.0
        words = {"limit": "10", "remaining": str(10 - len(taken)), "reset": f"{full * 1000:.0f}ms"}
        if family == "anthropic-ratelimit":
            words["reset"] = (datetime.now(UTC) + timedelta(seconds=full)).isoformat()
            return {f"{family}-requests-{name}": value for name, value in words.items()}
        return {f"{family}-{name}-requests": value for name, value in words.items()}

    def bucket(body: Any, number: int) -> Any:
        nonlocal refused
        headers()
        if len(taken) >= 10:
            refused += 1
            return 429, headers(), "{}"
        taken.append(max(time.monotonic(), taken[-1] if taken else 0.0) + 0.025)
        loopback.reply_headers = headers()
        return None

    loopback.fault = bucket
    judge = openai(loopback.openai_url) if family == "x-ratelimit" else anthropic(loopback.anthropic_url)
    assert ask(tmp_path, judge, rows=30, question=Difficulty()).statuses == {"ok": 30}
    assert refused <= 6


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, "json_schema"), ({"structured": "json_object"}, "json_object"), ({"structured": "none"}, None),
        ({"model": "gpt-4-turbo"}, "json_object"), ({"model": "gpt-4"}, None),
    ],
)  # fmt: skip
def test_structured_output_as_the_server_takes_it(loopback: Loopback, tmp_path: Path, changes: Any, sent: str | None) -> None:
    judge = openai(loopback.openai_url, **({"model": "Qwen/Qwen3-8B", "extra": {"top_p": 0.9}} | changes))
    assert ask(tmp_path, judge, rows=1, question=Difficulty()).statuses == {"ok": 1}
    assert loopback.bodies[0].get("response_format", {}).get("type") == sent
    assert loopback.bodies[0]["top_p"] == 0.9


def test_a_long_system_prompt_is_cached(loopback: Loopback) -> None:
    judge = anthropic(loopback.anthropic_url, model="claude-sonnet-5-5")
    long, short = ({"role": "system", "content": "rubric " * words} for words in (1000, 100))
    cached = [
        judge.wire_body(judge.request_of((system, {"role": "user", "content": "?"}), {}))["system"][0] for system in (long, short)
    ]
    assert [block.get("cache_control") for block in cached] == [{"type": "ephemeral"}, None]


def test_should_retry_is_obeyed(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: (500, {"x-should-retry": "false"}, "{}")
    assert ask(tmp_path / "a", openai(loopback.openai_url), rows=1, question=Difficulty()).statuses == {"failed": 1}
    assert len(loopback.bodies) == 1
    loopback.fault = lambda body, number: (400, {"x-should-retry": "true"}, "{}") if number == 2 else None
    assert ask(tmp_path / "b", openai(loopback.openai_url), rows=1, question=Difficulty()).statuses == {"ok": 1}
