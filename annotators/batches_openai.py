"""OpenAI's batch API: a file of requests, a batch over it, files of answers and of errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import httpx2
import orjson

from tilth.annotators.batches_api import SEND_SECONDS, ApiErrors, Look, Result, Sent
from tilth.annotators.calls import Request
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.wire import count, json_body, part, text

ENDPOINT = "/v1/chat/completions"
MARK = "tilth"
"""Name of the metadata field that holds our token."""
OURS_TO_MEND = range(400, 500)
TRY_AGAIN = (408, 409, 429)


class OpenAIBatches:
    """Batches of chat completions."""

    uploads = True

    def __init__(self, provider: OpenAI) -> None:
        import openai

        self._provider = provider
        self._client = provider.client()
        self._errors = ApiErrors(provider, openai)

    def line(self, custom_id: str, request: Request) -> bytes:
        body = self._provider.wire_body(request)
        return orjson.dumps({"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body})

    async def upload(self, token: str, lines: Sequence[bytes]) -> str:
        with self._errors:
            named = (f"tilth-{token}.jsonl", b"\n".join(lines), "application/jsonl")
            file = await self._client.files.create(file=named, purpose="batch", timeout=SEND_SECONDS)
            return _id(file)

    async def create(self, token: str, file: str, lines: Sequence[bytes]) -> str:
        with self._errors:
            batch = await self._client.batches.create(
                input_file_id=file, endpoint=ENDPOINT, completion_window="24h", metadata={MARK: token}
            )
            return _id(batch)

    async def look(self, batch: str) -> Look:
        with self._errors:
            found = await self._client.batches.retrieve(batch)
            _id(found)
            told = found.request_counts
            answered = (told.completed or 0) + (told.failed or 0) if told is not None else 0
            if found.status == "failed" and not (found.output_file_id or found.error_file_id):
                errors = (found.errors.data or []) if found.errors is not None else []
                return Look("invalid", found.status, 0, tuple((str(one.code), str(one.message)) for one in errors))
        ended = found.status in ("completed", "failed", "expired", "cancelled")
        return Look("ended" if ended else "running", found.status, answered)

    async def results(self, batch: str) -> AsyncGenerator[Result]:
        with self._errors:
            found = await self._client.batches.retrieve(batch)
        for file in (found.output_file_id, found.error_file_id):
            if file is not None:
                async for line in self._lines(file):
                    if (result := read_line(line)) is not None:
                        yield result

    async def _lines(self, file: str) -> AsyncIterator[str]:
        with self._errors:
            async with self._client.files.with_streaming_response.content(file) as response:
                async for line in response.iter_lines():
                    yield line

    async def find(self, lost: Sent, known: frozenset[str]) -> str | None:
        """By the file, which no other batch is over, and by the token."""
        seen: set[str] = set()
        with self._errors:
            async for batch in self._client.batches.list(limit=100):
                if batch.input_file_id == lost.file or (batch.metadata or {}).get(MARK) == lost.token:
                    return str(batch.id)
                if batch.id in seen or batch.created_at < lost.sent_at - 86_400:  # newest first; no clock is a day off
                    break
                seen.add(batch.id)
        return None

    async def cancel(self, batch: str) -> None:
        with self._errors:
            await self._client.batches.cancel(batch)

    async def close(self) -> None:
        await self._client.close()


def _id(answer: object) -> str:
    """The id of what the server made or was asked for; the SDK makes something of any JSON, and a text of what is none.

    Raises:
        ValueError: it has none.
    """
    found = getattr(answer, "id", None)
    if not isinstance(found, str) or not found:
        raise ValueError("an answer without an id")
    return found


def read_line(line: str) -> Result | None:
    """One line of a file of answers or of errors; None where it is none."""
    try:
        told = json_body(line.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    custom_id, response, error = text(told, "custom_id"), part(told, "response"), part(told, "error")
    status = count(response, "status_code")
    if not error and status == httpx2.codes.OK:
        return Result(custom_id, part(response, "body"))
    problem = error or part(response, "body", "error")
    message = f"{text(problem, 'code') or status or 'error'}: {text(problem, 'message')}"[:300]
    # A line of the error file without a status is of a request that was never run: expired, or cancelled.
    return Result(custom_id, None, message, again=status in TRY_AGAIN or status not in OURS_TO_MEND)
