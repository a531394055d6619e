"""A job's table of judgements is written here, by whoever writes it: the models' and the people's, one beside the other.

The models' come from the call store and the people's from the review store, so that either may be written again without losing the
other. One lock keeps two writers apart.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tilth.annotators.collector import JUDGEMENTS, KEY
from tilth.annotators.human import is_human, judgements, sheets
from tilth.annotators.human_store import ReviewStore
from tilth.annotators.items import Items
from tilth.annotators.question import Question
from tilth.core.durable import locked, writing
from tilth.core.errors import StorageError


def write(output: Path, models: pl.DataFrame | None, *, rows: pl.DataFrame, question: Question, seed: int, reviews: Path) -> pl.DataFrame:
    """Write the table of a job and return it.

    Args:
        output: the Parquet file; replaced whole.
        models: judgements of models; None: those that the file has.
        rows: the rows of the job.
        reviews: the review store; where it is not there, nobody has reviewed.

    Raises:
        StorageError: the old table is no table of judgements, or the disk says no.
    """
    people = None
    if reviews.is_file():
        with ReviewStore(reviews) as store:
            verdicts = store.verdicts(question.label)
        judged = rows.filter(pl.col("id").is_in({verdict.row_id for verdict in verdicts}))
        people = judgements(verdicts, sheets(Items(judged), question, seed))
    reviews.parent.mkdir(parents=True, exist_ok=True)
    with locked(reviews.with_suffix(".lock")):
        frame = read(output).filter(~is_human()) if models is None else models
        if people is not None:
            frame = pl.concat([frame, people]).sort(KEY, nulls_last=True)
        with writing(output) as path:
            frame.write_parquet(path)
    return frame


def read(output: Path) -> pl.DataFrame:
    """The table of a job, empty where there is none yet.

    Raises:
        StorageError: the file is no table of judgements.
    """
    if not output.is_file():
        return pl.DataFrame(schema=JUDGEMENTS)
    try:
        table = pl.read_parquet(output)
        later = [pl.lit(None).alias(name) for name in JUDGEMENTS if name not in (*table.columns, *KEY, "is_llm", "value")]
        return table.with_columns(later).select(pl.col(name).cast(dtype) for name, dtype in JUDGEMENTS.items())
    except pl.exceptions.PolarsError as error:
        raise StorageError(f"{output}: no table of judgements: {str(error).splitlines()[0]}", hint="name another output") from None
