"""Review of contamination: every hit of the last build, the item beside the words of the row, and an allow-list to fill in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from tilth.builders.benchmark_items import items
from tilth.builders.build import layout
from tilth.builders.decide import rows_of, verdicts
from tilth.builders.layout import CorpusLayout, Options
from tilth.builders.makers.judged_leaks import JudgedLeaks
from tilth.builders.plan import remembered
from tilth.core import home
from tilth.core.errors import RecipeError, StorageError
from tilth.core.stages import read_table
from tilth.core.text import printable
from tilth.filters.decontaminate import Decontaminate
from tilth.filters.folding import fold

Fate = Literal["dropped", "allowed", "common", "unjudged"]


@dataclass(frozen=True)
class ReviewedHit:
    """One item in one row. `row_words` and `item_words` are [start, end) of what both share, in `span` and `question`.

    `coverage` is the share of the question that is there; where judges were asked, the share of them that say `same`.
    """

    corpus: str
    row: str
    source: str
    benchmark: str
    item: str
    fate: Fate
    how: str
    coverage: float
    needed: float
    question: str
    span: str
    item_words: list[tuple[int, int]]
    row_words: list[tuple[int, int]]
    step: str = Decontaminate.name
    verdicts: list[dict[str, str]] = field(default_factory=list)
    """What each judge said: judge, verdict, and the reason where it gave one."""


@dataclass(frozen=True)
class Review:
    """What the last build of a recipe met: `benchmarks` has one `core.builds.ContaminationEntry` as a dict each."""

    recipe: str
    benchmarks: list[dict[str, Any]]
    hits: list[ReviewedHit]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def review(
    name: str, *, benchmark: str | None = None, fates: Sequence[Fate] = ("dropped", "unjudged"), data_root: Path | None = None,
    where: home.Home | None = None,
) -> Review:
    """The hits of the last build of a recipe, of one benchmark or of all, by benchmark, item and row.

    Raises:
        RecipeError: the recipe has no such benchmark, or no step that decontaminates.
        StorageError: it was never built, or its signals are not there as recipe and code stand now.
    """
    where = where or home.home()
    made = layout(name, data_root=data_root, options=_options_of_last(where, name, data_root), where=where)
    if benchmark is not None and benchmark not in made.benchmark_reads:
        known = ", ".join(sorted(made.benchmark_reads)) or "none"
        raise RecipeError(f"{made.recipe.path}: no benchmark {benchmark!r}", hint=f"known: {known}")
    segments = [segment for corpus in made.corpora for segment in corpus.segments]
    if not any(isinstance(step, Decontaminate | JudgedLeaks) for segment in segments for step in (*segment.steps, segment.maker)):
        raise RecipeError(f"{made.recipe.path}: no step decontaminates", hint="add `- decontaminate: {}` to a corpus")
    undone = any(not stage.done for segment in segments for stage in (segment.decide, segment.make) if stage)
    if undone or made.benchmarks is None or not made.benchmarks.done:
        raise StorageError(f"{made.recipe.recipe.name}: not built as recipe and code stand now", hint=f"tilth build {name}")
    wanted = items(made.benchmarks)
    entries: list[dict[str, Any]] = []
    hits: list[ReviewedHit] = []
    for corpus in made.corpora:
        found, said = _of_corpus(corpus, wanted)
        entries += [entry for entry in said if benchmark in (None, entry["benchmark"])]
        hits += [hit for hit in found if hit.fate in fates and benchmark in (None, hit.benchmark)]
    return Review(made.recipe.recipe.name, entries, hits)


def _options_of_last(where: home.Home, name: str, data_root: Path | None) -> Options:
    """What the last build was told."""
    from tilth.core import recipe

    said = recipe.load(name, data_root).recipe.name
    reads = [entry["parts"] for work, entry in remembered(where.builds, said).items() if work.startswith("read | ")]
    told = [Options(parts.get("limit"), parts.get("share", 1.0)) for parts in reads]
    return next((one for one in told if one.trial), Options())


def _of_corpus(corpus: CorpusLayout, wanted: pl.DataFrame) -> tuple[list[ReviewedHit], list[dict[str, Any]]]:
    questions = {(row["benchmark"], row["item"]): row["question"] for row in wanted.iter_rows(named=True)}
    hits: list[ReviewedHit] = []
    entries: list[dict[str, Any]] = []
    for segment in corpus.segments:
        rows = rows_of(segment)
        for one in verdicts(segment, rows, np.ones(rows.height, bool)):
            if not isinstance(one.step, Decontaminate):
                continue
            entries += [{"corpus": corpus.kind, **entry} for entry in one.step.account(one.signals, one.alive, one.gone, wanted)]
            table = one.step.counted(one.signals, one.alive)
            ids = rows["id"].to_list()
            for line in table.sort("benchmark", "item", "index").iter_rows(named=True):
                hits.append(_hit(corpus.kind, ids[line["index"]], line, questions[line["benchmark"], line["item"]]))
        if isinstance(segment.maker, JudgedLeaks) and segment.make:
            entries += [{"corpus": corpus.kind, **entry} for entry in segment.make.facts()["contamination"]]
            table = read_table(segment.make.folder / "hits.parquet").sort("benchmark", "item", "index")
            hits += [_judged(corpus.kind, line) for line in table.iter_rows(named=True)]
    return hits, entries


def _hit(corpus: str, row: str, line: dict[str, Any], question: str) -> ReviewedHit:
    span = line["span"]
    edges = line["words"] or []
    shared = [(start, min(end, len(span))) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < len(span)]
    fate: Fate = "allowed" if line["allowed"] else "common" if line["common"] else "dropped"
    return ReviewedHit(
        corpus, row, line["source"], line["benchmark"], line["item"], fate, line["how"], line["coverage"], line["needed"],
        question, span, _shared_words(question, [span[start:end] for start, end in shared]), shared,
    )  # fmt: skip


def _judged(corpus: str, line: dict[str, Any]) -> ReviewedHit:
    question, span = line["question"], line["span"]
    return ReviewedHit(
        corpus, line["id"], line["source"], line["benchmark"], line["item"], line["fate"], "judged", line["same"], line["needed"], question, span,
        _shared_words(question, [span]), _shared_words(span, [question]), JudgedLeaks.name, json.loads(line["verdicts"]),
    )  # fmt: skip


def _shared_words(question: str, parts: list[str]) -> list[tuple[int, int]]:
    """Stretches of the question whose tokens the shared parts of the row have."""
    folded = fold(pl.Series([question, *parts], dtype=pl.String))
    count = int(folded.offsets[1])
    there = np.isin(folded.hashes[:count], folded.hashes[count:])
    found: list[tuple[int, int]] = []
    for token in np.flatnonzero(there).tolist():
        start, end = int(folded.starts[token]), int(folded.ends[token])
        if found and token and there[token - 1]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def allow_list(hits: Sequence[ReviewedHit]) -> str:
    """YAML of `allow_items` for these hits: every reason is empty, and a recipe with an empty reason is refused."""
    lines = ["# Rows that match these items stay, each for its reason; take out the lines of true leaks.", "allow_items:"]
    for key in dict.fromkeys((hit.benchmark, hit.item) for hit in hits):
        mine = [hit for hit in hits if (hit.benchmark, hit.item) == key]
        lines.append(f"  # {mine[0].step}, {len(mine)} row{'' if len(mine) == 1 else 's'}: {printable(' '.join(mine[0].span.split()))[:100]}")
        lines.append(f"  {json.dumps('/'.join(key), ensure_ascii=False)}: \"\"")
    return "\n".join(lines) + "\n"
