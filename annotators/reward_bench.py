"""Reward bench: how often a reward model scores chosen above rejected, by subset, and as the mean over subsets.

UltraMedical's Medical RewardBench (arXiv 2406.03949): 777 pairs of a test split, easy 238, hard 196, length 180, human 163, and as the one
figure the mean of the four shares. RewardBench (arXiv 2403.13787) does the same over its own subsets; a tie is wrong there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import polars as pl

from tilth.core.errors import SourceError
from tilth.core.intervals import wilson

SCORES: dict[str, Any] = {"id": pl.String, "chosen_score": pl.Float64, "rejected_score": pl.Float64}
"""Columns of a table of scores, one line a pair."""
Ties = Literal["wrong", "half"]
SHOWN = 5
"""Ids named in a message."""


@dataclass(frozen=True)
class Subset:
    """The pairs of one subset."""

    name: str | None
    """None: pairs of none."""
    pairs: int
    right: int
    ties: int
    accuracy: float
    """Right ones, and where ties count half a half of those, of all pairs."""
    low: float
    high: float
    """Wilson's interval, 95 %."""


@dataclass(frozen=True)
class Bench:
    """What a reward model's scores amount to."""

    by: str
    ties: Ties
    subsets: tuple[Subset, ...]
    """By name; pairs of none last."""
    overall: Subset
    macro: float | None
    """Mean of the named subsets' accuracies, each counting once; None where there is none."""


def bench(pairs: pl.DataFrame, scores: pl.DataFrame, *, by: str = "label", ties: Ties = "wrong") -> Bench:
    """Accuracy of scores on pairs.

    Args:
        pairs: `id`, and the column `by` that names a pair's subset.
        scores: columns `SCORES`; pairs that are not asked about are left out.
        ties: equal scores are wrong, or half right.

    Raises:
        SourceError: no pairs, no such column, an id twice, or a pair without two finite scores; naming the first ids.
    """
    for name, table, wanted in (("pairs", pairs, ("id", by)), ("scores", scores, tuple(SCORES))):
        if missing := [column for column in wanted if column not in table.columns]:
            raise SourceError(f"the {name} have no column {missing[0]!r}", hint=f"they have {', '.join(table.columns[:12])}")
        if twice := table.filter(pl.col("id").is_duplicated())["id"].unique(maintain_order=True).to_list():
            raise SourceError(f"{_listed(twice)} in the {name} more than once", hint="a pair is scored once")
    if pairs.is_empty():
        raise SourceError("there are no pairs")
    try:
        given = scores.select([pl.col(name).cast(kind) for name, kind in SCORES.items()])
    except pl.exceptions.PolarsError:
        raise SourceError(f"scores are not numbers: chosen_score is {scores.schema['chosen_score']}, rejected_score {scores.schema['rejected_score']}") from None
    both = pairs.select(pl.col("id").cast(pl.String), pl.col(by).cast(pl.String).alias("subset")).join(given, on="id", how="left", maintain_order="left")
    known = pl.col("chosen_score").is_finite() & pl.col("rejected_score").is_finite()
    if unknown := both.filter(~known.fill_null(False))["id"].to_list():
        raise SourceError(f"{_listed(unknown)} of {both.height:,} pairs without two scores", hint="score every pair; one that is left out is neither right nor wrong")
    subsets = tuple(_subset(name, part, ties) for (name,), part in both.group_by("subset", maintain_order=True))
    named = sorted((one for one in subsets if one.name is not None), key=lambda one: str(one.name))
    macro = fmean(one.accuracy for one in named) if named else None
    return Bench(by, ties, (*named, *(one for one in subsets if one.name is None)), _subset(None, both, ties), macro)


def _subset(name: Any, part: pl.DataFrame, ties: Ties) -> Subset:
    right = int((part["chosen_score"] > part["rejected_score"]).sum())
    even = int((part["chosen_score"] == part["rejected_score"]).sum())
    counted = right + (even / 2 if ties == "half" else 0)
    return Subset(name, part.height, right, even, counted / part.height, *wilson(counted, part.height))


def _listed(ids: Sequence[Any]) -> str:
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return ", ".join(str(one)[:40] for one in ids[:SHOWN]) + more


def table(path: Path) -> pl.DataFrame:
    """A table of pairs or of scores: Parquet, or jsonl.

    Raises:
        SourceError: it is neither, or damaged.
    """
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0].removesuffix(f": {path}")
        raise SourceError(f"{path}: {said[:200]}", hint="a Parquet file, or one JSON object a line: id, chosen_score, rejected_score") from None
