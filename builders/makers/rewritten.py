"""Rewritten answers (Aquila-Med, arXiv 2406.12182, DPO data): models answer a prompt anew, beside the answer that it has.

There GPT-4 was asked to answer as a professional, helpful doctor, and then to compare the two on fluency, relevance, completeness and
proficiency; the better one is chosen, either may be. Here `judged_pairs` with the question `pairwise` compares. The prompt of the paper is
not published; the words here are ours and of no domain.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from pydantic import Field

from tilth.annotators.calls import Language
from tilth.builders.makers.completions import Completions
from tilth.core.steps import FATES, Made, MakeContext

SYSTEM: dict[Language, str] = {
    "en": "Answer as a professional of the field who wants to help: correct, complete, to the point, and clear to the person who asks. Say what you do not know.",
    "zh": "请以该领域专业人士的身份、本着帮助提问者的态度作答：内容正确、完整、切题，让提问者看得明白。不知道的要如实说明。",
}
ORIGINAL = "original"
"""Name of the answer that a row came with as its reference."""


class Rewritten(Completions, name="rewritten", version=1):
    """Has models answer each prompt anew, beside the row's candidates, or beside its reference, which is then the candidate `original`."""

    system: str | dict[Language, str] | None = Field(SYSTEM, description="what they are told before the prompt, one for all or `{en: …, zh: …}`")
    min_completions: int = Field(2, ge=2, description="answers that a row must have in the end, the original included")

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        alone = rows.select(_without_answer()).to_series()
        places = pl.arange(rows.height, dtype=pl.UInt32, eager=True)
        made = super().make(_beside(rows.filter(~alone)), context)
        gone = made.fates.with_columns(places.filter(~alone).gather(made.fates["index"]).alias("index"))
        none = pl.DataFrame({"index": places.filter(alone)}).select("index", status=pl.lit("dropped"), rule=pl.lit("no_original"))
        fates = pl.concat([gone, none], how="diagonal").select(list(FATES)).sort("index")
        return replace(made, fates=fates)

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        return super().expected_usd(None if rows is None else _beside(rows.filter(~_without_answer())), context)


def _has_candidates() -> pl.Expr:
    return pl.col("candidates").list.len().fill_null(0) > 0


def _without_answer() -> pl.Expr:
    """Rows that are no pair, and have no answer for another to stand beside."""
    return pl.col("chosen").is_null() & ~_has_candidates() & pl.col("reference").is_null()


def _beside(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, those without candidates with their reference as one. It is no reference then: a judge that is shown it would prefer it."""
    moves = pl.col("chosen").is_null() & ~_has_candidates()
    original = pl.concat_list(pl.struct(pl.lit(ORIGINAL).alias("model"), pl.col("reference").alias("text")))
    return rows.with_columns(
        pl.when(moves).then(original).otherwise("candidates").alias("candidates"), pl.when(~moves).then("reference").alias("reference")
    )
