"""The best against the worst: the widest margin a prompt has, and the easiest pair.

With many completions the worst one is often broken text, which teaches little (arXiv 2502.16825): `margin_band` leaves it alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from tilth.builders.strategy import Draw, FromTop, NoPair, Scored


class BestVsWorst(FromTop, name="best_vs_worst", version=1):
    """The best completion chosen, the worst rejected."""

    def rejected(self, best: Scored, lower: Sequence[Scored], draw: Draw) -> Scored | NoPair:
        return lower[-1]
