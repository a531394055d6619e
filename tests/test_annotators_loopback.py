"""A small server on loopback that answers as OpenAI and Anthropic do, counts what it answers, and can be told to misbehave.

`llmock` cannot answer Anthropic's structured output; this can. It reads the request as a judge would: it looks for the
code names in the task and scores every response by its length, so its answers do not depend on the order shown.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

INPUT_USD_PER_MTOK = 1000.0
OUTPUT_USD_PER_MTOK = 2000.0

Fault = Callable[[dict[str, Any], int], Any]
"""(body, number of this request from 1) → None to answer, (status, headers, text) for a response, or a float: seconds to wait first."""


def answer_text(prompt: str) -> str:
    """A well-formed answer to any of the shipped questions."""
    if found := re.search(r"(?:code names are: |代号为：)(.*)$", prompt):
        names = found[1].split(", ")
        texts = {name: re.search(rf"<<<\S+ {name} \w+>>>\n(.*?)\n<<<END", prompt, re.DOTALL) for name in names}
        ranked = sorted(names, key=lambda name: (-len(texts[name][1] if texts[name] else ""), texts[name][1]))
        scores = [{"candidate": name, "score": 1 + len(texts[name][1]) % 5} for name in names]
        return json.dumps({"scores": scores, "ranking": ranked} if '"ranking"' in prompt else {"scores": scores})
    if '"winner"' in prompt:
        return json.dumps({"fluency": "A", "relevance": "tie", "completeness": "A", "proficiency": "A", "winner": "A"})
    if '"final_answer"' in prompt:
        return json.dumps({"final_answer": "growth", "verdict": "correct"})
    if '"related"' in prompt:
        return json.dumps({"reason": "another matter", "verdict": "different"})
    if '"category"' in prompt:
        return json.dumps({"verdict": "safe", "category": "none"})
    if '"worth_asking"' in prompt:
        return json.dumps({"worth_asking": "yes"})
    if found := re.search(r"(?:The labels are: |标签为：)(\w+)", prompt):
        return json.dumps({"domain": found[1]})
    if '"ok"' in prompt:
        return json.dumps({"ok": True})
    return json.dumps({"score": 4, "justification": "because"})


class Loopback:
    """The server; `answered` counts bodies answered with 200, `usd` what they cost at the test's prices."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered: Counter[str] = Counter()
        self.usd = 0.0
        self.fault: Fault = lambda body, number: None
        self.text: Callable[[str], str] = answer_text
        self.finish: str | None = None
        self.refusal: str | None = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.output_tokens = 40
        self.reply_headers: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        threading.Thread(target=self._serve, daemon=True).start()
        assert self._ready.wait(10)

    @property
    def openai_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._openai)
        app.router.add_post("/v1/messages", self._anthropic)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]

    async def _take(self, request: web.Request) -> tuple[dict[str, Any], web.Response | None]:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            told = self.fault(body, len(self.bodies))
            if isinstance(told, int | float):
                await asyncio.sleep(told)
                told = None
        finally:
            self.in_flight -= 1
        if told is None:
            return body, None
        status, headers, text = told
        if status is None:
            assert request.transport is not None
            request.transport.abort()
            return body, web.Response()
        return body, web.Response(status=status, headers=headers, text=text, content_type="application/json")

    def _bill(self, body: dict[str, Any]) -> tuple[int, int]:
        used = len(json.dumps(body["messages"], ensure_ascii=False)) // 4, self.output_tokens
        self.answered[json.dumps(body, sort_keys=True)] += 1
        self.usd += (used[0] * INPUT_USD_PER_MTOK + used[1] * OUTPUT_USD_PER_MTOK) / 1e6
        return used

    async def _openai(self, request: web.Request) -> web.Response:
        body, fault = await self._take(request)
        if fault is not None:
            return fault
        into, out = self._bill(body)
        message: dict[str, Any] = {"role": "assistant", "content": self.text(body["messages"][-1]["content"])}
        if self.refusal:
            message |= {"content": None, "refusal": self.refusal}
        choice = {"index": 0, "message": message, "finish_reason": self.finish or "stop", "logprobs": None}
        usage = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
        usage["prompt_tokens_details"] = {"cached_tokens": 7}  # type: ignore[assignment]
        return web.json_response(
            {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice], "usage": usage},
            headers=self.reply_headers,
        )

    async def _anthropic(self, request: web.Request) -> web.Response:
        body, fault = await self._take(request)
        if fault is not None:
            return fault
        into, out = self._bill(body)
        content = [{"type": "text", "text": self.text(body["messages"][-1]["content"])}]
        usage = {"input_tokens": into - 10, "output_tokens": out, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 0}
        reply = {"id": "x", "type": "message", "role": "assistant", "model": body["model"], "content": content}
        return web.json_response(reply | {"stop_reason": self.finish or "end_turn", "stop_sequence": None, "usage": usage}, headers=self.reply_headers)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.close()


PRICED = {"input_usd_per_mtok": INPUT_USD_PER_MTOK, "output_usd_per_mtok": OUTPUT_USD_PER_MTOK}


def make_rows(count: int, language: str = "en") -> list[dict[str, Any]]:
    """Rows with three candidates and a reference."""
    return [
        {
            "id": f"row-{index:04}",
            "prompt": [{"role": "user", "content": f"Question {index}: what is zinc for?"}],
            "candidates": [
                {"model": "alpha-7b", "text": f"Zinc number {index} helps."},
                {"model": "beta-7b", "text": "Nothing known."},
                {"model": "gamma-7b", "text": "Growth, immunity and wound healing."},
            ],
            "answer": None,
            "options": None,
            "reference": "Growth, immunity, wound healing.",
            "language": language,
        }
        for index in range(count)
    ]


def test_the_server_answers_every_question_in_form(loopback: Loopback) -> None:
    from tilth.annotators.question import Item, Question
    from tilth.core import units

    for name, cls in units.every("question").items():
        question = cls()
        assert isinstance(question, Question)
        for language in ("en", "zh"):
            for ask in question.requests(Item.of(make_rows(1, language)[0]), 0):
                statuses = {verdict.status for verdict in question.parse(answer_text(ask.messages[-1]["content"]), ask)}
                assert statuses == {"ok"}, name


if __name__ == "__main__":  # a server for a child process: prints its port, runs until killed
    server = Loopback()
    print(server.port, flush=True)
    sys.stdin.read()
