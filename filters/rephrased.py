"""Rephrased benchmark items: rows of which a passage means nearly what an item says, in whatever words.

The second stage of decontamination, after n-grams and alignment, which a rephrasing escapes (Yang et al. 2023,
arXiv:2311.04850): every passage of a row is compared with every item by the cosine of their vectors. An encoder of the
`transformers` library knows synonyms and, if it was trained so, other languages; `terms` needs none and knows shared words.
A hit is a suspicion: the threshold is the encoder's own, and `docs/decontamination.md` says how to find it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.steps import Context, Rule, Step
from tilth.filters import encoders
from tilth.filters.folding import Folded, batch_tokens, fold
from tilth.filters.term_vectors import TermVectors

TERMS = "terms"
Nearest = Callable[[list[tuple[int, int]], Folded, str], list[tuple[int, float]]]
"""(passages as tokens [first, last) of a row, folded batch, the row's text) → (item, cosine) of each."""


class Rephrased(Step, name="rephrased", version=1):
    """Drops rows with a passage that is very like an item of a benchmark."""

    reads_benchmarks = True
    distributions = ("torch", "transformers", "tokenizers")

    against: list[str] | None = Field(None, description="names of benchmarks of the recipe; left out: all of them")
    pins: ClassVar[dict[str, str]] = {"encoder": "sha256"}
    encoder: str = Field(TERMS, description="`terms` (tf-idf), a folder of a `transformers` encoder, or `org/name@<commit>` on the Hub")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder; left out: as locked")
    pooling: Literal["mean", "cls"] = Field("mean", description="a text's vector: the mean over its tokens, or that of the first")
    device: str = Field("cpu", description="where torch runs the encoder: cpu, cuda …")
    passage: int = Field(128, ge=16, description="words or characters of a passage; a longer row is cut into overlapping ones")
    min_similarity: float | None = units.threshold(
        None, "cosine of a passage to an item from which the row goes; left out: 0.4 by terms, 0.8 by an encoder", gt=0, le=1
    )
    allow: dict[str, str] = units.threshold({}, "benchmark → reason why rows that are like it stay")

    @model_validator(mode="after")
    def _is_pinned(self) -> Rephrased:
        for benchmark, reason in self.allow.items():
            if not reason.strip():
                raise ValueError(f"allow.{benchmark} gives no reason")
        return self

    def files_here(self) -> dict[str, str]:
        return {} if self.encoder == TERMS else super().files_here()

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def parameters(self) -> dict[str, Any]:
        """Without the path of what `sha256` names: where a file lies decides nothing."""
        return {name: value for name, value in super().parameters().items() if name != "encoder" or self.sha256 is None}

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`similarity` (highest cosine, 0 where nothing is like an item), `item`, `benchmark`, `start` and `end` (characters).

        Raises:
            RecipeError: `against` names a benchmark that the recipe does not have.
        """
        items = context.benchmarks
        known = items["benchmark"].unique().to_list()
        if missing := sorted(set(self.against or ()) - set(known)):
            raise RecipeError(f"rephrased: no benchmark {missing[0]!r}", hint=f"known: {', '.join(sorted(known)) or 'none'}")
        if self.against is not None:
            items = items.filter(pl.col("benchmark").is_in(self.against))
        found: list[tuple[float, str | None, str | None, int, int]] = []
        folded, texts = batch_tokens(batch), batch.texts.to_list()
        nearest = self._nearest(items) if items.height else None
        for row, text in enumerate(texts):
            passages = self.passages(int(folded.offsets[row]), int(folded.offsets[row + 1]))
            if nearest is None or not passages:
                found.append((0.0, None, None, 0, 0))
                continue
            scored = nearest(passages, folded, text)
            best = max(range(len(passages)), key=lambda k: scored[k][1])
            item, similarity = scored[best]
            first, last = passages[best]
            name = items["item"][item], items["benchmark"][item]
            found.append((round(similarity, 4), *name, int(folded.starts[first]), int(folded.ends[last - 1])))
        schema = {"similarity": pl.Float64, "item": pl.String, "benchmark": pl.String, "start": pl.UInt32, "end": pl.UInt32}
        return pl.DataFrame(found, schema=schema, orient="row")

    def passages(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Tokens `begin:end` of a row cut into passages, each beginning in the middle of the one before."""
        if end - begin <= self.passage:
            return [(begin, end)] if end > begin else []
        return [(at, min(end, at + self.passage)) for at in range(begin, end - self.passage // 2, self.passage // 2)]

    def rules(self) -> list[Rule]:
        least = self.min_similarity or (0.4 if self.encoder == TERMS else 0.8)
        allowed = pl.col("benchmark").is_in(list(self.allow)).fill_null(False)
        return [Rule("rephrased", "similarity", (pl.col("similarity") >= least) & ~allowed)]

    def _nearest(self, items: pl.DataFrame) -> Nearest:
        said = [" ".join([question, *(options or [])]) for question, options in items.select("question", "options").iter_rows()]
        if self.encoder == TERMS:
            vectors = _term_vectors(tuple(said))
            return lambda passages, folded, text: [vectors.nearest(folded.hashes[first:last]) for first, last in passages]
        made = _encoded(tuple(said), self.encoder, self.sha256, self.pooling, self.device)
        encode, _ = encoders.model(self.encoder, self.sha256, self.pooling, MAX_TOKENS, self.device)

        def by_encoder(passages: list[tuple[int, int]], folded: Folded, text: str) -> list[tuple[int, float]]:
            cut = [text[int(folded.starts[first]) : int(folded.ends[last - 1])] for first, last in passages]
            scores = encode(cut) @ made.T
            return [(int(row.argmax()), float(row.max())) for row in scores]

        return by_encoder


MAX_TOKENS = 256


@functools.lru_cache(maxsize=2)
def _term_vectors(said: tuple[str, ...]) -> TermVectors:
    return TermVectors(fold(pl.Series(said, dtype=pl.String)))


@functools.lru_cache(maxsize=2)
def _encoded(said: tuple[str, ...], encoder: str, sha256: str | None, pooling: Literal["mean", "cls"], device: str) -> np.ndarray:
    encode, _ = encoders.model(encoder, sha256, pooling, MAX_TOKENS, device)
    return encode(list(said))

