"""Batches: killed between any two steps they come to the same table, nothing is bought twice, and the cap holds.

The server implements both providers' documented protocols: OpenAI's files and batches, Anthropic's message batches; it answers
in any order, says 404 just after a batch is made, lets requests fail and expire, and counts every request that it answers.
`llmock`, which nobody here wrote, answers the same jobs at the end.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from test_annotators_loopback import PRICED, Loopback, make_rows

from tilth.annotators.batch_run import end_batches, open_batches
from tilth.annotators.batches import BatchEvent, BatchPolicy
from tilth.annotators.items import Items
from tilth.annotators.judge import Judged, judge
from tilth.annotators.provider import ApiProvider
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.baseline import Baseline
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.listwise import Listwise
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError, NetworkError, RecipeError

SOON = BatchPolicy(first_look_s=0.03, longest_look_s=0.1, settle_s=0.5, grace_s=5)
FAST = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.05)
Fate = Callable[[dict[str, Any], int], str]
"""(body of a request, how often it was sent) → answered, errored, invalid or expired."""


class BatchServer(Loopback):
    """Both batch APIs. A batch is over `looks` looks after it was made."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.looks = 2
        self.unknown_looks = 1
        """Looks at a new batch that are answered with 404."""
        self.fate: Fate = lambda body, times: "answered"
        self.sent: Counter[str] = Counter()
        self.on_create: Callable[[web.Request], Any] = lambda request: None
        """Told before a batch is made, may return a response in its place; a float is waited for after it is made."""
        self.cancelled: list[str] = []
        super().__init__()

    @property
    def most_often_answered(self) -> int:
        return max(self.answered.values(), default=0)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**28)
        app.router.add_post("/v1/chat/completions", self._openai)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_post("/v1/files", self._file)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", lambda request: self._create(request))  # a test may replace it
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._retrieve)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)
        app.router.add_post("/v1/messages/batches", lambda request: self._create(request))
        app.router.add_get("/v1/messages/batches", self._list)
        app.router.add_get("/v1/messages/batches/{id}", self._retrieve)
        app.router.add_post("/v1/messages/batches/{id}/cancel", self._cancel)
        app.router.add_get("/v1/messages/batches/{id}/results", self._results)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr, attr-defined]

    async def _file(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.files[f"file-{len(self.files)}"] = form["file"].file.read()  # type: ignore[union-attr]
        name = f"file-{len(self.files) - 1}"
        return web.json_response({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "x", "purpose": "batch"})

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        instead = self.on_create(request)
        if isinstance(instead, web.Response):
            return instead
        anthropic = "requests" in body
        lines = body["requests"] if anthropic else map(json.loads, self.files[body["input_file_id"]].splitlines())
        requests = {line["custom_id"]: line["params" if anthropic else "body"] for line in lines}
        name = f"{'msgbatch' if anthropic else 'batch'}_{len(self.batches)}"
        self.batches[name] = {
            "id": name, "anthropic": anthropic, "requests": requests, "looks": 0, "file": body.get("input_file_id"),
            "metadata": body.get("metadata"), "created": time.time(), "fates": {}, "status": "running", "usd": 0.0,
        }  # fmt: skip
        self.sent.update(json.dumps(one, sort_keys=True) for one in requests.values())
        if isinstance(instead, float):
            await asyncio.sleep(instead)
        return web.json_response(self._shown(self.batches[name]))

    def _shown(self, batch: dict[str, Any]) -> dict[str, Any]:
        over = batch["status"] != "running"
        fates = Counter(batch["fates"].values())
        total = len(batch["requests"])
        if batch["anthropic"]:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch["created"]))
            counts = {"processing": 0 if over else total, "succeeded": fates["answered"], "errored": fates["errored"] + fates["invalid"],
                      "expired": fates["expired"], "canceled": fates["canceled"]}  # fmt: skip
            return {"id": batch["id"], "type": "message_batch", "processing_status": "ended" if over else "in_progress",
                    "request_counts": counts, "created_at": when, "expires_at": when, "ended_at": when if over else None,
                    "results_url": f"{self.anthropic_url}/v1/messages/batches/{batch['id']}/results" if over else None}  # fmt: skip
        status = "in_progress" if not over else batch["status"]
        return {"id": batch["id"], "object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h", "status": status,
                "created_at": int(batch["created"]), "input_file_id": batch["file"], "metadata": batch["metadata"], "errors": batch.get("errors"),
                "output_file_id": batch.get("output"), "error_file_id": batch.get("error"),
                "request_counts": {"total": total, "completed": fates["answered"], "failed": total - fates["answered"] if over else 0}}  # fmt: skip

    async def _list(self, request: web.Request) -> web.Response:
        anthropic = "messages" in request.path
        found = [one for one in reversed(self.batches.values()) if one["anthropic"] == anthropic]
        after = request.query.get("after_id") or request.query.get("after")
        names = [one["id"] for one in found]
        found = found[names.index(after) + 1 :] if after in names else found
        for one in found:
            self._age(one)
        page = [self._shown(one) for one in found[:2]]  # two a page: whoever looks for more must turn it
        return web.json_response({"object": "list", "data": page, "has_more": len(found) > 2,
                                  "first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None})  # fmt: skip

    async def _retrieve(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        self._age(batch)
        if batch["looks"] <= self.unknown_looks:
            return web.json_response({"error": {"message": "no such batch"}}, status=404)
        return web.json_response(self._shown(batch))

    def _age(self, batch: dict[str, Any]) -> None:
        batch["looks"] += 1
        if batch["looks"] > self.unknown_looks + self.looks:
            self._run(batch)

    def _run(self, batch: dict[str, Any], cancelled: bool = False) -> None:
        if batch["status"] != "running":
            return
        answers, errors = [], []
        for index, (custom_id, body) in enumerate(batch["requests"].items()):
            fate = "canceled" if cancelled and index % 2 else self.fate(body, self.sent[json.dumps(body, sort_keys=True)])
            batch["fates"][custom_id] = fate
            (answers if fate == "answered" else errors).append(self._line(batch, custom_id, body, fate))
        draw = random.Random(batch["id"])
        draw.shuffle(answers)
        draw.shuffle(errors)
        batch["status"] = "cancelled" if cancelled else "expired" if "expired" in batch["fates"].values() else "completed"
        if batch["anthropic"]:
            batch["results"] = answers + errors
            draw.shuffle(batch["results"])
            return
        for name, lines in (("output", answers), ("error", errors)):
            if lines:
                batch[name] = f"file-{len(self.files)}"
                self.files[batch[name]] = "\n".join(map(json.dumps, lines)).encode()

    def _line(self, batch: dict[str, Any], custom_id: str, body: dict[str, Any], fate: str) -> dict[str, Any]:
        if batch["anthropic"]:
            told: dict[str, Any] = {"type": {"invalid": "errored", "answered": "succeeded"}.get(fate, fate)}
            if fate == "answered":
                into, out = self._bill(body)
                content = [{"type": "text", "text": self.text(body["messages"][-1]["content"])}]
                usage = {"input_tokens": into, "output_tokens": out}
                told["message"] = {"id": "x", "type": "message", "role": "assistant", "model": body["model"], "content": content,
                                   "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}  # fmt: skip
            elif fate in ("errored", "invalid"):
                kind = "invalid_request_error" if fate == "invalid" else "overloaded_error"
                told["error"] = {"type": "error", "error": {"type": kind, "message": "no"}}
            return {"custom_id": custom_id, "result": told}
        response, error = None, None
        if fate == "answered":
            into, out = self._bill(body)
            message = {"role": "assistant", "content": self.text(body["messages"][-1]["content"])}
            answer = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"],
                      "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
                      "usage": {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}}  # fmt: skip
            response = {"status_code": 200, "request_id": "r", "body": answer}
        elif fate in ("errored", "invalid"):
            response = {"status_code": 400 if fate == "invalid" else 500, "body": {"error": {"message": "no", "code": "x"}}}
        else:
            error = {"code": f"batch_{fate}", "message": "no"}
        return {"id": "x", "custom_id": custom_id, "response": response, "error": error}

    async def _results(self, request: web.Request) -> web.Response:
        return web.Response(text="\n".join(map(json.dumps, self.batches[request.match_info["id"]]["results"])) + "\n")

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        self.cancelled.append(batch["id"])
        self._run(batch, cancelled=True)
        return web.json_response(self._shown(batch))


@pytest.fixture
def server() -> Iterator[BatchServer]:
    server = BatchServer()
    yield server
    server.close()


def openai(server: Loopback, **changes: Any) -> OpenAI:
    given = {"model": "gpt-5.4-mini", "base_url": server.openai_url, "batch": True, "max_tokens": 50, **PRICED}
    return OpenAI(**(given | changes))


def anthropic(server: Loopback, **changes: Any) -> Anthropic:
    given = {"model": "claude-haiku-5-5", "base_url": server.anthropic_url, "batch": True, "max_tokens": 50, **PRICED}
    return Anthropic(**(given | changes))


def rows_of(count: int) -> pl.DataFrame:
    return pl.DataFrame(make_rows(count), infer_schema_length=None)


def work(
    folder: Path, judges: list[Any], count: int, *, policy: BatchPolicy | None = SOON, max_usd: float | None = None, **more: Any
) -> Judged:
    with CallStore(folder / "calls.sqlite") as store:
        return judge(
            rows_of(count), question=more.pop("question", Difficulty()), judges=judges, store=store, max_usd=max_usd, seed=0, retry=FAST,
            batch=policy, **more,
        )  # fmt: skip


def stored(folder: Path) -> tuple[int, float, float]:
    with CallStore(folder / "calls.sqlite") as store:
        return len(store), store.spent_usd, store.at_risk_usd


MAKES = [openai, anthropic]


# -- results ----------------------------------------------------------------------------------------------------------


def test_batches_come_to_the_table_of_single_calls_at_half_the_price(server: BatchServer, tmp_path: Path) -> None:
    judges = [openai(server), anthropic(server), Baseline()]
    single = work(tmp_path / "single", judges, 7, policy=None, question=Listwise())
    usd, server.usd = server.usd, 0.0
    found = work(tmp_path / "batch", judges, 7, question=Listwise())
    assert found.judgements.equals(single.judgements)
    assert (found.calls, found.bought) == (single.calls, single.bought) == (35, 35)
    assert server.most_often_answered == 2 and len(server.batches) == 2, "once by each job, in a batch a judge"
    assert stored(tmp_path / "batch") == (35, pytest.approx(server.usd / 2), 0)
    assert found.usd == pytest.approx(server.usd / 2) and single.usd == pytest.approx(usd, rel=0.01)
    again = work(tmp_path / "batch", judges, 7, question=Listwise())
    assert again.judgements.equals(found.judgements) and (again.bought, again.usd, len(server.batches)) == (0, 0, 2)
    assert work(tmp_path / "batch", judges, 7, policy=None, question=Listwise()).bought == 0, "the same keys as single calls"


@pytest.mark.parametrize("make", MAKES)
def test_batches_keep_within_the_provider_s_limits(server: BatchServer, tmp_path: Path, make: Any) -> None:
    assert work(tmp_path / "a", [make(server, batch_requests=4)], 10).statuses == {"ok": 10}
    assert [len(one["requests"]) for one in server.batches.values()] == [4, 4, 2]
    server.batches.clear()
    assert work(tmp_path / "b", [make(server, batch_mb=0.005)], 10).statuses == {"ok": 10}
    sizes = [sum(len(json.dumps(line)) for line in one["requests"].items()) for one in server.batches.values()]
    assert len(sizes) > 2 and max(sizes) <= 5000
    with pytest.raises(RecipeError, match="row 'row-0000' alone passes batch_mb"):
        work(tmp_path / "c", [make(server, batch_mb=0.0001)], 3)


@pytest.mark.parametrize("make", MAKES)
def test_only_what_expired_or_failed_is_sent_again(server: BatchServer, tmp_path: Path, make: Any) -> None:
    fates = {1: "expired", 2: "errored", 3: "invalid"}

    def fate(body: dict[str, Any], times: int) -> str:
        number = int(body["messages"][-1]["content"].split("Question ")[1].split(":")[0])
        return fates.get(number % 5, "answered") if times == 1 or number % 5 == 3 else "answered"

    server.fate = fate
    found = work(tmp_path, [make(server)], 20)
    assert found.statuses == {"failed": 4, "ok": 16}
    assert sorted(len(one["requests"]) for one in server.batches.values()) == [8, 20]
    assert server.most_often_answered == 1
    assert stored(tmp_path) == (20, pytest.approx(server.usd / 2), 0)
    server.fate = lambda body, times: "answered"
    assert work(tmp_path, [make(server)], 20).statuses == {"ok": 20}, "what failed is asked again by the next run"


@pytest.mark.parametrize("make", MAKES)
def test_what_never_gets_an_answer_is_given_up(server: BatchServer, tmp_path: Path, make: Any) -> None:
    server.fate = lambda body, times: "expired" if "Question 1:" in body["messages"][-1]["content"] else "answered"
    found = work(tmp_path, [make(server)], 3, policy=BatchPolicy(**{**SOON.__dict__, "max_attempts": 2}))
    assert found.statuses == {"failed": 1, "ok": 2} and len(server.batches) == 2


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("fault", ["lost", "500", "late"])
def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(
    server: BatchServer, tmp_path: Path, make: Any, fault: str
) -> None:
    """The batch is made, and its maker never hears of it: the connection drops, a gateway fails, or the answer comes too late."""
    served = 0

    async def create(request: web.Request) -> Any:
        nonlocal served
        served += 1
        response = await BatchServer._create(server, request)
        if served > 1:
            return response
        if fault == "late":
            await asyncio.sleep(1.0)
        if fault == "500":
            return web.json_response({"error": {"message": "gateway"}}, status=502)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server._create = create  # type: ignore[method-assign]
    found = work(tmp_path, [make(server, timeout_s=0.5, batch_requests=6)], 12)
    assert found.statuses == {"ok": 12}
    assert server.most_often_answered == 1 and len(server.batches) == 2


@pytest.mark.parametrize("make", MAKES)
def test_another_s_batch_of_the_same_size_is_not_taken_for_ours(server: BatchServer, tmp_path: Path, make: Any) -> None:
    for _ in range(3):
        server.batches[f"other_{len(server.batches)}"] = {
            "id": f"other_{len(server.batches)}", "anthropic": make is anthropic, "requests": {f"else-{i}": {} for i in range(5)}, "looks": 9,
            "file": "file-x", "metadata": None, "created": time.time(), "fates": {f"else-{i}": "errored" for i in range(5)}, "status": "completed",
            "results": [{"custom_id": f"else-{i}", "result": {"type": "expired"}} for i in range(5)], "usd": 0.0,
        }  # fmt: skip
    made: list[int] = []

    def once(request: web.Request) -> Any:
        made.append(1)
        return web.json_response({"error": {}}, status=500) if len(made) == 1 else None

    server.on_create = once
    assert work(tmp_path, [make(server)], 5).statuses == {"ok": 5}
    assert len(made) == 2 and server.most_often_answered == 1


def test_a_batch_that_the_provider_will_not_run_says_why(server: BatchServer, tmp_path: Path) -> None:
    def fail(request: web.Request) -> None:
        server.looks = 10**6

    server.on_create = fail

    def watch(event: BatchEvent) -> None:
        if event.step == "looked" and event.status == "in_progress":
            batch = server.batches[event.batch]
            batch["status"], batch["errors"] = "failed", {"data": [{"code": "model_not_found", "message": "no such model"}]}

    with pytest.raises(NetworkError, match="batch_0 was not run: model_not_found: no such model"):
        work(tmp_path, [openai(server)], 3, policy=BatchPolicy(**{**SOON.__dict__, "on_event": watch}))
    assert stored(tmp_path) == (0, 0, 0), "nothing was billed, nothing is held back"


def test_an_account_that_is_full_gets_smaller_batches(server: BatchServer, tmp_path: Path) -> None:
    def watch(event: BatchEvent) -> None:
        batch = server.batches.get(event.batch)
        if event.step == "sent" and batch is not None and len(batch["requests"]) > 3:
            batch["status"], batch["errors"] = "failed", {"data": [{"code": "token_limit_exceeded", "message": "too many"}]}

    found = work(tmp_path, [openai(server)], 10, policy=BatchPolicy(**{**SOON.__dict__, "on_event": watch}))
    assert found.statuses == {"ok": 10} and server.most_often_answered == 1
    assert [len(one["requests"]) for one in server.batches.values()][:2] == [10, 5]


@pytest.mark.parametrize(("status", "hint"), [(404, "without --batch"), (413, "batch_mb"), (401, "key")])
@pytest.mark.parametrize("make", MAKES)
def test_a_refused_create_says_how_to_mend_it(server: BatchServer, tmp_path: Path, make: Any, status: int, hint: str) -> None:
    server.on_create = lambda request: web.json_response({"error": {"message": "no"}}, status=status)
    with pytest.raises(NetworkError, match=f"HTTP {status}") as caught:
        work(tmp_path, [make(server)], 3)
    assert hint in str(caught.value.hint) and stored(tmp_path) == (0, 0, 0)


@pytest.mark.parametrize("answer", ["{}", "[]"])
def test_an_answer_to_create_that_is_none_is_no_batch(server: BatchServer, tmp_path: Path, answer: str) -> None:
    server.on_create = lambda request: web.Response(text=answer, content_type="application/json")
    with pytest.raises(NetworkError, match="unreadable reply"):
        work(tmp_path, [openai(server)], 2, policy=BatchPolicy(**{**SOON.__dict__, "settle_s": 0.05}))
    assert stored(tmp_path)[0] == 0


def test_a_batch_of_another_key_is_said_to_be_one(server: BatchServer, tmp_path: Path) -> None:
    server.unknown_looks = 10**6
    with pytest.raises(NetworkError, match="msgbatch_0, sent from here, is not known there"):
        work(tmp_path, [anthropic(server)], 3, policy=BatchPolicy(**{**SOON.__dict__, "grace_s": 0.2}))
    server.unknown_looks = 0
    assert work(tmp_path, [anthropic(server)], 3).statuses == {"ok": 3} and len(server.batches) == 1


# -- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES)
def test_no_more_is_sent_than_fits_under_the_cap(server: BatchServer, tmp_path: Path, make: Any) -> None:
    whole = work(tmp_path / "free", [make(server)], 16).usd
    sent = len(server.batches)
    with pytest.raises(BudgetError):
        work(tmp_path / "a", [make(server)], 16, max_usd=whole * 0.8)
    calls, spent, at_risk = stored(tmp_path / "a")
    assert 0 < calls < 16 and spent <= whole * 0.8 and at_risk == 0
    assert len(server.batches) - sent > 1, "what settled below its worst case made room for more"
    assert work(tmp_path / "a", [make(server)], 16, max_usd=whole * 3).statuses == {"ok": 16}
    assert stored(tmp_path / "a")[1] == pytest.approx(whole)


def test_a_batch_that_still_runs_counts_against_the_cap_of_the_next_run(server: BatchServer, tmp_path: Path) -> None:
    stop = BatchPolicy(**{**SOON.__dict__, "on_event": interrupt_after("sent")})
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, [openai(server)], 10, policy=stop, max_usd=10)
    at_risk = stored(tmp_path)[2]
    assert at_risk > 0
    with pytest.raises(RecipeError, match="10 of its calls are in batches"):
        work(tmp_path, [openai(server)], 10, policy=None, max_usd=10)
    steps: list[str] = []
    told = BatchPolicy(**{**SOON.__dict__, "on_event": lambda event: steps.append(event.step)})
    found = work(tmp_path, [openai(server)], 11, policy=told, max_usd=at_risk * 1.01)
    assert found.statuses == {"ok": 11} and steps.index("stored") < steps.index("sent"), "the eleventh fits once ten are settled"
    assert server.most_often_answered == 1 and found.usd == pytest.approx(server.usd / 2)


def interrupt_after(step: str) -> Callable[[BatchEvent], None]:
    def tell(event: BatchEvent) -> None:
        if event.step == step:
            raise KeyboardInterrupt

    return tell


# -- stops ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES)
def test_cancelling_keeps_what_is_answered(server: BatchServer, tmp_path: Path, make: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, [make(server)], 10, policy=BatchPolicy(**{**SOON.__dict__, "on_event": interrupt_after("sent")}))
    with CallStore(tmp_path / "calls.sqlite") as store:
        assert [(one.state, one.requests, one.left) for one in open_batches([make(server)], store)] == [("running", 10, 10)]
        policy = BatchPolicy(**{**SOON.__dict__, "cancel": True})
        assert end_batches(Items(rows_of(10)), question=Difficulty(), judges=[make(server)], store=store, seed=0, policy=policy, retry=FAST) == 5
        assert open_batches([make(server)], store) == [] and len(store) == 5 and store.at_risk_usd == 0
    assert server.cancelled and work(tmp_path, [make(server)], 10, policy=None).statuses == {"ok": 10}
    assert server.most_often_answered == 1


NURSERY = """
import json, os, signal, sys
from pathlib import Path
import anthropic, openai
from test_annotators_batches import FAST, SOON, rows_of
from tilth.annotators.batches import BatchPolicy
from tilth.annotators.judge import judge
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import CallStore
from test_annotators_loopback import PRICED

def run(folder, api, port, count, die_at):
    given = dict(batch=True, batch_requests=4, max_tokens=50, **PRICED)
    if api == "openai":
        who = OpenAI(model="gpt-5.4-mini", base_url=f"http://127.0.0.1:{port}/v1", **given)
    else:
        who = Anthropic(model="claude-haiku-5-5", base_url=f"http://127.0.0.1:{port}", **given)
    steps = 0
    def step(event):
        nonlocal steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    folder = Path(folder)
    with CallStore(folder / "calls.sqlite") as store:
        policy = BatchPolicy(**{**SOON.__dict__, "on_event": step})
        found = judge(rows_of(count), question=Difficulty(), judges=[who], store=store, max_usd=1000, seed=0, retry=FAST, batch=policy)
        found.judgements.write_parquet(folder / "judged.parquet")

for line in sys.stdin:
    child = os.fork()  # what is imported is imported once
    if child == 0:
        code = 1
        try:
            run(*json.loads(line))
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    running = subprocess.Popen(
        [sys.executable, "-c", NURSERY], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield running
    running.communicate(timeout=10)


def child(nursery: subprocess.Popen[str], folder: Path, server: BatchServer, api: str, die_at: int) -> int:
    """Run a job of ten requests in a process that kills itself at that step (0: at none); its exit code."""
    folder.mkdir(exist_ok=True, parents=True)
    assert nursery.stdin is not None and nursery.stdout is not None
    nursery.stdin.write(json.dumps([str(folder), api, server.port, 10, die_at]) + "\n")
    nursery.stdin.flush()
    code = int(nursery.stdout.readline())
    assert code in (0, -9)
    return code


def kill_at(nursery: subprocess.Popen[str], folder: Path, api: str, stops: list[int]) -> list[int]:
    """A job of ten requests in three batches, killed at those steps of its runs, one after the other, comes to the same table."""
    server = BatchServer()
    server.fate = lambda body, times: "expired" if "Question 3:" in body["messages"][-1]["content"] and times == 1 else "answered"
    codes = [child(nursery, folder / "killed", server, api, stop) for stop in stops]
    assert child(nursery, folder / "killed", server, api, 0) == 0
    assert server.most_often_answered == 1 and len(server.answered) == 10, "every request was answered once"
    assert stored(folder / "killed") == (10, pytest.approx(server.usd / 2), 0)
    single = openai(server, batch=False) if api == "openai" else anthropic(server, batch=False)
    expected = work(folder / "single", [single], 10, policy=None).judgements
    assert pl.read_parquet(folder / "killed" / "judged.parquet").equals(expected)
    server.close()
    return codes


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("step", range(1, 6))
def test_a_kill_while_it_sends_changes_nothing(nursery: subprocess.Popen[str], tmp_path: Path, api: str, step: int) -> None:
    assert kill_at(nursery, tmp_path, api, [step]) == [-9]


@pytest.mark.slow
@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_a_kill_after_any_step_changes_nothing(nursery: subprocess.Popen[str], tmp_path: Path, api: str) -> None:
    """One job for every step that a run has, killed there; and one that is killed at each of its first steps in turn."""
    step = 1
    while kill_at(nursery, tmp_path / str(step), api, [step]) == [-9]:
        step += 1
    assert step > 15
    kill_at(nursery, tmp_path / "often", api, list(range(1, 12)))


# -- llmock -----------------------------------------------------------------------------------------------------------

SHIM = """
import sys
import uvicorn
from llmock.main import app
from llmock.routers import batch
batch._BATCH_DELAY = 0.3
async def shim(scope, receive, send):
    if scope["type"] == "http" and scope["path"].startswith("/anthropic/anthropic/"):
        scope = {**scope, "path": scope["path"][len("/anthropic"):]}
    await app(scope, receive, send)
uvicorn.run(shim, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


@pytest.fixture
def llmock_batches() -> Iterator[int]:
    import socket
    import urllib.request

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen([sys.executable, "-c", SHIM, str(port)])
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.1)
    yield port
    running.terminate()
    running.wait(10)


def test_both_apis_by_llmock(llmock_batches: int, tmp_path: Path) -> None:
    judges: list[ApiProvider] = [
        OpenAI(model="gpt-5.4-mini", base_url=f"http://127.0.0.1:{llmock_batches}/v1", batch=True, **PRICED),
        Anthropic(model="claude-haiku-5-5", base_url=f"http://127.0.0.1:{llmock_batches}/anthropic", batch=True, **PRICED),
    ]
    stop = BatchPolicy(**{**SOON.__dict__, "on_event": interrupt_after("created")})
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, judges, 4, policy=stop)
    found = work(tmp_path, judges, 4)
    assert found.bought == 8 and found.judgements.height == 8 and "failed" not in found.statuses
    assert work(tmp_path, judges, 4, policy=None).bought == 0


# -- the verb ---------------------------------------------------------------------------------------------------------


def test_the_verb_goes_on_with_its_batches(server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tilth.cli.main import tilth

    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "home"))
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"id": str(i), "prompt": f"Question {i}?"}) for i in range(4)))
    job = tmp_path / "job.yaml"
    priced = "input_usd_per_mtok: 1.0, output_usd_per_mtok: 1.0"
    job.write_text(
        f"name: rated\ninput: rows.jsonl\nquestion: {{difficulty: {{}}}}\n"
        f'judges:\n  - openai: {{model: m, base_url: "{server.openai_url}", batch: true, {priced}}}\n'
    )

    def run(*options: str) -> Any:
        return CliRunner().invoke(tilth, ["annotate", str(job), *options])

    monkeypatch.setattr("tilth.annotators.batches.BatchPolicy", functools.partial(BatchPolicy, first_look_s=0.05))
    done = run("--batch", "--json")
    assert done.exit_code == 0, done.output
    assert "batch_0, 4 requests: sent" in done.stderr and "collected" in done.stderr
    assert json.loads(done.stdout)["bought"] == 4 and (tmp_path / "rated.judgements.parquet").is_file()
    assert json.loads(run("--batch-status", "--json").stdout) == []
    assert json.loads(run("--batch-cancel", "--json").stdout) == {"collected": 0}
