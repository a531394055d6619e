"""Semantic duplicates: rows whose vectors point the same way, whatever words they use.

SemDeDup (Abbas et al., arXiv:2303.09540): embed, cluster, drop what is nearer than a threshold to a row that stays. A
row goes for its own similarity to a row that stays, never for that of a row between: with vectors, chains of small steps
lead far. How far apart a threshold is depends on the encoder; look at the pairs in the report before you trust one.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.steps import FATES, Context, Step, Texts
from tilth.filters import clusters, encoders, nearest
from tilth.filters.keeping import PREFER, best_rows, source_ranks
from tilth.filters.near_dedup import EDGES, LARGEST_UNDER_ONE
from tilth.filters.row_vectors import row_vectors


class SemanticDedup(Step, name="semantic_dedup", version=1):
    """Of rows that mean nearly the same to an encoder, keeps one."""

    distributions = ("torch", "transformers", "tokenizers")
    link_only = ("vector",)

    pins: ClassVar[dict[str, str]] = {"encoder": "sha256"}
    encoder: str = Field(
        description="folder of a `transformers` encoder, `org/name@<commit>` on the Hub, or a Parquet file {id, vector} of vectors made elsewhere"
    )
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder or file; left out: as locked")
    pooling: Literal["mean", "cls"] = Field("mean", description="a text's vector: the mean over its tokens, or that of the first")
    max_tokens: int = Field(256, ge=8, description="tokens read of a text, from its beginning")
    prefix: str = Field("", description="put before every text, as some encoders ask (`query: `)")
    device: str = Field("cpu", description="where torch runs the encoder: cpu, cuda …")
    floor: float = Field(0.9, gt=0, le=1, description="least cosine similarity that is kept for later decisions")
    cluster_rows: int = Field(20_000, ge=100, description="rows of a k-means cluster, about; corpora with no more are compared all with all")
    probes: int = Field(2, ge=1, description="clusters that a row is looked for in: more find more of the pairs")
    seed: int = Field(0, description="of k-means")
    min_similarity: float = units.threshold(0.95, "rows at least as similar (cosine) to one that stays go", gt=0, le=1)
    keep: Literal["first", "longest"] = units.threshold("first", "which row stays: the first read, or the longest text")
    prefer: tuple[str, ...] = units.threshold((), PREFER + "; `keep` decides among rows of one rank")

    @model_validator(mode="after")
    def _is_pinned(self) -> SemanticDedup:
        if self.min_similarity < self.floor:
            raise ValueError(f"min_similarity {self.min_similarity} is under floor {self.floor}; lower floor too")
        return self

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def sources_named(self) -> tuple[str, ...]:
        return self.prefer

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`vector` (array of float16, zeros for a row without text or vector) and `characters` of the text.

        Raises:
            SourceError, RecipeError: the encoder is not there, or not the one named.
        """
        vector = row_vectors(batch, self.encoder, self.sha256, self.pooling, self.max_tokens, self.prefix, self.device)
        return pl.DataFrame([vector, batch.texts.str.len_chars().cast(pl.UInt32).alias("characters")])

    def link(self, signals: pl.DataFrame, texts: Texts) -> pl.DataFrame:
        """Edges as `clusters` joins them: similarity 1 from the first of the rows with one vector, the others between those."""
        vectors = signals["vector"].to_numpy()
        rows = np.flatnonzero(vectors.any(axis=1)) if len(vectors) else np.zeros(0, np.int64)
        if not len(rows):
            return pl.DataFrame(schema=EDGES)
        whole = np.ascontiguousarray(vectors[rows]).view(np.dtype((np.void, vectors.dtype.itemsize * vectors.shape[1]))).ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
        group = rows[first][inverse]
        heads, members = np.sort(rows[first]), rows != group
        left, right, similarity = nearest.pairs(vectors[heads], self.floor, self.cluster_rows, self.probes, self.seed)
        columns = (
            np.concatenate([group[members], heads[left]]),
            np.concatenate([rows[members], heads[right]]),
            np.concatenate([np.ones(members.sum()), np.minimum(similarity, LARGEST_UNDER_ONE)]),
        )
        edges = [pl.Series(name, column).cast(EDGES[name]) for name, column in zip(EDGES, columns, strict=True)]
        return pl.DataFrame(edges).sort("left", "right")

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops, best row first, every row as similar to a row that stays; value is the id of that row."""
        assert edges is not None
        left, right, similarity = (edges[name].to_numpy() for name in EDGES)
        same = similarity == 1
        group = clusters.find_roots(len(alive), left[same], right[same])
        ranks = [source_ranks(signals["source"], self.prefer)] if self.prefer else []
        if self.keep == "longest":
            ranks.append(-signals["characters"].fill_null(0).to_numpy().astype(np.int64))
        keeper = best_rows(group, alive, *ranks)
        value = np.ones(len(alive))
        near = ~same & (similarity >= np.float32(self.min_similarity))
        _take(group, keeper, value, alive, ranks, left[near], right[near], similarity[near])
        gone = np.flatnonzero(alive & (keeper != np.arange(len(alive))))
        return pl.DataFrame(
            {
                "index": pl.Series(gone, dtype=pl.UInt32),
                "status": pl.repeat("dropped", len(gone), dtype=pl.String, eager=True),
                "rule": pl.repeat("semantic_duplicate", len(gone), dtype=pl.String, eager=True),
                "value": signals["id"].gather(keeper[gone]),
                "detail": pl.Series([f"similarity {one:.4f}" for one in value[gone].tolist()], dtype=pl.String),
            },
            schema=FATES,
        )


def _take(
    group: np.ndarray, keeper: np.ndarray, value: np.ndarray, alive: np.ndarray, ranks: list[np.ndarray],
    left: np.ndarray, right: np.ndarray, similarity: np.ndarray,
) -> None:  # fmt: skip
    """Give whole groups of rows with one vector to the first row that stays and is near them; `keeper` and `value` change.

    `keeper` holds the best row of every group. Edges stand between the first rows of groups.
    """
    best = np.full(len(alive), -1)
    living = np.flatnonzero(alive)
    best[group[living]] = keeper[living]
    both = (best[left] >= 0) & (best[right] >= 0)
    a, b = np.concatenate([left[both], right[both]]), np.concatenate([right[both], left[both]])
    near = np.concatenate([similarity[both], similarity[both]])
    # In the order in which rows stay: by rank, then as read; the neighbours of one the same way.
    place = np.empty(len(alive), np.int64)
    place[np.lexsort((np.arange(len(alive)), *reversed(ranks)))] = np.arange(len(alive))
    order = np.lexsort((place[best[b]], place[best[a]]))
    taken: dict[int, tuple[int, float]] = {}
    for one, other, how in zip(a[order].tolist(), b[order].tolist(), near[order].tolist(), strict=True):
        if one not in taken and other not in taken and place[best[other]] > place[best[one]]:
            taken[other] = (int(best[one]), how)
    for row in living[np.isin(group[living], np.fromiter(taken, np.int64, len(taken)))].tolist():
        keeper[row], value[row] = taken[int(group[row])]
