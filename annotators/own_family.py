"""Own family: what a judge says of a model of its own family does not count.

Judges prefer their own kind (UltraMedical's card admits it of GPT-4, which also wins its ties). Only what is decided changes: the judgements
are published as they were given.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tilth.annotators.families import family_of


def without_own_family(
    judgements: pl.DataFrame, families: Mapping[str, str] | None = None, *, whole_rows: bool = False
) -> pl.DataFrame:  # fmt: skip
    """The judgements without the value and rank that a judge gave a model of its own family.

    Where fewer than two candidates of one request are left, the comparison is gone and neither counts.

    Args:
        judgements: columns `tilth.annotators.collector.JUDGEMENTS`. People have no family.
        families: judge → its family, where its name does not say it.
        whole_rows: take out all that such a judge says of the row: where judges' values are averaged, one that speaks of some
            candidates only would move those alone.
    """
    judges = {name: (families or {}).get(name) or family_of(name) for name in judgements["judge"].unique()}
    models = {name: family_of(name) for name in judgements["candidate"].drop_nulls().unique()}
    family = pl.col("judge").replace_strict(judges, default=None, return_dtype=pl.String)
    theirs = pl.col("candidate").replace_strict(models, default=None, return_dtype=pl.String)
    own = pl.col("is_llm") & (family == theirs).fill_null(False)
    by = ["row_id", "question", "judge"]
    if whole_rows:
        gone = own.any().over(by)
    else:
        valued = pl.col("value").is_not_null()
        few = ((valued & ~own).sum() < 2) & (valued.sum() >= 2) & own.any()
        gone = own | few.over([*by, "order"])
    return judgements.with_columns(pl.when(~gone).then(pl.col(name)).alias(name) for name in ("value", "rank"))
