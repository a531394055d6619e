"""The rows' column `scores`: a list of {name, value}."""

from __future__ import annotations

import polars as pl


def with_score(scores: pl.Series, name: str, values: pl.Series) -> pl.Series:
    """`scores` with the value of each row under that name, in place of one that it had; a null value: without it.

    >>> empty = pl.Series("scores", [None, [{"name": "quality", "value": 1.0}]], dtype=pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})))
    >>> with_score(empty, "quality", pl.Series([4.0, None])).to_list()
    [[{'name': 'quality', 'value': 4.0}], []]
    """
    frame = pl.DataFrame([scores.alias("scores"), values.alias("value").cast(pl.Float64)])
    others = pl.col("scores").list.eval(pl.element().filter(pl.element().struct.field("name") != name))
    own = pl.concat_list(pl.struct(pl.lit(name).alias("name"), pl.col("value")))
    made = pl.when(pl.col("value").is_null()).then(others).otherwise(pl.concat_list(others.fill_null([]), own))
    return frame.select(made.alias("scores").cast(scores.dtype))["scores"]
