"""What the record of a build says of judges that were asked one question, and of the panel that they are."""

from __future__ import annotations

from typing import Any

import polars as pl

from tilth.annotators import judge_report
from tilth.annotators.canaries import CanaryFields
from tilth.annotators.items import Items
from tilth.annotators.judge import Judged, JudgeSummary
from tilth.annotators.panel import Aggregation, ruling
from tilth.annotators.panels.votes import over_aspects
from tilth.annotators.store import CallStore

MEASURES = (
    "gold_rows", "accuracy", "accuracy_low", "accuracy_high", "order_flip_rate", "first_share", "length_slope", "own_family_win_rate",
    "own_family_others", "canary_pass_rate", "usd_per_1000", "seconds_per_1000",
)  # fmt: skip
"""Of a judge's line in the report, what the record keeps."""


def entry(judge: JudgeSummary) -> dict[str, Any]:
    """Fields of `core.builds.JudgeEntry`, but the corpus, that say how often a judge was asked and for how much."""
    return {name: getattr(judge, name) for name in ("judge", "is_llm", "question", "judgements", "statuses", "usd")}


def told(
    rows: pl.DataFrame, judged: Judged, store: CallStore, *, aggregation: Aggregation, gold: pl.DataFrame | None = None,
    canaries: CanaryFields | None = None,
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:  # fmt: skip
    """Fields of `core.builds.JudgeEntry` for each judge, and of `PanelEntry`, both but the corpus.

    Args:
        rows: those that the judges were asked about, canaries left out.
    """
    rule = ruling(judged.judgements, aggregation=aggregation, gold=gold, canaries=canaries)
    measured = judge_report.report(
        over_aspects(judged.judgements), shown=judge_report.shown_of(Items(rows)), gold=gold, calls=judge_report.calls_of(judged.judgements, store),
        judges=[one.judge for one in judged.judges], compare=False,
    )  # fmt: skip
    lines = {line.judge: line for line in measured.judges if line.language is None}
    judges = []
    for one in judged.judges:
        judges.append(entry(one) | ({name: getattr(lines[one.judge], name) for name in MEASURES} if one.judge in lines else {}))
    panel = {name: getattr(measured.panel[0], name) for name in ("rows", "judges", "agreement", "alpha", "effective_votes")}
    panel |= {"question": judged.judges[0].question, "gold_rows": measured.gold_rows, "aggregation": rule.aggregation}
    return tuple(judges), {**panel, "failed": rule.failed, "weight": rule.weight}
