"""Strategies: which of a prompt's scored completions become chosen and rejected. One file under `strategies/` each.

    class Mine(Strategy, name="mine", version=1):
        def choose(self, ranked, rules, draw): ...      # completions, best first → pairs, or why there is none

The step that asks a strategy holds the rules that all share (`Rules`): no pair of equal scores, a least margin, a least agreement of the
judges. A strategy draws by hash of seed, row and model, so that no model is preferred and a build is repeatable.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import fmean
from typing import ClassVar

from pydantic import Field

from tilth.core.units import Unit

EVEN = 1e-9
"""Scores less apart than this are equal: fitted scores differ in their last digits."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One completion of a prompt, as the panel scored it."""

    model: str
    text: str
    score: float
    rank: float = 0.0
    """Mean rank, 1 = best, where the question ranks: says who is first among equal scores."""
    agreement: float | None = None
    """Share of the judges' comparisons of it that agree; None with one judge."""

    @property
    def place(self) -> tuple[float, float, str]:
        """Sorts completions, best first."""
        return -self.score, self.rank, self.model

    def level_with(self, other: Scored) -> bool:
        """Whether nothing says which of the two is better."""
        return abs(self.score - other.score) < EVEN and self.rank == other.rank


@dataclass(frozen=True, slots=True)
class Pair:
    """Chosen and rejected."""

    chosen: Scored
    rejected: Scored

    @property
    def margin(self) -> float:
        """Score points between them."""
        return self.chosen.score - self.rejected.score


@dataclass(frozen=True, slots=True)
class NoPair:
    """Why a prompt makes no pair: the rule, and its value."""

    rule: str
    value: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What every strategy keeps to."""

    min_margin: float = 0.0
    min_agreement: float = 0.0

    def parts(self, one: Scored, other: Scored) -> bool:
        """Whether the scores put the first above the second by enough."""
        return one.score - other.score > EVEN and one.score - other.score >= self.min_margin

    def agreed(self, one: Scored) -> bool:
        """Whether the judges agree enough on a completion for it to be chosen."""
        return one.agreement is None or one.agreement >= self.min_agreement


Draw = Callable[[Sequence[Scored]], list[Scored]]
"""Completions in an order drawn by hash of seed, row and model."""


def length_ratio(one: str, other: str) -> float:
    """Length of the longer text over that of the shorter, in characters; a text without any counts as one.

    >>> length_ratio("four", "eighteen"), length_ratio("十个字", "字")
    (2.0, 3.0)
    """
    short, long = sorted((max(1, len(one)), max(1, len(other))))
    return long / short


def longer_share(gaps: Sequence[int]) -> float:
    """How often chosen is the longer side, by length of chosen minus that of rejected; of equal length: half.

    >>> longer_share([5, 0, -2, 0])
    0.5
    """
    return fmean((gap > 0) + (gap == 0) / 2 for gap in gaps)


class Strategy(Unit):
    """One way to choose pairs among the scored completions of a prompt."""

    kind: ClassVar[str] = "strategy"

    @abstractmethod
    def choose(self, ranked: Sequence[Scored], rules: Rules, draw: Draw) -> list[Pair] | NoPair:
        """The pairs of one prompt, at least one, or why there is none.

        Args:
            ranked: two completions or more, best first, no two of one text.
        """
        raise NotImplementedError


class FromTop(Strategy):
    """A strategy whose chosen side is the best completion: subclasses say which lower one is rejected."""

    prefer: tuple[str, ...] = Field(
        (), description="at a tie for the best, the first of these models among the tied (a name, or a pattern such as gpt-4*) is chosen; without one a tie makes no pair"
    )  # fmt: skip

    def choose(self, ranked: Sequence[Scored], rules: Rules, draw: Draw) -> list[Pair] | NoPair:
        tied = [one for one in ranked if one.level_with(ranked[0])]
        best = tied[0] if len(tied) == 1 else self._preferred(tied)
        if best is None:
            return NoPair("tie", f"{tied[0].score:g}", " and ".join(one.model for one in tied[:3]))
        lower = [one for one in ranked if rules.parts(best, one)]
        if not lower:
            return NoPair("small_margin", f"{best.score - ranked[-1].score:g}")
        if not rules.agreed(best):
            return NoPair("disputed", f"{best.agreement:.2f}", best.model)
        rejected = self.rejected(best, lower, draw)
        return rejected if isinstance(rejected, NoPair) else [Pair(best, rejected)]

    def _preferred(self, tied: Sequence[Scored]) -> Scored | None:
        return next((one for said in self.prefer for one in tied if fnmatchcase(one.model, said)), None)

    @abstractmethod
    def rejected(self, best: Scored, lower: Sequence[Scored], draw: Draw) -> Scored | NoPair:
        """Which of the completions below the best is rejected; `lower` has one at least, best first."""
        raise NotImplementedError
