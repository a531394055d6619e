"""A label by a fastText classifier (domain, quality, toxicity …): rows of the wanted labels stay.

Joulin et al. 2017, *Bag of Tricks for Efficient Text Classification*. Published ones read the text as it is, line ends as blanks
(`text: plain`): DCLM's, FineWeb2-HQ's, Dolma's. Those that `tilth.filters.fasttext_training` makes read its words (`text: words`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.fingerprints import file_digest
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import fasttext_models
from tilth.filters.plain_words import plain_words

Reads = Literal["plain", "words"]
"""What a classifier reads of a text."""


class FastTextLabel(Step, name="fasttext_label", version=1):
    """Keeps the rows to which a fastText classifier gives a wanted label."""

    pins: ClassVar[dict[str, str]] = {"path": "sha256"}
    path: str = Field(description="the fastText file, or the folder that `tilth distil` wrote; nothing is downloaded")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="of that file (in a folder, of `model.bin`); another is refused; left out: as locked"
    )
    text: Reads = Field("plain", description="what the classifier reads: the text as it is, or its words in lower case, Han characters apart")
    sample_chars: int | None = Field(None, ge=1, description="how much of a text, from its beginning, it reads; left out: all")
    keep: tuple[str, ...] = threshold((), "wanted labels, without `__label__`; none: all")
    min_score: float | None = threshold(
        None, "smallest probability of a wanted label; of two labels, that of the less likely is the rest of 1; left out: the likeliest label is wanted", ge=0, le=1
    )

    def digest_of(self, path: Path) -> str:
        return file_digest(fasttext_models.file_of(path))

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals `label`, `score` (its probability) and, of a classifier of two labels, `other_label`; null for a row without words.

        Raises:
            SourceError: the file cannot be read, or is not the one named.
        """
        model = fasttext_models.pinned(self.path, self.sha256)
        texts = batch.texts if self.sample_chars is None else batch.texts.str.head(self.sample_chars)
        texts = plain_words(texts) if self.text == "words" else texts
        labels, scores = model.best(texts)
        silent = texts.str.strip_chars().str.len_bytes() == 0
        other = dict(zip(model.labels, reversed(model.labels), strict=True)) if len(model.labels) == 2 else {}
        signals = pl.DataFrame({"label": pl.Series(labels, dtype=pl.String), "score": pl.Series(scores, dtype=pl.Float64).clip(upper_bound=1)})
        signals = signals.with_columns(pl.col("label").replace_strict(other, default=None, return_dtype=pl.String).alias("other_label"))
        return signals.select(pl.when(~silent).then(pl.all()))

    def rules(self) -> Sequence[Rule]:
        """The likeliest label is wanted; or, with `min_score`, a wanted one is likely enough."""
        wanted = pl.col("label").is_in(self.keep) if self.keep else pl.lit(True)
        if self.min_score is None:
            return [Rule("unwanted_label", "label", ~wanted)]
        other = pl.col("other_label").is_in(self.keep) if self.keep else pl.lit(False)
        best = pl.max_horizontal(pl.when(wanted).then(pl.col("score")), pl.when(other).then(1 - pl.col("score")))
        return [
            Rule("unwanted_label", "label", pl.col("label").is_not_null() & best.is_null()),
            Rule("low_score", "score", best < self.min_score),
        ]
