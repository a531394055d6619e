"""Canaries: rows whose better answer is known, mixed into a job, to see whether a judge can be fooled.

Their ids begin with `canary/` and their candidates are `canary-good` and `canary-bad`. Judgements of them stand in the job's table
and nowhere else: they are no rows of the corpus, make no pairs, and count in no score. A judge is asked about them first.

    rows = with_canaries(rows, question, CanaryFields(action="stop"))
    pass_rates(judged.judgements)       # judge, language, passed, total
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from tilth.annotators.canary_bank import BANK, Canary
from tilth.annotators.question import Question
from tilth.core.errors import RecipeError
from tilth.core.rows import CANDIDATES, MESSAGES, OPTIONS, conversation

PREFIX = "canary/"
GOOD, BAD = "canary-good", "canary-bad"
RATES: dict[str, Any] = {"judge": pl.String, "language": pl.String, "passed": pl.Int64, "total": pl.Int64}
"""Columns of pass rates."""


class CanaryFields(BaseModel):
    """What a job or a recipe says of its canaries."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    count: int | None = Field(
        None, ge=1, description="canaries of each language, drawn by hash of the seed; left out: all of the bank"
    )
    min_pass: float = Field(0.9, ge=0, le=1, description="share of the canaries that a judge must pass")
    action: Literal["flag", "downweight", "stop"] = Field(
        "flag", description="what becomes of a judge that passes fewer: its votes count half, or it is asked nothing but the canaries"
    )


def is_canary(column: str = "row_id") -> pl.Expr:
    """Whether a row or judgement is a canary's."""
    return pl.col(column).str.starts_with(PREFIX)


def see_that_none_is(rows: pl.DataFrame) -> None:
    """See that no row of the job's own passes for a canary.

    Raises:
        RecipeError: one has an id that begins as theirs do.
    """
    taken = rows.filter(is_canary("id"))
    if taken.height:
        raise RecipeError(
            f"row {taken['id'][0]!r}: ids that begin with {PREFIX!r} are kept for canaries", hint="name it otherwise"
        )


def canary_rows(rows: pl.DataFrame, question: Question, fields: CanaryFields, seed: int) -> pl.DataFrame:
    """The canaries for a job's rows: in the languages that they have, as columns of a job's input.

    Raises:
        RecipeError: the question compares no answers, so that a canary says nothing of its judge.
    """
    if not question.compares:
        raise RecipeError(f"canaries: {question.label} does not say which of two answers is better", hint="leave canaries out")
    languages = rows["language"].to_list() if "language" in rows.columns else [None]
    wanted = {"zh" if str(language or "").lower().split("-")[0] == "zh" else "en" for language in languages}
    lines = [_row(canary) for language in sorted(wanted) for canary in _drawn(language, fields.count, seed)]
    return pl.DataFrame(lines, schema={"id": pl.String, "prompt": MESSAGES, "candidates": CANDIDATES, "answer": pl.String,
                                       "options": OPTIONS, "reference": pl.String, "language": pl.String})  # fmt: skip


def before(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The canaries, then the rows: the columns that both have."""
    return pl.concat([known, rows.select(known.columns)])


def _drawn(language: str, count: int | None, seed: int) -> Iterator[Canary]:
    own = [canary for canary in BANK if canary.name.startswith(f"{language}/")]
    yield from sorted(own, key=lambda canary: hashlib.sha256(f"{seed}/{canary.name}".encode()).digest())[:count]


def _row(canary: Canary) -> dict[str, Any]:
    candidates = [{"model": GOOD, "text": canary.good}, {"model": BAD, "text": canary.bad}]
    return {"id": PREFIX + canary.name, "prompt": conversation([("user", canary.prompt)]), "candidates": candidates, "answer": canary.key,
            "options": None, "reference": None, "language": canary.name.partition("/")[0]}  # fmt: skip


def pass_rates(judgements: pl.DataFrame) -> pl.DataFrame:
    """How many canaries each judge passed: columns `RATES`, sorted by judge and language; no line for a judge asked about none.

    A canary is passed where the mean of the good answer's values, over orders and aspects, is above the bad one's, or where
    the judge found an answer in the good one only. One that the judge refused, cut off or answered without a value is not passed;
    one of whose calls none got a reply is not counted.
    """
    asked = judgements.filter(is_canary(), pl.col("status") != "failed")
    by = ["judge", "row_id"]
    sides = asked.group_by(*by, "candidate").agg(
        pl.col("value").mean(),
        ((pl.col("status") == "ok") & pl.col("value").is_null() & pl.col("label").is_not_null()).any().alias("none"),
    )
    good = sides.filter(pl.col("candidate") == GOOD).select(*by, pl.col("value").alias("good"))
    bad = sides.filter(pl.col("candidate") == BAD).select(*by, pl.col("value").alias("bad"), "none")
    both = asked.select(by).unique().join(good, on=by, how="left").join(bad, on=by, how="left")
    passed = (pl.col("good") > pl.col("bad")) | (pl.col("good").is_not_null() & pl.col("bad").is_null() & pl.col("none"))
    told = both.with_columns(
        pl.col("row_id").str.split("/").list.get(1).alias("language"), passed.fill_null(False).alias("passed")
    )
    counted = told.group_by("judge", "language").agg(pl.col("passed").sum(), pl.len().alias("total"))
    return counted.select([pl.col(name).cast(dtype) for name, dtype in RATES.items()]).sort("judge", "language")


def failing(judgements: pl.DataFrame, fields: CanaryFields) -> dict[str, float]:
    """The judges that pass fewer canaries than they must, of all languages together, and the share that each passes."""
    rates = pass_rates(judgements).group_by("judge").agg(pl.col("passed").sum(), pl.col("total").sum()).sort("judge")
    low = rates.filter(pl.col("passed") < fields.min_pass * pl.col("total"))
    return dict(low.select("judge", pl.col("passed") / pl.col("total")).iter_rows())
