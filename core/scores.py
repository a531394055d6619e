"""Scores of rows: what models said of a row, as a list of {name, value} in its column `scores`.

A score that could not be told is not there: never a default. `core.rows` has the column.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

from tilth.core.rows import SCORES

OverTurns = Literal["sum", "mean"]
Values = Sequence[float | None]


def score(name: str) -> pl.Expr:
    """The value of that score, from the column `scores`; null where the row has none, or none that is a number.

    >>> frame = pl.DataFrame({"scores": [[{"name": "a", "value": 2.0}], [], None]}, schema={"scores": SCORES})
    >>> frame.select(score("a").alias("a"))["a"].to_list()
    [2.0, None, None]
    """
    named = pl.element().filter((pl.element().struct.field("name") == name) & pl.element().struct.field("value").is_finite())
    return pl.col("scores").list.eval(named.struct.field("value")).list.last()


def with_scores(rows: pl.DataFrame, found: Mapping[str, Values | pl.Series]) -> pl.DataFrame:
    """The rows with those scores, one a row, in place of earlier ones of the same names; what is no number is left out.

    >>> rows = pl.DataFrame({"scores": [[{"name": "a", "value": 2.0}], None]}, schema={"scores": SCORES})
    >>> with_scores(rows, {"a": [None, 4.0]})["scores"].to_list()
    [[], [{'name': 'a', 'value': 4.0}]]
    """
    scores = rows["scores"]
    for name, values in found.items():
        frame = pl.DataFrame([scores, pl.Series("value", values, dtype=pl.Float64)])
        others = pl.col("scores").list.eval(pl.element().filter(pl.element().struct.field("name") != name)).fill_null([])
        own = pl.concat_list(pl.struct(pl.lit(name).alias("name"), pl.col("value")))
        made = pl.when(pl.col("value").is_finite()).then(pl.concat_list(others, own)).otherwise(others)
        scores = frame.select(made.alias("scores").cast(SCORES))["scores"]
    return rows.with_columns(scores)


def over_turns(parts: Sequence[Values], how: OverTurns) -> float | None:
    """The product of several scores of each turn, summed (Deita) or averaged (Aquila-Med) over the turns.

    None where a turn lacks one of them, or there is no turn: a part of a sum is no sum.

    >>> over_turns([[2, 3], [4, 5]], "sum"), over_turns([[2, 3]], "mean"), over_turns([[2, None]], "sum"), over_turns([[]], "sum")
    (23.0, 2.5, None, None)
    """
    products: list[float] = []
    for turn in zip(*parts, strict=True):
        if any(value is None or not math.isfinite(value) for value in turn):
            return None
        products.append(math.prod(turn))
    if not products:
        return None
    return math.fsum(products) / (len(products) if how == "mean" else 1)
