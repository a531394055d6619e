"""The best against a random lower one: Zephyr (arXiv 2310.16944, section 3.2), UltraMedical (arXiv 2406.03949).

Both reject a random lower completion rather than the worst, so that pairs are of all degrees of difficulty. At a tie UltraMedical takes
GPT-4's answer, which is the judge preferring its own family: `prefer: [gpt-4*]` does the same, and nothing does unless told to.
"""

from __future__ import annotations

from collections.abc import Sequence

from tilth.builders.strategy import Draw, FromTop, NoPair, Scored


class TopVsLower(FromTop, name="top_vs_lower", version=1):
    """The best completion chosen, a random lower one rejected."""

    def rejected(self, best: Scored, lower: Sequence[Scored], draw: Draw) -> Scored | NoPair:
        return draw(lower)[0]
