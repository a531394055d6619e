"""What a running job has done so far, for whoever looks: counts by judge, and money."""

from __future__ import annotations

from dataclasses import dataclass, field

from tilth.annotators.spend import Budget


@dataclass
class JudgeMeter:
    """Counts of one judge."""

    judge: str
    calls: int = 0
    """In all."""
    stored: int = 0
    """Of these, answered before this run."""
    bought: int = 0
    """Answered now, those that failed after all attempts included."""
    ok: int = 0
    failed: int = 0
    retrying: int = 0
    """Waiting to be asked again."""

    @property
    def done(self) -> int:
        """Calls that need nothing more."""
        return self.stored + self.bought


@dataclass
class Meter:
    """Read it from any thread; the job writes it."""

    judges: list[JudgeMeter] = field(default_factory=list)
    budget: Budget | None = None
    already: float = 0.0
    """USD that the job's calls had cost before this run."""
    in_batches: int = 0
    """Calls bought in batches; the judges' own counts tell them as stored."""

    batches: tuple[int, int] = (0, 0)
    """(answered, sent) in batches."""

    def see_batches(self, answered: int, sent: int) -> None:
        """Note how far the batches are."""
        self.batches = answered, sent

    @property
    def done(self) -> int:
        """Calls that need nothing more."""
        return sum(judge.done for judge in self.judges)

    @property
    def calls(self) -> int:
        """Calls in all."""
        return sum(judge.calls for judge in self.judges)

    @property
    def bought(self) -> int:
        """Calls answered in this run."""
        return self.in_batches + sum(judge.bought for judge in self.judges)

    @property
    def spent(self) -> float:
        """USD that this run spent, attempts without an answer at their worst case."""
        return 0.0 if self.budget is None else self.budget.total - self.already

    @property
    def reserved(self) -> float:
        """USD set aside for what is in flight."""
        return 0.0 if self.budget is None else self.budget.reserved
