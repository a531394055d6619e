"""Gold: what is known of which candidate is better. From a file, from answer keys, or from people who agree.

A table of gold says value by row and candidate (`GOLD`): of two candidates of a row the one with the higher value is better. It
holds no row of which nothing is known, and it never stands in for a judge.
"""

from __future__ import annotations

import codecs
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tilth.annotators.answers import verdict
from tilth.annotators.human import is_human
from tilth.annotators.human_labels import human_labels
from tilth.annotators.panels.votes import GOLD
from tilth.annotators.question import Item
from tilth.core.errors import SourceError


class GoldFields(BaseModel):
    """Where gold comes from: exactly one of file, answer_key, reviewers; left out, people where at least two agree."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    file: str | None = Field(None, description="csv or jsonl beside the job: a row id, and the winner or a score for each candidate")
    id: str = Field("id", description="field of the row's id")
    winner: str = Field("winner", description="field of the better candidate: its name, or its place from 1")
    candidate: str = Field("candidate", description="field of a candidate's name, where a record scores one candidate")
    score: str = Field("score", description="field of the score, of the candidate or of the row")
    answer_key: bool = Field(False, description="candidates that choose the row's key are better than those that choose another option")
    reviewers: int | None = Field(None, ge=1, description="what at least so many people of the table agree on, and more than disagree [2]")

    @model_validator(mode="after")
    def _one_source(self) -> GoldFields:
        if (self.file is not None) + self.answer_key + (self.reviewers is not None) > 1:
            raise ValueError("name one of file, answer_key, reviewers")
        return self


def gold_of(said: GoldFields | None, folder: Path, items: Iterable[Item], judgements: pl.DataFrame) -> pl.DataFrame:
    """The job's gold, columns `GOLD`; empty where there is none.

    Raises:
        SourceError: the file is not there, or a record of it says nothing that is known.
    """
    if said is not None and said.file is not None:
        return of_file(folder / said.file, said, items)
    if said is not None and said.answer_key:
        return of_keys(items)
    return of_people(judgements, 2 if said is None or said.reviewers is None else said.reviewers)


def of_keys(items: Iterable[Item]) -> pl.DataFrame:
    """1 for candidates that choose the option of the key, 0 for those that choose another; none for those without a verdict."""
    lines = []
    for item in items:
        labels, texts = [label for label, _ in item.options], [text for _, text in item.options]
        key = next((label for label, text in item.options if item.answer in (label, text)), None)
        if key is None:
            continue
        for model, text in zip(item.models, item.texts, strict=True):
            chosen = verdict(text, labels, texts).label
            if chosen is not None:
                lines.append((item.id, model, float(chosen == key)))
    return pl.DataFrame(lines, schema=GOLD, orient="row")


def of_people(judgements: pl.DataFrame, agree: int = 2) -> pl.DataFrame:
    """What at least `agree` reviewers say, and more than say otherwise: of two candidates; of a row without candidates, the mean.

    A candidate's value is the number of the row's others that it is better than, minus that of those better than it.
    """
    value: defaultdict[tuple[str, str | None], float] = defaultdict(float)
    for row, (one, two), winner in human_labels(judgements, agree=agree).select("row_id", "candidates", "winner").iter_rows():
        if winner is not None:
            value[row, winner] += 1
            value[row, two if winner == one else one] -= 1
    alone = judgements.filter(is_human(), pl.col("candidate").is_null(), pl.col("value").is_not_null())
    alone = alone.group_by("row_id").agg(
        pl.col("value").mean(), pl.col("judge").n_unique().alias("people"), (pl.col("value").max() - pl.col("value").min()).alias("apart")
    )
    for row, mean in alone.filter(pl.col("people") >= agree, pl.col("apart") <= 1).select("row_id", "value").iter_rows():
        value[row, None] = mean
    lines = [(row, candidate, number) for (row, candidate), number in value.items()]
    return pl.DataFrame(lines, schema=GOLD, orient="row").sort("row_id", "candidate", nulls_last=True)


def of_file(path: Path, said: GoldFields, items: Iterable[Item]) -> pl.DataFrame:
    """Gold from a csv or jsonl file: `{id, winner}`, `{id, candidate, score}` or, of rows without candidates, `{id, score}`.

    Rows that the job has not are passed over.

    Raises:
        SourceError: naming file and record.
    """
    known = {item.id: item.models for item in items}
    lines: dict[tuple[str, str | None], float] = {}
    met = 0
    for number, record in enumerate(_records(path), start=1):
        identity = record.get(said.id)
        if identity is None:
            raise SourceError(f"{path}:{number}: no field {said.id!r}", hint="name the fields under `gold` in the job")
        row = str(identity)
        if row not in known:
            continue
        met += 1
        try:
            lines.update({(row, candidate): value for candidate, value in _said(record, said, known[row])})
        except ValueError as error:
            raise SourceError(f"{path}:{number}: {error}", hint="name the fields under `gold` in the job") from None
    if not met:
        raise SourceError(f"{path}: no record's {said.id!r} is the id of a row of the job", hint="ids are those of the table of judgements")
    return pl.DataFrame([(row, candidate, value) for (row, candidate), value in lines.items()], schema=GOLD, orient="row")


def _said(record: dict[str, Any], said: GoldFields, models: tuple[str, ...]) -> Iterator[tuple[str | None, float]]:
    """(candidate, value) that a record says."""
    winner, score, candidate = (record.get(name) for name in (said.winner, said.score, said.candidate))
    if winner not in (None, ""):
        best = _candidate(winner, models)
        yield from ((model, float(model == best)) for model in models)
    elif score not in (None, ""):
        try:
            value = float(str(score))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{said.score} {str(score)[:40]!r} is no number")
        if candidate in (None, "") and models:
            raise ValueError(f"a {said.score} without {said.candidate!r}, of a row with {len(models)} candidates")
        yield (_candidate(candidate, models) if candidate not in (None, "") else None), value
    elif said.winner not in record and said.score not in record:
        raise ValueError(f"neither {said.winner!r} nor {said.score!r}")


def _candidate(name: object, models: tuple[str, ...]) -> str:
    text = str(name).strip()
    if text in models:
        return text
    if text.isdecimal() and len(text) < 10 and 1 <= int(text) <= len(models):
        return models[int(text) - 1]
    raise ValueError(f"{text[:40]!r} is none of the row's candidates: {', '.join(models)[:200]}")


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        raw = path.read_bytes()
        if path.suffix == ".csv":
            yield from pl.read_csv(io.BytesIO(raw), infer_schema=False).iter_rows(named=True)
            return
        for line in raw.removeprefix(codecs.BOM_UTF8).splitlines():
            if line.strip():
                record = orjson.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("a line that is no record")
                yield record
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise SourceError(f"{path}: no csv or jsonl that can be read: {str(error).splitlines()[0][:200]}") from None
