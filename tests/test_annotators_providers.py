"""Providers on the real SDKs: what goes over the wire, what comes back, and how the job layer deals with faults.

`llmock` is a server that nobody here wrote; it also judges how its client behaved. Ours (`test_annotators_loopback`) answers what it
cannot: Anthropic's structured output, refusals, broken bodies.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_annotators_loopback import PRICED, Loopback, loopback, make_rows

from tilth.annotators import parameters
from tilth.annotators.check import check
from tilth.annotators.jobs import FAILURES_IN_A_ROW
from tilth.annotators.judge import Judged, judge
from tilth.annotators.provider import Provider
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.question import Question
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.listwise import Listwise
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.store import CallStore
from tilth.core.errors import NetworkError

__all__ = ["loopback"]
FAST = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.05)


def openai(url: str, **changes: Any) -> OpenAI:
    return OpenAI(**({"model": "gpt-5.4-mini", "base_url": url, **PRICED} | changes))


def anthropic(url: str, **changes: Any) -> Anthropic:
    return Anthropic(**({"model": "claude-haiku-5-5", "base_url": url, **PRICED} | changes))


def ask(folder: Path, *judges: Provider, rows: int = 2, question: Question | None = None, policy: RetryPolicy = FAST) -> Judged:
    with CallStore(folder / "calls.sqlite") as store:
        return judge(
            pl.DataFrame(make_rows(rows), infer_schema_length=None), question=question or Listwise(), judges=judges,
            store=store, max_usd=None, seed=0, retry=policy,
        )  # fmt: skip


def statuses(folder: Path) -> list[str]:
    with CallStore(folder / "calls.sqlite") as store:
        return [call.status for call in store]


# -- llmock -----------------------------------------------------------------------------------------------------------


def test_openai_structured_output_by_llmock(llmock: Any, tmp_path: Path) -> None:
    found = ask(tmp_path, openai(llmock.base_url("openai")), question=Difficulty())
    assert found.statuses == {"ok": 2} and found.bought == 2
    assert found.judgements["judge"].to_list() == ["openai/gpt-5.4-mini"] * 2
    assert ask(tmp_path, openai(llmock.base_url("openai")), question=Difficulty()).bought == 0
    assert len(llmock.requests) == 2


def test_rate_limits_are_waited_for_as_long_as_they_ask(llmock: Any, tmp_path: Path) -> None:
    llmock.rate_limit(times=3, retry_after=0.4)
    found = ask(tmp_path, openai(llmock.base_url("openai"), concurrency=2), question=Difficulty())
    assert found.statuses == {"ok": 2}
    llmock.assert_resilient(strict=True)
    assert llmock.verdict().faults == 3


@pytest.mark.parametrize("status", [500, 503, 529])
def test_server_errors_are_asked_again(llmock: Any, tmp_path: Path, status: int) -> None:
    llmock.fail(status, times=2)
    llmock.reply('{"score": 6}', times=None)
    judges = openai(llmock.base_url("openai")), anthropic(llmock.base_url("anthropic"))
    found = ask(tmp_path, *judges, question=Difficulty(), policy=RetryPolicy(first_wait_s=0.3))
    assert found.statuses == {"ok": 4}
    llmock.assert_resilient()


def test_anthropic_by_llmock(llmock: Any, tmp_path: Path) -> None:
    llmock.fail(529, provider="anthropic", retry_after=0.1)
    llmock.reply("This question would be rated as a 9.", times=None, provider="anthropic")
    found = ask(tmp_path, anthropic(llmock.base_url("anthropic")), question=Difficulty())
    assert found.judgements["value"].to_list() == [9.0, 9.0]
    llmock.assert_resilient(strict=True)


def test_a_prompt_that_is_too_long_fails_once_and_is_recorded(llmock: Any, tmp_path: Path) -> None:
    llmock.context_overflow(times=None)
    found = ask(tmp_path, openai(llmock.base_url("openai")), question=Difficulty())
    assert found.statuses == {"failed": 2}
    assert len(llmock.requests) == 2, "an error that no retry can mend is not asked again"
    assert statuses(tmp_path) == ["failed", "failed"]
    llmock.reset()
    assert ask(tmp_path, openai(llmock.base_url("openai")), question=Difficulty()).statuses == {"ok": 2}, "but the next run asks"


def test_a_wrong_key_stops_the_job(llmock: Any, tmp_path: Path) -> None:
    llmock.fail(401, times=None)
    with pytest.raises(NetworkError, match="HTTP 401") as caught:
        ask(tmp_path, openai(llmock.base_url("openai"), concurrency=1), rows=50, question=Difficulty())
    assert "key" in str(caught.value.hint)
    assert len(llmock.requests) == 1


# -- the wire ---------------------------------------------------------------------------------------------------------


def test_what_openai_is_sent(loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the-key")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")
    found = ask(tmp_path, openai(loopback.openai_url), rows=1)
    assert found.statuses == {"ok": 6}
    body = loopback.bodies[0]
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"] == Listwise().answer_schema()
    assert body["max_completion_tokens"] == 2048 and "temperature" not in body and "max_tokens" not in body
    assert [turn["role"] for turn in body["messages"]] == ["system", "user"]
    assert loopback.headers[0]["Authorization"] == "Bearer the-key"
    with CallStore(tmp_path / "calls.sqlite") as store:
        call = next(iter(store))
    assert (call.usage.cached_tokens, call.usage.output_tokens, call.price_version) == (7, 40, "given")


def test_a_server_of_one_s_own_needs_no_key_and_takes_a_temperature(loopback: Loopback, tmp_path: Path) -> None:
    ask(tmp_path, openai(loopback.openai_url, model="Qwen/Qwen3-8B", temperature=0.5), rows=1)
    assert (loopback.bodies[0]["temperature"], loopback.bodies[0]["max_tokens"]) == (0.5, 2048)


def test_what_anthropic_is_sent(loopback: Loopback, tmp_path: Path) -> None:
    found = ask(tmp_path, anthropic(loopback.anthropic_url), rows=1)
    assert found.statuses == {"ok": 6}
    body = loopback.bodies[0]
    assert body["output_config"]["format"] == {"type": "json_schema", "schema": Listwise().answer_schema()}
    assert "temperature" not in body and body["max_tokens"] == 2048
    assert body["system"][0]["text"].startswith("You are an expert") and "cache_control" not in body["system"][0]
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    with CallStore(tmp_path / "calls.sqlite") as store:
        call = next(iter(store))
    billed = len(json.dumps(body["messages"])) // 4
    assert abs(call.usage.input_tokens - billed) <= 2 and call.usage.cached_tokens == 10, "input includes what the cache held"


@pytest.mark.parametrize(
    ("provider", "model", "takes"),
    [
        ("openai", "gpt-4.1", True), ("openai", "gpt-4o-mini", True), ("openai", "gpt-5.4-mini", False), ("openai", "o3", False),
        ("openai", "gpt-6.1-sol", False), ("openai", "Qwen/Qwen3-8B", True), ("anthropic", "claude-3-5-haiku-latest", True),
        ("anthropic", "claude-haiku-4-5", True), ("anthropic", "claude-sonnet-4-20250514", True),
        ("anthropic", "claude-opus-4-8", False), ("anthropic", "claude-haiku-5-5", False),
    ],
)  # fmt: skip
def test_which_models_take_a_temperature(provider: str, model: str, takes: bool) -> None:
    assert parameters.takes_temperature(provider, model) is takes


def test_how_fast_it_asks_and_where_it_stores_decide_no_key() -> None:
    from tilth.annotators.question import Item

    row = Listwise().requests(Item.of(make_rows(1)[0]), 0)[0]
    base = OpenAI(model="gpt-4.1")
    same = OpenAI(model="gpt-4.1", concurrency=3, rpm=5, timeout_s=1, input_usd_per_mtok=1, output_usd_per_mtok=1, family="gpt")
    keys = {provider.request(row, Listwise()).key() for provider in (base, same)}
    assert len(keys) == 1
    others = [OpenAI(model="gpt-4.1", temperature=1.0), OpenAI(model="gpt-4.1", max_tokens=9), OpenAI(model="gpt-4o")]
    others.append(OpenAI(model="gpt-4.1", base_url="http://127.0.0.1:1/v1"))
    assert len(keys | {provider.request(row, Listwise()).key() for provider in others}) == 5


# -- answers that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [openai, anthropic])
def test_a_truncated_answer_is_not_read(loopback: Loopback, tmp_path: Path, make: Any) -> None:
    loopback.finish = "length" if make is openai else "max_tokens"
    found = ask(tmp_path, make(loopback.openai_url if make is openai else loopback.anthropic_url))
    assert found.statuses == {"truncated": 12} and found.judgements["value"].null_count() == 12
    assert found.usd > 0, "it was paid for"
    loopback.finish = None
    assert ask(tmp_path, make(loopback.openai_url if make is openai else loopback.anthropic_url)).bought == 0, "and is final"


def test_a_refusal_is_a_status(loopback: Loopback, tmp_path: Path) -> None:
    loopback.refusal = "I cannot help with that."
    found = ask(tmp_path, openai(loopback.openai_url), rows=1)
    assert found.statuses == {"refused": 6}
    with CallStore(tmp_path / "calls.sqlite") as store:
        assert {call.raw for call in store} == {"I cannot help with that."}


def test_an_anthropic_refusal_is_a_status(loopback: Loopback, tmp_path: Path) -> None:
    loopback.finish = "refusal"
    assert ask(tmp_path, anthropic(loopback.anthropic_url), rows=1).statuses == {"refused": 6}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"score": 8', "unparsed"),
        ("no idea", "unparsed"),
        ('{"score": 11}', "out_of_range"),
        ('{"score": 7.5}', "out_of_range"),
        ("7.5", "out_of_range"),
        ("", "unparsed"),
        ('{"score": "\ud800"}', "unparsed"),
    ],
)
def test_a_malformed_answer_is_kept_raw_and_gives_no_number(loopback: Loopback, tmp_path: Path, text: str, status: str) -> None:
    loopback.text = lambda prompt: text
    found = ask(tmp_path, openai(loopback.openai_url), rows=1, question=Difficulty())
    assert found.statuses == {status: 1}
    with CallStore(tmp_path / "calls.sqlite") as store:
        assert [call.raw for call in store] == [text.encode("utf-8", "replace").decode()]
    loopback.text = lambda prompt: '{"score": 8}'
    assert ask(tmp_path, openai(loopback.openai_url), rows=1, question=Difficulty()).bought == 0


@pytest.mark.parametrize("body", ["{not json", "", "[]", '{"choices": []}', "<html>proxy</html>"])
@pytest.mark.parametrize("make", [openai, anthropic])
def test_a_body_that_is_no_reply_gives_no_number(loopback: Loopback, tmp_path: Path, make: Any, body: str) -> None:
    loopback.fault = lambda sent, number: (200, {}, body)
    found = ask(tmp_path, make(loopback.openai_url if make is openai else loopback.anthropic_url), rows=1, question=Difficulty(),
                policy=RetryPolicy(max_attempts=2, first_wait_s=0.01))  # fmt: skip
    assert set(found.statuses) <= {"failed", "unparsed"} and found.judgements["value"].null_count() == 1


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_timeout_and_a_lost_connection_are_asked_again(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: {1: 2.0, 2: (None, {}, "")}.get(number)
    found = ask(tmp_path, openai(loopback.openai_url, timeout_s=0.3, concurrency=1), rows=1, question=Difficulty())
    assert found.statuses == {"ok": 1} and len(loopback.bodies) == 3


@pytest.mark.parametrize("make", [openai, anthropic])
def test_a_lost_connection_may_have_been_billed_and_one_never_made_was_not(loopback: Loopback, tmp_path: Path, make: Any) -> None:
    loopback.fault = lambda body, number: (None, {}, "")
    once = RetryPolicy(max_attempts=1)
    url = loopback.openai_url if make is openai else loopback.anthropic_url
    lost = {}
    for name, judge_ in (("lost", make(url)), ("refused", make("http://127.0.0.1:9/v1"))):
        with CallStore(tmp_path / name / "calls.sqlite") as store:
            rows = pl.DataFrame(make_rows(1), infer_schema_length=None)
            judge(rows, question=Difficulty(), judges=[judge_], store=store, max_usd=100, seed=0, retry=once)
            lost[name] = store.at_risk_usd
    assert lost["lost"] > 0 and lost["refused"] == 0


def test_a_server_that_drips_gives_no_reply_in_time(tmp_path: Path) -> None:
    """Each read comes soon enough; the whole does not."""
    import socketserver
    import threading

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            self.request.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(100):
                    self.request.sendall(b" ")
                    time.sleep(0.05)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started = time.monotonic()
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        found = ask(tmp_path, openai(url, timeout_s=0.3), rows=1, question=Difficulty(), policy=RetryPolicy(max_attempts=1))
        server.shutdown()
    assert found.statuses == {"failed": 1} and time.monotonic() - started < 4


def test_a_long_retry_after_is_not_waited_for(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: (429, {"retry-after": "3600"}, "{}")
    assert ask(tmp_path, openai(loopback.openai_url), rows=1, question=Difficulty()).statuses == {"failed": 1}
    assert len(loopback.bodies) == 1


def test_one_rate_limit_pauses_the_whole_provider(loopback: Loopback, tmp_path: Path) -> None:
    times: list[float] = []

    def fault(body: dict[str, Any], number: int) -> Any:
        times.append(time.monotonic())
        return (429, {"retry-after": "0.5"}, "{}") if number == 1 else None

    loopback.fault = fault
    assert ask(tmp_path, openai(loopback.openai_url, concurrency=1), rows=6, question=Difficulty()).statuses == {"ok": 6}
    assert times[1] - times[0] >= 0.5


def test_a_provider_that_is_down_stops_the_job_and_says_so(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: (500, {}, "{}")
    policy = RetryPolicy(max_attempts=2, first_wait_s=0.001)
    with pytest.raises(NetworkError, match=f"{FAILURES_IN_A_ROW} calls in a row failed"):
        ask(tmp_path, openai(loopback.openai_url, concurrency=2), rows=100, question=Difficulty(), policy=policy)
    assert len(loopback.bodies) < 2 * (FAILURES_IN_A_ROW + 3)
    loopback.fault = lambda body, number: None
    assert ask(tmp_path, openai(loopback.openai_url), rows=100, question=Difficulty()).statuses == {"ok": 100}


def test_nothing_listens(tmp_path: Path) -> None:
    found = ask(tmp_path, openai("http://127.0.0.1:9/v1"), rows=1, question=Difficulty(),
                policy=RetryPolicy(max_attempts=2, first_wait_s=0.01))  # fmt: skip
    assert found.statuses == {"failed": 1} and found.usd == 0


def test_concurrency_is_kept_and_the_minute_s_limit_too(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: 0.02
    ask(tmp_path, openai(loopback.openai_url, concurrency=3), rows=20, question=Difficulty())
    assert 2 <= loopback.most_in_flight <= 3
    started = time.monotonic()
    ask(tmp_path / "slow", openai(loopback.openai_url, rpm=600), rows=6, question=Difficulty())
    assert time.monotonic() - started >= 0.5


# -- check ------------------------------------------------------------------------------------------------------------


def test_check_asks_each_judge_once(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    from tilth.annotators.providers.baseline import Baseline

    down = anthropic("http://127.0.0.1:9")
    lines = check([openai(loopback.openai_url), down, OpenAI(model="gpt-4.1"), Baseline()])
    assert [(line.judge, line.ok) for line in lines] == [
        ("openai/gpt-5.4-mini", True), ("anthropic/claude-haiku-5-5", False), ("openai/gpt-4.1", False), ("baseline", True),
    ]  # fmt: skip
    assert "OPENAI_API_KEY" in str(lines[2].hint)
    assert lines[0].structured is True and lines[0].usd and lines[0].seconds is not None
    assert len(loopback.bodies) == 1


def test_check_says_how_to_mend(llmock: Any, loopback: Loopback) -> None:
    loopback.text = lambda prompt: "Yes, I can."
    (free,) = check([openai(loopback.openai_url)])
    assert free.ok and free.structured is False and "structured: none" in str(free.hint)
    loopback.fault = lambda body, number: (400, {}, '{"error": {"message": "unknown field response_format"}}')
    (refused,) = check([openai(loopback.openai_url)])
    assert not refused.ok and "structured" in str(refused.hint)
    loopback.fault = lambda body, number: (404, {}, '{"error": {"message": "no such model"}}')
    (nowhere,) = check([openai(loopback.openai_url)])
    assert "/v1" in str(nowhere.hint)
    llmock.fail(404, times=1)
    (wrong,) = check([openai(llmock.base_url("openai"), model="gpt-4o-mini-typo")])
    assert not wrong.ok and "did you mean" in str(wrong.hint) and "gpt-4o" in str(wrong.hint)


def test_a_missing_key_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="claude-opus-5-5: no API key") as caught:
        ask(tmp_path, Anthropic(model="claude-opus-5-5"))
    assert "ANTHROPIC_API_KEY" in str(caught.value.hint)
