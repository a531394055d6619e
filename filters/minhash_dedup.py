"""MinHash deduplication as FineWeb did it: rows that share a band of their signatures are duplicates, unverified.

Source: Penedo et al. 2024 (arXiv:2406.17557, section 3.4: 5-grams, 14 bands of 8 values), done as datatrove 0.10's four MinHash
blocks do it: its simplification of the text, its hashes and permutations, bit for bit, so that the clusters are its clusters and
the row that stays is the one it keeps: the root that its union by size arrives at, bucket after bucket. It is here to reproduce and to compare: it finds 92 % of the pairs of similarity 0.8 and joins 5 % of those of 0.5. `near_dedup`
verifies, and reaches further.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.steps import FATES, Context, Step, Texts
from tilth.core.units import threshold
from tilth.filters import clusters, minhash, simplified
from tilth.filters.words import Definition

BUCKETS: dict[str, Any] = {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float32, "bucket": pl.UInt32}
"""Who is in which bucket: `right` is a member, `left` the first of them; buckets are numbered in datatrove's order."""


class MinhashDedup(Step, name="minhash_dedup", version=1):
    """Of rows that share a band of MinHash values keeps the first, as datatrove's MinHash (FineWeb, section 3.4)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    link_only = ("bands", "least")

    words: Definition = "whitespace"
    """What is a word of the simplified text (`filters.words`, `filters.simplified`); datatrove's are `spacy` and `jieba`."""
    ngram: int = Field(5, ge=1, le=64, description="words in a shingle; rows with fewer are left alone")
    bands: int = Field(14, ge=1, le=256, description="bands; rows that agree in one are duplicates")
    rows: int = Field(8, ge=1, le=64, description="MinHash values in a band")
    seed: int = Field(1, ge=0, description="of the permutations; datatrove's default is 1")
    keep: Literal["datatrove", "first"] = threshold("datatrove", "which row of a cluster stays: the one datatrove keeps, or the first read")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`bands` (list of uint64: a hash of each band's values), `least` (its first value) and `num_shingles`; no lists without."""
        hashes, offsets = simplified.ngram_hashes(simplified.tokens(batch, self.words), self.ngram)
        signatures = minhash.datatrove_signatures(hashes, offsets, self.bands * self.rows, self.seed)
        keys = np.stack([minhash.band_key(signatures, band, self.rows) for band in range(self.bands)], axis=1)
        columns = {"bands": pl.Series(keys), "least": pl.Series(np.ascontiguousarray(signatures[:, :: self.rows]))}
        frame = pl.DataFrame({name: column.cast(pl.List(pl.UInt64)) for name, column in columns.items()})
        frame = frame.with_columns(num_shingles=pl.Series(np.diff(offsets).astype(np.uint32)))
        full = pl.col("num_shingles") > 0
        return frame.with_columns(pl.when(full).then(name).otherwise(pl.lit([], pl.List(pl.UInt64))).alias(name) for name in columns)

    def link(self, signals: pl.DataFrame, texts: Texts) -> pl.DataFrame:
        """Members of every bucket that has two rows or more: columns `BUCKETS`; similarity is not known (NaN)."""
        rows = np.flatnonzero(signals["num_shingles"].fill_null(0).to_numpy())
        keys, least = (self._matrix(signals[name].gather(rows)) for name in ("bands", "least"))
        found, before = [pl.DataFrame(schema=BUCKETS)], 0
        for band in range(self.bands):
            _, first, inverse, counts = np.unique(keys[:, band], return_index=True, return_inverse=True, return_counts=True)
            order = np.empty(len(first), np.int64)
            order[np.lexsort((keys[first, band], least[first, band]))] = np.arange(len(first))  # datatrove sorts by the band's values
            shared = counts[inverse] > 1
            members = {"left": rows[first[inverse[shared]]], "right": rows[shared], "bucket": before + order[inverse[shared]]}
            found.append(pl.DataFrame(members).select(
                pl.col("left").cast(pl.UInt32), pl.col("right").cast(pl.UInt32),
                pl.lit(np.nan, pl.Float32).alias("similarity"), pl.col("bucket").cast(pl.UInt32),
            ))  # fmt: skip
            before += len(first)
        return pl.concat(found).sort("bucket", "right")

    def _matrix(self, column: pl.Series) -> np.ndarray:
        """uint64 [rows, bands]."""
        values: np.ndarray = column.explode().to_numpy() if len(column) else np.zeros(0, np.uint64)
        return values.reshape(len(column), self.bands)

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops all rows alive of a cluster but one; value is the id of that one."""
        if edges is None or not edges.height:
            return pl.DataFrame(schema=FATES)
        member, bucket = edges["right"].to_numpy().astype(np.int64), edges["bucket"].to_numpy().astype(np.int64)
        member, bucket = member[alive[member]], bucket[alive[member]]
        together = bucket[1:] == bucket[:-1]
        left, right = member[:-1][together], member[1:][together]
        roots = clusters.find_roots(len(alive), left, right) if self.keep == "first" else _joined_by_size(len(alive), left, right)
        gone = np.flatnonzero(roots != np.arange(len(alive)))
        ids = signals["id"]
        return pl.DataFrame(
            {
                "index": pl.Series(gone, dtype=pl.UInt32),
                "status": pl.repeat("dropped", len(gone), dtype=pl.String, eager=True),
                "rule": pl.repeat("shared_band", len(gone), dtype=pl.String, eager=True),
                "value": ids.gather(roots[gone]),
                "detail": pl.repeat(None, len(gone), dtype=pl.String, eager=True),
            },
            schema=FATES,
        )


def _joined_by_size(size: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """int64 [size]: the root of every row when pairs are joined in this order, the smaller cluster to the larger's root."""
    parent, members = list(range(size)), [1] * size

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        a, b = root(one), root(other)
        if a != b:
            if members[a] < members[b]:
                a, b = b, a
            parent[b] = a
            members[a] += members[b]
    return np.array([root(row) for row in range(size)])
