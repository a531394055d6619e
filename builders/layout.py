"""Layout: all stages of a build with their keys, before anything runs. `plan` prints it, `build` walks it.

A corpus is a chain of segments. A segment is: rows (read from sources, or made by the segment before), steps over
them, a decision, and, where the last step is a maker, the rows it makes, which the next segment begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.builders import release_source
from tilth.builders.locking import as_locked, format_of
from tilth.builders.read import SourceReader
from tilth.builders.records import Shape
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import code_digests, versions
from tilth.core.home import Home
from tilth.core.lock import Lock, LockedFile
from tilth.core.recipe import RecipeFile, Source, named_unit
from tilth.core.rows import Kind
from tilth.core.stages import Stage, stage, unit_parts
from tilth.core.steps import Step

COLUMNS = versions(["polars", "pyarrow"])
"""What writes our files: another version may write other bytes."""


Titled = dict[str, tuple[str, list[tuple[LockedFile, Path]]]]
"""Earlier release → what its rows are called by, its files."""


@dataclass(frozen=True)
class Options:
    """What a build may be told beside its recipe.

    `limit` (records of each source) and `share` (part of the rows, by id hash) make it a trial.
    """

    limit: int | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise RecipeError(f"limit {self.limit}: at least one record")
        if not 0 < self.share <= 1:
            raise RecipeError(f"share {self.share}: more than 0, at most 1")

    @property
    def trial(self) -> str | None:
        """Why the build is a trial, None where it is not one."""
        said = [f"--limit {self.limit}"] if self.limit is not None else []
        said += [f"--share {self.share:g}"] if self.share < 1 else []
        return " ".join(said) or None


@dataclass(frozen=True)
class EarlierRows:
    """The rows of one kind of an earlier release: where they are put, what they are called, their files."""

    name: str
    title: str
    kind: Kind
    files: list[tuple[LockedFile, Path]]
    stage: Stage


@dataclass(frozen=True)
class Against:
    """What a step that reads earlier releases relates the corpus to: their rows, and its own sidecars of them."""

    rows: tuple[EarlierRows, ...]
    measures: dict[str, Stage]

    @property
    def inputs(self) -> tuple[Stage, ...]:
        return tuple(one.stage for one in self.rows)


@dataclass(frozen=True)
class Segment:
    """One stretch of a corpus between two makings of rows."""

    corpus: Kind
    inputs: tuple[Stage, ...]
    steps: tuple[Step, ...]
    measures: tuple[dict[str, Stage], ...]
    """For each step: key of the input stage → stage of its sidecars."""
    edited: dict[str, Stage]
    """Key of the input stage → stage of the edited rows."""
    links: dict[int, Stage]
    """Position of a step that links → stage of its edges."""
    decide: Stage
    maker: Step | None
    make: Stage | None
    against: dict[int, Against]
    """Position of a step that reads earlier releases → what of them."""
    surveyed: dict[str, Stage]
    """Where the maker measures: key of the input stage → stage of its sidecars."""
    described: dict[int, Stage]
    """Position of a step that describes the benchmark items → stage of what it says of them."""

    @property
    def swept(self) -> tuple[tuple[Step, dict[str, Stage]], ...]:
        """The steps of a sweep, each with its sidecars: those that decide, then the one that revises or makes."""
        own = ((self.maker, self.surveyed),) if self.maker is not None and self.surveyed else ()
        return (*zip(self.steps, self.measures, strict=True), *own)


@dataclass(frozen=True)
class CorpusLayout:
    """A corpus: its segments, and the stage of its Parquet shards."""

    kind: Kind
    sources: tuple[str, ...]
    segments: tuple[Segment, ...]
    write: Stage


@dataclass(frozen=True)
class Layout:
    """A whole build."""

    recipe: RecipeFile
    lock: Lock
    options: Options
    reads: dict[str, SourceReader]
    benchmark_reads: dict[str, SourceReader]
    benchmarks: Stage | None
    corpora: tuple[CorpusLayout, ...]
    home: Home

    def stages(self) -> Iterator[tuple[str, str, Stage]]:
        """(what it does, over which rows, stage), in the order in which they run."""
        for name, reader in {**self.reads, **self.benchmark_reads}.items():
            yield "read", name, reader.stage
        if self.benchmarks:
            yield "benchmarks", "", self.benchmarks
        earlier = [one for corpus in self.corpora for segment in corpus.segments for held in segment.against.values() for one in held.rows]
        yield from {one.stage.key: ("earlier release", f"{one.name} {one.kind}", one.stage) for one in earlier}.values()
        for corpus in self.corpora:
            names = corpus.sources
            for segment in corpus.segments:
                for position, (step, found) in enumerate(segment.swept):
                    again = sum(one.name == step.name for one in segment.steps[:position])
                    work = f"{corpus.kind} {step.name}" + (f" ({again + 1})" if again else "") + (" signals" if step is segment.maker else "")
                    for name, one in zip(names, found.values(), strict=True):
                        yield work, name, one
                    if held := segment.against.get(position):
                        for rows in held.rows:
                            yield f"{work} earlier", rows.name, held.measures[rows.stage.key]
                    if position in segment.links:
                        yield f"{work} link", "", segment.links[position]
                    if position in segment.described:
                        yield f"{work} items", "", segment.described[position]
                for name, one in zip(names, segment.edited.values(), strict=True):
                    if one not in segment.inputs:
                        yield f"{corpus.kind} edits", name, one
                yield f"{corpus.kind} decide", f"before {segment.maker.name}" if segment.maker else "", segment.decide
                if segment.make and segment.maker:
                    yield f"{corpus.kind} {segment.maker.name}", "", segment.make
                    names = (segment.maker.name,)
            yield f"{corpus.kind} write", "", corpus.write


def lay(recipe: RecipeFile, lock: Lock, files: dict[str, list[tuple[LockedFile, Path]]], home: Home, options: Options) -> Layout:
    """Lay out a build. Nothing runs and nothing is created."""
    said = recipe.recipe
    reads = {name: _reader(name, source, files[name], lock, home, options) for name, source in said.sources.items()}
    everything = Options()
    benchmarks = {
        name: _reader(name, as_locked(name, source, lock), files[name], lock, home, everything)
        for name, source in sorted(said.benchmarks.items())
    }
    items = None
    if benchmarks:
        inputs_of = {"inputs": [[name, reader.stage.key] for name, reader in benchmarks.items()], "code": code_digests("tilth.builders.benchmark_items")}
        items = stage(home, "benchmarks", "benchmarks", inputs_of)
    made: list[CorpusLayout] = []
    earlier = {name: (release_source.title(name, one.path), files[name]) for name, one in sorted(said.earlier.items())}
    for kind, corpus in sorted(said.corpora.items()):  # the order in which a recipe names them decides nothing
        inputs = tuple(reads[name].stage for name in corpus.sources)
        segments = tuple(_segments(kind, inputs, said.steps(kind), said.seed, items, earlier, home))
        last = segments[-1]
        parts: dict[str, Any] = {
            "decide": [segment.decide.key for segment in segments],
            "edited": [one.key for one in last.edited.values()],
            "splits": corpus.splits,
            "seed": said.seed,
            "code": code_digests("tilth.builders.write"),
            "distributions": COLUMNS,
        }
        made.append(CorpusLayout(kind, tuple(corpus.sources), segments, stage(home, "write", f"{kind}/write", parts)))
    return Layout(recipe, lock, options, reads, benchmarks, items, tuple(made), home)


def _reader(
    name: str, source: Source, files: list[tuple[LockedFile, Path]], lock: Lock, home: Home, options: Options
) -> SourceReader:
    form = format_of(name, source)
    shape = named_unit("shape", source.shape)
    assert isinstance(shape, Shape)
    said = source.model_dump(mode="json")
    parts: dict[str, Any] = {
        "source": name,
        "format": unit_parts(form, form.parameters()),
        "shape": unit_parts(shape, shape.parameters()),
        "license": said["license"],
        "language": said["language"],
        "key": source.key,
        "split": said["split"],
        "files": [[file.name, file.sha256, file.rows] for file, _ in files],
        "revision": lock.sources[name].revision,
        "limit": options.limit,
        "share": options.share,
        "code": code_digests("tilth.builders.read"),
        "distributions": COLUMNS,
    }
    made = stage(home, "read", f"read {name}", parts)
    return SourceReader(name, source, files, lock.sources[name].revision, form, shape, shape.makes, made, options.limit, options.share)


def _segments(
    kind: Kind, inputs: tuple[Stage, ...], steps: Sequence[Step], seed: int, items: Stage | None, earlier: Titled, home: Home
) -> Iterator[Segment]:
    waiting: list[Step] = []
    for step in steps:
        if step.ends_segment():
            segment = _segment(kind, inputs, tuple(waiting), step, seed, items, earlier, home)
            assert segment.make is not None
            yield segment
            inputs, waiting = (segment.make,), []
        else:
            waiting.append(step)
    yield _segment(kind, inputs, tuple(waiting), None, seed, items, earlier, home)


def _against(kind: Kind, step: Step, own: dict[str, Any], earlier: Titled, home: Home) -> Against:
    """The earlier releases that a step names (all, where it names none), read and measured as its own rows are."""
    rows, measures = [], {}
    for name in step.earlier_named() or earlier:
        title, files = earlier[name]
        parts = {"title": title, "kind": kind, "files": [[file.name, file.sha256] for file, _ in files],
                 "code": code_digests("tilth.builders.earlier_rows"), "distributions": COLUMNS}  # fmt: skip
        made = stage(home, "earlier", f"earlier {name} {kind}", parts)
        rows.append(EarlierRows(name, title, kind, files, made))
        measures[made.key] = stage(home, f"measure/{step.name}", f"{kind}/{step.name} earlier", {**own, "edits": [], "input": made.key})
    return Against(tuple(rows), measures)


def _decided(steps: Sequence[Step]) -> dict[str, Any]:
    """What decides a decision: all parameters of all steps, flat, so that `plan` can name the one that changed."""
    parts: dict[str, Any] = {"order": [step.name for step in steps], "parameters": {}, "versions": {}, "code": code_digests("tilth.builders.decide")}
    for position, step in enumerate(steps):
        name = step.name if parts["order"].count(step.name) == 1 else f"{step.name}[{position}]"
        parts["parameters"] |= {f"{name}.{field}": value for field, value in step.parameters().items()}
        parts["versions"][name] = step.version
        parts["code"] |= code_digests(type(step).__module__)
    return parts


def _segment(
    kind: Kind, inputs: tuple[Stage, ...], steps: tuple[Step, ...], maker: Step | None, seed: int, items: Stage | None,
    earlier: Titled, home: Home,
) -> Segment:
    sweep = {"code": code_digests("tilth.builders.sweep"), "distributions": COLUMNS, "kind": kind, "seed": seed}
    measures: list[dict[str, Stage]] = []
    links: dict[int, Stage] = {}
    described: dict[int, Stage] = {}
    against: dict[int, Against] = {}
    edits: list[dict[str, Any]] = []
    surveying = (maker,) if maker is not None and maker.does("measure") else ()
    for position, step in enumerate((*steps, *surveying)):
        own = unit_parts(step, step.measured_parameters())
        if step is maker:
            own.pop("inner", None)  # those it asks when it makes
        if step.does("edit"):
            edits = [*edits, own]
        shared = {**own, "sweep": sweep, "edits": edits, "benchmarks": items.key if items and step.reads_benchmarks else None}
        found = {one.key: stage(home, f"measure/{step.name}", f"{kind}/{step.name}", {**shared, "input": one.key}) for one in inputs}
        measures.append(found)
        if step.reads_earlier:
            against[position] = _against(kind, step, {**own, "sweep": sweep}, earlier, home)
        if step.does("link"):
            held = {"earlier": [one.key for one in against[position].measures.values()]} if position in against else {}
            parts = {**own, **held, "edits": edits, "inputs": [one.key for one in found.values()],
                     "code": {**own["code"], **code_digests("tilth.builders.corpus_files")}, "columns": COLUMNS}  # fmt: skip
            links[position] = stage(home, f"link/{step.name}", f"{kind}/{step.name} link", parts)
        if items and step.does("describe"):
            described[position] = stage(home, f"items/{step.name}", f"{step.name} items", {**own, "benchmarks": items.key})
    surveyed = measures.pop() if surveying else {}
    kept = {one.key: one for one in inputs}  # without edits the rows are kept as they are
    if edits:
        kept = {one.key: stage(home, "edited", f"{kind}/edited", {"edits": edits, "sweep": sweep, "input": one.key}) for one in inputs}
    decide = stage(home, "decide", f"{kind}/decide", {
        **_decided(steps),
        "measures": [[one.key for one in found.values()] for found in measures],
        "links": [one.key for one in links.values()],
        "inputs": [one.key for one in inputs],
    })  # fmt: skip
    make = None
    if maker is not None:
        own = {"measures": [one.key for one in surveyed.values()]} if surveyed else {}
        parts = {**unit_parts(maker, maker.parameters()), **own, "decide": decide.key, "edited": [one.key for one in kept.values()],
                 "benchmarks": items.key if items and maker.reads_benchmarks else None, "seed": seed,
                 "columns": COLUMNS, "builder": code_digests("tilth.builders.revise" if maker.does("revise") else "tilth.builders.make")}  # fmt: skip
        make = stage(home, f"make/{maker.name}", f"{kind}/{maker.name}", parts)
    return Segment(kind, inputs, steps, tuple(measures), kept, links, decide, maker, make, against, surveyed, described)
