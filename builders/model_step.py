"""Makers that have a model write something: one model, one cap, and the rule that each row broke.

A maker says in `work` what becomes of the rows, with a pen; the same words with a pencil say what it would cost, as far as the
replies that the store has let it see.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.generator import Generator
from tilth.annotators.pen import Pen, Pencil
from tilth.annotators.provider import ApiProvider
from tilth.annotators.spend import lowest
from tilth.annotators.store import CallStore
from tilth.builders.pending import Row
from tilth.core.errors import RecipeError
from tilth.core.recipe import Named, named_unit, units_named
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.units import Unit, execution


@dataclass
class Worked:
    """What became of the rows: for each, in order, the rows in its place; or why it went."""

    out: dict[int, list[Row]] = field(default_factory=dict)
    fates: list[tuple[int, str, str, str | None, str | None]] = field(default_factory=list)

    def keep(self, index: int, *rows: Row) -> None:
        """These rows stand in the place of row `index`."""
        self.out[index] = list(rows)

    def lose(self, index: int, status: str, rule: str, value: str | None = None, detail: str | None = None) -> None:
        """Row `index` goes, by that rule."""
        self.fates.append((index, status, rule, value, detail))


class ModelStep(Step):
    """A maker that has one model write."""

    corpora = ("sft",)
    model: Named = Field(description="who writes: one {provider: parameters}")
    sources: list[str] = Field([], description="sources whose rows it works on, the others pass; left out: all")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _model_is_known(self) -> ModelStep:
        with units_named("model: "):
            self.writer()
        return self

    @abstractmethod
    def generator(self) -> Generator:
        """What the model is asked to write."""
        raise NotImplementedError

    @abstractmethod
    def work(self, rows: list[Row], pen: Pen) -> Worked:
        """What becomes of the rows; those that are neither kept nor lost pass as they are."""
        raise NotImplementedError

    def writer(self) -> ApiProvider:
        """The model.

        Raises:
            RecipeError: it is none.
        """
        found = named_unit("provider", self.model)
        if not isinstance(found, ApiProvider):
            raise RecipeError(f"{found.name} writes nothing", hint="name a model, as in `openai: {model: gpt-5.4-mini}`")
        return found

    def inner(self) -> list[Unit]:
        """What is asked, then the model."""
        return [self.generator(), self.writer()]

    def parameters(self) -> dict[str, Any]:
        """Those of the model spelled out: another default is another recipe."""
        return {**super().parameters(), "model": {self.writer().name: self.writer().parameters()}}

    def sources_named(self) -> list[str]:
        return self.sources

    def takes(self, row: Row) -> bool:
        """Whether a row is of the sources that it works on."""
        return not self.sources or row["source"] in self.sources

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        with CallStore(context.calls) as store:
            pen = Pen(self.writer(), store=store, max_usd=lowest(self.max_usd, context.max_usd), seed=context.seed, on_progress=context.on_progress)
            whole = list(rows.iter_rows(named=True))
            worked = self.work(whole, pen)
        gone = {index for index, *_ in worked.fates}
        out = [row for index, own in enumerate(whole) if index not in gone for row in worked.out.get(index, [own])]
        fates = pl.DataFrame(sorted(worked.fates), schema=FATES, orient="row")
        made = len(out) - (len(whole) - len(gone))
        return Made(pl.DataFrame(out, schema=schema(context.kind)), fates, made=made, judgements=pen.listed(), writers=pen.entries(), usd=pen.usd)

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        if rows is None:
            return None
        with CallStore(context.calls) as store:
            pencil = Pencil(self.writer(), store=store, seed=context.seed)
            self.work(list(rows.iter_rows(named=True)), pencil)
        return pencil.expected_usd
