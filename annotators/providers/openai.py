"""OpenAI, and any server with its chat completions: vLLM, SGLang, Ollama, `transformers serve`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tilth.annotators import parameters
from tilth.annotators.api_session import ApiSession
from tilth.annotators.calls import Reply, Request, Usage
from tilth.annotators.provider import ApiProvider, Session
from tilth.annotators.wire import count, part, text

if TYPE_CHECKING:
    from tilth.annotators.batches_api import BatchApi


class OpenAI(ApiProvider, name="openai", version=1):
    """Chat completions with strict structured output, on the official SDK. Key: OPENAI_API_KEY."""

    key_variable: ClassVar[str] = "OPENAI_API_KEY"

    def wire_parameters(self) -> Mapping[str, Any]:
        wire: dict[str, Any] = {parameters.token_limit_name(self.model, self.base_url is not None): self.max_tokens}
        if self.temperature is not None and parameters.takes_temperature(self.name, self.model):
            wire["temperature"] = self.temperature
        if self.effort is not None and parameters.takes_effort(self.name, self.model):
            wire["reasoning_effort"] = self.effort
        if self.form == "json_object":
            wire["response_format"] = {"type": "json_object"}
        return wire

    def wire_body(self, request: Request) -> dict[str, Any]:
        body = {"model": request.model, "messages": list(request.messages), **request.parameters}
        if request.schema is not None:
            described = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        return body

    def reply(self, body: Mapping[str, Any], latency_s: float) -> Reply:
        used, choice = part(body, "usage"), part(body, "choices", 0)
        details = part(used, "prompt_tokens_details")
        usage = Usage(
            input_tokens=count(used, "prompt_tokens"),
            output_tokens=count(used, "completion_tokens"),
            cached_tokens=count(details, "cached_tokens"),
            cache_write_tokens=count(details, "cache_write_tokens"),
        )
        if not choice:
            return Reply("", "ok", usage, latency_s)  # nothing to read: the question will call it unparsed
        message, reason = part(choice, "message"), choice.get("finish_reason")
        content, refusal = text(message, "content"), text(message, "refusal")
        if refusal or reason == "content_filter":
            return Reply(refusal or content, "refused", usage, latency_s)
        return Reply(content, "truncated" if reason == "length" else "ok", usage, latency_s)

    def client(self) -> Any:
        """The SDK's client.

        Raises:
            CallFailedError: the key is missing.
        """
        import openai

        # The SDK would read OPENAI_BASE_URL for None: what a call is keyed by must be where it goes.
        return openai.AsyncOpenAI(
            api_key=self.api_key(),
            base_url=self.base_url or "https://api.openai.com/v1",
            max_retries=0,
            timeout=self.timeout_s,
            http_client=openai.DefaultAioHttpClient(timeout=self.timeout_s),
        )

    def connect(self) -> Session:
        import openai

        return ApiSession(self, openai, self.client(), "/chat/completions")

    def batches(self) -> BatchApi:
        from tilth.annotators.batches_openai import OpenAIBatches

        return OpenAIBatches(self)
