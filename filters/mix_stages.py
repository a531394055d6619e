"""What a mix is asked for: stages with budgets, made of parts with shares, each part the rows that meet its conditions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from tilth.core.scores import score
from tilth.filters.chinese import base_language
from tilth.filters.tasks import Task

_SCALES = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def _amount(said: Any) -> Any:
    """`60B`, `500M`, `2e9` as numbers: YAML reads them as text."""
    if not isinstance(said, str):
        return said
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:[eE]\d+)?)([kMBT]?)", said)
    if match is None:
        raise ValueError(f"{said!r} is no valid number: write 2e6, or 60B (k, M, B or T behind it)")
    return float(match[1]) * _SCALES[match[2]]


Amount = Annotated[float, BeforeValidator(_amount), WithJsonSchema({"type": ["number", "string"], "exclusiveMinimum": 0})]


class MixPart(BaseModel):
    """A part of a stage: which rows, and what share of the stage they are. A row belongs to the first part whose every condition it meets."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=64, description="what the part is called")
    share: float = Field(gt=0, allow_inf_nan=False, description="of the stage, in proportion to the sum of all its parts' shares")
    sources: tuple[str, ...] = Field((), description="sources of its rows; none: any")
    languages: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {}, description="languages of its rows and their proportions within the part, as in {zh: 1, en: 1}; none: any, in any proportion"
    )
    tasks: tuple[Task, ...] = Field((), description="tasks of its rows, of conversations: single_turn, multi_turn, multiple_choice; none: any")
    min_scores: dict[str, float] = Field({}, description="least values of the row's `scores`, by name; a row without one does not belong")
    max_scores: dict[str, float] = Field({}, description="the same, largest values")

    @model_validator(mode="after")
    def _languages_are_told_apart(self) -> Self:
        for name in self.languages:
            folded = pl.select(base_language(pl.lit(name))).item()
            if folded != name:
                raise ValueError(f"languages: {name!r} is not told apart: say {folded!r}")
        return self

    @property
    def holds(self) -> pl.Expr:
        """bool: whether a row meets every condition, that of its language left out."""
        asked = [pl.col(name).is_in(list(wanted)) for name, wanted in (("source", self.sources), ("task", self.tasks)) if wanted]
        asked += [score(name) >= least for name, least in self.min_scores.items()]
        asked += [score(name) <= most for name, most in self.max_scores.items()]
        return pl.all_horizontal(pl.lit(True), *(one.fill_null(False) for one in asked))


class MixStage(BaseModel):
    """A stage: its budget and its parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field("", max_length=64, description="what the rows' column `stage` says; left out: nothing")
    budget: Amount | None = Field(None, gt=0, allow_inf_nan=False, description="tokens or rows in all, as in 60B or 2e6; left out: as many as the shares allow")
    parts: tuple[MixPart, ...] = Field(min_length=1, description="the parts, in the order in which they take rows")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({part.name for part in self.parts}) < len(self.parts):
            raise ValueError(f"stage {self.name!r}: two parts of one name")
        return self

    @property
    def cells(self) -> list[tuple[MixPart, str | None, float]]:
        """(part, language or None for any, share) of all that a share is asked of."""
        cells: list[tuple[MixPart, str | None, float]] = []
        for part in self.parts:
            whole = sum(part.languages.values())
            cells += [(part, language, part.share * weight / whole) for language, weight in part.languages.items()] or [(part, None, part.share)]
        return cells

    def called(self, cell: int) -> str:
        """Stage, part and language of a cell, in words."""
        part, language, _ = self.cells[cell]
        return ": ".join(filter(None, (self.name, part.name))) + (f", {language}" if language else "")

    def cells_of(self, signals: pl.DataFrame) -> pl.Series:
        """int16: the cell of each row; -1: none. Columns source, base_language, task, scores."""
        cell, place = pl.lit(-1), len(self.cells)
        for part in reversed(self.parts):  # the first part that fits is the last to be asked
            languages = list(part.languages)
            place -= len(languages) or 1
            own = pl.lit(place)
            if languages:
                own = pl.col("base_language").replace_strict({name: place + i for i, name in enumerate(languages)}, default=-1, return_dtype=pl.Int32)
            cell = pl.when(part.holds & (own >= 0)).then(own).otherwise(cell)
        return signals.select(cell.cast(pl.Int16).alias("cell"))["cell"] if signals.height else pl.Series("cell", [], dtype=pl.Int16)
