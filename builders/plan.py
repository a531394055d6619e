"""Plan: for each stage of a build whether it would run, which part of its key changed, and what it would cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tilth.builders.benchmark_items import ITEMS, items
from tilth.builders.corpus_files import columns
from tilth.builders.decide import alive
from tilth.builders.layout import Layout
from tilth.builders.make import surveyed
from tilth.core.durable import write_whole
from tilth.core.stages import Stage, changed_parts
from tilth.core.steps import MakeContext

REMEMBERED = "stages.json"
FROM_ABOVE = {"input", "inputs", "edits", "edited", "decide", "measures", "links", "benchmarks", "files", "revision", "earlier"}
"""Parts of a key that come from another stage: named as such, not spelled out."""


@dataclass(frozen=True)
class PlanLine:
    """One group of stages: a step over all sources of a corpus, say.

    `rows`, `seconds` and `usd` are what is expected of the stages that would run; None where nothing is known yet.
    """

    work: str
    stages: int
    to_run: int
    why: tuple[str, ...]
    rows: int | None
    bytes: int | None
    seconds: float | None
    usd: float | None


def plan(layout: Layout) -> list[PlanLine]:
    """What a build would do now, in order."""
    before = remembered(layout.home.builds, layout.recipe.recipe.name)
    groups: dict[str, list[tuple[str, Stage]]] = {}
    for work, over, stage in layout.stages():
        groups.setdefault(work, []).append((over, stage))
    return [_line(work, members, before, layout) for work, members in groups.items()]


def remember(layout: Layout, tables: dict[str, Stage]) -> None:
    """Note the parts of all stages of a finished build, for the next plan to compare with and for `gc` to keep."""
    noted: dict[str, Any] = {}
    for work, over, stage in (*layout.stages(), *(("table", config, one) for config, one in tables.items())):
        folder = stage.folder.relative_to(layout.home.stages).as_posix()
        noted[f"{work} | {over}"] = {"parts": stage.parts, "facts": _costs(stage), "folder": folder}
    write_whole(_path(layout), json.dumps(noted, ensure_ascii=False).encode())


def _costs(stage: Stage) -> dict[str, Any]:
    facts = stage.facts() if stage.done else {}
    return {name: value for name, value in facts.items() if name in ("rows", "bytes", "seconds_per_row", "usd")}


def _line(work: str, members: list[tuple[str, Stage]], before: dict[str, Any], layout: Layout) -> PlanLine:
    waiting = [(over, stage) for over, stage in members if not stage.done]
    why: dict[str, None] = {}
    rows, seconds, size = 0, 0.0, 0
    known = True
    for over, stage in waiting:
        old = before.get(f"{work} | {over}")
        why.update(dict.fromkeys(_why(over, old, stage)))
        count, cost = _expected(over, old, layout)
        known = known and cost is not None and count is not None
        rows += count or 0
        seconds += (cost or 0.0) * (count or 0)
        size += (old or {}).get("facts", {}).get("bytes", 0) or _locked_bytes(over, layout)
    costs = [_usd(stage, layout) for _, stage in waiting]
    usd = None if None in costs else sum(cost for cost in costs if cost)
    return PlanLine(work, len(members), len(waiting), tuple(why), rows or None, size or None, round(seconds, 1) if known and waiting else None, usd)


def _why(over: str, old: dict[str, Any] | None, stage: Stage) -> Iterator[str]:
    if old is None:
        yield "new" if not over else f"new: {over}"
        return
    words = changed_parts(old["parts"], stage.parts)
    own = [word for word in words if word.split(" ")[0].split(".")[0] not in FROM_ABOVE]
    yield from own
    if not own and words:
        yield "its input changes"
    if not words:
        yield "interrupted, or its output was removed"


def _expected(over: str, old: dict[str, Any] | None, layout: Layout) -> tuple[int | None, float | None]:
    """Rows expected, and seconds a row the last time."""
    facts = (old or {}).get("facts", {})
    locked = layout.lock.sources.get(over)
    rows = facts.get("rows", locked.rows if locked else None)
    return rows, facts.get("seconds_per_row", 0.0 if old else None)


def _usd(stage: Stage, layout: Layout) -> float | None:
    """What a maker's stage is expected to spend: known once its rows are, 0 where it asks no model."""
    for segment in (segment for corpus in layout.corpora for segment in corpus.segments):
        if segment.maker is not None and segment.make == stage and segment.maker.does("expected_usd"):
            seed, rows, signals, known = layout.recipe.recipe.seed, None, None, pl.DataFrame(schema=ITEMS)
            if segment.decide.done and all(one.done for one in (*segment.edited.values(), *segment.surveyed.values())):
                rows = columns(segment.inputs, segment.edited).filter(pl.Series(alive(segment)))
                signals = surveyed(segment)
                known = items(layout.benchmarks) if segment.maker.reads_benchmarks else known
            return segment.maker.expected_usd(rows, MakeContext(segment.corpus, seed, known, layout.home.calls, None, signals=signals))
    return 0.0


def _locked_bytes(over: str, layout: Layout) -> int:
    locked = layout.lock.sources.get(over)
    return sum(file.bytes for file in locked.files) if locked else 0


def _path(layout: Layout) -> Path:
    return layout.home.builds / layout.recipe.recipe.name / REMEMBERED


def remembered(builds: Path, recipe: str) -> dict[str, Any]:
    """`work | over` → {parts, facts, folder} of the stages of the last finished build of a recipe; empty without one."""
    try:
        found = json.loads((builds / recipe / REMEMBERED).read_bytes())
    except (OSError, ValueError):
        return {}  # never built here
    whole = isinstance(found, dict) and all(isinstance(one, dict) and {"parts", "facts", "folder"} <= set(one) for one in found.values())
    return found if whole else {}  # written by another version, or damaged: everything is new to this plan
