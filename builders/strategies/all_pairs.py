"""All pairs of a prompt whose scores differ: what a reward model is trained on.

UltraMedical (arXiv 2406.03949): up to C(8, 2) = 28 pairs of eight completions. The first keeps the row's id; each further one has its
own and names the row as its parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from tilth.builders.strategy import EVEN, Draw, NoPair, Pair, Rules, Scored, Strategy


class AllPairs(Strategy, name="all_pairs", version=1):
    """Every two completions whose scores differ, the better one chosen."""

    def choose(self, ranked: Sequence[Scored], rules: Rules, draw: Draw) -> list[Pair] | NoPair:
        parted = [Pair(one, other) for one, other in combinations(ranked, 2) if rules.parts(one, other)]
        agreed = [pair for pair in parted if rules.agreed(pair.chosen)]
        if agreed:
            return agreed
        if parted:
            return NoPair("disputed", f"{max(pair.chosen.agreement or 0.0 for pair in parted):.2f}", ranked[0].model)
        apart = ranked[0].score - ranked[-1].score
        return NoPair("small_margin", f"{apart:g}") if apart > EVEN else NoPair("tie", f"{ranked[0].score:g}", f"all {len(ranked)}")
