"""Votes: a table of judgements as arrays, and gold as pairs of candidates of which one is known to be better.

A judge's vote for a candidate is the share of the row's other candidates that it put below, minus the share that it put above,
halved, over all orders in which it was asked: a judge that turns with the order has said nothing. For two candidates the
difference of their votes is 1, 0 or -1, and anything between where the judge was asked more often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tilth.annotators.canaries import is_canary

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOLD: dict[str, Any] = {"row_id": pl.String, "candidate": pl.String, "value": pl.Float64}
"""Columns of a table of gold: of a row's candidates the one with the higher value is better."""


@dataclass(frozen=True)
class Votes:
    """What J judges said of up to C candidates of each of n rows."""

    rows: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...]
    """Names of each row's candidates."""
    judges: tuple[str, ...]
    """The strongest first, where anybody said so."""
    votes: Floats
    """(n, C, J), from -0.5 to 0.5; 0 where a judge said nothing, or neither."""
    beats: Floats
    """(n, C, C, J): how often the judge put the first candidate above the second; a tie is half."""
    extras: Floats
    """(n, C, E): what else may tell, centred within the row: log length, place shown from 0.5 to -0.5. E = 0 where nothing is known."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n, C): whether the row has that candidate."""
        sizes = np.array([len(names) for names in self.candidates], dtype=np.int64)
        return np.arange(self.votes.shape[1])[None, :] < sizes[:, None]


@dataclass(frozen=True)
class Pairs:
    """Gold as comparisons: in row `row[k]`, candidate `better[k]` is above candidate `worse[k]`."""

    row: Ints
    better: Ints
    worse: Ints
    weight: Floats
    """One, shared among the comparisons of a row."""

    def __len__(self) -> int:
        return len(self.row)

    def differences(self, scores: Floats) -> Floats:
        """Score of the better one minus that of the worse, along axes 0 and 1 of `scores` (n, C, …)."""
        found: Floats = scores[self.row, self.better] - scores[self.row, self.worse]
        return found

    def of_rows(self, rows: Ints) -> Pairs:
        """Those of some rows."""
        mine = np.isin(self.row, rows)
        return Pairs(self.row[mine], self.better[mine], self.worse[mine], self.weight[mine])

    def right(self, scores: Floats) -> Floats:
        """(pairs, …): 1 where the scores put the better one higher, 0.5 where they are equal, 0 else."""
        apart = self.differences(scores)
        found: Floats = np.where(np.abs(apart) < 1e-9, 0.5, (apart > 0).astype(np.float64))
        return found

    def accuracy(self, scores: Floats) -> Floats:
        """(…): the share of the pairs that scores (n, C, …) order as gold does, every row counting once."""
        if not len(self):
            return np.full(scores.shape[2:], np.nan)
        found: Floats = np.tensordot(self.weight, self.right(scores), 1) / self.weight.sum()
        return found


def over_aspects(judgements: pl.DataFrame) -> pl.DataFrame:
    """One line for each row, judge, order and candidate: the mean where a question was asked about several aspects."""
    by = ["row_id", "judge", "order", "candidate"]
    if judgements["question"].n_unique() < 2:
        return judgements
    rest = [pl.col(name).first() for name in judgements.columns if name not in (*by, "value", "rank")]
    return judgements.group_by(by, maintain_order=True).agg(pl.col("value").mean(), pl.col("rank").mean(), *rest).select(judgements.columns)


def preferences(judgements: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """For every ordered pair of candidates judged together under `by`: `prefers`, the sign of candidate - other.

    Where a question ranks, the rank breaks ties of the value.
    """
    some = judgements.filter(pl.col("value").is_finite())
    pairs = some.join(some.rename({"candidate": "other", "value": "other_value", "rank": "other_rank"}), on=by)
    pairs = pairs.filter(pl.col("candidate") != pl.col("other"))
    by_value = (pl.col("value") - pl.col("other_value")).sign()
    by_rank = (pl.col("other_rank").cast(pl.Float64) - pl.col("rank").cast(pl.Float64)).sign().fill_null(0.0)
    return pairs.select(
        *by, "candidate", "other", pl.when(by_value != 0).then(by_value).otherwise(by_rank).cast(pl.Int8).alias("prefers")
    )


def votes_of(
    judgements: pl.DataFrame, judges: tuple[str, ...] | None = None, extras: pl.DataFrame | None = None, weights: Mapping[str, float] | None = None
) -> Votes:
    """Judgements of one question as votes.

    Args:
        judgements: columns `tilth.annotators.judge.JUDGEMENTS`; canaries are left out.
        judges: the judges, the strongest first; those that are not named follow by name.
        extras: row_id, candidate, and any number of float columns that may tell which candidate is better.
        weights: judge → what its votes count, 1 where it is not named.
    """
    frame = judgements.filter(pl.col("candidate").is_not_null(), ~is_canary())
    found = sorted(frame["judge"].unique().to_list())
    names = tuple(one for one in judges or () if one in found)
    names += tuple(one for one in found if one not in names)
    groups = frame.select("row_id", "candidate").unique().sort("row_id", "candidate").group_by("row_id", maintain_order=True).all()
    rows = tuple(groups["row_id"].to_list())
    candidates = tuple(tuple(one) for one in groups["candidate"].to_list())
    places = groups.with_row_index("row").explode("candidate").with_columns(pl.int_range(pl.len()).over("row").alias("place"))
    most = max((len(one) for one in candidates), default=0)
    compared = preferences(frame.select("row_id", "judge", "order", "candidate", "value", "rank"), ["row_id", "judge", "order"])
    judge_index = pl.DataFrame({"judge": names, "j": list(range(len(names)))}, schema={"judge": pl.String, "j": pl.Int64})
    at = compared.join(places, on=["row_id", "candidate"]).join(judge_index, on="judge")
    at = at.join(places.select("row_id", pl.col("candidate").alias("other"), pl.col("place").alias("other_place")), on=["row_id", "other"])
    beats = np.zeros((len(rows), most, most, len(names)))
    where = tuple(at[name].to_numpy().astype(np.int64) for name in ("row", "place", "other_place", "j"))
    np.add.at(beats, where, (at["prefers"].to_numpy().astype(np.float64) + 1) / 2)
    count = np.array([(weights or {}).get(name, 1.0) for name in names])
    return Votes(rows, candidates, names, net(beats) * count, beats * count, _extras(extras, places, len(rows), most))


def net(beats: Floats) -> Floats:
    """(n, C, J) votes of (n, C, C, J) comparisons: the mean, over the others compared with, of how far a candidate is ahead."""
    against = np.swapaxes(beats, 1, 2)
    asked = beats + against
    ahead = np.divide(beats - against, asked, out=np.zeros_like(beats), where=asked > 0).sum(axis=2)
    others = (asked > 0).sum(axis=2)
    found: Floats = np.divide(ahead, 2.0 * others, out=np.zeros_like(ahead), where=others > 0)
    return found


def _extras(extras: pl.DataFrame | None, places: pl.DataFrame, num_rows: int, most: int) -> Floats:
    names = [] if extras is None else [name for name in extras.columns if name not in ("row_id", "candidate")]
    found = np.full((num_rows, most, len(names)), np.nan)
    if extras is not None and names:
        at = places.join(extras, on=["row_id", "candidate"], how="left", maintain_order="left")
        found[at["row"].to_numpy(), at["place"].to_numpy()] = at.select(pl.col(names).cast(pl.Float64)).to_numpy()
    return centred(found)


def centred(extras: Floats) -> Floats:
    """Extras (n, C, E) centred within each row; what is unknown is 0, and what never differs within a row is left out."""
    known = np.isfinite(extras)
    filled = np.where(known, extras, 0.0)
    middle = filled.sum(axis=1, keepdims=True) / np.maximum(1, known.sum(axis=1, keepdims=True))
    away = np.where(known, filled - middle, 0.0)
    found: Floats = away[:, :, (np.abs(away) > 1e-9).any(axis=(0, 1))]
    return found


def pairs_of(votes: Votes, gold: pl.DataFrame) -> Pairs:
    """The comparisons that gold (columns `GOLD`) makes among the candidates of the votes' rows."""
    value = {(row, candidate): known for row, candidate, known in gold.select("row_id", "candidate", "value").iter_rows()}
    lines: list[tuple[int, int, int, float]] = []
    for index, (row, names) in enumerate(zip(votes.rows, votes.candidates, strict=True)):
        known = [(place, value[row, name]) for place, name in enumerate(names) if value.get((row, name)) is not None]
        ordered = [(a, b) for a, above in known for b, below in known if above > below]
        lines += [(index, a, b, 1 / len(ordered)) for a, b in ordered]
    at = [np.array([line[k] for line in lines], dtype=np.int64) for k in range(3)]
    return Pairs(at[0], at[1], at[2], np.array([line[3] for line in lines], dtype=np.float64))
