"""The effect of other thresholds on one stretch of a corpus: rows lost and gained, by source, language and rule, with samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from tilth.builders.corpus_files import TextsAt
from tilth.builders.layout import Segment
from tilth.core.builds import AlarmEntry
from tilth.core.overrides import Override
from tilth.core.steps import Step

SAMPLE_CHARS = 300


@dataclass(frozen=True)
class Decided:
    """A decided segment: `alive` (bool, one a row) in the end, fates (columns `FATES` and step) in the order of the
    steps, and what each step took of sources and languages (`wipeouts.taken`)."""

    alive: np.ndarray
    fates: pl.DataFrame
    taken: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Moved:
    """Rows of one source or language that are kept, or rows that one rule takes: now, and then."""

    name: str
    now: int
    then: int
    lost: int
    gained: int


@dataclass(frozen=True)
class Sample:
    """One row lost or gained: `rule` (`step/rule`) takes it then, or took it until now.

    `signal` is what the rule looks at (None where it is no threshold), `value` its value in this row; `limits` are the
    step's new limits: field → (now, then). `text` is its beginning, as it stands after all edits.
    """

    id: str
    source: str
    language: str | None
    rule: str
    signal: str | None
    value: str | None
    detail: str | None
    limits: dict[str, tuple[Any, Any]]
    text: str


@dataclass(frozen=True)
class Effect:
    """What the new values do to one corpus, in rows.

    `now` and `then` count rows kept; `rules` are those whose rows differ.
    """

    corpus: str
    rows_in: int
    now: int
    then: int
    lost: int
    gained: int
    sources: tuple[Moved, ...]
    languages: tuple[Moved, ...]
    rules: tuple[Moved, ...]
    lost_samples: tuple[Sample, ...]
    gained_samples: tuple[Sample, ...]
    alarms: tuple[AlarmEntry, ...]
    """Wipe-outs that are none now."""
    up_to: str | None
    """The maker that these rows go to; what it makes of others needs a build. None where they are the whole corpus."""
    rows: pl.DataFrame = field(repr=False, compare=False)
    """Every row: id, content_hash, source, language, now and then (bool: kept), now_rule and then_rule (`step/rule`)."""


def compare(
    segment: Segment, steps: Sequence[Step], rows: pl.DataFrame, now: Decided, then: Decided, changes: Sequence[Override],
    alarms: Sequence[AlarmEntry], samples: int,
) -> Effect:  # fmt: skip
    """Compare a segment as its recipe decides it with what `steps` (its own, with new limits) decide."""
    kept = rows.with_columns(now=pl.Series(now.alive), then=pl.Series(then.alive), now_rule=_rules(now), then_rule=_rules(then))
    lost, gained = now.alive & ~then.alive, then.alive & ~now.alive
    differs = lost.any() or gained.any()
    return Effect(
        segment.corpus, rows.height, int(now.alive.sum()), int(then.alive.sum()), int(lost.sum()), int(gained.sum()),
        _groups(kept, "source"), _groups(kept, "language"), _causes(kept),
        _samples(segment, steps, kept, then, lost, changes, samples), _samples(segment, segment.steps, kept, now, gained, changes, samples),
        tuple(alarms), segment.maker.name if segment.maker and differs else None, kept,
    )  # fmt: skip


def _rules(decided: Decided) -> pl.Series:
    """`step/rule` that takes each row, null where it is kept."""
    every = pl.DataFrame({"index": np.arange(len(decided.alive), dtype=np.uint32)})
    named = decided.fates.select("index", pl.concat_str("step", "rule", separator="/").alias("rule"))
    return every.join(named, on="index", how="left", maintain_order="left")["rule"]


def _groups(rows: pl.DataFrame, by: str) -> tuple[Moved, ...]:
    """One line a group, those that change most first."""
    lost, gained = pl.col("now") & ~pl.col("then"), pl.col("then") & ~pl.col("now")
    found = rows.group_by(pl.col(by).fill_null("und")).agg(pl.col("now").sum(), pl.col("then").sum(), lost.sum().alias("lost"), gained.sum().alias("gained"))
    return _most_first([Moved(**{"name": line.pop(by), **line}) for line in found.to_dicts()])


def _causes(rows: pl.DataFrame) -> tuple[Moved, ...]:
    """One line a rule that does not take the same rows now and then."""
    moved = rows.filter(pl.col("now_rule").ne_missing(pl.col("then_rule")))
    counts: dict[str, dict[str, int]] = {}
    for column, value, some in (
        ("now", "now_rule", rows), ("then", "then_rule", rows), ("lost", "then_rule", moved.filter("now")), ("gained", "now_rule", moved.filter("then")),
    ):  # fmt: skip
        for rule, number in some.group_by(value).len().iter_rows():
            if rule is not None:
                counts.setdefault(rule, {})[column] = number
    changed = set(moved["now_rule"]) | set(moved["then_rule"])
    none = dict.fromkeys(("now", "then", "lost", "gained"), 0)
    return _most_first([Moved(name, **{**none, **found}) for name, found in counts.items() if name in changed])


def _most_first(lines: list[Moved]) -> tuple[Moved, ...]:
    return tuple(sorted(lines, key=lambda one: (-one.lost - one.gained, -abs(one.then - one.now), one.name)))


def _samples(
    segment: Segment, steps: Sequence[Step], rows: pl.DataFrame, decided: Decided, chosen: np.ndarray, changes: Sequence[Override], samples: int
) -> tuple[Sample, ...]:
    """The first rows chosen, each with the fate that `decided` has for it."""
    places = np.flatnonzero(chosen)[:samples]
    if not len(places):
        return ()
    edited = TextsAt([segment.edited[one.key] for one in segment.inputs], (), segment.corpus)
    signals = {f"{step.name}/{rule.name}": rule.signal for step in steps for rule in step.rules()}
    fates = decided.fates.filter(pl.col("index").is_in(places)).sort("index")
    found = []
    for fate, row, text in zip(fates.iter_rows(named=True), rows[places].iter_rows(named=True), edited(places), strict=True):
        name = f"{fate['step']}/{fate['rule']}"
        limits = {change.field: (change.now, change.then) for change in changes if (change.corpus, change.step) == (segment.corpus, fate["step"])}
        found.append(
            Sample(row["id"], row["source"], row["language"], name, signals.get(name), fate["value"], fate["detail"], limits, text[:SAMPLE_CHARS])
        )
    return tuple(found)
