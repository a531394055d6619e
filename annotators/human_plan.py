"""Which sheets people are asked about: all, a sample by hash, or those first that the judges disagree on.

A plan is drawn once and kept, so that every reviewer gets the same sheets in the same order, whenever they begin and whatever the
judges say meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from tilth.annotators.human import Sheet, is_human
from tilth.annotators.human_store import Plan


def draw(
    shown: Sequence[Sheet], *, sample: int | None, judged: Collection[str] = (), judgements: pl.DataFrame | None = None
) -> Plan:
    """A plan over those sheets.

    Args:
        shown: in the order in which they are drawn.
        sample: how many; None for all.
        judged: sheets that somebody has judged: they stay, and come first.
        judgements: what the judges said, columns `tilth.annotators.collector.JUDGEMENTS`: those come next that they disagree on most.
    """
    heat = {} if judgements is None else disagreements(judgements)
    order = sorted(shown, key=lambda sheet: (sheet.key not in judged, -heat.get((sheet.item.id, _places(sheet)), 0.0)))
    stays = sum(sheet.key in judged for sheet in shown)
    most = None if sample is None else max(sample, stays)
    return Plan(sample, judgements is not None, tuple(sheet.key for sheet in order[:most]))


def listed(plan: Plan, shown: Sequence[Sheet]) -> list[Sheet]:
    """The sheets of a plan that are still there; of a plan over all, new ones at the end."""
    known = {sheet.key: sheet for sheet in shown}
    kept = [known[key] for key in plan.sheets if key in known]
    if plan.sample is not None:
        return kept
    return kept + [sheet for sheet in shown if sheet.key not in set(plan.sheets)]


def disagreements(judgements: pl.DataFrame) -> dict[tuple[str, str], float]:
    """(row, places of the candidates shown) → variance of the values over the models' judgements and orders, mean of the candidates.

    Zero where all say the same; people's judgements do not count.
    """
    votes = judgements.filter(pl.col("value").is_not_null(), ~is_human())
    places = pl.col("order").str.split(",").list.sort().list.join(",").alias("places")
    by_candidate = votes.group_by("row_id", places, "candidate").agg(pl.col("value").var(ddof=0).fill_null(0.0))
    found = by_candidate.group_by("row_id", "places").agg(pl.col("value").mean())
    return {(row, shown): value for row, shown, value in found.iter_rows()}


def _places(sheet: Sheet) -> str:
    return ",".join(sorted(map(str, sheet.shown)))
