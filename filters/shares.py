"""Shares as signals, and limits on them that differ where a language is written without spaces."""

from __future__ import annotations

import numpy as np
import polars as pl

from tilth.core.steps import Rule


def ratio(part: np.ndarray, whole: np.ndarray) -> pl.Series:
    """part / whole in double precision, null where whole is zero.

    >>> ratio(np.array([1, 5]), np.array([4, 0])).to_list()
    [0.25, None]
    """
    return (pl.Series(part.astype(np.float64)) / pl.Series(np.where(whole, whole, 1))).set(pl.Series(whole == 0), None)


def at_most(name: str, signal: str, spaced: float | None, unspaced: float | None) -> Rule:
    """More than the limit of the row's kind of language (signal `unspaced`) drops; None is no limit."""
    return Rule(name, signal, pl.col(signal) > _limit(spaced, unspaced))


def at_least(name: str, signal: str, spaced: float | None, unspaced: float | None) -> Rule:
    """Less than the limit of the row's kind of language (signal `unspaced`) drops; None is no limit."""
    return Rule(name, signal, pl.col(signal) < _limit(spaced, unspaced))


def _limit(spaced: float | None, unspaced: float | None) -> pl.Expr:
    return pl.when(pl.col("unspaced")).then(pl.lit(unspaced, pl.Float64)).otherwise(pl.lit(spaced, pl.Float64))
