"""What it takes for a match to be a leak: the share of the question that must stand there, by how much it says and where.

Let u be the length of the question in words (a Han or Kana character is 1 / 1.6 of one), c the words of it that tell and that
the row has. A long question is a leak by its coverage alone. The shorter a question is, the more of it must be there; one
that says little must be whole; one that says next to nothing must stand as a line, or with its options.
`docs/decontamination.md` has the table and the measurements behind it.
"""

from __future__ import annotations

import numpy as np

from tilth.filters.benchmark_context import Context
from tilth.filters.benchmark_hits import Match
from tilth.filters.benchmark_index import CHARACTERS_PER_WORD, LEAST, Item

LONG_COVERAGE = 0.6
"""What a question of 23 words or more needs; what shorter ones need is moved with `min_coverage` from here."""
LONG = 13.0
"""Words from which coverage decides alone: of fewer, there is no n-gram of the usual length."""
SLIP_WORDS = 8
"""Words from which one wrong character of Chinese is a slip: of a shorter question it may be 高 for 低."""
WHOLE = 0.985
"""Coverage that is the whole question, but for what a rounding takes."""
NEVER = 2.0
RUN_COST, RUN_COST_APART = 0.4, 0.2
"""What each further token costs that is missing beside another, in tokens: words dropped at random are seldom neighbours,
and a phrase that ends where the question goes on lacks them all in one place; where it stands apart, as a line or with its
options, it is seldom a phrase."""
INSERTION_COST = 0.5
"""What a word in between costs a short question in running text, beside what the alignment takes: edits seldom add words."""
SHORT_RUN, CHINESE_SHORT_RUN = 1, 2
"""Missing neighbours that cost nothing more: a word, which in Chinese is two characters."""


def needed_with_options(item: Item) -> float:
    """The coverage from which a question is a leak where what its options say follows."""
    if item.words >= 8:
        return LONG_COVERAGE
    return 0.72 if item.chinese else 0.65


def needed(match: Match, context: Context) -> float:
    """The `net_coverage` from which `match` is a leak, as it stands (`context`); `NEVER` for one that cannot be."""
    item = match.item
    size = len(item.tokens)
    per_word = CHARACTERS_PER_WORD if item.chinese else 1.0
    words, telling = item.words, item.num_telling
    there = int(item.tells[match.matched >= 0].sum())
    told = there / per_word
    if context == "listed":
        return LEAST
    if context == "options":
        return needed_with_options(item)
    if telling == 0:
        return NEVER
    if words >= LONG:
        return max(LONG_COVERAGE, (0.66 if context == "line" else 0.75) - 0.015 * (words - LONG))
    if context == "line":
        return _on_a_line(match, size, words, told)
    if context == "sentence":
        if told >= 3.5:
            return 0.72
        if words >= 6 and told >= 2.5:
            return 0.75
        if words >= 5 and told >= 2:
            return 0.8
        return WHOLE if size >= 3 else NEVER
    closed = bool(match.matched[0] >= 0 and match.matched[-1] >= 0) or (told >= 3.5 and _told_to_the_ends(match))
    return _in_text(size, words, there, telling, told, item.chinese, closed)


def _in_text(size: int, words: float, there: int, telling: int, told: float, chinese: bool, closed: bool) -> float:
    """In running text, with nothing about it that says where the question begins or ends."""
    if words >= 8 and told >= 3.5:
        return 0.7 if chinese else 0.74
    if words >= 6 and told >= 3 and closed:
        return 0.72 if chinese else 0.76
    if words >= 7 and there == telling:
        return 0.78 if telling >= 2 else 0.85
    if chinese and words >= 4 and told >= 2.5 and closed:
        return 0.74
    if words >= (6 if chinese else 7) and told >= (3 if chinese else 4):
        return 0.8
    least = 5 if chinese else 6
    return WHOLE if (size >= least and telling >= 1) or telling >= 4 else NEVER


def _on_a_line(match: Match, size: int, words: float, told: float) -> float:
    """As a line, where little else than a heading is as short."""
    if _is_a_term(match):
        return 0.75 if words >= 6 else WHOLE
    if words >= 6:
        return 0.62 if told >= 2.5 and not match.item.chinese else 0.66
    if size >= 4 and told >= 1:
        return (0.66 if match.item.chinese else 0.7) if told >= 1.8 else 0.76
    return WHOLE if size >= 2 else NEVER


def _is_a_term(match: Match) -> bool:
    """Whether it is a part of the question without a gap, between two words that tell: a heading may say as much."""
    there = np.flatnonzero(match.matched >= 0)
    first, last = int(there[0]), int(there[-1])
    return bool(match.item.tells[first] and match.item.tells[last]) and last - first + 1 == len(there) < len(match.matched)


def _told_to_the_ends(match: Match) -> bool:
    """Whether the first and the last token of the question that tell are there: what is missing before and after is stock."""
    telling = np.flatnonzero(match.item.tells)
    return bool(match.matched[telling[0]] >= 0 and match.matched[telling[-1]] >= 0)


def net_coverage(match: Match, context: Context, numbers: int, words: int) -> float:
    """Coverage, less what missing neighbours cost in a question that is not long, and what stands in the place of others.

    `numbers` (another dose, another year; under 20 words) and `words` of the question (under 13) that the row has others
    for make it another question: 0, but that one character of Chinese may be a slip from `SLIP_WORDS` on, and one word may
    be any where the options follow. In a longer question each counts as one more that is missing.
    """
    item = match.item
    size = len(item.tokens)
    allowed = int(context in ("listed", "options") or (item.chinese and item.words >= SLIP_WORDS))
    if (numbers and item.words < 1.5 * LONG) or (words > allowed and item.words < LONG):
        return 0.0
    missing = match.matched < 0
    coverage = match.coverage - (numbers + words) / size
    if context == "text" and item.words < LONG:
        inserted = match.last - match.first - (size - int(missing.sum()))
        coverage -= INSERTION_COST * inserted / size
    if missing.any() and item.words < 1.5 * LONG:
        each = RUN_COST if context in ("text", "sentence") else RUN_COST_APART
        coverage -= each * _cost_of_runs(missing, CHINESE_SHORT_RUN if item.chinese else SHORT_RUN, context) / size
    return max(0.0, coverage)


def _cost_of_runs(missing: np.ndarray, free: int, context: Context) -> float:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], missing.astype(np.int8), [0]))))
    cost = float(np.maximum(edges[1::2] - edges[::2] - free, 0).sum())
    if context in ("text", "sentence"):
        there = np.flatnonzero(~missing)
        for end in (int(there[0]), len(missing) - 1 - int(there[-1])):
            cost += 0.5 * end if end < 2 else free
    return cost
