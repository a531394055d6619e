"""A session with an API, through the client of its official SDK.

The SDK signs, sends, times out and names errors; its typed layer is passed by (`client.post`), because the body of a request is ours
already and the body of a reply is read by us: half the CPU of `create`, and the headers and every byte are at hand.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from types import ModuleType
from typing import Any

import orjson

from tilth.annotators.calls import Reply, Request
from tilth.annotators.failures import CallFailedError, failed, unreadable
from tilth.annotators.provider import ApiProvider
from tilth.annotators.rate_headers import allowances
from tilth.annotators.wire import json_body


class ApiSession:
    """Asks one provider.

    Args:
        sdk: the module `openai` or `anthropic`.
        client: its asynchronous client.
        path: of a single call, under the client's base URL.
    """

    def __init__(self, provider: ApiProvider, sdk: ModuleType, client: Any, path: str) -> None:
        import httpx2

        self._provider = provider
        self._sdk = sdk
        self._client = client
        self._path = path
        self._raw = httpx2.Response

    async def ask(self, request: Request) -> Reply:
        import aiohttp

        started = time.monotonic()
        provider = self._provider
        try:
            async with asyncio.timeout(provider.timeout_s):
                response = await self._client.post(self._path, cast_to=self._raw, content=orjson.dumps(provider.wire_body(request)))
        except TimeoutError as error:  # the SDK's own limit is for each read: a server that drips never reaches it
            raise CallFailedError(f"{provider.label}: no reply in time", retry=True, may_be_billed=True) from error
        except (self._sdk.APIError, aiohttp.ClientError, ValueError) as error:
            raise failed(provider.label, self._sdk, error) from error
        latency_s = time.monotonic() - started
        try:
            reply = provider.reply(json_body(response.content), latency_s)
        except ValueError as error:
            raise unreadable(provider.label, error) from error
        return replace(reply, allowances=allowances(response.headers.raw))

    async def close(self) -> None:
        await self._client.close()
