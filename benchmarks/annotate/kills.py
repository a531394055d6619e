"""A job through both SDKs, killed with SIGKILL at random and resumed, on servers that refuse, stall and cut one call in ten; every cent compared.

Anthropic's half asks the server of this benchmark, which counts what it bills; OpenAI's half asks `llmock`, which nobody here wrote. The first
third runs under a cap of 40 % of the whole and must stop at it; the rest under one that is enough.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from benchmarks.annotate.client import PRICES, frame, provider
from benchmarks.annotate.server import ROOT, Running
from tilth.annotators.items import Items
from tilth.annotators.judge import judge
from tilth.annotators.plan import chunks
from tilth.annotators.provider import ApiProvider
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError

CONCURRENCY = 16
PATIENCE_SECONDS = 2.0
LLMOCK_FAULTS = ("429=0.02", "529=0.04", "500=0.04")
ANSWERED_SECONDS = 0.3
"""How long what was in flight at a kill takes to be answered to nobody."""


@dataclass
class Tally:
    """What servers and store say at one moment."""

    calls: int
    spent: float
    at_risk: float
    keys: frozenset[str]
    answers: Counter[str]
    """Request, as its server names it → answers."""
    billed: int
    """Answers that the servers gave and bill, late ones apart."""
    late: int
    billed_usd: float


@dataclass
class Report:
    """What the kills came to."""

    kills: int = 0
    lost: int = 0
    """Answers once committed that are gone, and rows without a final answer at the end."""
    bought_twice: int = 0
    """Answers bought again though committed."""
    lost_in_flight: int = 0
    """Answers that a kill caught before their commit."""
    most_lost_by_one_kill: int = 0
    in_flight_limit: int = 2 * CONCURRENCY
    overspend_usd: float = 0.0
    """By how much the servers' own bill ever passed the cap of the moment."""
    spend_gap_usd: float = 0.0
    """The servers' bill for what is stored, less what the store says."""
    stopped_at_cap: bool = False
    faults: dict[str, int] = field(default_factory=dict)


@contextmanager
def llmock() -> Iterator[str]:
    """llmock with faults, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    faults = [word for rate in LLMOCK_FAULTS for word in ("--error-rate", rate)]
    command = [str(Path(sys.executable).with_name("llmock")), "serve", "-h", "127.0.0.1", "-p", str(port), "--log-level", "error", *faults]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/_llmock/requests").close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


class Servers:
    """Both servers and the store, asked what they know."""

    def __init__(self, mock: str, own: Running, store: Path) -> None:
        self.mock, self.own, self.store = mock, own, store
        self.forget()

    def forget(self) -> None:
        """Begin to count."""
        self.own.reset()
        urllib.request.urlopen(urllib.request.Request(f"{self.mock}/_llmock/requests", method="DELETE")).close()
        self._mocked: Counter[str] = Counter()
        self.faults: dict[str, int] = {}

    def tally(self) -> Tally:
        """All counts of this moment; nothing may be in flight."""
        with urllib.request.urlopen(f"{self.mock}/_llmock/requests?wait=2") as answer:
            seen = json.loads(answer.read())
        for record in seen["requests"] if isinstance(seen, dict) else seen:
            if record["path"].endswith("/chat/completions"):
                if record["status"] == 200:
                    self._mocked[record["fingerprint"]] += 1
                else:
                    self.faults[f"llmock {record['status']}"] = self.faults.get(f"llmock {record['status']}", 0) + 1
        # The journal holds the last few thousand only.
        urllib.request.urlopen(urllib.request.Request(f"{self.mock}/_llmock/requests", method="DELETE")).close()
        own = self.own.count()
        with CallStore(self.store) as store:
            kept = [call for call in store if call.status != "failed"]
            spent, risk = store.spent_usd, store.at_risk_usd
        # llmock bills what it answers; what it answered to nobody cost what its kept answers cost on average.
        mocked = [call.usd or 0.0 for call in kept if call.provider == "openai"]
        mock_usd = sum(mocked) / max(1, len(mocked)) * self._mocked.total()
        own_usd = (own["input_tokens"] * PRICES["input_usd_per_mtok"] + own["output_tokens"] * PRICES["output_usd_per_mtok"]) / 1e6
        self.faults |= own["faults"]
        late = own["faults"].get("late", 0)
        return Tally(
            calls=len(kept), spent=spent, at_risk=risk, keys=frozenset(call.key for call in kept),
            answers=self._mocked + Counter(self.own.billed()), billed=self._mocked.total() + own["answered"] - late, late=late,
            billed_usd=mock_usd + own_usd,
        )  # fmt: skip


def measure(calls: int, kills: int, seed: int = 0) -> tuple[Report, dict[str, Any]]:
    """Run, kill, resume; the report, and what else is worth knowing."""
    draw = random.Random(seed)
    report = Report()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, llmock() as mock, Running(faults=0.1, latency=0.01) as own:
        store = Path(folder) / "calls.sqlite"
        servers = Servers(mock, own, store)
        whole = _whole_usd(calls, mock, own, Path(folder))
        servers.forget()
        names = _names(calls, mock, own.url)
        before: Tally | None = None
        for turn in range(kills + 1):
            capped = turn < max(1, kills // 3)
            cap = whole * (0.4 if capped else 1.0) + (0.0 if capped else 5.0)
            last = turn == kills
            end = calls if last else int(calls * (0.35 if capped else 0.9) * (turn + draw.uniform(0.4, 1.0)) / (max(1, kills // 3) if capped else kills))
            child = _child(store, mock, own.url, calls, cap)
            _wait(child, store, end, last)
            if not last:
                child.send_signal(signal.SIGKILL)
                report.kills += 1
            out, err = child.communicate()
            assert child.returncode in (0, -signal.SIGKILL), err[-2000:]
            time.sleep(ANSWERED_SECONDS)
            now = servers.tally()
            _compare(report, names, before, now, cap)
            before = now
            if capped and turn == max(1, kills // 3) - 1:
                out, err = _child(store, mock, own.url, calls, cap).communicate()
                time.sleep(ANSWERED_SECONDS)
                report.stopped_at_cap = "capped" in out
                before = servers.tally()
                _compare(report, names, now, before, cap)
        assert before is not None
        report.lost += calls - before.calls
        report.faults = servers.faults
    return report, {"seconds": time.monotonic() - began, "spent_usd": before.spent, "at_risk_usd": before.at_risk, "late": before.late}


def _compare(report: Report, names: dict[str, str], before: Tally | None, now: Tally, cap: float) -> None:
    lost = now.billed - now.calls
    by_kill = lost - report.lost_in_flight
    report.most_lost_by_one_kill = max(report.most_lost_by_one_kill, by_kill)
    report.lost_in_flight = lost
    if before is not None:
        report.lost += len(before.keys - now.keys)
        report.bought_twice += sum(now.answers[names[key]] - before.answers[names[key]] for key in before.keys)
    report.overspend_usd = max(report.overspend_usd, now.billed_usd - cap, now.spent + now.at_risk - cap)
    # What is billed and not stored was in flight or late: every one at what it costs is at most what is set aside for it.
    report.spend_gap_usd = max(report.spend_gap_usd, now.billed_usd - now.spent - now.at_risk, now.spent - now.billed_usd)


def _whole_usd(calls: int, mock: str, own: Running, folder: Path) -> float:
    """What the whole job costs, from forty of its calls."""
    with CallStore(folder / "pilot.sqlite") as store:
        _job(store, mock, own.url, 40, None)
        return store.spent_usd / 40 * calls


def _wait(child: subprocess.Popen[str], store: Path, end: int, last: bool) -> None:
    """Until so many calls are stored, or the child has ended."""
    while child.poll() is None and not last:
        time.sleep(0.02)
        if store.exists() and _stored(store) >= end:
            return
    if last:
        child.wait()


def _stored(store: Path) -> int:
    try:
        with contextlib.closing(sqlite3.connect(store, timeout=5)) as connection:
            return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def _names(calls: int, mock: str, own: str) -> dict[str, str]:
    """Key of a call → what its server knows the request by."""
    from llmock.journal import fingerprint

    found = {}
    for judge_, name in zip(_judges(mock, own), ("openai", "anthropic"), strict=True):
        for tasks in chunks(judge_, Items(_rows(calls)), Difficulty(), 0):
            for task in tasks:
                body = orjson.dumps(judge_.wire_body(task.request))
                by_mock = fingerprint("POST", "/v1/chat/completions", json.loads(body))
                found[task.key] = by_mock if name == "openai" else hashlib.sha256(body).hexdigest()
    return found


def _child(store: Path, mock: str, own: str, calls: int, cap: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.annotate.kills", str(store), mock, own, str(calls), str(cap)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ)


def _rows(calls: int) -> pl.DataFrame:
    return frame([f"Question {i}: a {20 + i % 60}-year-old has chest pain. What is the first test?" for i in range(calls // 2)])


def _judges(mock: str, own: str) -> tuple[ApiProvider, ApiProvider]:
    fields: dict[str, Any] = {"concurrency": CONCURRENCY, "timeout_s": PATIENCE_SECONDS, "max_tokens": 256}
    return provider("openai", mock, **fields), provider("anthropic", own, **fields)


def _job(store: CallStore, mock: str, own: str, calls: int, cap: float | None) -> None:
    retry = RetryPolicy(max_attempts=12, first_wait_s=0.01, longest_wait_s=0.2)
    judge(_rows(calls), question=Difficulty(), judges=_judges(mock, own), store=store, max_usd=cap, seed=0, retry=retry)


if __name__ == "__main__":
    path, mock_url, own_url, count, limit = sys.argv[1:]
    with CallStore(Path(path)) as opened:
        try:
            _job(opened, mock_url, own_url, int(count), float(limit))
        except BudgetError:
            print("capped")
