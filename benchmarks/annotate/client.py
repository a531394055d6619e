"""One client in a process of its own: asks a server every prompt of a file and says how long it took, in a line of JSON.

    .venv/bin/python -m benchmarks.annotate.client WHAT --url URL --input PROMPTS.jsonl [--concurrency 64] [--cap USD]

WHAT: `openai`, `anthropic`, a job of ours through that SDK, call store and all; `sdk_openai`, `sdk_anthropic`, the SDK alone with its aiohttp
transport and typed replies, nothing stored; `bare`, aiohttp alone. All send the same bodies; a few calls before the clock warm them up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from benchmarks.processes import pss_kib
from tilth.annotators.items import Items
from tilth.annotators.judge import judge
from tilth.annotators.plan import chunks
from tilth.annotators.provider import ApiProvider
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import CallStore

PRICES: dict[str, Any] = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 4.0}
WARM_UP = 64
Send = Callable[[dict[str, Any]], Awaitable[Any]]


def provider(sdk: str, url: str, **fields: Any) -> ApiProvider:
    """A judge at a server of the benchmark."""
    if sdk == "openai":
        return OpenAI(model="gpt-4.1", base_url=f"{url}/v1", **PRICES, **fields)
    return Anthropic(model="claude-haiku-4-5", base_url=url, **PRICES, **fields)


def frame(prompts: list[str]) -> pl.DataFrame:
    """Rows of a job."""
    return pl.DataFrame({"id": [f"row-{i:06}" for i in range(len(prompts))], "prompt": [[{"role": "user", "content": text}] for text in prompts]})


def bodies(asked: ApiProvider, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The bodies that a job sends for these rows."""
    return [asked.wire_body(task.request) for tasks in chunks(asked, Items(rows), Difficulty(), 0) for task in tasks]


def ours(asked: ApiProvider, rows: pl.DataFrame, cap: float | None, on_progress: Any = None) -> None:
    """A whole job, into a fresh store."""
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "calls.sqlite") as store:
        judged = judge(rows, question=Difficulty(), judges=[asked], store=store, max_usd=cap, seed=0, on_progress=on_progress)
    assert judged.statuses == {"ok": rows.height}, judged.statuses


async def alone(what: str, url: str, sent: list[dict[str, Any]], concurrency: int) -> tuple[float, float]:
    """(wall, CPU) seconds of an SDK or of aiohttp."""
    client, send = _client(what, url, concurrency)
    await _all(send, sent[:WARM_UP], concurrency)
    wall, cpu = time.perf_counter(), time.process_time()
    await _all(send, sent, concurrency)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    await client.close()
    return taken


async def _all(send: Send, sent: list[dict[str, Any]], concurrency: int) -> None:
    waiting = iter(sent)

    async def work() -> None:
        for body in waiting:
            await send(body)

    await asyncio.gather(*(work() for _ in range(concurrency)))


def _client(what: str, url: str, concurrency: int) -> tuple[Any, Send]:
    if what == "sdk_openai":
        import openai

        ai: Any = openai.AsyncOpenAI(api_key="none", base_url=f"{url}/v1", max_retries=0, http_client=openai.DefaultAioHttpClient())
        return ai, lambda body: ai.chat.completions.create(**body)
    if what == "sdk_anthropic":
        import anthropic

        claude: Any = anthropic.AsyncAnthropic(api_key="none", base_url=url, max_retries=0, http_client=anthropic.DefaultAioHttpClient())

        def typed(body: dict[str, Any]) -> Any:
            extra = {name: body[name] for name in ("temperature",) if name in body}
            return claude.messages.create(**{name: value for name, value in body.items() if name not in extra}, extra_body=extra)

        return claude, typed
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency))

    async def send(body: dict[str, Any]) -> Any:
        async with session.post(f"{url}/v1/chat/completions", data=orjson.dumps(body)) as answer:
            return orjson.loads(await answer.read())

    return session, send


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("openai", "anthropic", "sdk_openai", "sdk_anthropic", "bare"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--cap", type=float)
    said = parser.parse_args()
    rows = frame([json.loads(line)["prompt"] for line in said.input.read_text(encoding="utf-8").splitlines()])
    asked = provider(said.what.removeprefix("sdk_").replace("bare", "openai"), said.url, concurrency=said.concurrency)
    memory: dict[int, int] = {}
    marks = {rows.height // 20, rows.height}

    def watch(done: int, *_: object) -> None:
        if done in marks:
            memory[done] = pss_kib(os.getpid())

    if said.what in ("openai", "anthropic"):
        ours(asked, rows[:WARM_UP], said.cap)
        wall, cpu = time.perf_counter(), time.process_time()
        ours(asked, rows, said.cap, watch)
        taken = time.perf_counter() - wall, time.process_time() - cpu
    else:
        taken = asyncio.run(alone(said.what, said.url, bodies(asked, rows), said.concurrency))
    print(json.dumps({"seconds": taken[0], "cpu_seconds": taken[1], "calls": rows.height, "pss_kib": memory}))


if __name__ == "__main__":
    main()
