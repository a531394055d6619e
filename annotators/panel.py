"""Panels: many judgements of a candidate become one score, with what the judges disagree on.

The mean over a judge's orders, then over judges: every judge counts once. Nobody's word is made up: a judgement without a value
is no vote. Unweighted means can be far worse than one good judge (LLMBar Adversarial: 46 % against 81 %), which is why
agreement and order flips stand beside the score.
"""

from __future__ import annotations

from typing import Any

import polars as pl

SCORES: dict[str, Any] = {
    "row_id": pl.String,
    "candidate": pl.String,
    "score": pl.Float64,
    "rank": pl.Float64,
    "num_votes": pl.UInt32,
    "agreement": pl.Float64,
    "flips": pl.UInt32,
    "ties": pl.UInt32,
}
"""Columns of a panel's scores; one line a candidate (candidate null: a question about the row itself)."""


def aggregate(judgements: pl.DataFrame) -> pl.DataFrame:
    """Scores of candidates, one question at a time.

    Args:
        judgements: columns `tilth.annotators.judge.JUDGEMENTS`, of one question.

    Returns:
        Columns `SCORES`, sorted by row and candidate:
        score: mean over judges of their mean over orders; null where nobody gave a value.
        rank: mean rank, 1 = best, where the question asks for ranks: breaks ties of the score.
        num_votes: values that the score rests on.
        agreement: of the pairs of judges and the row's other candidates, the share where both judges prefer the same one (or both
            neither); where there is one candidate, the share of pairs of judges less than a point apart. Null with one judge.
        flips: pairs (judge, other candidate) where the judge's preference turned with the order.
        ties: other candidates of the row with the same score.
    """
    frame = judgements.select("row_id", "candidate", "judge", "order", "value", "rank")
    by_judge = frame.group_by("row_id", "candidate", "judge").agg(pl.col("value").mean(), pl.col("rank").mean())
    scores = by_judge.group_by("row_id", "candidate").agg(pl.col("value").mean().alias("score"), pl.col("rank").mean())
    votes = frame.group_by("row_id", "candidate").agg(pl.col("value").is_not_null().sum().cast(pl.UInt32).alias("num_votes"))
    key = ["row_id", "candidate"]
    joined = scores.join(votes, on=key, nulls_equal=True)
    for part in (_agreement(by_judge), _flips(frame), _ties(scores)):
        joined = joined.join(part, on=key, how="left", nulls_equal=True)
    joined = joined.with_columns(pl.col("flips", "ties").fill_null(0))
    return joined.select([pl.col(name).cast(dtype) for name, dtype in SCORES.items()]).sort(key, nulls_last=True)


def _preferences(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """For every ordered pair of candidates judged together under `by`: `prefers`, the sign of candidate - other."""
    some = frame.filter(pl.col("value").is_not_null())
    pairs = some.join(some.rename({"candidate": "other", "value": "other_value"}), on=by)
    pairs = pairs.filter(pl.col("candidate") != pl.col("other"))
    return pairs.select(
        *by, "candidate", "other", (pl.col("value") - pl.col("other_value")).sign().cast(pl.Int8).alias("prefers")
    )


def _agreement(by_judge: pl.DataFrame) -> pl.DataFrame:
    values = by_judge.select("row_id", "candidate", "judge", "value")
    preferences = _preferences(values, ["row_id", "judge"])
    renamed = preferences.rename({"judge": "second", "prefers": "second_prefers"})
    both = preferences.join(renamed, on=["row_id", "candidate", "other"]).filter(pl.col("judge") < pl.col("second"))
    relative = both.group_by("row_id", "candidate").agg((pl.col("prefers") == pl.col("second_prefers")).mean().alias("agreement"))
    alone = values.filter(pl.col("value").is_not_null(), pl.len().over("row_id", "judge") == 1)
    near = alone.join(alone.rename({"judge": "second", "value": "second_value"}), on=["row_id", "candidate"], nulls_equal=True)
    near = near.filter(pl.col("judge") < pl.col("second"))
    absolute = near.group_by("row_id", "candidate").agg(
        ((pl.col("value") - pl.col("second_value")).abs() < 1).mean().alias("agreement")
    )
    return pl.concat([relative, absolute])


def _flips(frame: pl.DataFrame) -> pl.DataFrame:
    values = frame.select("row_id", "candidate", "judge", "order", "value")
    preferences = _preferences(values, ["row_id", "judge", "order"])
    turned = preferences.group_by("row_id", "judge", "candidate", "other").agg(
        ((pl.col("prefers") == 1).any() & (pl.col("prefers") == -1).any()).alias("turned")
    )
    return turned.group_by("row_id", "candidate").agg(pl.col("turned").sum().alias("flips"))


def _ties(scores: pl.DataFrame) -> pl.DataFrame:
    some = scores.filter(pl.col("score").is_not_null())
    return some.select("row_id", "candidate", (pl.len().over("row_id", "score") - 1).alias("ties"))
