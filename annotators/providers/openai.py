"""OpenAI, and any server with its chat completions: vLLM, SGLang, Ollama, `transformers serve`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tilth.annotators import parameters
from tilth.annotators.calls import Reply, Request, Usage
from tilth.annotators.provider import ApiProvider, Session, failed


class OpenAI(ApiProvider, name="openai", version=1):
    """Chat completions with strict structured output, on the official SDK. Key: OPENAI_API_KEY."""

    key_variable: ClassVar[str] = "OPENAI_API_KEY"

    def wire_parameters(self) -> Mapping[str, Any]:
        wire: dict[str, Any] = {parameters.token_limit_name(self.model, self.base_url is not None): self.max_tokens}
        if self.temperature is not None and parameters.takes_temperature(self.name, self.model):
            wire["temperature"] = self.temperature
        if self.effort is not None and parameters.takes_effort(self.name, self.model):
            wire["reasoning_effort"] = self.effort
        return wire

    def connect(self) -> Session:
        return _Session(self)


class _Session:
    def __init__(self, provider: OpenAI) -> None:
        import openai

        self._sdk = openai
        self._label = provider.label
        # The SDK would read OPENAI_BASE_URL for None: what a call is keyed by must be where it goes.
        self._client = openai.AsyncOpenAI(
            api_key=provider.api_key(),
            base_url=provider.base_url or "https://api.openai.com/v1",
            max_retries=0,
            timeout=provider.timeout_s,
            http_client=openai.DefaultAioHttpClient(timeout=provider.timeout_s),
        )

    async def ask(self, request: Request) -> Reply:
        started = time.monotonic()
        extra: dict[str, Any] = dict(request.parameters)
        if request.schema is not None:
            described = {"name": "answer", "strict": True, "schema": dict(request.schema)}
            extra["response_format"] = {"type": "json_schema", "json_schema": described}
        messages: Any = list(request.messages)
        try:
            answer = await self._client.chat.completions.create(model=request.model, messages=messages, **extra)
        except (self._sdk.OpenAIError, ValueError) as error:
            raise failed(self._label, self._sdk, error) from error
        return _reply(answer, time.monotonic() - started)

    async def close(self) -> None:
        await self._client.close()


def _reply(answer: Any, latency_s: float) -> Reply:
    used = getattr(answer, "usage", None)
    details = getattr(used, "prompt_tokens_details", None)
    usage = Usage(
        input_tokens=getattr(used, "prompt_tokens", None) or 0,
        output_tokens=getattr(used, "completion_tokens", None) or 0,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
    )
    choices = getattr(answer, "choices", None)
    if not choices:
        return Reply("", "ok", usage, latency_s)  # nothing to read: the question will call it unparsed
    message, reason = choices[0].message, choices[0].finish_reason
    refusal = getattr(message, "refusal", None)
    if refusal or reason == "content_filter":
        return Reply(refusal or message.content or "", "refused", usage, latency_s)
    return Reply(message.content or "", "truncated" if reason == "length" else "ok", usage, latency_s)
