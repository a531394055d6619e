"""Anthropic's messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tilth.annotators import parameters
from tilth.annotators.api_session import ApiSession
from tilth.annotators.calls import Reply, Request, Usage
from tilth.annotators.provider import ApiProvider, Session
from tilth.annotators.wire import count, part, text
from tilth.core.units import execution

if TYPE_CHECKING:
    from tilth.annotators.batches_api import BatchApi


class Anthropic(ApiProvider, name="anthropic", version=1):
    """Messages with structured output, on the official SDK. Key: ANTHROPIC_API_KEY."""

    key_variable: ClassVar[str] = "ANTHROPIC_API_KEY"

    batch_requests: int = execution(100_000, "requests in one batch at most", ge=1)
    batch_mb: float = execution(250.0, "megabytes in one batch at most", gt=0)

    def wire_parameters(self) -> Mapping[str, Any]:
        wire: dict[str, Any] = {"max_tokens": self.max_tokens}
        if self.temperature is not None and parameters.takes_temperature(self.name, self.model):
            wire["temperature"] = self.temperature
        if self.effort is not None and parameters.takes_effort(self.name, self.model):
            wire["effort"] = self.effort
        return wire

    def wire_body(self, request: Request) -> dict[str, Any]:
        given = dict(request.parameters)
        output: dict[str, Any] = {"effort": given.pop("effort")} if "effort" in given else {}
        if request.schema is not None:
            output["format"] = {"type": "json_schema", "schema": request.schema}
        turns = [turn for turn in request.messages if turn["role"] != "system"]
        body: dict[str, Any] = {"model": request.model, "messages": turns, **given}
        if system := "\n\n".join(turn["content"] for turn in request.messages if turn["role"] == "system"):
            block: dict[str, Any] = {"type": "text", "text": system}
            if parameters.worth_caching(self.model, system):
                block["cache_control"] = {"type": "ephemeral"}
            body["system"] = [block]
        if output:
            body["output_config"] = {**given.get("output_config", {}), **output}
        return body

    def reply(self, body: Mapping[str, Any], latency_s: float) -> Reply:
        used = part(body, "usage")
        read, written = count(used, "cache_read_input_tokens"), count(used, "cache_creation_input_tokens")
        usage = Usage(
            # The API's input_tokens leaves the cache out; ours is the whole.
            input_tokens=count(used, "input_tokens") + read + written,
            output_tokens=count(used, "output_tokens"),
            cached_tokens=read,
            cache_write_tokens=written,
            cache_write_1h_tokens=count(part(used, "cache_creation"), "ephemeral_1h_input_tokens"),
        )
        parts = body.get("content")
        raw = "".join(text(one, "text") for one in parts if part(one).get("type") == "text") if isinstance(parts, list) else ""
        reason = body.get("stop_reason")
        if reason == "refusal":
            return Reply(raw, "refused", usage, latency_s)
        return Reply(raw, "truncated" if reason in ("max_tokens", "model_context_window_exceeded") else "ok", usage, latency_s)

    def client(self) -> Any:
        """The SDK's client.

        Raises:
            CallFailedError: the key is missing.
        """
        import anthropic

        return anthropic.AsyncAnthropic(
            api_key=self.api_key(),
            base_url=self.base_url or "https://api.anthropic.com",
            max_retries=0,
            timeout=self.timeout_s,
            http_client=anthropic.DefaultAioHttpClient(timeout=self.timeout_s),
        )

    def connect(self) -> Session:
        import anthropic

        return ApiSession(self, anthropic, self.client(), "/v1/messages")

    def batches(self) -> BatchApi:
        from tilth.annotators.batches_anthropic import AnthropicBatches

        return AnthropicBatches(self)
