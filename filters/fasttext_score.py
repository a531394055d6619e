"""A number by a fastText classifier: the probability of one label, or, of labels that are numbers, the value to expect.

Aquila-Med (arXiv 2406.12182) rates its pretraining text 0–6 by a regressor that learned from a language model's scores, and keeps what
is above a threshold that it does not give. The public successor (BAAI/IndustryCorpus2_DataRater) calls 3 and more relatively good,
4 and more clearly good. Here the regressor is a fastText model of the levels 0 … 6 (`tilth distil`), and the score is the sum of level
times probability: one pass of a linear model, as fast as a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.scores import with_scores
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import fasttext_models
from tilth.filters.fasttext_label import Reads
from tilth.filters.plain_words import plain_words


class FastTextScore(Step, name="fasttext_score", version=1):
    """Scores rows by a fastText classifier, writes the score into the rows' `scores`, and drops those outside the limits."""

    pins: ClassVar[dict[str, str]] = {"path": "sha256"}
    path: str = Field(description="the fastText file, or the folder that `tilth distil` wrote; nothing is downloaded")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="of that file (in a folder, of `model.bin`); another is refused; left out: as locked"
    )
    score: str = Field("quality", min_length=1, description="what the score is called in the rows' `scores`, for `mix` and selection")
    label: str | None = Field(None, description="the label whose probability it is, without `__label__`; left out: labels are numbers, and it is the expected one")
    text: Reads = Field("words", description="what the classifier reads: the text as it is, or its words in lower case, Han characters apart")
    sample_chars: int | None = Field(None, ge=1, description="how much of a text, from its beginning, it reads; left out: all")
    min_score: float | None = threshold(None, "least score; of quality 0–6, 3 is relatively good and 4 clearly good (IndustryCorpus2)")
    max_score: float | None = threshold(None, "largest score")

    def digest_of(self, path: Path) -> str:
        return file_digest(fasttext_models.file_of(path))

    def edit(self, batch: Batch) -> Batch:
        """The rows with the score among their `scores`; a row without words gets none."""
        found = self._found(batch)
        after = batch.with_columns(with_scores(batch.frame, {self.score: found})["scores"])
        after.memo(self._memo_key, lambda: found)  # the text is the same
        return after

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signal `score`; null for a row without words.

        Raises:
            SourceError: the file cannot be read, is not the one named, or has no such labels.
        """
        return pl.DataFrame({"score": self._found(batch)})

    def rules(self) -> Sequence[Rule]:
        """Too low, then too high."""
        return limits(("low_score", "score", "<", self.min_score), ("high_score", "score", ">", self.max_score))

    @property
    def _memo_key(self) -> str:
        return f"fasttext_score:{self.sha256}:{self.label}:{self.text}:{self.sample_chars}"

    def _found(self, batch: Batch) -> pl.Series:
        return batch.memo(self._memo_key, lambda: self._scores(batch))

    def _scores(self, batch: Batch) -> pl.Series:
        model = fasttext_models.pinned(self.path, self.sha256)
        weights = _weights(model, self.label)
        texts = batch.texts if self.sample_chars is None else batch.texts.str.head(self.sample_chars)
        texts = plain_words(texts) if self.text == "words" else texts
        found = model.scores(texts).astype(np.float64)
        whole = found.sum(axis=1)  # fastText adds a little to every probability
        value = found @ weights / np.where(whole > 0, whole, 1)
        says = (whole > 0) & (texts.str.strip_chars().str.len_bytes() > 0).to_numpy()
        return pl.Series("score", value, dtype=pl.Float64).zip_with(pl.Series(says), pl.Series([None] * len(value), dtype=pl.Float64))


def _weights(model: fasttext_models.FastTextModel, label: str | None) -> np.ndarray:
    """float64 [labels]: what each label counts."""
    if label is not None:
        if label not in model.labels:
            raise SourceError(f"{model.path}: no label {label!r}", hint=f"it has {', '.join(model.labels[:20])}")
        return np.array([one == label for one in model.labels], np.float64)
    try:
        return np.array([float(one) for one in model.labels])
    except ValueError:
        raise SourceError(f"{model.path}: labels {', '.join(model.labels[:5])} are no numbers", hint="name the label whose probability is the score") from None
