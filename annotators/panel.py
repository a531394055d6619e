"""Panels: many judgements of a candidate become one score, with what the judges disagree on.

By default a candidate's score is what the strongest judge, the one named first, said in all its orders; the others only say where they
disagree. Means over judges can be far worse than one good judge (LLMBar Adversarial: 50 % against 81 %); with gold, weights
can be learned (`panels/strategies.py`). Nobody's word is made up: a judgement without a value is no vote. Canaries are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from tilth.annotators.canaries import CanaryFields, failing, is_canary
from tilth.annotators.panels import strategies
from tilth.annotators.panels.votes import over_aspects, pairs_of, preferences, votes_of
from tilth.core.errors import RecipeError

SCORES: dict[str, Any] = {
    "row_id": pl.String,
    "candidate": pl.String,
    "score": pl.Float64,
    "rank": pl.Float64,
    "num_votes": pl.UInt32,
    "agreement": pl.Float64,
    "flips": pl.UInt32,
    "ties": pl.UInt32,
    "against": pl.UInt32,
}
"""Columns of a panel's scores; one line a candidate (candidate null: a question about the row itself)."""

Aggregation = Literal[
    "default", "strongest", "mean", "majority", "dawid_skene", "bradley_terry",
    "best_single", "log_odds", "logistic", "logistic_extras", "mean_of_stacks",
]  # fmt: skip
ON_SCALE = ("strongest", "mean")
"""Those whose scores are on the question's own scale; the others compare the candidates of a row."""


WEIGHTS = {"flag": 1.0, "downweight": 0.5, "stop": 0.0}
"""What the votes of a judge count that fails its canaries."""


@dataclass(frozen=True)
class Ruling:
    """How a panel's judgements become scores, and whose word counts less."""

    aggregation: str
    """The one that `default` stands for, or that was named."""
    gold_rows: int
    """Rows of which gold says that one judged candidate is better than another."""
    failed: dict[str, float]
    """Judges that fail their canaries, and the share that each passes."""
    weight: float
    """What each of their votes counts: one of `WEIGHTS`. Those that count less than others come last."""

    @property
    def learned(self) -> bool:
        """Whether gold has a say in it."""
        return self.gold_rows > 0 and self.aggregation in strategies.WITH_GOLD

    @property
    def lacks_gold(self) -> bool:
        """Whether it could only be learned from gold, and there is none."""
        return not self.gold_rows and self.aggregation in strategies.WITH_GOLD.keys() - strategies.WITHOUT_GOLD.keys()


def ruling(
    judgements: pl.DataFrame, *, aggregation: Aggregation = "default", gold: pl.DataFrame | None = None, canaries: CanaryFields | None = None
) -> Ruling:  # fmt: skip
    """What `aggregate` does with the same arguments."""
    gold_rows = 0
    if gold is not None:
        known = gold.filter(pl.col("candidate").is_not_null(), pl.col("value").is_not_null(), pl.col("value").is_not_nan())
        judged = known.join(judgements.filter(~is_canary()), on=["row_id", "candidate"], how="semi")
        gold_rows = judged.group_by("row_id").agg(pl.col("value").n_unique()).filter(pl.col("value") > 1).height
    name = aggregation if aggregation == "mean" else strategies.chosen(aggregation, gold_rows > 0)
    failed = {} if canaries is None else failing(judgements, canaries)
    return Ruling(name, gold_rows, failed, WEIGHTS["flag" if canaries is None else canaries.action])


def aggregate(
    judgements: pl.DataFrame, *, aggregation: Aggregation = "default", judges: Sequence[str] = (), gold: pl.DataFrame | None = None,
    extras: pl.DataFrame | None = None, canaries: CanaryFields | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Scores of candidates, one question at a time; where it was asked about several aspects, of their mean.

    Args:
        judgements: columns `tilth.annotators.judge.JUDGEMENTS`, of one question.
        aggregation: `default` is `strongest`, and with gold `mean_of_stacks`. `mean`: every judge counts once, on the question's scale.
        judges: the judges, the strongest first; those not named follow by name.
        gold: columns `panels.votes.GOLD`.
        extras: as `panels.votes.votes_of` takes them.
        canaries: what becomes of judges that fail the canaries among the judgements: `downweight` lets them come last and their votes
            count half; `stop` lets them count for nothing.

    Returns:
        Columns `SCORES`, sorted by row and candidate:
        score: on the question's scale, by `strongest` and `mean`; a chance or a strength to be compared within the row, by the others;
            null where nobody gave a value.
        rank: mean rank, 1 = best, where the question asks for ranks: breaks ties of the score.
        num_votes: values that judges gave.
        agreement: of the pairs of judges and the row's other candidates, the share where both judges prefer the same one (or both
            neither); where there is one candidate, the share of pairs of judges less than a point apart. Null with one judge.
        flips: pairs (judge, other candidate) where the judge's preference turned with the order.
        ties: other candidates of the row with the same score.
        against: pairs (judge, other candidate) where the judge prefers the one that the score does not.

    Raises:
        RecipeError: the aggregation needs gold and there is none, or compares candidates and the question is about the row itself.
    """
    rule = ruling(judgements, aggregation=aggregation, gold=gold, canaries=canaries)
    name = rule.aggregation
    judgements = over_aspects(judgements.filter(~is_canary()))
    if judgements.is_empty():
        return pl.DataFrame(schema=SCORES)
    if rule.lacks_gold:
        raise RecipeError(f"aggregation: {name} learns from gold, and none says which candidate of these rows is better", hint="name gold, or another")
    if name not in ON_SCALE and judgements["candidate"].is_null().all():
        raise RecipeError(f"aggregation: {name} compares candidates, and the question is about the row itself", hint="strongest, or mean")
    weights = dict.fromkeys(rule.failed, rule.weight) if rule.weight < 1 else {}
    if rule.weight == 0:
        counts = ~pl.col("judge").is_in(list(weights))
        judgements = judgements.with_columns(pl.when(counts).then(column).alias(column) for column in ("value", "rank"))
    frame = judgements.select("row_id", "candidate", "judge", "order", "value", "rank")
    named = [*judges, *(judge for judge in sorted(frame["judge"].unique()) if judge not in judges)]
    order = {name: place for place, name in enumerate(sorted(named, key=lambda name: name in weights))}
    by_judge = frame.group_by("row_id", "candidate", "judge").agg(pl.col("value").mean(), pl.col("rank").mean())
    own = _strongest(by_judge, order) if name == "strongest" else by_judge
    key = ["row_id", "candidate"]
    count = pl.when(pl.col("value").is_not_null()).then(pl.col("judge").replace_strict(weights, default=1.0, return_dtype=pl.Float64))
    scores = own.group_by(key).agg(((pl.col("value") * count).sum() / count.sum()).alias("score"), pl.col("rank").mean())
    scores = scores.with_columns(pl.col("score").fill_nan(None))
    if name not in ON_SCALE:
        known = scores.filter(pl.col("score").is_not_null()).select(*key, "rank")
        compared = _compared(judgements, name, tuple(order), gold, extras, weights).join(known, on=key)
        scores = scores.select(key).join(compared, on=key, how="left", nulls_equal=True)
    votes = frame.group_by(key).agg(pl.col("value").is_not_null().sum().cast(pl.UInt32).alias("num_votes"))
    joined = by_judge.select(key).unique().join(scores, on=key, how="left", nulls_equal=True).join(votes, on=key, nulls_equal=True)
    for part in (_agreement(by_judge), _flips(frame), _ties(scores), _against(by_judge, scores)):
        joined = joined.join(part, on=key, how="left", nulls_equal=True)
    joined = joined.with_columns(pl.col("flips", "ties", "against").fill_null(0))
    return joined.select([pl.col(name).cast(dtype) for name, dtype in SCORES.items()]).sort(key, nulls_last=True)


def _strongest(by_judge: pl.DataFrame, order: dict[str, int]) -> pl.DataFrame:
    """Of each row, the lines of the first judge that valued as many of its candidates as any did."""
    valued = by_judge.group_by("row_id", "judge").agg(pl.col("value").is_not_null().sum().alias("valued"))
    valued = valued.with_columns(pl.col("judge").replace_strict(order, return_dtype=pl.Int64).alias("place"))
    first = valued.sort("row_id", -pl.col("valued").cast(pl.Int64), "place").unique("row_id", keep="first", maintain_order=True)
    return by_judge.join(first.select("row_id", "judge"), on=["row_id", "judge"], how="semi")


def _compared(
    judgements: pl.DataFrame, name: str, judges: tuple[str, ...], gold: pl.DataFrame | None, extras: pl.DataFrame | None,
    weights: Mapping[str, float],
) -> pl.DataFrame:  # fmt: skip
    """row_id, candidate, score."""
    votes = votes_of(judgements, judges, extras, weights)
    pairs = pairs_of(votes, gold) if gold is not None else None
    found = strategies.scores(votes, pairs, name)  # type: ignore[arg-type]
    row, place = np.nonzero(votes.present)
    lines = {"row_id": [votes.rows[i] for i in row], "candidate": [votes.candidates[i][k] for i, k in zip(row, place, strict=True)]}
    return pl.DataFrame({**lines, "score": found[row, place]}, schema={"row_id": pl.String, "candidate": pl.String, "score": pl.Float64})


def _agreement(by_judge: pl.DataFrame) -> pl.DataFrame:
    compared = preferences(by_judge.select("row_id", "candidate", "judge", "value", "rank"), ["row_id", "judge"])
    renamed = compared.rename({"judge": "second", "prefers": "second_prefers"})
    both = compared.join(renamed, on=["row_id", "candidate", "other"]).filter(pl.col("judge") < pl.col("second"))
    relative = both.group_by("row_id", "candidate").agg((pl.col("prefers") == pl.col("second_prefers")).mean().alias("agreement"))
    values = by_judge.select("row_id", "candidate", "judge", "value")
    alone = values.filter(pl.col("value").is_not_null(), pl.len().over("row_id", "judge") == 1)
    near = alone.join(alone.rename({"judge": "second", "value": "second_value"}), on=["row_id", "candidate"], nulls_equal=True)
    near = near.filter(pl.col("judge") < pl.col("second"))
    absolute = near.group_by("row_id", "candidate").agg(
        ((pl.col("value") - pl.col("second_value")).abs() < 1).mean().alias("agreement")
    )
    return pl.concat([relative, absolute])


def _flips(frame: pl.DataFrame) -> pl.DataFrame:
    compared = preferences(frame, ["row_id", "judge", "order"])
    turned = compared.group_by("row_id", "judge", "candidate", "other").agg(
        ((pl.col("prefers") == 1).any() & (pl.col("prefers") == -1).any()).alias("turned")
    )
    return turned.group_by("row_id", "candidate").agg(pl.col("turned").sum().alias("flips"))


def _ties(scores: pl.DataFrame) -> pl.DataFrame:
    some = scores.filter(pl.col("score").is_not_null())
    return some.select("row_id", "candidate", (pl.len().over("row_id", "score") - 1).alias("ties"))


def _against(by_judge: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    place = ["row_id", "candidate", "other"]
    judged = preferences(by_judge.select("row_id", "candidate", "judge", "value", "rank"), ["row_id", "judge"])
    decided = preferences(scores.rename({"score": "value"}), ["row_id"]).rename({"prefers": "decided"})
    both = judged.join(decided, on=place)
    return both.group_by("row_id", "candidate").agg((pl.col("prefers") * pl.col("decided") < 0).sum().alias("against"))
