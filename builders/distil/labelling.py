"""From answers to labels: what was answered the same way twice stays.

A document needs two answers or more, all of them readable. Of a domain they must be one label; of a score they must be less than
`max_gap` apart, and the document's is their mean (Aquila-Med, arXiv 2406.12182). A label that stands in the input once is taken as it is.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tilth.annotators.question import Question
from tilth.core.errors import SourceError
from tilth.core.intervals import wilson

LABELLED: dict[str, Any] = {
    "key": pl.String, "language": pl.String, "source": pl.String, "answers": pl.List(pl.String), "label": pl.String, "value": pl.Float64, "why": pl.String,
}  # fmt: skip
"""`label` of a domain, `value` of a score; `why` a document has neither: `differ`, `unanswered`; null where it has one."""


def answers_of(judgements: pl.DataFrame, keys: pl.Series, is_score: bool) -> pl.DataFrame:
    """key, answers (null within where one could not be had or read), in the order of the keys.

    Args:
        judgements: columns `annotators.collector.JUDGEMENTS`, `row_id` being the key.
    """
    said = pl.col("value").cast(pl.Int64).cast(pl.String) if is_score else pl.col("label")
    read = judgements.with_columns(pl.when(pl.col("status") == "ok").then(said).alias("answer"))
    grouped = read.group_by("row_id", maintain_order=True).agg(pl.col("answer").alias("answers"))
    return pl.DataFrame({"key": keys}).join(grouped, left_on="key", right_on="row_id", how="left", maintain_order="left")


def settle(rows: pl.DataFrame, question: Question, max_gap: float, *, asked: bool) -> pl.DataFrame:
    """Columns `LABELLED`.

    Args:
        rows: key, language, source, answers.
        asked: judges answered, so that one answer is too few.

    Raises:
        SourceError: an answer that stands in the input is no score of the question's scale, or no label of its list.
    """
    scale = question.scale
    settled = [_settle(row["answers"] or [], question, max_gap, asked, row["key"]) for row in rows.iter_rows(named=True)]
    values = [one[0] for one in settled]
    made = rows.select("key", "language", "source", "answers").with_columns(
        pl.Series("label", [None if scale else value for value in values], dtype=pl.String),
        pl.Series("value", [value if scale else None for value in values], dtype=pl.Float64),
        pl.Series("why", [one[1] for one in settled], dtype=pl.String),
    )
    return made.select(list(LABELLED))


def _settle(answers: list[str | None], question: Question, max_gap: float, asked: bool, key: str) -> tuple[Any, str | None]:
    if not answers or any(answer is None for answer in answers) or (asked and len(answers) < 2):
        return None, "unanswered"
    if question.scale is None:
        labels: tuple[str, ...] = getattr(question, "labels", ())
        if strange := set(answers) - set(labels):
            raise SourceError(f"document {key[:8]}: label {min(map(str, strange))!r} is none of the question's {len(labels)}", hint="question: {domain: {labels: […]}}")
        return (answers[0], None) if len(set(answers)) == 1 else (None, "differ")
    values = [_score(answer, question.scale, key) for answer in answers]
    return (None, "differ") if max(values) - min(values) >= max_gap else (sum(values) / len(values), None)


def _score(answer: str | None, scale: tuple[int, int], key: str) -> float:
    try:
        value = float(answer or "")
    except ValueError:
        value = float("nan")
    if not scale[0] <= value <= scale[1]:
        raise SourceError(f"document {key[:8]}: {answer!r} is no score from {scale[0]} to {scale[1]}", hint="question: {domain: {labels: […]}} learns labels; fields: {label: NAME} names another field")
    return value


def agreement(labelled: pl.DataFrame) -> dict[str, Any]:
    """Documents with two answers or more, and the share of them that agree: in all, by language, by source."""
    twice = labelled.filter(pl.col("answers").list.len() > 1, pl.col("why").is_null() | (pl.col("why") == "differ"))
    told = _share(twice)
    for by in ("language", "source"):
        told[f"by_{by}"] = {name: _share(own) for (name,), own in sorted(twice.group_by(by))}
    return told


def _share(rows: pl.DataFrame) -> dict[str, Any]:
    agreed = int(rows["why"].is_null().sum())
    low, high = wilson(agreed, rows.height)
    return {"documents": rows.height, "agreed": agreed, "share": round(agreed / rows.height, 4) if rows.height else None, "low": round(low, 4), "high": round(high, 4)}


def held_out(labelled: pl.DataFrame, share: float, sources: list[str], seed: int) -> pl.Series:
    """bool: who tests and does not teach. Every n-th of the documents sorted by label, language and source, so that all are there in
    proportion; and all of the sources named. `labelled` has the rows that have a label, sorted by key."""
    place = labelled.with_row_index("place").sort("label", "value", "language", "source", "key")["place"]
    rank = pl.Series(range(labelled.height), dtype=pl.Float64)
    turn = ((rank + 1) * share + _phase(seed)).floor() > (rank * share + _phase(seed)).floor()
    chosen = pl.DataFrame({"place": place, "turn": turn}).sort("place")["turn"]
    return chosen | labelled["source"].is_in(sources)


def _phase(seed: int) -> float:
    return (seed * 0.6180339887498949) % 1
