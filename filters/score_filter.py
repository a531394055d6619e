"""A threshold over a score of the rows, for each source its own where that is said.

UltraMedical (arXiv 2406.03949) keeps rows whose difficulty is high enough and Aquila-Med (arXiv 2406.12182) those whose complexity ×
quality is; neither gives its number. Every published UltraMedical example scores 7 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import model_validator

from tilth.core import scores
from tilth.core.batch import Batch
from tilth.core.steps import FATES, Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import baselines


class ScoreFilter(Step, name="score_filter", version=1):
    """Drops rows whose score is below a threshold, or above another; the threshold may be each source's own."""

    score: str = threshold(..., "name of the score in the rows' `scores`")
    min_score: float | None = threshold(None, "smallest score that stays (the papers give none)")
    max_score: float | None = threshold(None, "largest score that stays")
    min_by_source: dict[str, float | None] = threshold({}, "source → its own `min_score`; null: none for that source")
    unscored: Literal["drop", "keep"] = threshold("drop", "rows without that score")
    seed: int = threshold(0, "of the random rows that the choice is compared with")

    @model_validator(mode="after")
    def _asks_something(self) -> ScoreFilter:
        if self.min_score is None and self.max_score is None and not self.min_by_source:
            raise ValueError("no `min_score`, no `max_score`, no `min_by_source`: name one")
        return self

    def sources_named(self) -> Sequence[str]:
        return tuple(self.min_by_source)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Of the row its `scores`, `characters` and `language`: whichever score is asked for, nothing is measured again."""
        return pl.DataFrame([batch.frame["scores"], batch.texts.str.len_chars().cast(pl.UInt32).alias("characters"), batch.frame["language"]])

    def rules(self) -> Sequence[Rule]:
        """`no_score`, `low_score` and `high_score`, over the score by its name."""
        least = pl.lit(self.min_score, pl.Float64)
        for source, own in self.min_by_source.items():
            least = pl.when(pl.col("source") == source).then(pl.lit(own, pl.Float64)).otherwise(least)
        rules = [Rule("no_score", "score", pl.col("score").is_null())] if self.unscored == "drop" else []
        rules.append(Rule("low_score", "score", pl.col("score") < least))
        if self.max_score is not None:
            rules.append(Rule("high_score", "score", pl.col("score") > self.max_score))
        return rules

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        return super().decide(self._scored(signals), alive, edges).select(list(FATES))

    def selected(self, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame) -> dict[str, Any] | None:
        """What is left beside its baselines, source by source."""
        chosen = alive.copy()
        chosen[fates["index"].to_numpy()] = False
        told = {"min": self.min_score, "max": self.max_score, **self.min_by_source}
        rule = ", ".join(f"{name} {value:g}" for name, value in told.items() if value is not None)
        return {"score": self.score, "rule": rule, "arms": baselines.arms(self._scored(signals), alive, chosen, self.seed)}

    def _scored(self, signals: pl.DataFrame) -> pl.DataFrame:
        return signals.with_columns(scores.score(self.score).alias("score"))
