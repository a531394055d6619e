"""The documents of a distil job: its input as frames of a few thousand rows, however much there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tilth.builders.distil.job import DistilFile, DocumentFields
from tilth.builders.locking import format_of, local_files
from tilth.builders.records import BadRecord, MissingField, Record, take
from tilth.core.errors import SourceError
from tilth.core.recipe import Source

DOCUMENTS: dict[str, Any] = {"text": pl.String, "language": pl.String, "source": pl.String, "labels": pl.List(pl.String)}
"""`labels`: what stands in the input, as it is written; empty where judges label."""
ROWS = 2000


def of_files(said: DistilFile, pattern: str) -> Iterator[pl.DataFrame]:
    """The records of files by path or glob, counted from the job's folder; columns `DOCUMENTS`.

    Raises:
        SourceError: a file, or a record of it, is not what the job says; naming file and record.
    """
    source = Source(path=pattern, shape={"text": {}}, license="unused")
    for shown, path in local_files(said.job.name, source, said.path.parent):
        form = format_of(said.job.name, source.model_copy(update={"path": path.name}))
        rows: list[dict[str, Any]] = []
        for number, record in form.records(path, shown):
            try:
                if isinstance(record, BadRecord):
                    raise record
                rows.append(_row(record, said.job.fields, path.name))
            except BadRecord as error:
                hint = "name the fields under `fields` in the job" if isinstance(error, MissingField) else "mend the record, or leave it out"
                raise SourceError(f"{path}:{number}: {error}", hint=hint) from None
            if len(rows) == ROWS:
                yield pl.DataFrame(rows, schema=DOCUMENTS)
                rows = []
        yield pl.DataFrame(rows, schema=DOCUMENTS)


def of_shards(files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    """The rows of shards of a release or a build, columns `DOCUMENTS`.

    Raises:
        SourceError: they hold no documents.
    """
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as shard:
            if "text" not in shard.schema_arrow.names:
                raise SourceError(f"{path}: no column `text`", hint="name a cpt config, as in name@1.0.0#cpt/train")
            for batch in shard.iter_batches(batch_size=ROWS, columns=["text", "language", "source"]):
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield frame.with_columns(pl.lit([], DOCUMENTS["labels"]).alias("labels")).select(list(DOCUMENTS))


def _row(record: Record, fields: DocumentFields, file: str) -> dict[str, Any]:
    text = take(record, fields.text)
    if not isinstance(text, str):
        raise BadRecord(f"field {fields.text!r} is no text")
    language, source = record.get(fields.language), record.get(fields.source)
    labels: Any = []
    if fields.label is not None:
        labels = record.get(fields.label)  # a record without one is not labelled
        labels = [] if labels is None else labels if isinstance(labels, list) else [labels]
        if not all(isinstance(label, str | int | float) and not isinstance(label, bool) for label in labels):
            raise BadRecord(f"field {fields.label!r} is neither a label nor a list of them")
    return {
        "text": text, "language": None if language is None else str(language), "source": file if source is None else str(source),
        "labels": [str(label) for label in labels],
    }  # fmt: skip
