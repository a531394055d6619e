"""Rows that an earlier release holds already: the same shingles, or nearly, verified by exact Jaccard similarity.

Shingles, signatures and bands are those of `near_dedup`, and earlier rows are measured once and kept as ours are. A row
goes for its own similarity to an earlier row, never for that of a row between. Both ids stand in the drops: the row's,
and `name@version/config/id` of the earlier row that is most like it (the first of those).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.steps import FATES, Context, Step, Texts
from tilth.filters import clusters, minhash
from tilth.filters.clusters import LOW, SHIFT
from tilth.filters.folding import fold
from tilth.filters.near_dedup import LARGEST_UNDER_ONE, NearDedup
from tilth.filters.shingles import shingle_sets

EDGES: dict[str, Any] = {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float32, "earlier": pl.String}
"""Place among the earlier rows, place in the corpus, similarity, what the earlier row is called: one edge a row, its best."""


class AgainstRelease(Step, name="against_release", version=1):
    """Drops rows that stand, exactly or nearly, in an earlier release of the recipe's `earlier`."""

    reads_earlier = True
    link_only = ("signature", "shingles", "set_key")

    releases: tuple[str, ...] = Field((), description="names under the recipe's `earlier`; none: all of them")
    shingle: int = Field(5, ge=1, le=64, description="words in a shingle")
    zh_shingle: int = Field(5, ge=1, le=64, description="characters in a shingle of a row that is mostly Han or Kana")
    bands: int = Field(20, ge=1, le=256, description="LSH bands; two rows are compared when one band agrees")
    rows: int = Field(5, ge=1, le=64, description="MinHash values in a band")
    floor: float = Field(0.7, gt=0, le=1, description="least similarity that is kept for later decisions")
    min_similarity: float = units.threshold(
        0.8, "rows at least as similar (exact Jaccard) to an earlier row go; 1: only those with the same shingles", gt=0, le=1
    )

    @model_validator(mode="after")
    def _threshold_above_floor(self) -> AgainstRelease:
        if self.min_similarity < self.floor:
            raise ValueError(f"min_similarity {self.min_similarity} is under floor {self.floor}; lower floor too")
        return self

    def earlier_named(self) -> tuple[str, ...]:
        return self.releases

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """The signals of `near_dedup`."""
        near = NearDedup(shingle=self.shingle, zh_shingle=self.zh_shingle, bands=self.bands, rows=self.rows)
        return near.measure(batch, context)

    def link(self, signals: pl.DataFrame, texts: Texts) -> pl.DataFrame:
        """For every row of the corpus its best edge to an earlier row (columns `EDGES`), where it has one of `floor` or more."""
        count = int(signals["earlier"].sum())
        sizes = signals["shingles"].fill_null(0).to_numpy().astype(np.int64)
        rows = np.flatnonzero(sizes)
        _, first, inverse = np.unique(signals["set_key"].fill_null(0).to_numpy()[rows], return_index=True, return_inverse=True)
        head = rows[first][inverse]  # of rows with one set the first: an earlier one, where there is one
        same = (head < count) & (rows >= count)
        near_heads, earlier, similarity = self._near(signals, sizes, np.sort(rows[first]), count, texts)
        best = _best(near_heads, earlier, similarity)
        at = np.searchsorted(near_heads[best], head)
        at[at == len(best)] = 0
        near = (head >= count) & (near_heads[best][at] == head if len(best) else np.zeros(len(head), bool))
        chosen = best[at[near]]
        left = np.concatenate([head[same], earlier[chosen]])
        right = np.concatenate([rows[same], rows[near]]) - count
        values = np.concatenate([np.ones(same.sum()), np.minimum(similarity[chosen], LARGEST_UNDER_ONE)])
        columns: tuple[Any, ...] = (left, right, values, signals["id"].gather(left))
        made = [pl.Series(name, column).cast(EDGES[name]) for name, column in zip(EDGES, columns, strict=True)]
        return pl.DataFrame(made).sort("right")

    def _near(
        self, signals: pl.DataFrame, sizes: np.ndarray, heads: np.ndarray, count: int, texts: Texts
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(row of the corpus, earlier row, similarity) of the heads of two sets that are as similar as `floor`."""
        pairs = minhash.candidates(minhash.stored(signals["signature"], heads), sizes[heads], self.bands, self.floor)
        clusters.relabel(pairs, heads)
        pairs = pairs[(pairs >> SHIFT < count) & (pairs & LOW >= count)]

        def sets(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return shingle_sets(fold(pl.Series(texts(some), dtype=pl.String)), self.shingle, self.zh_shingle)

        pairs, similarity = clusters.similar(pairs, sizes, sets, self.floor)
        return (pairs & LOW).astype(np.int64), (pairs >> SHIFT).astype(np.int64), similarity

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops every row alive with an edge; value is what the earlier row is called."""
        assert edges is not None
        # Stored as float32: the threshold goes the same way, or a pair at exactly 0.8 would fall below it.
        near = edges.filter(pl.Series(alive[edges["right"].to_numpy()]) & (pl.col("similarity") >= float(np.float32(self.min_similarity))))
        return pl.DataFrame(
            {
                "index": near["right"],
                "status": pl.repeat("dropped", near.height, dtype=pl.String, eager=True),
                "rule": pl.repeat("in_earlier_release", near.height, dtype=pl.String, eager=True),
                "value": near["earlier"],
                "detail": pl.Series([f"similarity {value:.4f}" for value in near["similarity"].to_list()], dtype=pl.String),
            },
            schema=FATES,
        )


def _best(rows: np.ndarray, earlier: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Positions of the most similar pair of each row (the first earlier row of those), by row."""
    order = np.lexsort((earlier, -similarity, rows))
    return order[np.unique(rows[order], return_index=True)[1]]
