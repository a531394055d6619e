"""Runner: walks the stages of a layout in order and runs those that are not done."""

from __future__ import annotations

import time
from typing import Any

from tilth.builders import decide as deciding
from tilth.builders import make as making
from tilth.builders import write as writes
from tilth.builders.benchmark_items import gather, items
from tilth.builders.corpus_files import TextsAt, columns, shards
from tilth.builders.layout import CorpusLayout, Layout, Segment
from tilth.builders.read import ReadSource, SourceReader
from tilth.builders.sweep import Apply, KeepEdited, ReadShards, Setting
from tilth.core import executors
from tilth.core.durable import writing
from tilth.core.errors import StorageError
from tilth.core.executors import Executor
from tilth.core.progress import Talk


class Runner:
    """Runs the stages of a layout that are not done."""

    def __init__(self, made: Layout, workers: int, executor: Executor, max_usd: float | None, talk: Talk) -> None:
        self.layout, self.workers, self.executor, self.max_usd, self.talk = made, workers, executor, max_usd, talk
        self.ran = 0
        self.usd = 0.0

    def run(self) -> None:
        """Run what is left to do, in order."""
        self._read({**self.layout.reads, **self.layout.benchmark_reads})
        if (stage := self.layout.benchmarks) and not stage.done:
            gather(stage, {name: reader.stage for name, reader in self.layout.benchmark_reads.items()})
            self.ran += 1
        for corpus in self.layout.corpora:
            for segment in corpus.segments:
                self._sweep(segment)
                self._link(segment)
                self._decide(segment)
                self._make(segment)
            self._write(corpus)

    def _execute(self, pipeline: list[Any], tasks: int) -> list[float]:
        logs = self.layout.home.root / "logs"
        return executors.run(pipeline, tasks=tasks, workers=self.workers, executor=self.executor, logs=logs)

    def _read(self, readers: dict[str, SourceReader]) -> None:
        waiting = [reader for reader in readers.values() if not reader.stage.done]
        if not waiting:
            return
        with self.talk.bar("read sources", len(waiting), lambda: sum(reader.stage.done for reader in waiting)):
            self._execute([ReadSource(waiting)], len(waiting))
        self.ran += len(waiting)

    def _sweep(self, segment: Segment) -> None:
        every = [one for found in (*segment.measures, segment.edited) for one in found.values()]
        open_stages = [one for one in every if not one.done]
        if not open_stages:
            return
        waiting = [
            shard
            for shard in shards(segment.inputs)
            if any(not (found[shard.stage.key].folder / shard.file).exists() for found in (*segment.measures, segment.edited))
        ]
        setting = Setting(segment.corpus, self.layout.recipe.recipe.seed, self.layout.benchmarks)
        blocks: list[Any] = [ReadShards(waiting, segment.corpus)]
        blocks += [Apply(step, found, setting) for step, found in zip(segment.steps, segment.measures, strict=True)]
        last = (segment.edited, *segment.measures)[-1]
        if any(step.does("edit") for step in segment.steps):
            blocks.append(KeepEdited(segment.edited))
            last = segment.edited
        seconds: list[float] = []
        if waiting:
            rows = sum(shard.rows for shard in waiting)

            def done() -> int:
                return sum(shard.rows for shard in waiting if (last[shard.stage.key].folder / shard.file).exists())

            with self.talk.bar(f"{segment.corpus}: {', '.join(step.name for step in segment.steps) or 'rows'}", rows, done):
                seconds = self._execute(blocks, len(waiting))
        self._close(segment, seconds, sum(shard.rows for shard in waiting))
        self.ran += len(open_stages)

    def _close(self, segment: Segment, seconds: list[float], rows: int) -> None:
        """Finish the stages of a sweep; each remembers what a row cost, for `plan`."""
        per_row = [*(one / max(1, rows) for one in seconds[1:]), *[0.0] * (len(segment.steps) + 1)]
        for found, cost in zip((*segment.measures, segment.edited), per_row, strict=False):
            for source in segment.inputs:
                target = found[source.key]
                if not target.done:
                    facts = source.facts()
                    missing = [shard.file for shard in shards([source]) if not (target.folder / shard.file).exists()]
                    if missing:
                        raise StorageError(f"{target.folder}: {missing[0]} was not written", hint="build again")
                    target.finish(shards=facts["shards"], rows=facts["rows"], seconds_per_row=round(cost, 9))

    def _link(self, segment: Segment) -> None:
        for position, target in segment.links.items():
            if target.done:
                continue
            step = segment.steps[position]
            signals = columns(segment.inputs, segment.measures[position])
            started = time.monotonic()
            with self.talk.bar(f"{segment.corpus}: {step.name} link", signals.height):
                edges = step.link(signals, TextsAt(segment.inputs, segment.steps[: position + 1], segment.corpus))
            with writing(target.path("edges.parquet")) as path:
                edges.write_parquet(path)
            target.finish(edges=edges.height, rows=signals.height, seconds_per_row=(time.monotonic() - started) / max(1, signals.height))
            self.ran += 1

    def _decide(self, segment: Segment) -> None:
        if not segment.decide.done:
            deciding.decide(segment, items(self.layout.benchmarks))
            self.ran += 1

    def _make(self, segment: Segment) -> None:
        if segment.make is None or segment.make.done:
            return
        assert segment.maker is not None
        others = [one.make for corpus in self.layout.corpora for one in corpus.segments if one.make and one.make.done]
        spent = sum(judge["usd"] for one in others for judge in one.facts()["judges"])  # whenever it was
        cap = None if self.max_usd is None else max(0.0, self.max_usd - spent)
        with self.talk.bar(f"{segment.corpus}: {segment.maker.name}", segment.decide.facts()["rows"]) as report:
            making.make(
                segment, self.layout.recipe.recipe.seed, items(self.layout.benchmarks), self.layout.home.calls, cap, lambda done, total, _usd: report(done, total)
            )
        self.usd += segment.make.facts()["usd"]
        self.ran += 1

    def _write(self, corpus: CorpusLayout) -> None:
        if corpus.write.done:
            return
        said = self.layout.recipe.recipe
        with self.talk.bar(f"{corpus.kind}: write", corpus.segments[-1].decide.facts()["rows"]):
            writes.write(corpus, said.corpora[corpus.kind].splits, said.seed)
        self.ran += 1
