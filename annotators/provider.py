"""Provider: who answers. One file under `providers/`, a unit of kind `provider`; its fields are what a job file may set.

A provider is frozen parameters. `request` makes the canonical request of an ask, `connect` opens a session that answers
requests one by one. Retries, limits, money and storage are the runner's (`jobs.py`): a session asks once and either
returns a `Reply` or raises `CallFailedError`. Keys come from the environment only.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, Protocol

from pydantic import Field

from tilth.annotators.calls import Reply, Request
from tilth.annotators.question import Ask, Question
from tilth.core.errors import NetworkError
from tilth.core.units import Unit, execution


class CallFailedError(NetworkError):
    """One attempt got no reply. Says whether another may help, and whether this one may have cost money."""

    def __init__(
        self, message: str, *, hint: str | None = None, retry: bool = False, retry_after_s: float | None = None,
        fatal: bool = False, may_be_billed: bool = False, slow_down: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message, hint=hint)
        self.retry = retry
        self.retry_after_s = retry_after_s
        """Seconds that the provider asks us to wait."""
        self.fatal = fatal
        """No call to this provider can succeed: stop the job."""
        self.may_be_billed = may_be_billed
        """The request may have been answered although no answer arrived."""
        self.slow_down = slow_down
        """All calls to this provider must wait, not this one only."""


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

    concurrency: int = execution(16, "calls in flight", ge=1, le=1024)
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
    family: str | None = Field(None, description="family of the model, where its name does not say it")
    timeout_s: float = execution(120.0, "seconds to wait for a reply", gt=0)
    input_usd_per_mtok: float | None = execution(None, "USD per million input tokens, in place of the list price", ge=0)
    output_usd_per_mtok: float | None = execution(None, "USD per million output tokens, in place of the list price", ge=0)

    @property
    def label(self) -> str:
        return f"{self.name}/{self.model}"

    @abstractmethod
    def wire_parameters(self) -> Mapping[str, Any]:
        """Parameters as this model takes them, under the API's own names."""
        raise NotImplementedError

    def request(self, ask: Ask, question: Question) -> Request:
        return Request(
            provider=self.name,
            base_url=self.base_url or "",
            model=self.model,
            messages=ask.messages,
            parameters=self.wire_parameters(),
            schema=question.answer_schema(),
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


def failed(label: str, sdk: ModuleType, error: Exception) -> CallFailedError:
    """What an exception of the openai or anthropic SDK means; both have the same classes.

    Server errors and rate limits are not billed; a timeout or a lost connection may be, and so may a body that cannot be read.
    """
    if isinstance(error, sdk.APIStatusError):
        return _refused_by_status(label, error)
    if isinstance(error, sdk.APITimeoutError):
        return CallFailedError(f"{label}: no reply in time", retry=True, may_be_billed=True)
    if isinstance(error, sdk.APIConnectionError):
        cause = error.__cause__ or error
        # A connection that was never made has carried no request.
        unsent = type(cause).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout")
        message = f"{label}: {type(cause).__name__}: {cause}".rstrip(": ")
        return CallFailedError(message, hint="is the address right and up?", retry=True, may_be_billed=not unsent)
    return CallFailedError(f"{label}: unreadable reply: {type(error).__name__}: {error}", retry=True, may_be_billed=True)


def _refused_by_status(label: str, error: Any) -> CallFailedError:
    status = int(error.status_code)
    headers = error.response.headers
    message = f"{label}: HTTP {status}: {str(error.message)[:300]}"
    wait = retry_after(headers)
    code = str(getattr(error, "code", None) or "")
    if status in (401, 403):
        return CallFailedError(message, hint="check the key and what it may use", fatal=True)
    if status == 404:
        return CallFailedError(message, hint="check model and base_url", fatal=True)
    if status == 402 or code == "insufficient_quota":
        return CallFailedError(message, hint="the account has no credit left", fatal=True)
    if status in (408, 409, 429) or status >= 500:
        return CallFailedError(message, retry=True, retry_after_s=wait, slow_down=status in (429, 529) or wait is not None)
    return CallFailedError(message)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `retry-after-ms` or `retry-after` (seconds or an HTTP date).

    >>> retry_after({"retry-after": "1.5"}), retry_after({"retry-after-ms": "20"}), retry_after({})
    (1.5, 0.02, None)
    """
    import email.utils
    import time

    try:
        if text := headers.get("retry-after-ms"):
            return max(0.0, float(text) / 1000)
        if text := headers.get("retry-after"):
            if text.replace(".", "", 1).strip().isdigit():
                return float(text)
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None  # a header that cannot be read asks for nothing
    return None
