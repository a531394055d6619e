"""What a provider's batch API must do for us. One implementation a provider: `batches_openai.py`, `batches_anthropic.py`.

A batch is sent in two steps, `upload` (which OpenAI has and Anthropic has not) and `create`; both are told a token that we chose
and wrote down first, so that a batch whose id never reached us can be found again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, Protocol

from tilth.annotators.calls import Request
from tilth.annotators.failures import CallFailedError, failed
from tilth.annotators.provider import ApiProvider

SEND_SECONDS = 900.0
"""How long an upload may take: hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch of which we know that it was, or may have been, sent."""

    token: str
    file: str
    """Id of the uploaded file, where the provider has such."""
    id: str
    """The provider's id of the batch; empty while it never reached us."""
    requests: int
    sent_at: float
    """When it was last tried to create it, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a batch stands."""

    state: Literal["running", "ended", "invalid"]
    """`invalid`: the provider would not run it; nothing was billed."""
    status: str
    """In the provider's own word."""
    answered: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    """(code, message) of what made it invalid."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request of a batch."""

    custom_id: str
    body: Mapping[str, Any] | None
    """The reply, as a single call would have got it; None where there is none. Only a reply is billed."""
    error: str = ""
    again: bool = False
    """Whether the same request may do better in another batch: expired, cancelled, or the provider's own fault."""


class BatchApi(Protocol):
    """The batch API of one provider. Every method may raise CallFailedError."""

    uploads: bool
    """Whether `upload` does anything."""

    def line(self, custom_id: str, request: Request) -> bytes:
        """One request as it stands in a batch."""
        ...

    async def upload(self, token: str, lines: Sequence[bytes]) -> str:
        """Bring the requests there; the id of the file."""
        ...

    async def create(self, token: str, file: str, lines: Sequence[bytes]) -> str:
        """Begin the batch; its id."""
        ...

    async def look(self, batch: str) -> Look:
        """How it stands."""
        ...

    def results(self, batch: str) -> AsyncGenerator[Result]:
        """What became of its requests, in any order."""
        ...

    async def find(self, lost: Sent, known: frozenset[str]) -> str | None:
        """The id of a batch that may have been created without our hearing of it.

        Args:
            known: ids of batches that are accounted for.

        Returns:
            "" where it cannot be told yet, None where there is no such batch.
        """
        ...

    async def cancel(self, batch: str) -> None:
        """Ask it to end early; what is answered by then is kept, and billed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class ApiErrors:
    """Turns what an SDK raises inside a `with` block into CallFailedError."""

    def __init__(self, provider: ApiProvider, sdk: ModuleType) -> None:
        self._label = provider.label
        self._sdk = sdk
        self._any: type[Exception] = sdk.OpenAIError if hasattr(sdk, "OpenAIError") else sdk.AnthropicError

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        import aiohttp
        import httpx2

        if isinstance(error, httpx2.TransportError | httpx2.StreamError):  # a body that breaks off while it is read
            raise CallFailedError(f"{self._label}: {type(error).__name__}: {error}", retry=True) from error
        # The SDKs make something of any JSON: what lacks a field shows when it is looked for.
        if isinstance(error, self._any | aiohttp.ClientError | ValueError | AttributeError | TypeError):
            raise failed(self._label, self._sdk, error) from error
