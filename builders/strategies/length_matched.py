"""The best against one of like length: what a model then learns is not to write more.

Judges and people favour longer answers; where chosen is longer in most pairs, training on them lengthens replies. UltraMedical marks
pairs by length and two later projects drop those. Length is counted in characters. The ratio is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tilth.builders.strategy import Draw, FromTop, NoPair, Scored, length_ratio


class LengthMatched(FromTop, name="length_matched", version=1):
    """The best completion chosen; of those of like length the one closest below it rejected."""

    max_ratio: float = Field(1.25, ge=1, description="length of the longer over that of the shorter, in characters, at most")

    def rejected(self, best: Scored, lower: Sequence[Scored], draw: Draw) -> Scored | NoPair:
        alike = [one for one in lower if length_ratio(best.text, one.text) <= self.max_ratio]
        if not alike:
            nearest = min(length_ratio(best.text, one.text) for one in lower)
            return NoPair("unlike_lengths", f"{nearest:.2f}", best.model)
        closest = max(one.score for one in alike)
        return draw([one for one in alike if one.score == closest])[0]
