"""Provider: who answers. One file under `providers/`, a unit of kind `provider`; its fields are what a job file may set.

A provider is frozen parameters. `request` makes the canonical request of an ask, `connect` opens a session that answers
requests one by one. Retries, limits, money and storage are the runner's (`jobs.py`): a session asks once and either
returns a `Reply` or raises `CallFailedError`. Keys come from the environment only. What an API sends and answers is written
once, in `wire_body` and `reply`, for single calls (`api_session.py`) and batches alike.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tilth.annotators import parameters
from tilth.annotators.calls import Message, Reply, Request
from tilth.annotators.failures import CallFailedError
from tilth.annotators.question import Ask, Question
from tilth.core.units import Unit, execution

if TYPE_CHECKING:
    from tilth.annotators.batches_api import BatchApi


OURS = frozenset(("model", "messages", "system", "stream", "n", "best_of"))
"""Fields of a request's body that no job sets: what is asked, of whom, and that one answer comes back."""


class Session(Protocol):
    """An open connection to a provider."""

    async def ask(self, request: Request) -> Reply:
        """Ask once.

        Raises:
            CallFailedError: there is no reply.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Provider(Unit):
    """A judge: a model behind an API, or a scorer that is none."""

    kind: ClassVar[str] = "provider"
    is_llm: ClassVar[bool] = True
    order_free: ClassVar[bool] = False
    """Whether the order of candidates cannot matter: it is then asked once."""

    concurrency: int = execution(16, "calls in flight at most; fewer while the provider turns calls away", ge=1, le=1024)
    rpm: float | None = execution(None, "requests a minute at most", gt=0)
    tpm: float | None = execution(None, "tokens a minute at most, input (estimated) and output (the limit)", gt=0)

    @property
    @abstractmethod
    def label(self) -> str:
        """The judge's name in the judgements: `openai/gpt-5.4-mini`."""
        raise NotImplementedError

    @abstractmethod
    def request(self, ask: Ask, question: Question) -> Request:
        """The canonical request of an ask."""
        raise NotImplementedError

    @abstractmethod
    def connect(self) -> Session:
        """Open a session.

        Raises:
            CallFailedError: the key is missing.
        """
        raise NotImplementedError


class ApiProvider(Provider):
    """A model behind an API of tokens and money."""

    key_variable: ClassVar[str] = ""
    """Environment variable that holds the key."""

    model: str = Field(min_length=1, description="model id, as the API names it")
    base_url: str | None = Field(None, description="address of a compatible server; left out: the provider's own")
    max_tokens: int = Field(2048, ge=1, le=20_000, description="output tokens at most, reasoning included")
    temperature: float | None = Field(0.0, ge=0, le=2, description="left out for models that take none")
    effort: str | None = Field(None, description="reasoning effort, for models that take one")
    structured: Literal["json_schema", "json_object", "none"] | None = Field(
        None, description="how the answer's form is demanded beside the prompt; left out: the strictest way the model takes"
    )
    extra: dict[str, Any] = Field({}, description="more parameters of the request's body, as the server takes them")
    family: str | None = Field(None, description="family of the model, where its name does not say it")
    timeout_s: float = execution(120.0, "seconds to wait for a reply", gt=0)
    input_usd_per_mtok: float | None = execution(None, "USD per million input tokens, in place of the list price", ge=0)
    output_usd_per_mtok: float | None = execution(None, "USD per million output tokens, in place of the list price", ge=0)
    cached_usd_per_mtok: float | None = execution(
        None, "USD per million input tokens read from the prompt cache, beside the two above", ge=0
    )
    cache_write_usd_per_mtok: float | None = execution(
        None, "USD per million input tokens written to it, beside the two above", ge=0
    )
    batch_price_share: float = execution(0.5, "price of a call in a batch, as a share of a single one's", ge=0, le=1)
    batch: bool | None = execution(
        None, "whether --batch buys in batches here; left out: at the provider's own address, not elsewhere"
    )
    batch_requests: int = execution(50_000, "requests in one batch at most", ge=1)
    batch_mb: float = execution(100.0, "megabytes in one batch at most", gt=0)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, said: str | None) -> str | None:
        if said is not None:
            parts = urlsplit(said)  # raises ValueError, as does `port`
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not said.isprintable() or " " in said:
                raise ValueError("no address: it begins with http:// or https:// and names a host, as http://127.0.0.1:8000/v1")
        return said

    @field_validator("extra")
    @classmethod
    def _asks_for_nothing_else(cls, said: dict[str, Any]) -> dict[str, Any]:
        if taken := OURS & said.keys():
            raise ValueError(f"{min(taken)} is not for `extra` to say: keys, prices and the cap rest on it")
        return said

    @property
    def label(self) -> str:
        return f"{self.name}/{self.model}"

    @property
    def in_batches(self) -> bool:
        """Whether `--batch` buys this judge's calls in batches."""
        return self.base_url is None if self.batch is None else self.batch

    @abstractmethod
    def client(self) -> Any:
        """The SDK's asynchronous client, with retries off.

        Raises:
            CallFailedError: the key is missing.
        """
        raise NotImplementedError

    @abstractmethod
    def batches(self) -> BatchApi:
        """Open a session with the provider's batch API.

        Raises:
            CallFailedError: the key is missing.
        """
        raise NotImplementedError

    @property
    def form(self) -> Literal["json_schema", "json_object", "none"]:
        """How the answer's form is asked for."""
        return self.structured or parameters.structured_output(self.name, self.model)

    @abstractmethod
    def wire_parameters(self) -> Mapping[str, Any]:
        """Parameters as this model takes them, under the API's own names."""
        raise NotImplementedError

    @abstractmethod
    def wire_body(self, request: Request) -> dict[str, Any]:
        """The body of a request, as it is sent alone or in a batch."""
        raise NotImplementedError

    @abstractmethod
    def reply(self, body: Mapping[str, Any], latency_s: float) -> Reply:
        """What the body of an answer says, alone or in a batch."""
        raise NotImplementedError

    def request(self, ask: Ask, question: Question) -> Request:
        return self.request_of(ask.messages, question.answer_schema(), ask.sample)

    def request_of(self, messages: tuple[Message, ...], schema: Mapping[str, Any], sample: int = 0) -> Request:
        """The canonical request of messages, whose answer has that form; empty: free text."""
        return Request(
            provider=self.name,
            base_url=self.base_url or "",
            model=self.model,
            messages=messages,
            parameters={**self.wire_parameters(), **self.extra},
            schema=schema if schema and self.form == "json_schema" else None,
            sample=sample,
        )

    def api_key(self) -> str:
        """The key, from the environment. A server of one's own needs none.

        Raises:
            CallFailedError: there is none, and the address is the provider's own.
        """
        if key := os.environ.get(self.key_variable, "").strip():
            return key
        if self.base_url is not None:
            return "none"
        raise CallFailedError(
            f"{self.label}: no API key", hint=f"set {self.key_variable}, or give base_url for a server of your own", fatal=True
        )
