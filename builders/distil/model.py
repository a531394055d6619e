"""The model of a distil job: trained on what teaches, asked by the very steps that recipes use, held against what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from tilth.builders.distil import figures
from tilth.builders.distil.job import DistilFile
from tilth.core import rows as core_rows
from tilth.core.batch import Batch
from tilth.core.fingerprints import file_digest
from tilth.core.steps import ON_HUB, Context, Step
from tilth.filters import encoder_training, encoders, fasttext_models, fasttext_training
from tilth.filters.encoder_score import EncoderScore
from tilth.filters.fasttext_label import FastTextLabel
from tilth.filters.fasttext_score import FastTextScore

ASKED_TOGETHER = 500
OnEpoch = Callable[[int, int, float], None]
"""(epoch, epochs, accuracy, or minus the mean squared error)"""


def fit(said: DistilFile, teach: pl.DataFrame, folder: Path, on_epoch: OnEpoch | None = None) -> Step:
    """Train on documents (text, label or value, answers) and leave the model in `folder`; the step that asks it.

    A fastText model of scores learns each document once for every answer, at that answer's level: its probabilities then say how
    judges would answer, and the expected level is their mean.

    Raises:
        RecipeError, SourceError: it cannot be trained.
    """
    is_score, chars = said.question.scale is not None, said.job.sample.chars
    if (encoder := said.job.encoder) is not None:
        targets = teach["value" if is_score else "label"].to_list()
        training = replace(encoder, path=str(_at(said, encoder.path)))
        encoder_training.train(teach["text"].to_list(), targets, folder, training, seed=said.job.seed, on_epoch=on_epoch)
        return EncoderScore(
            path=str(folder), sha256=encoders.digest(folder), max_tokens=encoder.max_tokens, device=encoder.device, sample_chars=chars,
            score="quality" if is_score else "domain",
        )  # fmt: skip
    pairs = teach.select("text", pl.col("answers").list.eval(pl.element().cast(pl.Float64).round()) if is_score else pl.concat_list("label").alias("answers"))
    pairs = pairs.explode("answers")
    labels = [f"{one:.0f}" for one in pairs["answers"]] if is_score else pairs["answers"].to_list()
    path = folder / fasttext_models.FILE
    fasttext_training.train(pairs["text"].to_list(), labels, path, replace(said.fasttext, seed=said.job.seed), balance=not is_score)
    if is_score:
        return FastTextScore(path=str(folder), sha256=file_digest(path), sample_chars=chars)
    return FastTextLabel(path=str(folder), sha256=file_digest(path), text="words", sample_chars=chars)


def _at(said: DistilFile, path: str) -> Path | str:
    """A folder counts from the job's; a model on the Hub is called by its name."""
    return path if ON_HUB.match(path) else said.path.parent / path


def ask(step: Step, texts: pl.Series) -> pl.DataFrame:
    """The step's signals (score; label) for each text."""
    context = Context("cpt", 0, pl.DataFrame())
    frames = [core_rows.frame("cpt", text=texts.slice(start, ASKED_TOGETHER)) for start in range(0, len(texts), ASKED_TOGETHER)]
    return pl.concat([step.measure(Batch(frame, "cpt"), context) for frame in frames])


def held_against(step: Step, teach: pl.DataFrame, held: pl.DataFrame, *, is_score: bool, seed: int) -> dict[str, Any]:
    """What it says of the documents held out, beside what they are: `figures.of_labels` or `figures.of_scores`."""
    found = ask(step, held["text"])
    if not is_score:
        labels = sorted({*teach["label"], *held["label"]})
        return figures.of_labels(held.with_columns(found["label"].alias("predicted")), labels, seed)
    mean = float(teach["value"].mean())  # type: ignore[arg-type]
    told = figures.of_scores(held.with_columns(found["score"].fill_null(mean).alias("predicted")), mean, seed)
    return told | {"without_words": found["score"].null_count()}
