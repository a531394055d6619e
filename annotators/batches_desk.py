"""What the parts of a batch buyer share: the judge, its state on disk, its money, and what is known of its requests."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from tilth.annotators.batches_api import BatchApi
from tilth.annotators.batches_state import BatchState, Known, Waiting
from tilth.annotators.calls import Call, Endpoint
from tilth.annotators.provider import ApiProvider
from tilth.annotators.question import Question
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.spend import Budget, price_of
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError

Step = Literal["written", "uploaded", "noted", "created", "sent", "looked", "stored", "collected", "found", "freed"]


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """What has just been done, or seen, of a batch."""

    step: Step
    judge: str
    batch: str
    """The provider's id, or our token while there is none."""
    requests: int
    answered: int = 0
    status: str = ""


@dataclass(frozen=True)
class BatchPolicy:
    """How batches are waited for."""

    first_look_s: float = 5.0
    longest_look_s: float = 120.0
    settle_s: float = 180.0
    """A batch that may have been created and is not listed so long after it was sent was not."""
    grace_s: float = 600.0
    """So long after it was sent, a batch that the provider says it does not know is waited for."""
    max_attempts: int = 4
    """Batches that one request is sent in at most, in one run."""
    cancel: bool = False
    """Send nothing: ask what runs to end, and collect what is answered."""
    on_event: Callable[[BatchEvent], None] = field(default=lambda event: None)


class Desk:
    """One judge's batches in one run.

    Args:
        hold: told of USD set aside (or, negative, let go) that this run has not spent.
    """

    def __init__(
        self, provider: ApiProvider, question: Question, *, store: CallStore, budget: Budget, policy: BatchPolicy, retry: RetryPolicy,
        hold: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.provider = provider
        self.question = question
        self.store = store
        self.budget = budget
        self.policy = policy
        self.retry = retry
        self.api: BatchApi = provider.batches()
        self.state = BatchState(store.path)
        self.whose = Endpoint(provider.name, provider.base_url or "", provider.model)
        self.price = price_of(provider, batch=True)
        self.draw = random.Random(provider.label)
        self.most_requests = provider.batch_requests
        self.tokens: set[str] = set()
        """Batches that hold requests of this job."""
        self.attempts: Counter[str] = Counter()
        """Key → batches that gave no answer."""
        self.given_up: set[str] = set()
        self.again = False
        """Whether there is something to send that could not be sent yet."""
        self.crowded = False
        """Whether the provider holds as much for this account as it will."""
        self.refusal: BudgetError | None = None
        """Why not all that is left could be afforded."""
        self.bought = 0
        """Answers that this run put into the store."""
        self._hold = hold
        self._own: set[int] = set()
        """Requests of this job that stand in a batch, by the first 64 bits of their keys."""

    async def close(self) -> None:
        """Let go of connections and files."""
        self.state.close()
        await self.api.close()

    def open(self, state: str | None = None) -> list[Known]:
        """The judge's batches that are not done, those of other jobs included."""
        return [known for known in self.state.open(self.whose) if state in (None, known.state)]

    def mine(self) -> list[Known]:
        """Those that hold requests of this job."""
        return [known for known in self.open() if known.sent.token in self.tokens]

    def stands(self, keys: Iterable[str]) -> None:
        """These requests of this job are in a batch: their money is counted as spent already."""
        self._own.update(map(_mark, keys))

    def reserve(self, key: str, usd: float) -> None:
        """Set money aside for a request of this job."""
        self.stands([key])
        self._move(usd)

    def let_go(self, requests: Iterable[Waiting]) -> None:
        """Take back what was set aside for requests of this job; another job's money is its own."""
        for one in requests:
            if (mark := _mark(one.key)) in self._own:
                self._own.discard(mark)
                self._move(-one.usd)

    def settle(self, token: str, answered: list[tuple[Waiting, Call]], freed: list[Waiting]) -> None:
        """Put answers into the store, and count what they cost in place of what was set aside."""
        self.state.settle(token, answered, freed)
        own = [call for one, call in answered if _mark(one.key) in self._own]
        self.let_go([*(one for one, _ in answered), *freed])
        self.bought += len(own)
        self.budget.spent[self.provider.label] = self._spent() + sum(call.usd or 0.0 for call in own)
        self.again = self.again or (bool(freed) and not self.policy.cancel)

    def free(self, token: str) -> None:
        """Let go of what is left in a batch, and of the money set aside for it."""
        left = self.state.finish(token)
        self.let_go(left)
        if left:
            self.again = self.again or not self.policy.cancel
            self.tell("freed", token, len(left))

    def _move(self, usd: float) -> None:
        self.budget.spent[self.provider.label] = self._spent() + usd
        self._hold(usd)

    def _spent(self) -> float:
        return self.budget.spent.get(self.provider.label, 0.0)

    def tell(self, step: Step, batch: str, requests: int, answered: int = 0, status: str = "") -> None:
        """Tell whoever watches."""
        self.policy.on_event(BatchEvent(step, self.provider.label, batch, requests, answered, status))


def _mark(key: str) -> int:
    return int(key[:16], 16)
