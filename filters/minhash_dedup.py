"""MinHash deduplication as FineWeb did it: rows that share a band of their signatures are duplicates, unverified.

Source: Penedo et al. 2024 (arXiv:2406.17557, section 3.4: 5-grams, 14 bands of 8 values), done as datatrove 0.10's four MinHash
blocks do it: its simplification of the text, its hashes and permutations, bit for bit, so that the clusters are its clusters.
Of each the first row stays; datatrove keeps whichever its union-find made the root, in nearly all clusters the first too.
It is here to reproduce and to compare: it finds 92 % of the pairs of similarity 0.8 and joins 5 % of those of 0.5. `near_dedup`
verifies, and reaches further.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.steps import FATES, Context, Step, Texts
from tilth.filters import clusters, minhash, simplified
from tilth.filters.words import Definition

BUCKETS: dict[str, Any] = {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float32, "band": pl.UInt16}
"""Who is in which bucket: `right` is a member, `left` the first row of the bucket, which with `band` names it."""


class MinhashDedup(Step, name="minhash_dedup", version=1):
    """Of rows that share a band of MinHash values keeps the first, as datatrove's MinHash (FineWeb, section 3.4)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    link_only = ("bands",)

    words: Definition = "whitespace"
    """What is a word of the simplified text (`filters.words`, `filters.simplified`); datatrove's are `spacy` and `jieba`."""
    ngram: int = Field(5, ge=1, le=64, description="words in a shingle; rows with fewer are left alone")
    bands: int = Field(14, ge=1, le=256, description="bands; rows that agree in one are duplicates")
    rows: int = Field(8, ge=1, le=64, description="MinHash values in a band")
    seed: int = Field(1, ge=0, description="of the permutations; datatrove's default is 1")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`bands` (list of uint64: a hash of each band's values, empty without shingles) and `num_shingles`."""
        hashes, offsets = simplified.ngram_hashes(simplified.tokens(batch, self.words), self.ngram)
        signatures = minhash.datatrove_signatures(hashes, offsets, self.bands * self.rows, self.seed)
        keys = np.stack(list(minhash.band_keys(signatures, self.bands)), axis=1)
        counts = pl.Series("num_shingles", np.diff(offsets).astype(np.uint32))
        bands = pl.DataFrame({"bands": pl.Series(keys).cast(pl.List(pl.UInt64)), "num_shingles": counts})
        return bands.with_columns(pl.when(pl.col("num_shingles") > 0).then("bands").otherwise(pl.lit([], pl.List(pl.UInt64))))

    def link(self, signals: pl.DataFrame, texts: Texts) -> pl.DataFrame:
        """Members of every bucket that has two rows or more: columns `BUCKETS`; similarity is not known (NaN)."""
        rows = np.flatnonzero(signals["num_shingles"].fill_null(0).to_numpy())
        keys = signals["bands"].gather(rows).explode().to_numpy().reshape(len(rows), self.bands) if len(rows) else np.zeros((0, self.bands))
        found = [pl.DataFrame(schema=BUCKETS)]
        for band in range(self.bands):
            _, first, inverse, counts = np.unique(keys[:, band], return_index=True, return_inverse=True, return_counts=True)
            shared = counts[inverse] > 1
            members = {"left": rows[first[inverse[shared]]], "right": rows[shared]}
            found.append(
                pl.DataFrame(members).select(
                    pl.col("left").cast(pl.UInt32), pl.col("right").cast(pl.UInt32),
                    pl.lit(np.nan, pl.Float32).alias("similarity"), pl.lit(band, pl.UInt16).alias("band"),
                )
            )  # fmt: skip
        return pl.concat(found).sort("left", "right", "band")

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops all rows alive of a cluster but the first; value is the id of that one."""
        if edges is None or not edges.height:
            return pl.DataFrame(schema=FATES)
        left, member = edges["left"].to_numpy().astype(np.uint64), edges["right"].to_numpy().astype(np.int64)
        # A bucket is a node of its own: two rows alive are joined by it whoever of the others is dead.
        _, bucket = np.unique(left << np.uint64(16) | edges["band"].to_numpy().astype(np.uint64), return_inverse=True)
        living = alive[member]
        size = len(alive)
        roots = clusters.find_roots(size + int(bucket.max()) + 1, member[living], size + bucket[living])[:size]
        gone = np.flatnonzero(alive & (roots != np.arange(size)))
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
