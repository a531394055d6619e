"""Completions: N models answer every prompt of a preference corpus, several times each; pairs are made of them later.

UltraMedical (arXiv 2406.03949): eight completions of each prompt, by eight models. A completion is a call like any other: stored, under the
cap, bought once. What is refused, cut off or never came is a gap, counted by its status; `gaps` says whether the row goes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.calls import Language
from tilth.annotators.completions import Completion, table_of
from tilth.annotators.judge import estimate, judge
from tilth.annotators.provider import ApiProvider
from tilth.annotators.spend import lowest
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError
from tilth.core.recipe import Named, named_unit, units_named
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.units import Unit, execution


class Completions(Step, name="completions", version=1):
    """Adds the completions of every model to the candidates of each prompt; rows that are pairs already pass."""

    corpora = ("preference",)
    models: list[Named] = Field(min_length=1, description="who answers, each {provider: parameters}; a model may stand here once")
    samples: int = Field(1, ge=1, le=1000, description="completions of each prompt by each model")
    system: str | dict[Language, str] | None = Field(None, description="system message before the prompt, one for all or `{en: …, zh: …}`")
    gaps: Literal["keep", "drop"] = Field("keep", description="rows for which a model left a completion out: keep them with the others, or drop them")
    min_completions: int = Field(1, ge=1, description="completions that a row must have in the end, those that it came with included")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _models_are_known(self) -> Completions:
        with units_named("models: "):
            labels = [model.label for model in self.providers()]
        if isinstance(self.system, dict) and (missing := [one for one in ("en", "zh") if not self.system.get(one, "").strip()]):
            raise ValueError(f"system.{missing[0]} is missing or blank")
        if twice := [label for label, times in Counter(labels).items() if times > 1]:
            raise ValueError(f"models: {twice[0]} is named twice; say `samples` for several completions of one model")
        return self

    def providers(self) -> list[ApiProvider]:
        """The models.

        Raises:
            RecipeError: one is none.
        """
        found = [named_unit("provider", one) for one in self.models]
        for one in found:
            if not isinstance(one, ApiProvider):
                raise RecipeError(f"{one.name} writes nothing", hint="name models, as in `openai: {model: gpt-5.4-mini}`")
        return [one for one in found if isinstance(one, ApiProvider)]

    def inner(self) -> list[Unit]:
        """The models."""
        return list(self.providers())

    def parameters(self) -> dict[str, Any]:
        """Those of the models spelled out: another default is another recipe."""
        return {**super().parameters(), "models": [{one.name: one.parameters()} for one in self.providers()]}

    @property
    def _question(self) -> Completion:
        return Completion(samples=self.samples, system=self.system)

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        models, waiting = self.providers(), rows.filter(pl.col("chosen").is_null())
        with CallStore(context.calls) as store:
            judged = judge(
                waiting, question=self._question, judges=models, store=store, max_usd=lowest(self.max_usd, context.max_usd), seed=context.seed,
                on_progress=context.on_progress,
            )  # fmt: skip
            table = table_of(judged, waiting, store)
        said: dict[str, list[tuple[str, str, str | None]]] = {}
        for row_id, model, status, text in table.select("row_id", "model", "status", "text").iter_rows():
            said.setdefault(row_id, []).append((model, status, text))
        out: list[dict[str, Any]] = []
        fates: list[tuple[int, str, str, str, str | None]] = []
        for index, row in enumerate(rows.iter_rows(named=True)):
            if row["chosen"] is not None:
                out.append(row)
                continue
            statuses = Counter(status for _, status, _ in said[row["id"]])
            row = {**row, "candidates": [*(row["candidates"] or []), *_candidates(row, said[row["id"]])]}
            gone = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if status != "ok")
            if gone and self.gaps == "drop":
                fates.append((index, "failed", "gap", f"{statuses['ok']} of {statuses.total()}", gone))
            elif len(row["candidates"]) < self.min_completions:
                fates.append((index, "failed", "few_completions", str(len(row["candidates"])), gone or None))
            else:
                out.append(row)
        entries = tuple(
            {"model": one.judge, "task": one.question, "calls": one.judgements, "outcomes": one.statuses, "usd": one.usd} for one in judged.judges
        )
        gone_rows = pl.DataFrame(fates, schema=FATES, orient="row")
        listed = judged.judgements.with_columns(pl.col("status").alias("label"))
        return Made(pl.DataFrame(out, schema=schema("preference")), gone_rows, judgements=listed, writers=entries, usd=judged.usd)

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        if rows is None:
            return None
        waiting = rows.filter(pl.col("chosen").is_null())
        with CallStore(context.calls) as store:
            parts = estimate(waiting, question=self._question, judges=self.providers(), store=store, seed=context.seed)
        known = [part.usd for part in parts if part.usd is not None or part.calls == part.cached_calls]
        return sum(usd or 0.0 for usd in known) if len(known) == len(parts) else None


def _candidates(row: dict[str, Any], said: list[tuple[str, str, str | None]]) -> list[dict[str, str]]:
    """The completions that came, named by their model; a second one of the same model is `model#2`, as judges see it."""
    times = Counter(str(one["model"]).partition("#")[0] for one in row["candidates"] or ())
    found = []
    for model, status, text in said:
        if status == "ok" and text is not None:
            times[model] += 1
            found.append({"model": model if times[model] == 1 else f"{model}#{times[model]}", "text": text})
    return found
