"""Two processes with one job; the meter; stores of an earlier schema; servers that pass their limits."""

from __future__ import annotations

import io
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from test_annotators_jobs import child, panel, stored, work
from test_annotators_loopback import Loopback, loopback
from test_annotators_store import call

from tilth.annotators.asking import asking
from tilth.annotators.calls import Usage
from tilth.annotators.meter import JudgeMeter, Meter
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.listwise import Listwise
from tilth.annotators.spend import Budget, price_of
from tilth.annotators.store import CallStore
from tilth.cli import live_meter
from tilth.core.errors import BudgetError
from tilth.core.progress import Talk

__all__ = ["loopback"]


def test_two_processes_with_one_job_buy_it_once(loopback: Loopback, tmp_path: Path) -> None:
    loopback.fault = lambda body, number: 0.01
    both = [child(tmp_path, loopback, 40, 10_000.0) for _ in range(2)]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert sorted(out.split()[0] for out, _ in said) == ["0", "80"], "one buys, the other reads"
    assert max(loopback.answered.values()) == 1 and stored(tmp_path)[0] == 80


def test_one_waits_only_for_the_same_model_and_question(tmp_path: Path) -> None:
    first, other = OpenAI(model="m"), OpenAI(model="n")
    store, waited, order = tmp_path / "calls.sqlite", [], []

    def second() -> None:
        with asking(store, [other, first], Difficulty(), waited.append):
            order.append("second")

    with asking(store, [first], Difficulty()):
        with asking(store, [first], Listwise()), asking(store, [other], Difficulty()):
            pass
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert (order, waited) == (["first", "second"], ["openai/m"])


def test_the_meter_counts_what_happened(loopback: Loopback, tmp_path: Path) -> None:
    from tilth.annotators.judge import judge

    work(tmp_path, panel(loopback), 3, question=Difficulty())
    meter = Meter()
    loopback.text = lambda prompt: "no idea"
    with CallStore(tmp_path / "calls.sqlite") as store:
        import polars as pl
        from test_annotators_loopback import make_rows

        judge(pl.DataFrame(make_rows(5), infer_schema_length=None), question=Difficulty(), judges=panel(loopback), store=store,
              max_usd=1000, seed=0, meter=meter)  # fmt: skip
    assert [(one.calls, one.stored, one.bought, one.ok, one.failed, one.retrying) for one in meter.judges] == [(5, 3, 2, 3, 0, 0)] * 2
    assert meter.reserved == pytest.approx(0) and meter.already + meter.spent == pytest.approx(stored(tmp_path)[1])


@pytest.mark.parametrize("terminal", [True, False])
def test_the_meter_is_drawn_with_rate_time_left_and_money(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_meter, "LINE_SECONDS", 0.05)
    monkeypatch.setattr(live_meter, "REDRAW_SECONDS", 0.05)
    meter = Meter([JudgeMeter("openai/[red]m", calls=100, stored=20, bought=30, ok=45, failed=2, retrying=3)])
    talk = Talk()
    talk.console = Console(file=io.StringIO(), force_terminal=terminal, width=240)
    with live_meter.watching(talk, "job", meter, 5.0):
        time.sleep(0.2)
    drawn = talk.console.file.getvalue()  # type: ignore[attr-defined]
    for said in ("50 of 100 calls", "bought/s", "left", "2 failed", "3 waiting", "$0.0000 reserved of $5.00"):
        assert said in drawn
    assert ("openai/[red]m" in drawn) == terminal
    talk.quiet, talk.console.file = True, io.StringIO()
    with live_meter.watching(talk, "job", meter, 5.0):
        pass
    assert talk.console.file.getvalue() == ""


def test_a_store_of_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    with CallStore(path) as store:
        store.put(call("old")).result(10)
    with sqlite3.connect(path) as connection:
        for column in ("cache_write_tokens", "cache_write_1h_tokens"):
            connection.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    with CallStore(path) as store:
        store.put(call("new", usage=Usage(10, 5, 2, 4, 3))).result(10)
        found = store.get_many(["old", "new"])
    assert found["old"].usage == Usage(10, 5, 2) and found["new"].usage == Usage(10, 5, 2, 4, 3)


def test_cache_tiers_and_batches_have_their_prices() -> None:
    listed = price_of(OpenAI(model="gpt-5.4-mini"))
    batch = price_of(OpenAI(model="gpt-5.4-mini"), batch=True)
    usage = Usage(1000, 100, 600)
    assert batch.usd(usage) == pytest.approx((listed.usd(usage) or 0) / 2) and batch.version == f"{listed.version}, batch"
    given = OpenAI(model="m", input_usd_per_mtok=1, output_usd_per_mtok=2, cached_usd_per_mtok=0.1, cache_write_usd_per_mtok=1.25, batch_price_share=0.4)
    price = price_of(given)
    assert price.usd(Usage(1_000_000, 0, 600_000, 400_000)) == pytest.approx(0.06 + 0.5)
    assert price.worst(Usage(1_000_000, 0)) == pytest.approx(1.25), "writing the cache is the dearest that can happen"
    assert price_of(given, batch=True).usd(Usage(0, 1_000_000)) == pytest.approx(0.8)


def test_a_server_that_passes_its_token_limit_is_reserved_for(loopback: Loopback, tmp_path: Path) -> None:
    """The first call may cost more than its worst case; the next ones are expected to."""
    loopback.output_tokens = 5000
    judges = [panel(loopback, concurrency=1)[0]]
    whole = work(tmp_path / "whole", judges, 10, question=Difficulty()).usd
    with pytest.raises(BudgetError):
        work(tmp_path, judges, 10, max_usd=whole / 2, question=Difficulty())
    _, spent, _ = stored(tmp_path)
    assert 0 < spent <= whole / 2


def test_budget_says_what_is_reserved(tmp_path: Path) -> None:
    import asyncio

    async def both() -> list[float]:
        with CallStore(tmp_path / "calls.sqlite") as store:
            budget = Budget(store, 10.0)
            held: list[Any] = [await budget.reserve("j", "k", 4.0), await budget.reserve("j", "l", 5.0)]
            before = budget.reserved
            await budget.release(held[0])
            await budget.lose(held[1])
            return [before, budget.reserved, budget.total]

    assert asyncio.run(both()) == [9.0, 0.0, 5.0]
