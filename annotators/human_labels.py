"""Labels that people agree on: of two candidates, the one that at least two reviewers prefer.

UltraMedical's bench (arXiv 2406.03949) keeps a test pair where at least two annotators agree; its subset `human` are the pairs where
they disagree with the judge. Both can be told here: `agreeing` reviewers, and what the models of the table said (`panel_winner`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import polars as pl

from tilth.annotators.human import is_human

LABELS: dict[str, Any] = {
    "row_id": pl.String,
    "question": pl.String,
    "candidates": pl.List(pl.String),
    "winner": pl.String,
    "reviewers": pl.UInt32,
    "agreeing": pl.UInt32,
    "panel_winner": pl.String,
}
"""One line two candidates of a row. `winner` is null where the reviewers agree on a tie; `panel_winner` is whom most models of the
table prefer, null where they are even or there is none."""

Pair = tuple[str, str, str, str]
"""Row, question, the two candidates sorted."""


def human_labels(judgements: pl.DataFrame, *, agree: int = 2) -> pl.DataFrame:
    """Labels that at least `agree` reviewers share, and more than share any other.

    A reviewer prefers the candidate with the higher value, in a choice between two as in scores; "cannot say" is no vote.

    Args:
        judgements: columns `tilth.annotators.collector.JUDGEMENTS`, people and models.

    Returns:
        Columns `LABELS`, sorted by row and candidates.
    """
    people = _preferences(judgements.filter(is_human()))
    models = _preferences(judgements.filter(pl.col("is_llm")))
    rows = []
    for pair, votes in sorted(people.items()):
        counted = Counter(votes.values()).most_common(2)
        (winner, most), second = counted[0], counted[1][1] if len(counted) > 1 else 0
        if most >= agree and most > second:
            panel = _majority(models.get(pair, {}).values())
            rows.append((pair[0], pair[1], list(pair[2:]), winner, len(votes), most, panel))
    return pl.DataFrame(rows, schema=LABELS, orient="row")


def _preferences(judgements: pl.DataFrame) -> dict[Pair, dict[str, str | None]]:
    """Pair → judge → whom it prefers (None: neither), its orders summed up."""
    values: defaultdict[tuple[str, str, str, str], dict[str, float]] = defaultdict(dict)
    frame = judgements.filter(pl.col("value").is_not_null(), pl.col("candidate").is_not_null())
    for line in frame.select("row_id", "question", "judge", "order", "candidate", "value").iter_rows():
        row, question, judge, order, candidate, value = line
        values[row, question, judge, order if "," in order else ""][candidate] = value  # shown one by one, they are compared all the same
    margins: defaultdict[Pair, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (row, question, judge, _), given in values.items():
        for one, two in combinations(sorted(given), 2):
            margins[row, question, one, two][judge] += given[one] - given[two]
    return {
        pair: {judge: None if not margin else pair[2] if margin > 0 else pair[3] for judge, margin in by_judge.items()}
        for pair, by_judge in margins.items()
    }


def _majority(votes: Iterable[str | None]) -> str | None:
    """Whom most prefer, None where two are even."""
    counted = Counter(vote for vote in votes if vote is not None).most_common(2)
    return None if not counted or (len(counted) > 1 and counted[0][1] == counted[1][1]) else counted[0][0]
