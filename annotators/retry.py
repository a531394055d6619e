"""When to ask again: the one retry policy."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tilth.annotators.failures import OVERLOADED, CallFailedError


@dataclass(frozen=True)
class RetryPolicy:
    """429, 408, 409, 5xx, 529, lost connections and timeouts are asked again, after the wait that the provider names or
    an exponential one with jitter; at most `max_attempts` times in all. Being told to slow down is no failed attempt: it is
    waited for `patience_s` in all."""

    max_attempts: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    longest_retry_after_s: float = 300.0
    """A provider that asks for more than this is not waited for."""
    patience_s: float = 900.0

    def wait_s(self, attempt: int, error: CallFailedError, draw: random.Random, waited_s: float = 0.0) -> float | None:
        """Seconds to wait after failed attempt number `attempt` (from 1), after waits of so long; None to give up."""
        patient = error.status in OVERLOADED and waited_s < self.patience_s
        if not error.retry or (attempt >= self.max_attempts and not patient):
            return None
        backoff = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(attempt - 1, 30)) * draw.uniform(0.75, 1.25)
        if error.retry_after_s is None:
            return backoff
        if error.retry_after_s > self.longest_retry_after_s:
            return None
        # Never early, and not all at once.
        return error.retry_after_s + draw.uniform(0.05, 0.15) * max(1.0, error.retry_after_s)
