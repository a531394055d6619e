"""The rows of an annotation job: a file's records, or the rows of a release, as questions want them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tilth.annotators.job_file import InputFields, JobFile
from tilth.builders.locking import format_of
from tilth.builders.records import BadRecord, Record, take
from tilth.builders.shapes.choices import LABELS
from tilth.core.errors import SourceError
from tilth.core.recipe import Source
from tilth.core.rows import CANDIDATES, MESSAGES, OPTIONS, ROLES, content_hash, conversation, row_id

COLUMNS: dict[str, Any] = {"id": pl.String, "prompt": MESSAGES, "candidates": CANDIDATES, "answer": pl.String, "options": OPTIONS,
                           "reference": pl.String, "language": pl.String}  # fmt: skip


def of_file(job: JobFile) -> pl.DataFrame:
    """Rows of the job's input file, columns `COLUMNS`.

    Raises:
        SourceError: the file, or a record of it, is not what the job says; naming file and record.
    """
    path = job.input_path
    source = Source(path=path.name, shape={"text": {}}, license="unused")
    rows: list[dict[str, Any]] = []
    for number, record in format_of(job.job.name, source).records(path, path.name):
        if job.job.limit is not None and len(rows) >= job.job.limit:
            break
        try:
            if isinstance(record, BadRecord):
                raise record
            rows.append(_row(record, job.job.fields))
        except BadRecord as error:
            raise SourceError(f"{path}:{number}: {error}", hint="name the fields under `fields` in the job") from None
    if not rows:
        raise SourceError(f"{path}: no records")
    return pl.DataFrame(rows, schema=COLUMNS)


def of_release(files: Sequence[Path], limit: int | None) -> pl.DataFrame:
    """Rows of a config of a release: the candidates are `chosen` and `rejected`, or the last answer of a conversation."""
    frame = pl.read_parquet(list(files))
    frame = frame.head(limit) if limit is not None else frame
    rows: list[dict[str, Any]] = []
    for row in frame.iter_rows(named=True):
        if "chosen" in row:
            prompt = row["prompt"]
            sides = (("chosen", row["chosen_model"]), ("rejected", row["rejected_model"]))
            candidates = [{"model": model or side, "text": row[side][-1]["content"]} for side, model in sides]
        elif "messages" in row:
            prompt, candidates = row["messages"][:-1], [{"model": "answer", "text": row["messages"][-1]["content"]}]
        else:
            prompt, candidates = conversation([("user", row["text"])]), []
        rows.append({"id": row["id"], "prompt": prompt, "candidates": candidates, "language": row["language"]})
    return pl.DataFrame(rows, schema=COLUMNS)


def _row(record: Record, fields: InputFields) -> dict[str, Any]:
    said = record.get(fields.id) if fields.id else None
    return {
        "id": str(said) if said is not None else row_id("job", content_hash({"record": record})),
        "prompt": _prompt(record, fields.prompt), "candidates": _candidates(record, fields.completions),
        "answer": _text(record.get(fields.answer)), "options": _options(record, fields.options),
        "reference": _text(record.get(fields.reference)), "language": _text(record.get(fields.language)),
    }  # fmt: skip


def _prompt(record: Record, field: str) -> list[dict[str, str]]:
    prompt = take(record, field)
    if isinstance(prompt, str) and prompt:
        return conversation([("user", prompt)])
    if not isinstance(prompt, list) or not prompt:
        raise BadRecord(f"field {field!r} is neither text nor messages")
    for number, turn in enumerate(prompt, start=1):
        if not isinstance(turn, dict) or turn.get("role") not in ROLES or not isinstance(turn.get("content"), str):
            raise BadRecord(f"field {field!r}: message {number} is no {{role, content}} with a role of {', '.join(ROLES)} and a text")
    return prompt


def _candidates(record: Record, field: str) -> list[dict[str, str]]:
    completions = record.get(field) or []
    if not isinstance(completions, list):
        raise BadRecord(f"field {field!r} is not a list")
    found = []
    for number, one in enumerate(completions, start=1):
        model, text = (one.get("model"), one.get("text")) if isinstance(one, dict) else (None, one)
        if not isinstance(text, str):
            raise BadRecord(f"field {field!r}: completion {number} has no text")
        found.append({"model": f"completion-{number}" if model is None else str(model), "text": text})
    return found


def _options(record: Record, field: str) -> list[dict[str, str]] | None:
    options = record.get(field) or []
    if isinstance(options, dict):
        options = [{"label": label, "text": text} for label, text in sorted(options.items())]
    if not isinstance(options, list):
        raise BadRecord(f"field {field!r} is neither a list of options nor label: text")
    named = [one if isinstance(one, dict) else {"label": LABELS[i : i + 1], "text": one} for i, one in enumerate(options)]
    for number, one in enumerate(named, start=1):
        if not one.get("label") or not isinstance(one.get("text"), str | int | float):
            raise BadRecord(f"field {field!r}: option {number} has no label or no text")
    return [{"label": str(one["label"]), "text": str(one["text"])} for one in named] or None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
