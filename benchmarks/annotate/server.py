"""A model's API on loopback, in a process of its own: OpenAI's and Anthropic's shapes, an answer at once, faults on demand, every cent counted.

    .venv/bin/python -m benchmarks.annotate.server [--faults 0.1] [--latency 0.01]      # says its port in a line on stdout

`GET /count` tells {answered, requests, faults, input_tokens, output_tokens, most_in_flight}, `GET /billed` how often each body was
answered, by its sha256; `POST /reset` forgets.
A fault is drawn from hash(body, how often this body has come), so that a run can be repeated: 429 with Retry-After, 529, 500, a
reply that arrives after the client's patience (billed), a reply cut by the token limit (billed, final).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

ROOT = Path(__file__).parents[2]
BYTES_PER_TOKEN = 4
OUTPUT_TOKENS = 24
LATE_SECONDS = 3.0
"""How late a late reply is; clients are given less patience."""
SCORE = '{"score":4,"justification":"It needs two steps of reasoning."}'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Count:
    """What the server has done since the last reset."""

    requests: int = 0
    answered: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seen: Counter[bytes] = field(default_factory=Counter)
    """body → times it came"""
    billed: Counter[bytes] = field(default_factory=Counter)
    """body → times it was answered and billed"""


class Talker:
    """Counts with a tokenizer, and answers at lengths that vary as a model's do: log-normally, half the mean from it."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(path))

    def answer(self, body: bytes) -> tuple[int, int, str]:
        """(input tokens, output tokens, text)"""
        asked = orjson.loads(body)
        prompt = "".join(turn["content"] for turn in asked["messages"])
        schema = orjson.dumps(asked.get("response_format", {}))
        tokens_in = len(self._tokenizer.encode(prompt).ids) + len(self._tokenizer.encode(schema.decode()).ids) + 4 * len(asked["messages"])
        draw = random.Random(body)
        words = [prompt[at : at + 6] for at in range(0, len(prompt), 6)]
        text = "".join(draw.choice(words) for _ in range(round(draw.lognormvariate(3.0, 0.47))))
        said = orjson.dumps({"score": draw.randint(1, 10), "justification": text}).decode()
        return tokens_in, len(self._tokenizer.encode(said).ids), said


class Server:
    """State of one server, shared by its connections."""

    def __init__(self, faults: float, latency: float, tokenizer: Path | None = None) -> None:
        self.faults = faults
        self.talker = Talker(tokenizer) if tokenizer is not None else None
        self.latency = latency
        self.count = Count()

    def answer(self, path: bytes, body: bytes) -> tuple[int, bytes, bytes, float]:
        """(status, extra headers, body, seconds to wait) for one request."""
        if path.endswith(b"/count"):
            return 200, b"", self._told(), 0.0
        if path.endswith(b"/billed"):
            return 200, b"", orjson.dumps({key.hex(): times for key, times in self.count.billed.items()}), 0.0
        if path.endswith(b"/reset"):
            self.count = Count()
            return 200, b"", b"{}", 0.0
        if not body:  # a peer's question whether the server is up
            return 200, b"", b'{"object":"list","data":[]}', 0.0
        fault, wait = self._fault(body), self.latency
        if fault in ("429", "529", "500"):
            self.count.faults[fault] += 1
            extra = b"retry-after-ms: 20\r\n" if fault == "429" else b""
            return int(fault), extra, b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', wait
        if fault is not None:
            self.count.faults[fault] += 1
        tokens_in, tokens_out, said = len(body) // BYTES_PER_TOKEN, OUTPUT_TOKENS, SCORE
        if self.talker is not None:
            tokens_in, tokens_out, said = self.talker.answer(body)
        self.count.answered += 1
        self.count.input_tokens += tokens_in
        self.count.output_tokens += tokens_out
        if self.faults:
            self.count.billed[hashlib.sha256(body).digest()] += 1
        cut = fault == "cut"
        text = said[:20] if cut else said
        shape = _anthropic if path.endswith(b"/messages") else _openai
        return 200, b"", shape(text, tokens_in, tokens_out, cut), LATE_SECONDS if fault == "late" else wait

    def _fault(self, body: bytes) -> str | None:
        self.count.requests += 1
        if not self.faults:
            return None
        key = hashlib.sha256(body).digest()
        turn = self.count.seen[key]
        self.count.seen[key] += 1
        draw = int.from_bytes(hashlib.sha256(key + bytes([turn % 256])).digest()[:8]) / 2**64
        if draw >= self.faults:
            return None
        kind = ("429", "529", "500", "late", "cut")[int(draw / self.faults * 5)]
        return None if kind == "late" and draw / self.faults * 5 % 1 > 0.1 else kind  # late replies hold a worker for seconds: one in ten of a fifth

    def _told(self) -> bytes:
        count = self.count
        return orjson.dumps({
            "requests": count.requests, "answered": count.answered, "input_tokens": count.input_tokens, "output_tokens": count.output_tokens,
            "most_in_flight": count.most_in_flight, "faults": dict(count.faults),
        })  # fmt: skip


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as clients need."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int(found[1]) if (found := _LENGTH.search(head)) else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        status, extra, answer, wait = self._server.answer(head.split(b" ", 2)[1], body)
        close = b"connection: close" in head.lower()
        said = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s%s\r\n%s" % (
            status, len(answer), extra, b"connection: close\r\n" if close else b"", answer,
        )  # fmt: skip
        count = self._server.count
        count.in_flight += 1
        count.most_in_flight = max(count.most_in_flight, count.in_flight)
        if wait:
            asyncio.get_running_loop().call_later(wait, self._send, said, close, count)
        else:
            self._send(said, close, count)

    def _send(self, said: bytes, close: bool, count: Count) -> None:
        count.in_flight -= 1
        if not self._transport.is_closing():
            self._transport.write(said)
            if close:
                self._transport.close()


def _openai(text: str, tokens_in: int, tokens_out: int, cut: bool) -> bytes:
    return orjson.dumps({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "length" if cut else "stop"}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
    })  # fmt: skip


def _anthropic(text: str, tokens_in: int, tokens_out: int, cut: bool) -> bytes:
    return orjson.dumps({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": text}],
        "stop_reason": "max_tokens" if cut else "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
    })  # fmt: skip


class Running:
    """A server in a process of its own, until the block ends."""

    def __init__(self, *, faults: float = 0.0, latency: float = 0.0, tokenizer: Path | None = None) -> None:
        command = [sys.executable, "-m", "benchmarks.annotate.server", "--faults", str(faults), "--latency", str(latency)]
        command += [] if tokenizer is None else ["--tokenizer", str(tokenizer)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self) -> dict[str, Any]:
        """What it has done since the last reset."""
        return self._get("count")

    def billed(self) -> dict[str, int]:
        """sha256 of a body → times that it was answered."""
        return self._get("billed")

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/{what}") as answer:
            found: dict[str, Any] = orjson.loads(answer.read())
        return found

    def reset(self) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/reset", data=b"")).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


async def _main(state: Server) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--tokenizer", type=Path)
    said = parser.parse_args()
    gc.disable()
    asyncio.run(_main(Server(said.faults, said.latency, said.tokenizer)))
