"""Rewritten answers (Aquila-Med, arXiv 2406.12182, DPO data): models answer a prompt anew, beside the answer that it has.

There GPT-4 was asked to answer as a professional, helpful doctor, and then to compare the two on fluency, relevance, completeness and
proficiency; the better one is chosen, either may be. Here `judged_pairs` with the question `pairwise` compares. The prompt of the paper is
not published; the words here are ours and of no domain.
"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.calls import Language
from tilth.annotators.completions import Completion, table_of, with_completions
from tilth.annotators.judge import estimate, judge
from tilth.annotators.provider import Provider
from tilth.annotators.question import Ask, Item
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError
from tilth.core.recipe import named_unit
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.units import Unit, execution

SYSTEM: dict[Language, str] = {
    "en": "Answer as a professional of the field who wants to help: correct, complete, to the point, and clear to the person who asks. Say what you do not know.",
    "zh": "请以该领域专业人士的身份、本着帮助提问者的态度作答：内容正确、完整、切题，让提问者看得明白。不知道的要如实说明。",
}
ORIGINAL = "original"
"""Name of the answer that a row came with as its reference."""


class Anew(Completion):
    """The prompt after a system message in the row's language."""

    words: dict[Literal["en", "zh"], str] = Field(SYSTEM, description="system message by language")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        return Completion.requests(self.model_copy(update={"system": self.words[self.language_of(row)]}), row, seed)


class Rewritten(Step, name="rewritten", version=1):
    """Has models answer each prompt anew; the answers stand beside the row's candidates, or beside its reference as `original`."""

    corpora = ("preference",)
    models: list[dict[str, dict[str, Any]]] = Field(min_length=1, description="models that answer, each {provider: parameters}")
    system: dict[Literal["en", "zh"], str] = Field(SYSTEM, description="what they are told before the prompt, by language: `answer as a helpful doctor would`")
    samples: int = Field(1, ge=1, le=100, description="answers of each model to each prompt")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _models_answer(self) -> Rewritten:
        if missing := [language for language in ("en", "zh") if not self.system.get(language, "").strip()]:
            raise ValueError(f"system.{missing[0]} is missing or blank")
        try:
            scorers = [one.name for one in self.inner() if not isinstance(one, Provider) or not one.is_llm]
        except RecipeError as error:
            raise ValueError(f"{error.message}{'; ' + error.hint if error.hint else ''}") from None
        if scorers:
            raise ValueError(f"models: {scorers[0]} is no language model and cannot answer")
        return self

    def inner(self) -> list[Unit]:
        return [named_unit("provider", one) for one in self.models]

    def parameters(self) -> dict[str, Any]:
        """Those of the models spelled out: another default is another recipe."""
        return {**super().parameters(), "models": [{one.name: one.parameters()} for one in self.inner()]}

    def _parts(self) -> tuple[Anew, list[Provider]]:
        return Anew(words=self.system, samples=self.samples), [one for one in self.inner() if isinstance(one, Provider)]

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        question, models = self._parts()
        waiting = rows.filter(_waits())
        caps = [cap for cap in (self.max_usd, context.max_usd) if cap is not None]
        with CallStore(context.calls) as store:
            answered = judge(
                waiting, question=question, judges=models, store=store, max_usd=min(caps) if caps else None, seed=context.seed,
                on_progress=context.on_progress,
            )  # fmt: skip
            table = table_of(answered, waiting, store)
        beside = with_completions(waiting.with_columns(_originals()), table).with_columns(_reference())
        statuses = dict(table.group_by("row_id").agg(pl.col("status").sort()).iter_rows())
        texts: dict[str, dict[str, Any]] = {row["id"]: row for row in beside.iter_rows(named=True)}
        heard = set(table.filter(pl.col("status") == "ok")["row_id"])
        out: list[dict[str, Any]] = []
        fates: list[tuple[int, str, str, str | None, str | None]] = []
        for index, row in enumerate(rows.iter_rows(named=True)):
            if row["chosen"] is not None:
                out.append(row)
            elif row["id"] not in texts:
                fates.append((index, "dropped", "no_original", None, None))
            elif row["id"] not in heard:
                failed = "failed" in statuses[row["id"]]
                fates.append((index, "failed" if failed else "dropped", "not_answered", ", ".join(statuses[row["id"]]), None))
            else:
                out.append(texts[row["id"]])
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, usd=answered.usd)

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        if rows is None:
            return None
        question, models = self._parts()
        with CallStore(context.calls) as store:
            parts = estimate(rows.filter(_waits()), question=question, judges=models, store=store, seed=context.seed)
        known = [part.usd for part in parts if part.usd is not None]
        return sum(known) if len(known) == len(parts) else None


def _has_candidates() -> pl.Expr:
    return pl.col("candidates").list.len().fill_null(0) > 0


def _waits() -> pl.Expr:
    """Rows that are no pair yet and have an answer to stand beside."""
    return pl.col("chosen").is_null() & (_has_candidates() | pl.col("reference").is_not_null())


def _originals() -> pl.Expr:
    """The row's candidates; where it has none, its reference as one."""
    reference = pl.concat_list(pl.struct(pl.lit(ORIGINAL).alias("model"), pl.col("reference").alias("text")))
    return pl.when(_has_candidates()).then(pl.col("candidates")).otherwise(reference).alias("candidates")


def _reference() -> pl.Expr:
    """None where it is a candidate now: a judge that is shown it as the right answer would prefer it."""
    first = pl.col("candidates").list.first().struct.field("model")
    return pl.when(first != ORIGINAL).then(pl.col("reference")).alias("reference")
