"""Score-first, diversity-aware selection: the best rows that are not too like one another.

Deita (Liu et al., arXiv:2312.15685, section 2.4): rows by falling score; one is kept unless its **cosine similarity** to a row already
kept is **above** `tau` (theirs: 0.9); until `count` are kept. `filters/diversity.py` is the walk, exact. What it chose is
reported beside as many rows at random and as many of the longest.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.core import scores
from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.steps import FATES, Context, Step
from tilth.core.units import threshold
from tilth.filters import baselines, diversity, encoders
from tilth.filters.row_vectors import TERMS, row_vectors


class DiverseSelection(Step, name="diverse_selection", version=1):
    """Keeps the rows with the best scores, leaving out those that are too like a better one."""

    distributions = ("torch", "transformers", "tokenizers")
    budgets: ClassVar[tuple[str, ...]] = ("beyond_count",)

    pins: ClassVar[dict[str, str]] = {"encoder": "sha256", "scores": "scores_sha256"}
    encoder: str = Field(
        TERMS, description="`terms` (shared words, no model), folder of a `transformers` encoder, `org/name@<commit>`, or a Parquet file {id, vector}"
    )
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder or file; left out: as locked")
    pooling: Literal["mean", "cls"] = Field("mean", description="a text's vector: the mean over its tokens, or that of the first")
    max_tokens: int = Field(256, ge=8, description="tokens read of a text, from its beginning")
    prefix: str = Field("", description="put before every text, as some encoders ask (`query: `)")
    device: str = Field("cpu", description="where torch runs the encoder: cpu, cuda …")
    score: str = threshold("deita", "name of the score in the rows' `scores` that they are chosen by")
    scores: str | None = threshold(None, "in place of it a Parquet file {id or row_id, score}, as `tilth judges --scores` writes it")
    scores_sha256: str | None = threshold(None, "of that file; left out: as locked", pattern=r"^[0-9a-f]{64}$")
    tau: float = threshold(0.9, "a row goes whose cosine similarity to a row kept before it is above that", gt=-1, le=1)
    count: int | None = threshold(None, "rows to keep; left out: all that are not too like a better one", ge=1)
    by_language: dict[str, int] = threshold({}, "instead of `count`: language → rows of it to keep; a row is held against those of its language alone")
    seed: int = threshold(0, "of the random rows that the choice is compared with")

    @model_validator(mode="after")
    def _is_whole(self) -> DiverseSelection:
        if self.count is not None and self.by_language:
            raise ValueError("`count` or `by_language`, not both")
        return self

    def files_here(self) -> dict[str, str]:
        return {field: path for field, path in super().files_here().items() if path != TERMS}

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`vector` (array of float16, zeros where there is none), and of the row its `characters`, `language` and `scores`.

        Raises:
            SourceError, RecipeError: the encoder is not there, or not the one named.
        """
        vector = row_vectors(batch, self.encoder, self.sha256, self.pooling, self.max_tokens, self.prefix, self.device)
        return pl.DataFrame([vector, batch.texts.str.len_chars().cast(pl.UInt32).alias("characters"), batch.frame["language"], batch.frame["scores"]])

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Rows go as `no_score`, `no_vector`, `similar` (value: the similarity; detail: the id of the better row) and `beyond_count`.

        Of two rows with one score the one whose id comes first is the better.

        Raises:
            SourceError: the file of scores cannot be read, or is another than the recipe names.
        """
        scored = self._scored(signals)
        value, vectors = scored["score"].to_numpy(), _vectors(signals)
        ids = scored["id"]
        seen = _any(vectors)
        ready = alive & ~np.isnan(value) & seen
        fates = [
            _gone(np.flatnonzero(alive & np.isnan(value)), "no_score"),
            _gone(np.flatnonzero(alive & ~np.isnan(value) & ~seen), "no_vector"),
        ]
        order = np.lexsort((ids.rank("ordinal").to_numpy(), -value))
        order = order[ready[order]]
        for some, count in self._walks(order, scored["language"]):
            found = diversity.select(vectors, some, self.tau, count)
            left = np.setdiff1d(some, np.concatenate([found.kept, found.passed]), assume_unique=True)
            near = pl.Series([f"{one:.4f}" for one in found.similarity.tolist()], dtype=pl.String)
            fates.append(_gone(found.passed, "similar", near, ids.gather(found.near)))
            fates.append(_gone(left, "beyond_count", pl.Series([f"{one:g}" for one in value[left].tolist()], dtype=pl.String)))
        return pl.concat(fates).sort("index")

    def _walks(self, order: np.ndarray, languages: pl.Series) -> list[tuple[np.ndarray, int | None]]:
        """(rows in the order of the walk, how many to keep): of all, or language by language; of one that is not named, none."""
        if not self.by_language:
            return [(order, self.count)]
        mine = languages.fill_null("und").gather(order).to_numpy()
        walks: list[tuple[np.ndarray, int | None]] = [(order[mine == language], count) for language, count in sorted(self.by_language.items())]
        return [*walks, (order[~np.isin(mine, list(self.by_language))], 0)]

    def selected(self, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame) -> dict[str, Any] | None:
        """The choice beside its baselines, by score, length, nearness, source and language."""
        chosen = alive.copy()
        chosen[fates["index"].to_numpy()] = False
        rows = self._scored(signals).with_columns(pl.col("score").fill_nan(None))
        by = {"tau": self.tau, "count": self.count} if not self.by_language else {"tau": self.tau, **self.by_language}
        rule = ", ".join(f"{name} {value}" for name, value in by.items() if value is not None)
        return {"score": self.score if self.scores is None else "file of scores", "rule": rule, "arms": baselines.arms(rows, alive, chosen, self.seed, _vectors(signals))}

    def _scored(self, signals: pl.DataFrame) -> pl.DataFrame:
        """The signals with a column `score`, NaN where a row has none."""
        if self.scores is None:
            return signals.with_columns(scores.score(self.score).fill_null(float("nan")).alias("score"))
        found = signals.join(stored_scores(self.scores, self.scores_sha256), on="id", how="left", maintain_order="left")
        return found.with_columns(pl.col("score").fill_null(float("nan")))


@functools.cache
def stored_scores(path: str, sha256: str | None) -> pl.DataFrame:
    """id, score (float64, finite) of a Parquet file {id or row_id, score}.

    Raises:
        SourceError: the file is another, has no such columns, or names a row twice.
    """
    if sha256 is None:
        raise SourceError(f"scores {path}: which file is meant?", hint="give its scores_sha256 (`sha256sum FILE`)")
    try:
        if (digest := file_digest(Path(path))) != sha256:
            raise SourceError(f"scores {path}: its sha256 is {digest}, the recipe says {sha256}", hint="write the one it has, if that is meant")
        lazy = pl.scan_parquet(path)
        name = next((one for one in ("row_id", "id") if one in lazy.collect_schema()), "id")
        found = lazy.select(pl.col(name).cast(pl.String).alias("id"), pl.col("score").cast(pl.Float64)).filter(pl.col("score").is_finite()).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"scores {path}: {str(error).splitlines()[0]}", hint="columns: id or row_id (as in the corpus) and score (a number)") from None
    if (twice := found["id"].is_duplicated()).any():
        raise SourceError(f"scores {path}: row {found['id'].filter(twice)[0]} stands there twice", hint="one score a row")
    return found


def _vectors(signals: pl.DataFrame) -> np.ndarray:
    made: np.ndarray = signals["vector"].to_numpy() if signals.height else np.zeros((0, 1), np.float16)
    return made


def _any(vectors: np.ndarray) -> np.ndarray:
    """bool [rows]: whether there is a vector; some rows at a time, so that no copy of all is made."""
    made = np.zeros(len(vectors), bool)
    for start in range(0, len(vectors), diversity.BLOCK):
        made[start : start + diversity.BLOCK] = vectors[start : start + diversity.BLOCK].any(axis=1)
    return made


def _gone(rows: np.ndarray, rule: str, value: pl.Series | None = None, detail: pl.Series | None = None) -> pl.DataFrame:
    empty = pl.Series([None] * len(rows), dtype=pl.String)
    columns = {"index": rows, "status": ["dropped"] * len(rows), "rule": [rule] * len(rows), "value": empty if value is None else value,
               "detail": empty if detail is None else detail}  # fmt: skip
    return pl.DataFrame(columns, schema=FATES)
