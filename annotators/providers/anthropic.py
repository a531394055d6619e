"""Anthropic's messages API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tilth.annotators import parameters
from tilth.annotators.calls import Reply, Request, Usage
from tilth.annotators.provider import ApiProvider, Session, failed


class Anthropic(ApiProvider, name="anthropic", version=1):
    """Messages with structured output, on the official SDK. Key: ANTHROPIC_API_KEY."""

    key_variable: ClassVar[str] = "ANTHROPIC_API_KEY"

    def wire_parameters(self) -> Mapping[str, Any]:
        wire: dict[str, Any] = {"max_tokens": self.max_tokens}
        if self.temperature is not None and parameters.takes_temperature(self.name, self.model):
            wire["temperature"] = self.temperature
        if self.effort is not None and parameters.takes_effort(self.name, self.model):
            wire["effort"] = self.effort
        return wire

    def connect(self) -> Session:
        return _Session(self)


class _Session:
    def __init__(self, provider: Anthropic) -> None:
        import anthropic

        self._sdk = anthropic
        self._label = provider.label
        self._client = anthropic.AsyncAnthropic(
            api_key=provider.api_key(),
            base_url=provider.base_url or "https://api.anthropic.com",
            max_retries=0,
            timeout=provider.timeout_s,
            http_client=anthropic.DefaultAioHttpClient(timeout=provider.timeout_s),
        )

    async def ask(self, request: Request) -> Reply:
        started = time.monotonic()
        system = "\n\n".join(turn["content"] for turn in request.messages if turn["role"] == "system")
        extra: dict[str, Any] = {"system": system} if system else {}
        output: dict[str, Any] = {}
        if request.schema is not None:
            output["format"] = {"type": "json_schema", "schema": dict(request.schema)}
        if "effort" in request.parameters:
            output["effort"] = request.parameters["effort"]
        if output:
            extra["output_config"] = output
        if "temperature" in request.parameters:  # the SDK has no argument for it; older models still take it
            extra["extra_body"] = {"temperature": request.parameters["temperature"]}
        turns: Any = [turn for turn in request.messages if turn["role"] != "system"]
        try:
            answer = await self._client.messages.create(
                model=request.model, max_tokens=request.parameters["max_tokens"], messages=turns, **extra
            )
        except (self._sdk.AnthropicError, ValueError) as error:
            raise failed(self._label, self._sdk, error) from error
        return _reply(answer, time.monotonic() - started)

    async def close(self) -> None:
        await self._client.close()


def _reply(answer: Any, latency_s: float) -> Reply:
    used = getattr(answer, "usage", None)
    cached = getattr(used, "cache_read_input_tokens", None) or 0
    written = getattr(used, "cache_creation_input_tokens", None) or 0
    usage = Usage(
        # The API's input_tokens leaves the cache out; ours is the whole.
        input_tokens=(getattr(used, "input_tokens", None) or 0) + cached + written,
        output_tokens=getattr(used, "output_tokens", None) or 0,
        cached_tokens=cached,
    )
    raw = "".join(part.text for part in getattr(answer, "content", None) or () if getattr(part, "type", "") == "text")
    reason = getattr(answer, "stop_reason", None)
    if reason == "refusal":
        return Reply(raw, "refused", usage, latency_s)
    return Reply(raw, "truncated" if reason in ("max_tokens", "model_context_window_exceeded") else "ok", usage, latency_s)
