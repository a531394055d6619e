"""Anthropic's message batches: one request that holds all, results as JSON lines.

They carry no metadata and cannot be searched. A batch whose id never reached us is therefore looked for among those of the
account that nobody else accounts for and that hold as many requests; when such a one has ended, the ids in its results settle it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx2
import orjson

from tilth.annotators.batches_api import SEND_SECONDS, ApiErrors, Look, Result, Sent
from tilth.annotators.calls import Request
from tilth.annotators.providers.anthropic import Anthropic
from tilth.annotators.wire import json_body, part, text

PATH = "/v1/messages/batches"
OURS_TO_MEND = ("invalid_request_error", "request_too_large", "not_found_error", "permission_error", "authentication_error")


class AnthropicBatches:
    """Batches of messages."""

    uploads = False

    def __init__(self, provider: Anthropic) -> None:
        import anthropic

        self._provider = provider
        self._client = provider.client()
        self._errors = ApiErrors(provider, anthropic)
        self._strangers: set[str] = set()
        """Batches that have ended and are not ours."""

    def line(self, custom_id: str, request: Request) -> bytes:
        params = self._provider.wire_body(request)
        for block in params.get("system", ()):
            if "cache_control" in block:  # a batch takes longer than the five minutes that the cache keeps by itself
                block["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
        return orjson.dumps({"custom_id": custom_id, "params": params})

    async def upload(self, token: str, lines: Sequence[bytes]) -> str:
        return ""

    async def create(self, token: str, file: str, lines: Sequence[bytes]) -> str:
        content = b'{"requests":[' + b",".join(lines) + b"]}"
        with self._errors:
            response = await self._client.post(PATH, cast_to=httpx2.Response, content=content, options={"timeout": SEND_SECONDS})
            batch = text(json_body(response.content), "id")
            if not batch:
                raise ValueError("a batch without an id")
            return batch

    async def look(self, batch: str) -> Look:
        with self._errors:
            found = await self._client.messages.batches.retrieve(batch)
            ended = found.processing_status == "ended"
            return Look("ended" if ended else "running", found.processing_status, _total(found) - found.request_counts.processing)

    async def results(self, batch: str) -> AsyncGenerator[Result]:
        with self._errors:
            found = await self._client.messages.batches.results(batch)
            try:
                async for line in found.http_response.aiter_lines():
                    if (result := read_line(line)) is not None:
                        yield result
            finally:
                await found.close()

    async def find(self, lost: Sent, known: frozenset[str]) -> str | None:
        maybe = False
        seen: set[str] = set()
        with self._errors:
            async for batch in self._client.messages.batches.list(limit=100):
                if (
                    batch.id in seen or batch.created_at.timestamp() < lost.sent_at - 86_400
                ):  # newest first; no clock is a day off
                    break
                seen.add(batch.id)
                if batch.id in known or batch.id in self._strangers or _total(batch) != lost.requests:
                    continue
                if batch.processing_status != "ended":
                    maybe = True
                elif await self._is(batch.id, lost.token):
                    return str(batch.id)
                else:
                    self._strangers.add(batch.id)
        return "" if maybe else None

    async def _is(self, batch: str, token: str) -> bool:
        async with contextlib.aclosing(self.results(batch)) as results:
            async for result in results:
                return result.custom_id.startswith(token)
        return False

    async def cancel(self, batch: str) -> None:
        with self._errors:
            await self._client.messages.batches.cancel(batch)

    async def close(self) -> None:
        await self._client.close()


def _total(batch: Any) -> int:
    told = batch.request_counts
    return int(told.processing + told.succeeded + told.errored + told.canceled + told.expired)


def read_line(line: str) -> Result | None:
    """One line of the results; None where it is none."""
    try:
        told = json_body(line.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    custom_id, result = text(told, "custom_id"), part(told, "result")
    kind = text(result, "type")
    if kind == "succeeded":
        return Result(custom_id, part(result, "message"))
    problem = part(result, "error", "error") or part(result, "error")
    message = f"{text(problem, 'type') or kind}: {text(problem, 'message')}"[:300]
    return Result(custom_id, None, message, again=text(problem, "type") not in OURS_TO_MEND)
