"""`tilth distil`: sample, label twice, keep what agrees, train, hold against what was left out, write the model and what is known of it.

    sample = take(said, frames)
    told = distil(said, sample, store=store, max_usd=120)

The folder that comes of it holds the model, `seed.parquet` (every document of the sample, its answers and what became of it) and
`model.json`, written last: the same documents, answers and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from tilth.annotators.job_run import Watched
from tilth.annotators.judge import Judged, JudgeEstimate, estimate, judge
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.store import CallStore
from tilth.builders.distil import labelling, model
from tilth.builders.distil import sample as sampling
from tilth.builders.distil.job import DistilFile
from tilth.builders.distil.model import OnEpoch
from tilth.builders.distil.sample import Sample
from tilth.core.durable import write_whole
from tilth.core.errors import RecipeError, StorageError
from tilth.core.rows import conversation

RECORD, SEED = "model.json", "seed.parquet"
FEWEST = 20
"""Labelled documents below which nothing is trained."""

Watch = Callable[[str, float | None], AbstractContextManager[Watched]]


def take(said: DistilFile, frames: Iterable[pl.DataFrame]) -> Sample:
    """The documents of a job that are to be labelled.

    Args:
        frames: all documents of its input, columns `documents.DOCUMENTS`.
    """
    found = sampling.draw(frames, said.job.sample, said.job.seed, labelled=said.job.fields.label is not None)
    known = {source for _, source in found.had}
    if strange := [source for source in said.job.held_sources if source not in known]:
        raise RecipeError(f"{said.path}: held_sources: no document of {strange[0]!r}", hint=f"the input has {', '.join(sorted(known)[:10])}")
    return found


def foreseen(said: DistilFile, sample: Sample, store: CallStore) -> list[JudgeEstimate]:
    """Calls, tokens and USD by judge, before any call."""
    return estimate(_asked(sample.rows), question=said.question, judges=said.judges, store=store, seed=said.job.seed)


def distil(
    said: DistilFile, sample: Sample, *, store: CallStore, max_usd: float | None = None, retry: RetryPolicy | None = None,
    watch: Watch = lambda label, cap: nullcontext(Watched()), on_epoch: OnEpoch | None = None,
) -> tuple[dict[str, Any], Judged | None]:  # fmt: skip
    """Do a job; what `model.json` then says, and what the judges said, where there are any.

    Args:
        max_usd: cap on what its calls cost, earlier runs included.
        watch: (question, cap) → what is entered while judges are asked.

    Raises:
        BudgetError, NetworkError, RecipeError, StorageError: as `annotators.judge.judge`; what was bought is kept.
        RecipeError: too little was labelled to learn from.
        SourceError: a label of the input is none, or the model cannot be trained.
    """
    _see_that_it_is_ours(said.output)
    judged = None
    rows = sample.rows.rename({"labels": "answers"})
    if said.judges:
        with watch(said.question.label, max_usd) as watched:
            judged = judge(
                _asked(sample.rows), question=said.question, judges=said.judges, store=store, max_usd=max_usd, seed=said.job.seed, retry=retry,
                batch=watched.batch, meter=watched.meter, on_wait=watched.on_wait,
            )  # fmt: skip
        rows = rows.drop("answers").join(
            labelling.answers_of(judged.judgements, rows["key"], said.question.scale is not None), on="key", how="left", maintain_order="left"
        )
    settled = labelling.settle(rows, said.question, said.job.max_gap, asked=bool(said.judges)).with_columns(rows["text"])
    labelled = settled.filter(pl.col("why").is_null())
    if labelled.height < FEWEST:
        raise RecipeError(f"{said.path}: {labelled.height} documents with a label of {settled.height} asked about, at least {FEWEST}", hint="sample more documents")
    out = labelling.held_out(labelled, said.job.hold_out, said.job.held_sources, said.job.seed)
    teach, held = labelled.filter(~out), labelled.filter(out)
    for part, what in ((teach, "learn from"), (held, "test with")):
        if not part.height:
            raise RecipeError(f"{said.path}: of {labelled.height} labelled documents nothing is left to {what}", hint="look at `hold_out` and `held_sources`")
    with tempfile.TemporaryDirectory(prefix="tilth-distil-") as temporary:
        folder = Path(temporary)
        step = model.fit(said, teach, folder, on_epoch)
        measured = model.held_against(step, teach, held, is_score=said.question.scale is not None, seed=said.job.seed)
        told = _told(said, sample, settled, teach, step, measured, judged)
        _write(said.output, folder, settled.join(held.select("key", pl.lit(True).alias("held_out")), on="key", how="left", maintain_order="left"), told)
    return told, judged


def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    """Documents as questions want them."""
    prompts = [conversation([("user", text)]) for text in rows["text"]]
    return pl.DataFrame({"id": rows["key"], "prompt": prompts, "candidates": [[] for _ in prompts], "language": rows["language"]})


def _told(
    said: DistilFile, sample: Sample, settled: pl.DataFrame, teach: pl.DataFrame, step: Any, measured: dict[str, Any], judged: Judged | None
) -> dict[str, Any]:
    taken = {(language, source): number for language, source, number in settled.group_by("language", "source").len().iter_rows()}
    why = dict(settled["why"].value_counts().iter_rows())
    return {
        "name": said.job.name,
        "what": said.question.label,
        "labels": sorted(set(teach["label"])) if said.question.scale is None else None,
        "step": {step.name: {name: value for name, value in step.model_dump(mode="json", exclude_unset=True).items() if name != "path"}},
        "trained_by": _training(said),
        "seed": said.job.seed,
        "judges": [one.label for one in said.judges],
        "usd": round(sum(one.usd for one in judged.judges), 6) if judged is not None else 0.0,
        "documents": {
            "sampled": settled.height, "labelled": why.get(None, 0), "differ": why.get("differ", 0), "unanswered": why.get("unanswered", 0),
            "taught": teach.height, "sha256": hashlib.sha256("\n".join(settled["key"]).encode()).hexdigest(),
            "answers_sha256": hashlib.sha256(orjson.dumps(settled["answers"].to_list())).hexdigest(),
            "strata": [{"language": one[0], "source": one[1], "had": had, "taken": taken.get(one, 0)} for one, had in sample.had.items()],
        },
        "agreement": labelling.agreement(settled),
        "held_out": measured,
    }  # fmt: skip


def _training(said: DistilFile) -> dict[str, Any]:
    if (encoder := said.job.encoder) is not None:
        return {"encoder": {name: value for name, value in encoder.__dict__.items() if name not in ("path", "device") or (name == "path" and encoder.sha256 is None)}}
    return {"fasttext": said.fasttext.__dict__}


def _see_that_it_is_ours(folder: Path) -> None:
    """Refuse, before anything is bought, to write over what is no model of ours."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / RECORD).is_file())):
        raise StorageError(f"{folder}: holds something else than a distilled model", hint="name another folder under `output`")


def _write(folder: Path, made: Path, seed: pl.DataFrame, told: dict[str, Any]) -> None:
    """The model's files, the seed, then what is known of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    for file in sorted(made.iterdir()):
        shutil.copyfile(file, folder / file.name)
    seed.with_columns(pl.col("held_out").fill_null(False)).write_parquet(folder / SEED)
    write_whole(folder / RECORD, orjson.dumps(told, option=orjson.OPT_INDENT_2))
