"""The best against one that is worse by a margin within a band: neither a coin's toss nor broken text.

The papers give no band: Bayesian margins preferred wide ones (arXiv 2502.14560), small ones did better elsewhere (2508.04149). The
default is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, model_validator

from tilth.builders.strategy import EVEN, Draw, FromTop, NoPair, Scored


class MarginBand(FromTop, name="margin_band", version=1):
    """The best completion chosen, one rejected at random whose score lies below it by a margin within a band."""

    low: float = Field(1.0, ge=0, description="score points between chosen and rejected, at least")
    high: float = Field(2.0, gt=0, description="and at most")

    @model_validator(mode="after")
    def _is_a_band(self) -> MarginBand:
        if not self.low <= self.high:
            raise ValueError(f"low {self.low:g} lies above high {self.high:g}")
        return self

    def rejected(self, best: Scored, lower: Sequence[Scored], draw: Draw) -> Scored | NoPair:
        within = [one for one in lower if self.low - EVEN <= best.score - one.score <= self.high + EVEN]
        margins = ", ".join(f"{best.score - one.score:g}" for one in lower[:8])
        return draw(within)[0] if within else NoPair("outside_band", margins, best.model)
