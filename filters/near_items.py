"""Near items: how like each item of the benchmarks a passage of a row is, by the terms that both share or by an encoder.

What `rephrased` decides on, and what `judged_leaks` has judges look at. An encoder of the `transformers` library knows synonyms
and, if it was trained so, other languages; `terms` needs none and knows shared words.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.steps import Step
from tilth.filters import encoders
from tilth.filters.folding import Folded, fold
from tilth.filters.row_vectors import TERMS
from tilth.filters.term_vectors import TermVectors

MAX_TOKENS = 256
Cosines = Callable[[list[tuple[int, int]], Folded, str], Iterator[np.ndarray]]
"""(passages as tokens [first, last) of a row, folded batch, the row's text) → of each passage, float [items]: its cosine to each item."""


class NearItems(Step):
    """A step that compares passages of rows with the items of benchmarks."""

    reads_benchmarks = True
    distributions = ("torch", "transformers", "tokenizers")

    pins: ClassVar[dict[str, str]] = {"encoder": "sha256"}

    against: list[str] | None = Field(None, description="names of benchmarks of the recipe; left out: all of them")
    encoder: str = Field(TERMS, description="`terms` (tf-idf), a folder of a `transformers` encoder, or `org/name@<commit>` on the Hub")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder; left out: as locked")
    pooling: Literal["mean", "cls"] = Field("mean", description="a text's vector: the mean over its tokens, or that of the first")
    device: str = Field("cpu", description="where torch runs the encoder: cpu, cuda …")
    passage: int = Field(128, ge=16, description="words or characters of a passage; a longer row is cut into overlapping ones")

    def files_here(self) -> dict[str, str]:
        return {} if self.encoder == TERMS else super().files_here()

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def passages(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Tokens `begin:end` of a row cut into passages, each beginning in the middle of the one before."""
        if end - begin <= self.passage:
            return [(begin, end)] if end > begin else []
        return [(at, min(end, at + self.passage)) for at in range(begin, end - self.passage // 2, self.passage // 2)]

    def cosines(self, items: pl.DataFrame) -> Cosines:
        """Compares passages with those items, question and options together."""
        said = _said(items)
        if self.encoder == TERMS:
            vectors = _term_vectors(said)

            def by_terms(passages: list[tuple[int, int]], folded: Folded, text: str) -> Iterator[np.ndarray]:
                begin, end = passages[0][0], passages[-1][1]
                return vectors.cosines(folded.hashes[begin:end], [(first - begin, last - begin) for first, last in passages])

            return by_terms
        made = _encoded(said, self.encoder, self.sha256, self.pooling, self.device)
        encode, _ = encoders.model(self.encoder, self.sha256, self.pooling, MAX_TOKENS, self.device)

        def by_encoder(passages: list[tuple[int, int]], folded: Folded, text: str) -> Iterator[np.ndarray]:
            yield from encode([text[int(folded.starts[first]) : int(folded.ends[last - 1])] for first, last in passages]) @ made.T

        return by_encoder

    def unmatchable(self, items: pl.DataFrame) -> list[bool]:
        """Which items say nothing to compare by."""
        said = _said(items)
        return _term_vectors(said).empty.tolist() if self.encoder == TERMS else [not one.strip() for one in said]


def _said(items: pl.DataFrame) -> tuple[str, ...]:
    return tuple(words(question, options, " ") for question, options in items.select("question", "options").iter_rows())


def words(question: str, options: list[str] | None, between: str) -> str:
    """What an item says: its question and its options, never the answer."""
    return between.join([question, *(options or [])])


@functools.lru_cache(maxsize=2)
def _term_vectors(said: tuple[str, ...]) -> TermVectors:
    return TermVectors(fold(pl.Series(said, dtype=pl.String)))


@functools.lru_cache(maxsize=2)
def _encoded(said: tuple[str, ...], encoder: str, sha256: str | None, pooling: Literal["mean", "cls"], device: str) -> np.ndarray:
    encode, _ = encoders.model(encoder, sha256, pooling, MAX_TOKENS, device)
    return encode(list(said))
