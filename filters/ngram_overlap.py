"""The published rule of decontamination: a row that shares any n-gram of words with a benchmark question goes.

GPT-3 (arXiv:2005.14165, appendix C) took 13 words, datatrove takes 12 and open-r1 8; text is simplified and hashed as datatrove
0.10 does it, so that with `words: spacy` the decisions are those of its `NGramsDecontFilter`. It is here to compare with and
to reproduce what others did: it drops rows for a phrase that all exams share, takes doses for equal (numbers become `0`), and
cannot see a question shorter than n. `decontaminate` is the step to use.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import simplified, text_buffer, words
from tilth.filters.words import Definition


class NgramOverlap(Step, name="ngram_overlap", version=1):
    """Drops rows that share an n-gram with a benchmark question (GPT-3, appendix C; datatrove, open-r1)."""

    distributions: ClassVar[tuple[str, ...]] = ("jieba",)
    reads_benchmarks = True

    ngram: int = Field(13, ge=1, le=64, description="words that must follow one another in both")
    words: Definition = "whitespace"
    """What is a word of the simplified text (`filters.words`, `filters.simplified`)."""
    min_ngrams: int = threshold(1, "fewest places in a row where such an n-gram begins", ge=1)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_ngrams (places), and of the first: item (`benchmark/item`) and ngram (simplified text)."""
        index = _index(tuple(context.benchmarks.select("benchmark", "item", "question").iter_rows()), self.ngram, self.words)
        found = simplified.tokens(batch, self.words)
        hashes, offsets = simplified.ngram_hashes(found, self.ngram)
        slots = np.searchsorted(index.hashes, hashes)
        places = np.flatnonzero(index.hashes[np.minimum(slots, len(index.hashes) - 1)] == hashes) if len(index.hashes) else np.zeros(0, int)
        rows = np.searchsorted(offsets, places, side="right") - 1
        hit, first = np.unique(rows, return_index=True)
        place = places[first]
        token = found.offsets[hit] + place - offsets[hit]
        begins, ends = found.begins[token], found.ends[token + self.ngram - 1]
        data = found.text.data
        texts = [data[begin:end].tobytes().decode() for begin, end in zip(begins, ends, strict=True)]
        return pl.DataFrame(
            {
                "num_ngrams": np.bincount(rows, minlength=len(batch)),
                "item": _at(hit, [index.items[index.owners[slot]] for slot in slots[place]], len(batch)),
                "ngram": _at(hit, texts, len(batch)),
            }
        )

    def rules(self) -> Sequence[Rule]:
        """One: enough n-grams in common."""
        return [Rule("shared_ngram", "item", pl.col("num_ngrams") >= self.min_ngrams)]


def _at(places: np.ndarray, values: list[str], size: int) -> pl.Series:
    """A column with these values at these places, null elsewhere."""
    return pl.Series("", [None], dtype=pl.String).new_from_index(0, size).scatter(places, values)


class _Index(NamedTuple):
    hashes: np.ndarray
    """uint64, sorted, distinct."""
    owners: np.ndarray
    """int64: position in `items` of the first item that has each."""
    items: list[str]


@functools.lru_cache(maxsize=4)
def _index(items: tuple[tuple[Any, ...], ...], n: int, definition: Definition) -> _Index:
    questions = pl.Series([question for _, _, question in items], dtype=pl.String)
    hashes, offsets = simplified.ngram_hashes(words.of_text(simplified.of(text_buffer.of(questions)), definition), n)
    distinct, first = np.unique(hashes, return_index=True)
    return _Index(distinct, np.searchsorted(offsets, first, side="right") - 1, [f"{benchmark}/{item}" for benchmark, item, _ in items])
