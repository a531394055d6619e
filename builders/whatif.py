"""What if: the recipe with other thresholds, decided again from the signals of its last build. Nothing is written.

    tilth whatif R --set gopher_quality.min_words=80

The chain is decided again from the first step that changes: near-duplicate clusters and their keepers are chosen among
the rows that are then left, as a build with those values would.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tilth.builders import alarms, effects, models, wipeouts
from tilth.builders.build import last, layout
from tilth.builders.decide import alive, rows_of, verdicts
from tilth.builders.effects import Decided, Effect
from tilth.builders.layout import CorpusLayout, Layout, Options, Segment
from tilth.builders.plan import remembered
from tilth.core import home, lock, overrides, recipe
from tilth.core.builds import AlarmEntry
from tilth.core.errors import StorageError
from tilth.core.ledger import LedgerLine
from tilth.core.overrides import Override
from tilth.core.stages import read_table
from tilth.core.steps import FATES, Step

FATE = {**FATES, "step": pl.String}


@dataclass(frozen=True)
class WhatIf:
    """The answer: what was set, and the effect on each corpus that it touches."""

    recipe: str
    trial: str | None
    """What makes the last build, whose signals these are, a trial; None where it is none."""
    set: tuple[Override, ...]
    corpora: tuple[Effect, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: all but the rows themselves."""
        corpora = []
        for one in self.corpora:
            plain = asdict(replace(one, rows=pl.DataFrame(), alarms=()))
            del plain["rows"]
            corpora.append({**plain, "alarms": [alarm.model_dump() for alarm in one.alarms]})
        return {**asdict(replace(self, corpora=())), "corpora": corpora}


def whatif(
    name: str, said: Sequence[str], *, corpus: str | None = None, samples: int = 5, data_root: Path | None = None, where: home.Home | None = None
) -> WhatIf:
    """Decide a recipe again with other thresholds.

    Args:
        name: a recipe's path, or the name of one that ships.
        said: `STEP.FIELD=VALUE`, the value in YAML; see `core.overrides.override`.
        corpus: only this one; without it every corpus that has the step.
        samples: rows to show of those lost, and of those gained.

    Raises:
        RecipeError: something that cannot be set, or not to that value.
        LockError: the data are not what was locked.
        StorageError: the recipe was never built, or its signals are not all there.
    """
    started = time.monotonic()
    where = where or home.home()
    found = recipe.load(name, data_root)
    if found.lock_path.is_file():
        found = models.pinned(found, lock.read(found.lock_path))
    steps, changes = overrides.override(found, said, corpus)
    if last(where, found.recipe.name) is None:
        raise StorageError(f"{found.recipe.name} was never built in {where.root}", hint=f"tilth build {name}")
    options = last_options(where, found.recipe.name)
    made = layout(name, data_root=data_root, options=options, where=where)
    found_effects = tuple(_effect(made, one, steps[one.kind], changes, samples) for one in made.corpora if one.kind in steps)
    return WhatIf(found.recipe.name, options.trial, tuple(changes), found_effects, round(time.monotonic() - started, 3))


def last_options(where: home.Home, name: str) -> Options:
    """What the last build was told: its signals are of those rows."""
    reads = [entry["parts"] for work, entry in remembered(where.builds, name).items() if work.startswith("read | ")]
    told = [Options(parts.get("limit"), parts.get("share", 1.0)) for parts in reads]
    return next((one for one in told if one.trial), Options())  # benchmarks are read whole, whatever was told


def _effect(made: Layout, corpus: CorpusLayout, steps: list[Step], changes: Sequence[Override], samples: int) -> Effect:
    """The effect on one corpus, looked at up to the first maker that would be given other rows."""
    start = 0
    for segment in corpus.segments:
        after = replace(segment, steps=tuple(steps[start : start + len(segment.steps)]))
        start += len(segment.steps) + 1
        final = segment.maker is None
        if after.steps == segment.steps and not final:
            continue
        _refuse_unmeasured(made, segment)
        rows = rows_of(segment)
        now = _now(segment, rows)
        then = _then(segment, after, rows, now)
        if final or not np.array_equal(now.alive, then.alive):
            new = _new_alarms(made, segment, now, then)
            return effects.compare(segment, after.steps, rows, now, then, changes, new, samples)
    raise AssertionError("the last segment has no maker")


def _refuse_unmeasured(made: Layout, segment: Segment) -> None:
    """
    Raises:
        StorageError: a signal of the segment is not there.
    """
    every = [*segment.inputs, *segment.edited.values(), *segment.links.values(), *(one for found in segment.measures for one in found.values())]
    wanted = {one.key for one in every if not one.done}
    for work, over, one in made.stages() if wanted else ():
        if one.key in wanted:
            name, told = made.recipe.path, f" {made.options.trial}" if made.options.trial else ""
            of = f" of {over}" if over else ""
            raise StorageError(f"{work}{of}: not there as recipe and code stand now", hint=f"tilth build {name}{told}; tilth plan {name} says why")


def _now(segment: Segment, rows: pl.DataFrame) -> Decided:
    """The segment as its recipe decides it: as a build wrote it down, or decided here."""
    if not segment.decide.done:
        return _decided(segment, rows, pl.DataFrame(schema=FATE), 0)
    fates = read_table(segment.decide.folder / "fates.parquet", list(FATE))
    return Decided(alive(segment), fates, tuple(segment.decide.facts()["taken"]))


def _then(segment: Segment, after: Segment, rows: pl.DataFrame, now: Decided) -> Decided:
    """The segment decided from the first step that is another; before it nothing changes."""
    same = [one == other for one, other in zip(segment.steps, after.steps, strict=True)]
    if all(same):
        return now
    first = same.index(False)
    if segment.decide.done:
        lines = [LedgerLine(**line) for line in segment.decide.facts()["ledger"][:first]]
        before = sum(line.rows_in - line.kept for line in lines)  # fates lie in the order of the steps
    else:
        first = before = 0
    return _decided(after, rows, now.fates.head(before), first)


def _decided(segment: Segment, rows: pl.DataFrame, before: pl.DataFrame, first: int) -> Decided:
    """Decide from step `first` on, the fates of the steps before it being known."""
    alive = np.ones(rows.height, bool)
    alive[before["index"].to_numpy()] = False
    fates, taken = [before], []
    groups = wipeouts.Groups.of(rows)
    for one in verdicts(segment, rows, alive, first):
        fates.append(one.fates)
        taken += wipeouts.taken(one.step, groups, one.alive, one.gone)
    every = pl.concat(fates)
    alive[every["index"].to_numpy()] = False
    return Decided(alive, every, tuple(taken))


def _new_alarms(made: Layout, segment: Segment, now: Decided, then: Decided) -> list[AlarmEntry]:
    limits = made.recipe.recipe.alarms
    before, after = (alarms.alarms(alarms.of_lines(segment.corpus, one.taken, limits), limits) for one in (now, then))
    known = {(one.step, one.of, one.name) for one in before}
    return [one for one in after if (one.step, one.of, one.name) not in known]
