"""Jobs: nothing lost, nothing bought twice, the cap kept, whatever stops the run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_annotators_loopback import PRICED, Loopback, loopback, make_rows

from tilth.annotators.judge import KEY, Judged, JudgeEstimate, estimate, judge
from tilth.annotators.provider import Provider
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.baseline import Baseline
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.question import Question
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.listwise import Listwise
from tilth.annotators.questions.pairwise import Pairwise
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.spend import price_of
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError, NetworkError, RecipeError

__all__ = ["loopback"]
FAST = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.05)


def panel(server: Loopback, **changes: Any) -> list[Provider]:
    return [
        OpenAI(**({"model": "gpt-5.4-mini", "base_url": server.openai_url, "max_tokens": 50, **PRICED} | changes)),
        Anthropic(**({"model": "claude-haiku-5-5", "base_url": server.anthropic_url, "max_tokens": 50, **PRICED} | changes)),
    ]


def work(
    folder: Path, judges: list[Provider], count: int, max_usd: float | None = None, question: Question | None = None, **more: Any
) -> Judged:
    with CallStore(folder / "calls.sqlite") as store:
        rows = pl.DataFrame(make_rows(count), infer_schema_length=None)
        return judge(
            rows, question=question or Listwise(), judges=judges, store=store, max_usd=max_usd, seed=0, retry=FAST, **more
        )


def stored(folder: Path) -> tuple[int, float, float]:
    with CallStore(folder / "calls.sqlite") as store:
        return len(store), store.spent_usd, store.at_risk_usd


# -- results ----------------------------------------------------------------------------------------------------------


def test_a_panel_of_both_apis_and_the_baseline(loopback: Loopback, tmp_path: Path) -> None:
    heard: list[tuple[int, int, float]] = []
    judges = [*panel(loopback), Baseline()]
    found = work(tmp_path, judges, 5, on_progress=lambda *told: heard.append(told))
    assert (found.calls, found.bought, found.statuses) == (25, 25, {"ok": 75})
    assert found.judgements.select(KEY).equals(found.judgements.select(KEY).sort(KEY))
    assert found.judgements["judge"].unique().sort().to_list() == [
        "anthropic/claude-haiku-5-5",
        "baseline",
        "openai/gpt-5.4-mini",
    ]
    assert found.usd == pytest.approx(loopback.usd) and found.usd == pytest.approx(sum(part.usd for part in found.judges))
    assert [(part.is_llm, part.judgements) for part in found.judges] == [(True, 30), (True, 30), (False, 15)]
    assert [done for done, _, _ in heard] == list(range(1, 26)) and {total for _, total, _ in heard} == {25}
    assert heard[-1][2] == pytest.approx(found.usd)
    again = work(tmp_path, judges[::-1], 5)
    assert again.judgements.equals(found.judgements)
    assert (again.bought, again.usd) == (0, 0.0)


def test_faults_change_no_judgement(loopback: Loopback, tmp_path: Path) -> None:
    calm = work(tmp_path / "calm", panel(loopback), 12, question=Pairwise())
    answered = set(loopback.answered)
    replies = [(429, {"retry-after": "0.01"}, "{}"), None, (529, {}, "{}"), 0.01, None, (None, {}, ""), None]
    met: Counter[str] = Counter()

    def fault(body: Any, number: int) -> Any:
        """Any request may be hit, none more than three times: the policy tries six times, and this is no test of giving up."""
        reply = replies[number % 7] if met[str(body)] < 3 else None
        met[str(body)] += reply is not None
        return reply

    loopback.fault = fault
    stormy = work(tmp_path / "stormy", panel(loopback, concurrency=7), 12, question=Pairwise())
    assert stormy.judgements.equals(calm.judgements)
    assert set(loopback.answered) == answered and set(loopback.answered.values()) == {2}, "both runs asked the same, once each"


def test_more_rows_buy_only_what_is_new(loopback: Loopback, tmp_path: Path) -> None:
    assert work(tmp_path, panel(loopback), 3).bought == 12
    assert work(tmp_path, panel(loopback), 5).bought == 8
    assert set(loopback.answered.values()) == {1}


def test_judges_and_rows_must_differ(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="named twice"):
        work(tmp_path, [Baseline(), Baseline(length_ratio=3.0)], 1)
    with CallStore(tmp_path / "calls.sqlite") as store, pytest.raises(RecipeError, match="'row-0000' comes 2 times"):
        twice = pl.DataFrame(make_rows(1) * 2, infer_schema_length=None)
        judge(twice, question=Listwise(), judges=[Baseline()], store=store, max_usd=None, seed=0)


def test_no_rows_no_judgements(tmp_path: Path) -> None:
    found = work(tmp_path, [Baseline()], 0)
    assert (found.calls, found.judgements.height, found.statuses) == (0, 0, {})


def test_it_works_in_a_notebook_too(tmp_path: Path) -> None:
    import asyncio

    async def cell() -> Judged:
        return work(tmp_path, [Baseline()], 2)

    assert asyncio.run(cell()).bought == 2


# -- money ------------------------------------------------------------------------------------------------------------


def test_the_cap_is_never_passed_and_what_was_bought_is_kept(loopback: Loopback, tmp_path: Path) -> None:
    whole = work(tmp_path / "whole", panel(loopback), 20, question=Difficulty()).usd
    loopback.usd, before = 0.0, len(loopback.bodies)
    cap = whole * 0.6
    with pytest.raises(BudgetError, match=r"the cap of \$\d+\.\d\d is reached") as caught:
        work(tmp_path, panel(loopback), 20, max_usd=cap, question=Difficulty())
    assert caught.value.exit_code == 1 and "not bought twice" in str(caught.value.hint)
    calls, spent, at_risk = stored(tmp_path)
    assert 0.3 * whole < spent <= cap and spent == pytest.approx(loopback.usd) and at_risk == 0
    assert calls == len(loopback.bodies) - before
    with pytest.raises(BudgetError):
        work(tmp_path, panel(loopback), 20, max_usd=cap, question=Difficulty())
    assert stored(tmp_path)[1] <= cap, "the same cap again buys no more than it left"
    found = work(tmp_path, panel(loopback), 20, max_usd=10 * whole, question=Difficulty())
    assert found.statuses == {"ok": 40} and stored(tmp_path)[1] == pytest.approx(whole)
    assert max(loopback.answered.values()) == 2, "once for each of the two stores"


def test_a_cap_that_is_just_enough_is_enough(loopback: Loopback, tmp_path: Path) -> None:
    """Reservations are worst cases; the last calls wait for those in flight to settle below theirs."""
    whole = work(tmp_path / "whole", panel(loopback), 20, question=Difficulty()).usd
    one = 3.0  # USD: more than the worst case of one call
    found = work(tmp_path, panel(loopback), 20, max_usd=whole + one, question=Difficulty())
    assert found.statuses == {"ok": 40} and found.usd == pytest.approx(whole)


def test_a_cap_of_one_judge_lets_the_others_go_on(loopback: Loopback, tmp_path: Path) -> None:
    first, second = panel(loopback)
    cheap = second.model_copy(update={"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0})
    with pytest.raises(BudgetError, match=r"openai/gpt-5.4-mini: the cap of \$2.00 a judge"):
        work(tmp_path, [first, cheap], 20, max_usd_per_judge=2.0, question=Difficulty())
    with CallStore(tmp_path / "calls.sqlite") as store:
        bought = [call.provider for call in store]
        assert sum(call.usd or 0 for call in store if call.provider == "openai") <= 2.0
    assert bought.count("anthropic") == 20 and 0 < bought.count("openai") < 20


def test_a_timeout_counts_at_its_worst_case(loopback: Loopback, tmp_path: Path) -> None:
    """The server may have billed what we never received."""
    loopback.fault = lambda body, number: 1.5 if number == 1 else None
    judges = [panel(loopback, timeout_s=0.3, concurrency=1)[0]]
    found = work(tmp_path, judges, 1, max_usd=10, question=Difficulty())
    _, spent, at_risk = stored(tmp_path)
    assert found.statuses == {"ok": 1} and at_risk > 0
    assert found.usd == pytest.approx(spent + at_risk)
    with pytest.raises(BudgetError):
        work(tmp_path, judges, 2, max_usd=spent + at_risk, question=Difficulty())


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, "[" * 100_000),
        (200, {}, '{"usage": {"prompt_tokens": 18446744073709551615}'),
        (200, {"x-long": "y" * 9000}, "{}"),
        (400, {}, '{"error": {"message": "half a pair \\ud83d"}}'),
    ],
    ids=["deep", "cut", "long header", "half a surrogate pair"],
)
def test_an_answer_that_is_none_is_a_failed_call(answer: Any, loopback: Loopback, tmp_path: Path) -> None:
    """Each of these once ended the job with a traceback, or hung it."""
    loopback.fault = lambda body, number: answer
    assert work(tmp_path, panel(loopback), 1, question=Difficulty()).statuses == {"failed": 2}


def test_tokens_that_no_model_could_use_are_none(loopback: Loopback, tmp_path: Path) -> None:
    text = '{"choices": [{"message": {"content": "4"}}], "usage": {"prompt_tokens": 18446744073709551615, "completion_tokens": -5}}'
    loopback.fault = lambda body, number: (200, {}, text)
    found = work(tmp_path, panel(loopback)[:1], 1, question=Difficulty())
    assert found.usd == 0 and found.bought == 1


def test_no_cap_without_a_price(loopback: Loopback, tmp_path: Path) -> None:
    unpriced = [OpenAI(model="Qwen/Qwen3-8B", base_url=loopback.openai_url)]
    with pytest.raises(RecipeError, match="price is not known") as caught:
        work(tmp_path, unpriced, 1, max_usd=1)
    assert "input_usd_per_mtok" in str(caught.value.hint) and not loopback.bodies
    assert work(tmp_path, unpriced, 1).usd == 0.0
    with pytest.raises(RecipeError, match="one price without the other"):
        price_of(OpenAI(model="m", input_usd_per_mtok=1.0))


def test_list_prices_carry_their_version() -> None:
    from tilth.annotators.calls import Usage

    price = price_of(OpenAI(model="gpt-5.4-mini"))
    assert re.fullmatch(r"genai-prices \d.*", price.version)
    full, cached = price.usd(Usage(1_000_000, 0, 0)), price.usd(Usage(1_000_000, 0, 1_000_000))
    assert full is not None and cached is not None and 0 < cached < full
    assert price_of(OpenAI(model="gpt-5.4-mini", base_url="https://api.openai.com/v1")).of is not None
    assert price_of(OpenAI(model="no-such-model")).of is None
    assert price_of(OpenAI(model="gpt-5.4-mini", base_url="http://elsewhere/api.openai.com")).of is None


def test_the_estimate_asks_nobody_and_learns_from_what_was_bought(loopback: Loopback, tmp_path: Path) -> None:
    rows = pl.DataFrame(make_rows(60), infer_schema_length=None)

    def told() -> JudgeEstimate:
        with CallStore(tmp_path / "calls.sqlite") as store:
            return estimate(rows, question=Difficulty(), judges=panel(loopback)[:1], store=store, seed=0)[0]

    blind = told()
    assert (blind.calls, blind.cached_calls) == (60, 0) and blind.usd and not loopback.bodies
    bought = work(tmp_path, panel(loopback)[:1], 30, question=Difficulty()).usd
    better = told()
    assert better.cached_calls == 30
    assert better.usd == pytest.approx(bought, rel=0.05)
    work(tmp_path, panel(loopback)[:1], 60, question=Difficulty())
    nothing = told()
    assert nothing == JudgeEstimate("openai/gpt-5.4-mini", 60, 60, 0, 0, 0.0, 0.0, None, nothing.stored_usd, 0)
    assert nothing.stored_usd == pytest.approx(2 * bought, rel=0.05)


# -- stops ------------------------------------------------------------------------------------------------------------

CHILD = """
import os, sys
from collections import Counter
from pathlib import Path
import polars as pl
from test_annotators_loopback import PRICED, make_rows
from test_annotators_jobs import FAST
from tilth.annotators.judge import judge
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import CallStore
port, count, cap = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
judges = [
    OpenAI(model="gpt-5.4-mini", base_url=f"http://127.0.0.1:{port}/v1", concurrency=4, max_tokens=50, **PRICED),
    Anthropic(model="claude-haiku-5-5", base_url=f"http://127.0.0.1:{port}", concurrency=4, max_tokens=50, **PRICED),
]
with CallStore(Path(sys.argv[1])) as store:
    rows = pl.DataFrame(make_rows(count), infer_schema_length=None)
    found = judge(rows, question=Difficulty(), judges=judges, store=store, max_usd=cap, seed=0, retry=FAST)
print(found.bought, found.statuses, flush=True)
"""


def child(folder: Path, server: Loopback, count: int, cap: float) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", CHILD, str(folder / "calls.sqlite"), str(server.port), str(count), str(cap)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the child never got so far"
        time.sleep(0.002)


def kill_and_resume(tmp_path: Path, loopback: Loopback, count: int, kills: int) -> None:
    loopback.fault = lambda body, number: 0.01
    cap, in_flight, lost = 10_000.0, 8, 0
    for turn in range(kills):
        running = child(tmp_path, loopback, count, cap)
        goal = (turn + 1) * 2 * count // (kills + 1)
        until(lambda goal=goal, running=running: sum(loopback.answered.values()) >= goal or running.poll() is not None)
        assert running.poll() is None, running.communicate()
        running.send_signal(signal.SIGKILL)
        running.communicate()
        time.sleep(0.05)  # what was in flight is answered to nobody
        lost = sum(loopback.answered.values()) - stored(tmp_path)[0]
        assert 0 <= lost <= in_flight * (turn + 1)
    last = child(tmp_path, loopback, count, cap)
    out, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    assert f"{{'ok': {2 * count}}}" in out
    calls, spent, at_risk = stored(tmp_path)
    assert calls == 2 * count
    repeated = sum(loopback.answered.values()) - 2 * count
    assert repeated == lost, "only what was never committed is asked again"
    assert spent <= loopback.usd + 1e-9 <= spent + at_risk + 1e-9, "what was lost is on record, at its worst case"


def test_a_killed_job_resumes_and_buys_nothing_twice(loopback: Loopback, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, loopback, count=60, kills=1)


@pytest.mark.slow
def test_a_job_killed_ten_times_loses_nothing(loopback: Loopback, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, loopback, count=600, kills=10)


def test_ctrl_c_waits_for_what_is_in_flight_and_keeps_it(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: 0.1
    running = child(tmp_path, loopback, 200, 10_000.0)
    until(lambda: sum(loopback.answered.values()) >= 10)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode != 0 and "KeyboardInterrupt" in err
    calls, spent, at_risk = stored(tmp_path)
    assert calls == sum(loopback.answered.values()) < 400
    assert spent == pytest.approx(loopback.usd) and at_risk == 0


def test_a_fatal_error_keeps_what_was_in_flight(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: (401, {}, "{}") if number == 12 else 0.02
    with pytest.raises(NetworkError, match="HTTP 401"):
        work(tmp_path, panel(loopback, concurrency=4), 50, question=Difficulty())
    calls, spent, _ = stored(tmp_path)
    assert calls == sum(loopback.answered.values()) < 100 and spent == pytest.approx(loopback.usd)


def test_a_store_that_cannot_be_written_stops_the_job(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from tilth.annotators import store_writer
    from tilth.core.errors import StorageError

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store_writer, "put", full)
    with pytest.raises(StorageError, match="disk is full"):
        work(tmp_path, panel(loopback, concurrency=2), 50, question=Difficulty(), max_usd=100)
    assert len(loopback.bodies) <= 8
