"""The record of a build, from the facts of its stages: funnel, sources, licences, contamination, judges, gates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import polars as pl

from tilth.builders.layout import CorpusLayout, Layout
from tilth.core import ledger
from tilth.core.builds import (
    AlarmEntry,
    ContaminationEntry,
    FileEntry,
    GateEntry,
    JudgeEntry,
    LeakEntry,
    MixEntry,
    PanelEntry,
    SelectionEntry,
    SourceEntry,
    WriterEntry,
)
from tilth.core.gates import Gates
from tilth.core.ledger import LedgerLine
from tilth.core.stages import read_table

DROPS = {"corpus": pl.String, "id": pl.String, "content_hash": pl.String, "source": pl.String, "step": pl.String,
         "rule": pl.String, "value": pl.String, "status": pl.String, "detail": pl.String}  # fmt: skip
"""Columns of the config `drops`."""


def funnel(layout: Layout) -> list[LedgerLine]:
    """All ledger lines; each corpus begins with `read`, over all its sources.

    Raises:
        LedgerError: they do not add up.
    """
    lines: list[LedgerLine] = []
    held: dict[str, int] = {}
    for corpus in layout.corpora:
        facts = [layout.reads[name].stage.facts() for name in corpus.sources]
        rows, *gone = (sum(fact[name] for fact in facts) for name in ("rows", "dropped", "failed", "quarantined"))
        counts = dict(zip(("dropped", "failed", "quarantined"), gone, strict=True))
        lines.append(LedgerLine(corpus=corpus.kind, step="read", rows_in=rows + sum(gone), kept=rows, **counts, rows_out=rows))
        for segment in corpus.segments:
            for stage in filter(None, (segment.decide, segment.make)):
                lines += [LedgerLine(**line) for line in stage.facts()["ledger"]]
        held[corpus.kind] = sum(file.rows for files in corpus_files(corpus).values() for file in files)
    ledger.check(lines, held)
    return lines


def corpus_files(corpus: CorpusLayout) -> dict[str, list[FileEntry]]:
    """Split → shards of a written corpus."""
    return {split: [FileEntry(**file) for file in files] for split, files in corpus.write.facts()["files"].items()}


def drops(layout: Layout) -> pl.DataFrame:
    """Every row that went, with corpus, step, rule and value: the config `drops`."""
    frames = [pl.DataFrame(schema=DROPS)]
    for corpus in layout.corpora:
        for name in corpus.sources:
            failed = read_table(layout.reads[name].stage.folder / "failed.parquet")
            frames.append(_as_drops(failed.with_columns(pl.lit("read").alias("step")), corpus.kind))
        for segment in corpus.segments:
            for stage in filter(None, (segment.decide, segment.make)):
                frames.append(_as_drops(read_table(stage.folder / "fates.parquet"), corpus.kind))
    return pl.concat(frames)


def _as_drops(frame: pl.DataFrame, corpus: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(corpus).alias("corpus")).select([pl.col(name).cast(dtype) for name, dtype in DROPS.items()])


def judgements(layout: Layout) -> pl.DataFrame | None:
    """Every judgement, with its corpus: the config `judgements`; None where nothing was judged."""
    frames = []
    for corpus in layout.corpora:
        for segment in corpus.segments:
            path = segment.make.folder / "judgements.parquet" if segment.make else None
            if path and path.is_file():
                frame = read_table(path)
                frames.append(frame.select(pl.lit(corpus.kind).alias("corpus"), *frame.columns))
    return pl.concat(frames) if frames else None


def mixes(layout: Layout) -> list[MixEntry]:
    """One entry a mix."""
    made = [(corpus.kind, s.make.facts().get("mix")) for corpus in layout.corpora for s in corpus.segments if s.make]
    return [MixEntry(corpus=corpus, **entry) for corpus, entry in made if entry]


def leaks(layout: Layout) -> list[LeakEntry]:
    """Prompts in two splits of a corpus, one entry a pair of splits."""
    return [
        LeakEntry(corpus=corpus.kind, splits=(one, other), published=published, released=released)
        for corpus in layout.corpora
        for one, other, published, released in corpus.write.facts()["leaks"]
    ]


def judges(layout: Layout) -> list[JudgeEntry]:
    """One entry a judge, question and corpus."""
    made = [(corpus.kind, s.make) for corpus in layout.corpora for s in corpus.segments if s.make]
    return [JudgeEntry(corpus=corpus, **entry) for corpus, stage in made for entry in stage.facts()["judges"]]


def panels(layout: Layout) -> list[PanelEntry]:
    """One entry a panel, question and corpus."""
    made = [(corpus.kind, s.make.facts().get("panels", [])) for corpus in layout.corpora for s in corpus.segments if s.make]
    return [PanelEntry(corpus=corpus, **entry) for corpus, entries in made for entry in entries]


def writers(layout: Layout) -> list[WriterEntry]:
    """One entry a turn of a model that wrote."""
    made = [(corpus.kind, s.maker, s.make) for corpus in layout.corpora for s in corpus.segments if s.maker and s.make]
    return [WriterEntry(corpus=kind, step=maker.name, **entry) for kind, maker, stage in made for entry in stage.facts().get("writers", [])]


def sources(layout: Layout) -> list[SourceEntry]:
    """One entry a source: what was read of it and what of it is in the release."""
    licenses: dict[str, Counter[str]] = defaultdict(Counter)
    languages: dict[str, Counter[str]] = defaultdict(Counter)
    released: dict[str, Counter[str]] = defaultdict(Counter)
    for corpus in layout.corpora:
        for source, license_, language, rows in corpus.write.facts()["groups"]:
            licenses[source][license_] += rows
            languages[source][language] += rows
            released[source][corpus.kind] += rows
    entries = []
    for name, said in layout.recipe.recipe.sources.items():
        facts, locked = layout.reads[name].stage.facts(), layout.lock.sources[name]
        entries.append(
            SourceEntry(name=name, title=said.title, url=said.url, citation=said.citation, path=said.path, revision=locked.revision,
                        sha256=locked.sha256, corpora=[c.kind for c in layout.corpora if name in c.sources],
                        rows_read=sum(facts[name] for name in ("rows", "dropped", "failed", "quarantined")),
                        rows_failed=facts["failed"] + facts["quarantined"], licenses=dict(sorted(licenses[name].items())),
                        languages=dict(sorted(languages[name].items())), rows_released=dict(sorted(released[name].items())))
        )  # fmt: skip
    return entries


def contamination(layout: Layout) -> list[ContaminationEntry]:
    """What each benchmark met in each corpus, by step: those that decide, then the one that makes."""
    entries: list[dict[str, Any]] = []
    for corpus in layout.corpora:
        for segment in corpus.segments:
            entries += segment.decide.facts()["contamination"]
            if segment.make:
                entries += [{"corpus": corpus.kind, **entry} for entry in segment.make.facts().get("contamination", ())]
    return [ContaminationEntry(**entry) for entry in entries]


def selections(layout: Layout) -> list[SelectionEntry]:
    """What steps chose by a score, beside their baselines."""
    return [SelectionEntry(**entry) for c in layout.corpora for s in c.segments for entry in s.decide.facts()["selections"]]


def gates(
    limits: Gates, lines: list[LedgerLine], rows: dict[str, dict[str, int]], checked: set[str] | None, taken: Sequence[AlarmEntry],
    leaked: Sequence[LeakEntry] = (), mixed: Sequence[MixEntry] = (),
) -> list[GateEntry]:
    """What a release is held against.

    Args:
        rows: corpus → split → rows.
        checked: the corpora that were decontaminated, None where there are no benchmarks.
        taken: what the steps took of each source and each language (`alarms.entries`).
        leaked: prompts in two splits; documents have none.
        mixed: what the mixes came to; no share may be off by more than the tolerance of its step.
    """
    entries = []
    for corpus, splits in rows.items():
        held = sum(splits.values())
        mine = [line for line in lines if line.corpus == corpus]
        failed = sum(line.failed for line in mine) / max(1, mine[0].rows_in)
        entries.append(_gate("failed_share", corpus, limits.max_failed_share, round(failed, 6), failed <= limits.max_failed_share))
        entries.append(_gate("min_rows", corpus, limits.min_rows, held, held >= limits.min_rows))
        if checked is not None and limits.decontaminated:
            entries.append(_gate("decontaminated", corpus, 1, int(corpus in checked), corpus in checked))
        if limits.max_wipeout is not None:
            worst = max((one.share for one in taken if one.corpus == corpus and one.expected is None), default=0.0)
            entries.append(_gate("max_wipeout", corpus, limits.max_wipeout, round(worst, 6), worst <= limits.max_wipeout))
        if limits.max_leaked_prompts is not None and len(splits) > 1 and corpus != "cpt":
            found = sum(one.released for one in leaked if one.corpus == corpus)
            entries.append(_gate("leaked_prompts", corpus, limits.max_leaked_prompts, found, found <= limits.max_leaked_prompts))
    for mix in mixed:
        off = max(stage.off for stage in mix.stages)
        entries.append(_gate("mix_tolerance", mix.corpus, mix.tolerance, round(off, 6), off <= mix.tolerance))
    return entries


def _gate(name: str, corpus: str, limit: float, value: float, passed: bool) -> GateEntry:
    return GateEntry(gate=name, corpus=corpus, limit=limit, value=value, passed=passed)


def drop_counts(table: pl.DataFrame) -> dict[str, dict[str, int]]:
    """corpus → `step/rule` → rows, most first."""
    counts: dict[str, dict[str, int]] = {}
    grouped = table.group_by("corpus", "step", "rule").len().sort("corpus", "len", "step", "rule", descending=[False, True, False, False])
    for corpus, step, rule, rows in grouped.iter_rows():
        counts.setdefault(corpus, {})[f"{step}/{rule}"] = rows
    return counts


def signals(layout: Layout) -> dict[str, Any]:
    """Distributions of all signals, by `corpus/step.signal`."""
    return {name: d for c in layout.corpora for s in c.segments for name, d in s.decide.facts()["signals"].items()}
