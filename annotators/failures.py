"""What an attempt that got no reply means: whether to ask again, when, and whether it may have cost money.

Both SDKs raise the same classes. Server errors and rate limits are not billed; a timeout or a lost connection may be, and
so may a body that cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tilth.annotators.rate_headers import Allowance, allowances
from tilth.core.errors import NetworkError

OVERLOADED = (429, 503, 529)
"""Rate limited, or too busy: fewer calls at a time may help."""


class CallFailedError(NetworkError):
    """One attempt got no reply. Says whether another may help, and whether this one may have cost money."""

    def __init__(
        self, message: str, *, hint: str | None = None, retry: bool = False, retry_after_s: float | None = None,
        fatal: bool = False, may_be_billed: bool = False, slow_down: bool = False, status: int | None = None,
        allowances: tuple[Allowance, ...] = (),
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
        """The provider has too much to do: fewer calls at a time."""
        self.status = status
        """HTTP status, where there was one."""
        self.allowances = allowances
        """What its rate headers said."""


def failed(label: str, sdk: ModuleType, error: Exception) -> CallFailedError:
    """What an exception of the openai or anthropic SDK means."""
    import aiohttp

    if isinstance(error, sdk.APIStatusError):
        return _refused_by_status(label, error)
    if isinstance(error, sdk.APIConnectionError | aiohttp.ClientError):  # the SDKs let some of aiohttp's errors pass
        cause = _transport_error(error)
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):  # it has carried no request
            return CallFailedError(f"{label}: {_said(cause)}", hint="is the address right and up?", retry=True)
        late = isinstance(cause, TimeoutError) or (cause is None and isinstance(error, sdk.APITimeoutError))
        message = "no reply in time" if late else _said(cause or error.__cause__ or error)
        return CallFailedError(f"{label}: {message}", retry=True, may_be_billed=True, slow_down=late)
    return unreadable(label, error)


def _transport_error(error: BaseException) -> BaseException | None:
    """What aiohttp raised. The SDKs' transports tell a lost connection and one that was never made apart in no common way."""
    import aiohttp

    at: BaseException | None = error
    while at is not None and not isinstance(at, aiohttp.ClientError | TimeoutError):
        at = at.__cause__ or at.__context__
    return at


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")[:300]


def unreadable(label: str, error: Exception) -> CallFailedError:
    """A body that is no reply."""
    return CallFailedError(f"{label}: unreadable reply: {type(error).__name__}: {error}"[:300], retry=True, may_be_billed=True)


def _refused_by_status(label: str, error: Any) -> CallFailedError:
    status = int(error.status_code)
    headers = error.response.headers
    message = f"{label}: HTTP {status}: {str(error.message)[:300]}"
    code = str(getattr(error, "code", None) or "")
    if status in (401, 403):
        return CallFailedError(message, hint="check the key and what it may use", fatal=True, status=status)
    if status == 404:
        return CallFailedError(message, hint="check model and base_url", fatal=True, status=status)
    if status == 402 or code == "insufficient_quota":
        return CallFailedError(message, hint="the account has no credit left", fatal=True, status=status)
    told = headers.get("x-should-retry")
    retry = told == "true" if told in ("true", "false") else status in (408, 409, 429) or status >= 500
    wait = retry_after(headers)
    return CallFailedError(
        message, retry=retry, retry_after_s=wait, slow_down=retry and (status in OVERLOADED or wait is not None), status=status,
        allowances=allowances(headers.raw),
    )  # fmt: skip


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `retry-after-ms` or `retry-after` (seconds or an HTTP date).

    >>> retry_after({"retry-after": "1.5"}), retry_after({"retry-after-ms": "20"}), retry_after({})
    (1.5, 0.02, None)
    """
    import email.utils
    import time

    try:
        if text := headers.get("retry-after-ms"):
            wait = float(text) / 1000
        elif text := headers.get("retry-after"):
            date = not text.replace(".", "", 1).strip().isdigit()
            wait = email.utils.parsedate_to_datetime(text).timestamp() - time.time() if date else float(text)
        else:
            return None
    except (ValueError, OverflowError):
        return None  # a header that cannot be read asks for nothing
    return wait if wait > 0 else None  # nor does NaN, a time that is past, or no time
