"""A number or a label by a transformers encoder with a head: BAAI/IndustryCorpus2_DataRater, or one that `tilth distil` trained.

Aquila-Med (arXiv 2406.12182) filters its pretraining text by two of them; a fastText model (`fasttext_score`) is a thousand times faster.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError, SourceError
from tilth.core.scores import with_scores
from tilth.core.steps import Context, Rule, Step, limits
from tilth.core.units import threshold
from tilth.filters import encoders


class EncoderScore(Step, name="encoder_score", version=1):
    """Scores rows by a transformers model with a head, writes the score into the rows' `scores`, drops what is outside the limits."""

    distributions = ("torch", "transformers", "tokenizers")

    pins: ClassVar[dict[str, str]] = {"path": "sha256"}
    path: str = Field(description="folder of a transformers sequence classifier, or `org/name@<commit>` on the Hub")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder; left out: as locked")
    score: str = Field("quality", min_length=1, description="what the score is called in the rows' `scores`")
    label: str | None = Field(None, description="the label whose probability it is; left out: a regressor's number, or the probability of the likeliest label")
    sample_chars: int | None = Field(4000, ge=1, description="how much of a text, from its beginning, it reads; none: all")
    max_tokens: int = Field(512, ge=8, description="tokens that it reads")
    device: str = Field("cpu", description="where torch runs it: cpu, cuda …")
    keep: tuple[str, ...] = threshold((), "wanted labels of a classifier: the likeliest must be one; none: all")
    min_score: float | None = threshold(None, "least score; of quality 0–6, 3 is relatively good and 4 clearly good (IndustryCorpus2)")
    max_score: float | None = threshold(None, "largest score")

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def edit(self, batch: Batch) -> Batch:
        """The rows with the score among their `scores`; a row without words gets none."""
        found = self._found(batch)
        after = batch.with_columns(with_scores(batch.frame, {self.score: found["score"]})["scores"])
        after.memo(self._memo_key, lambda: found)
        return after

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals `score` and, of a classifier, `label`, the likeliest; null for a row without words.

        Raises:
            SourceError, RecipeError: the model is not there, is not the one named, or has no such label.
        """
        return self._found(batch)

    def rules(self) -> Sequence[Rule]:
        """The label, then the score."""
        wanted = [Rule("unwanted_label", "label", ~pl.col("label").is_in(self.keep))] if self.keep else []
        return [*wanted, *limits(("low_score", "score", "<", self.min_score), ("high_score", "score", ">", self.max_score))]

    @property
    def _memo_key(self) -> str:
        return f"encoder_score:{self.path}:{self.sha256}:{self.label}:{self.sample_chars}:{self.max_tokens}"

    def _found(self, batch: Batch) -> pl.DataFrame:
        return batch.memo(self._memo_key, lambda: self._scores(batch))

    def _scores(self, batch: Batch) -> pl.DataFrame:
        texts = batch.texts if self.sample_chars is None else batch.texts.str.head(self.sample_chars)
        says = np.flatnonzero((texts.str.strip_chars().str.len_bytes() > 0).to_numpy())
        scores, labels = np.full(len(texts), np.nan), np.full(len(texts), None, object)
        if len(says):
            tokenizer, network = _model(self.path, self.sha256, self.device)
            found = encoders.outputs(network, tokenizer, texts.gather(says).to_list(), self.max_tokens, self.device).astype(np.float64)
            names = [network.config.id2label[place] for place in range(found.shape[1])]
            if self.label is not None and (self.label not in names or len(names) < 2):
                raise SourceError(f"encoder {self.path}: no label {self.label!r}", hint=f"it has {', '.join(names[:20])}")
            if len(names) < 2:
                scores[says] = found[:, 0]
            else:
                shares = np.exp(found - found.max(axis=1, keepdims=True))
                shares /= shares.sum(axis=1, keepdims=True)
                labels[says] = np.array(names, object)[shares.argmax(axis=1)]
                scores[says] = shares.max(axis=1) if self.label is None else shares[:, names.index(self.label)]
        return pl.DataFrame({"score": pl.Series(scores, dtype=pl.Float64).fill_nan(None), "label": pl.Series(labels.tolist(), dtype=pl.String)})


@functools.cache
def _model(path: str, sha256: str | None, device: str) -> tuple[Any, Any]:
    missing = RecipeError("encoder_score: an encoder needs torch and transformers", hint="pip install 'tilth[train]'")
    return encoders.pretrained("AutoModelForSequenceClassification", "encoder", path, sha256, device, missing)
