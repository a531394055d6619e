"""Pair survey: what each strategy would make of the judgements of the last build. Nobody is asked and nothing is written.

    tilth pairs R

A strategy decides how many pairs there are, how far apart, and how much longer chosen is than rejected: a model trained on pairs whose
chosen side is the longer one learns to write more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import polars as pl

from tilth.builders.build import layout
from tilth.builders.corpus_files import columns
from tilth.builders.decide import alive
from tilth.builders.layout import Layout, Segment
from tilth.builders.makers.judged_pairs import JudgedPairs
from tilth.builders.pairing import choose, scored_of, to_judge
from tilth.builders.plan import remembered
from tilth.builders.strategy import NoPair, Pair, Rules, Scored, Strategy, longer_share
from tilth.builders.whatif import last_options
from tilth.core import home, recipe, units
from tilth.core.errors import RecipeError, StorageError
from tilth.core.stages import read_table

BINS = 8
"""Bars of a histogram of margins."""

Prompt = tuple[dict[str, Any], list[Scored]]
"""A row, and its completions as the panel scored them."""


@dataclass(frozen=True)
class ModelWins:
    """How often a model's completion is chosen and rejected."""

    model: str
    chosen: int
    rejected: int


@dataclass(frozen=True)
class StrategyYield:
    """What one strategy makes of the judged prompts. Lengths are in characters; what cannot be counted is None."""

    strategy: str
    parameters: dict[str, Any]
    in_recipe: bool
    """Whether it is the recipe's own, with these parameters."""
    prompts: int
    """Prompts with a pair."""
    pairs: int
    without: dict[str, int]
    """Why prompts have none: rule → prompts."""
    chosen_longer: float | None
    """Share of the pairs whose chosen side is the longer one; of equal length: half."""
    mean_length_gap: float | None
    """Length of chosen minus that of rejected."""
    median_length_gap: float | None
    margins: tuple[float, float, float] | None
    """10 %, half and 90 % of the margins lie at or below."""
    margin_counts: tuple[int, ...]
    """Pairs by margin, in the `BINS` parts of 0 to `Survey.widest`."""
    models: tuple[ModelWins, ...]


@dataclass(frozen=True)
class Survey:
    """One `judged_pairs` of a recipe: what it was judged by, and every strategy on it."""

    recipe: str
    trial: str | None
    """What makes the last build a trial; None where it is none."""
    question: str
    judges: tuple[str, ...]
    prompts: int
    """Prompts that were judged."""
    rules: dict[str, Any]
    """What all strategies keep to, as the recipe says it."""
    widest: float
    """The widest margin of any pair."""
    strategies: tuple[StrategyYield, ...]


def survey(name: str, *, data_root: Path | None = None, where: home.Home | None = None) -> list[Survey]:
    """Survey each `judged_pairs` of a recipe.

    Raises:
        RecipeError: the recipe is wrong.
        LockError: the data are not what was locked.
        StorageError: the recipe judges no pairs, was not built, or changed since in what is judged.
    """
    where = where or home.home()
    options = last_options(where, recipe.load(name, data_root).recipe.name)
    made = layout(name, data_root=data_root, options=options, where=where)
    judged = [(segment, segment.maker) for corpus in made.corpora for segment in corpus.segments if isinstance(segment.maker, JudgedPairs)]
    if not judged:
        raise RecipeError(f"{made.recipe.path} has no step judged_pairs", hint="strategies choose among judged completions")
    return [_surveyed(name, made, segment, step) for segment, step in judged]


def _surveyed(name: str, made: Layout, segment: Segment, step: JudgedPairs) -> Survey:
    question, own, judges = step.parts()
    rows, judgements = _judged(name, made, segment, step)
    scores = step.scores(rows, judgements)
    prompts = [(row, scored_of(row, scores.get(row["id"], ()))) for row in rows.iter_rows(named=True)]
    every = [cls() for cls in units.every("strategy").values() if all(not field.is_required() for field in cls.model_fields.values())]
    strategies = [one for one in (own, *(other for other in every if other != own)) if isinstance(one, Strategy)]
    widest, found = yields(prompts, strategies, step.pair_rules, made.recipe.recipe.seed, own)
    return Survey(
        recipe=made.recipe.recipe.name, trial=made.options.trial, question=question.label, judges=tuple(one.label for one in judges),
        prompts=rows.height, rules={"min_margin": step.min_margin, "min_agreement": step.min_agreement, "own_family": step.own_family},
        widest=widest, strategies=found,
    )  # fmt: skip


def _judged(name: str, made: Layout, segment: Segment, step: JudgedPairs) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that the last build had judged, and the judgements."""
    mend = f"tilth build {name}"
    noted = remembered(made.home.builds, made.recipe.recipe.name).get(f"{segment.corpus} {step.name} | ")
    if noted is None:
        raise StorageError(f"{made.recipe.recipe.name} has no build whose judgements could be looked at", hint=mend)
    parts, now = noted["parts"], step.parameters()
    if [parts.get("decide"), parts.get("edited")] != [segment.decide.key, [one.key for one in segment.edited.values()]]:
        raise StorageError(f"{made.recipe.path} changed before {step.name} since the last build", hint=mend)
    if other := [field for field in ("question", "judges", "canaries") if parts.get("parameters", {}).get(field) != now.get(field)]:
        raise StorageError(f"the last build judged by other {' and '.join(other)}", hint=f"{mend}; judgements that are stored cost nothing")
    judgements = read_table(made.home.stages / noted["folder"] / "judgements.parquet")
    rows = to_judge(columns(segment.inputs, segment.edited).filter(pl.Series(alive(segment))))
    return rows.join(judgements.select(pl.col("row_id").alias("id")).unique(), on="id", how="semi", maintain_order="left"), judgements


def yields(
    prompts: Sequence[Prompt], strategies: Sequence[Strategy], rules: Rules, seed: int, own: Strategy | None = None
) -> tuple[float, tuple[StrategyYield, ...]]:  # fmt: skip
    """The widest margin of any pair, and what each strategy makes of scored completions.

    Args:
        prompts: of each row `id` and `candidates`, and its completions as `pairing.scored_of` gives them.
        own: the one that the recipe names.
    """
    chosen = [(one, *_pairs(prompts, one, rules, seed)) for one in strategies]
    widest = max((pair.margin for _, pairs, _ in chosen for pair in pairs), default=0.0)
    return widest, tuple(_yield(one, one == own, pairs, without, len(prompts), widest) for one, pairs, without in chosen)


def _pairs(prompts: Sequence[Prompt], strategy: Strategy, rules: Rules, seed: int) -> tuple[list[Pair], Counter[str]]:
    """The pairs of all prompts, and of those without one the rules."""
    pairs: list[Pair] = []
    without: Counter[str] = Counter()
    for row, ranked in prompts:
        found = choose(row, ranked, strategy, rules, seed)
        if isinstance(found, NoPair):
            without[found.rule] += 1
        else:
            pairs += found
    return pairs, without


def _yield(strategy: Strategy, in_recipe: bool, pairs: Sequence[Pair], without: Counter[str], prompts: int, widest: float) -> StrategyYield:
    gaps = [len(pair.chosen.text) - len(pair.rejected.text) for pair in pairs]
    margins = [pair.margin for pair in pairs]
    chosen, rejected = (Counter(getattr(pair, side).model for pair in pairs) for side in ("chosen", "rejected"))
    low, middle, high = (float(np.quantile(margins, share)) for share in (0.1, 0.5, 0.9)) if pairs else (0.0, 0.0, 0.0)
    counts = np.histogram(margins, bins=BINS, range=(0.0, widest or 1.0))[0]
    models = [ModelWins(model, chosen[model], rejected[model]) for model in {**chosen, **rejected}]
    return StrategyYield(
        strategy=strategy.name, parameters=strategy.parameters(), in_recipe=in_recipe, prompts=prompts - without.total(), pairs=len(pairs),
        without=dict(without.most_common()), chosen_longer=longer_share(gaps) if gaps else None,
        mean_length_gap=fmean(gaps) if gaps else None, median_length_gap=median(gaps) if gaps else None,
        margins=(low, middle, high) if pairs else None, margin_counts=tuple(map(int, counts)),
        models=tuple(sorted(models, key=lambda one: (-one.chosen / (one.chosen + one.rejected), one.model))),
    )  # fmt: skip
