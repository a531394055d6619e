"""Runner: walks the stages of a layout in order and runs those that are not done."""

from __future__ import annotations

import time
from typing import Any

import polars as pl

from tilth.builders import decide as deciding
from tilth.builders import earlier_rows
from tilth.builders import make as making
from tilth.builders import revise as revising
from tilth.builders import write as writes
from tilth.builders.benchmark_items import gather, items
from tilth.builders.corpus_files import TextsAt, columns, shards, signals_behind, texts_behind
from tilth.builders.layout import Against, CorpusLayout, Layout, Segment
from tilth.builders.read import ReadSource, SourceReader
from tilth.builders.sweep import Apply, KeepEdited, ReadShards, Setting
from tilth.core import executors, threads
from tilth.core.durable import writing
from tilth.core.errors import StorageError
from tilth.core.executors import Executor
from tilth.core.local_executor import Workers
from tilth.core.progress import Talk
from tilth.core.steps import Texts


class Runner:
    """Runs the stages of a layout that are not done."""

    def __init__(self, made: Layout, crew: Workers, executor: Executor, max_usd: float | None, talk: Talk) -> None:
        self.layout, self.crew, self.executor, self.max_usd, self.talk = made, crew, executor, max_usd, talk
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
                for position, against in segment.against.items():
                    self._earlier(segment, position, against)
                self._link(segment)
                self._describe(segment)
                self._decide(segment)
                self._make(segment)
            self._write(corpus)

    def _execute(self, pipeline: list[Any], tasks: int) -> list[float]:
        logs = self.layout.home.root / "logs"
        return executors.run(pipeline, tasks=tasks, crew=self.crew, executor=self.executor, logs=logs)

    def _read(self, readers: dict[str, SourceReader]) -> None:
        waiting = [reader for reader in readers.values() if not reader.stage.done]
        if not waiting:
            return
        waiting.sort(key=lambda reader: -sum(file.bytes for file, _ in reader.files))  # the largest first: all workers end together
        with self.talk.bar("read sources", len(waiting), lambda: sum(reader.stage.done for reader in waiting)):
            self._execute([ReadSource(waiting)], len(waiting))
        self.ran += len(waiting)

    def _sweep(self, segment: Segment) -> None:
        sidecars = [found for _, found in segment.swept]
        every = [one for found in (*sidecars, segment.edited) for one in found.values()]
        open_stages = [one for one in every if not one.done]
        if not open_stages:
            return
        waiting = [
            shard
            for shard in shards(segment.inputs)
            if any(not (found[shard.stage.key].folder / shard.file).exists() for found in (*sidecars, segment.edited))
        ]
        waiting.sort(key=lambda shard: -shard.num_bytes)
        setting = Setting(segment.corpus, self.layout.recipe.recipe.seed, self.layout.benchmarks)
        blocks: list[Any] = [ReadShards(waiting, segment.corpus)]
        blocks += [Apply(step, found, setting) for step, found in segment.swept]
        last = (segment.edited, *sidecars)[-1]
        if any(step.does("edit") for step in segment.steps):
            blocks.append(KeepEdited(segment.edited))
            last = segment.edited
        seconds: list[float] = []
        if waiting:
            rows = sum(shard.rows for shard in waiting)

            def done() -> int:
                return sum(shard.rows for shard in waiting if (last[shard.stage.key].folder / shard.file).exists())

            with self.talk.bar(f"{segment.corpus}: {', '.join(step.name for step, _ in segment.swept) or 'rows'}", rows, done):
                seconds = self._execute(blocks, len(waiting))
        self._close(segment, seconds, sum(shard.rows for shard in waiting))
        self.ran += len(open_stages)

    def _close(self, segment: Segment, seconds: list[float], rows: int) -> None:
        """Finish the stages of a sweep; each remembers what a row cost, for `plan`."""
        per_row = [*(one / max(1, rows) for one in seconds[1:]), *[0.0] * (len(segment.swept) + 1)]
        for found, cost in zip((*[found for _, found in segment.swept], segment.edited), per_row, strict=False):
            for source in segment.inputs:
                target = found[source.key]
                if not target.done:
                    facts = source.facts()
                    missing = [shard.file for shard in shards([source]) if not (target.folder / shard.file).exists()]
                    if missing:
                        raise StorageError(f"{target.folder}: {missing[0]} was not written", hint="build again")
                    target.finish(shards=facts["shards"], rows=facts["rows"], seconds_per_row=round(cost, 9))

    def _earlier(self, segment: Segment, position: int, against: Against) -> None:
        """Read the earlier releases that a step asks for, and measure their rows with it."""
        for rows in against.rows:
            if not rows.stage.done:
                earlier_rows.gather(rows.stage, rows.name, rows.title, rows.kind, [(file.name, path) for file, path in rows.files])
                self.ran += 1
        open_stages = [one for one in against.measures.values() if not one.done]
        every = shards(against.inputs)
        waiting = [one for one in every if not (against.measures[one.stage.key].folder / one.file).exists()] if open_stages else []
        if waiting:
            step, rows_waiting = segment.steps[position], sum(one.rows for one in waiting)
            setting = Setting(segment.corpus, self.layout.recipe.recipe.seed, None)
            with self.talk.bar(f"{segment.corpus}: {step.name} of earlier releases", rows_waiting):
                self._execute([ReadShards(waiting, segment.corpus), Apply(step, against.measures, setting)], len(waiting))
        for read, target in zip(against.inputs, against.measures.values(), strict=True):
            if not target.done:
                facts = read.facts()
                target.finish(shards=facts["shards"], rows=facts["rows"])
                self.ran += 1

    def _link(self, segment: Segment) -> None:
        for position, target in segment.links.items():
            if target.done:
                continue
            step, against = segment.steps[position], segment.against.get(position)
            texts: Texts = TextsAt(segment.inputs, segment.steps[: position + 1], segment.corpus)
            if against:
                texts = texts_behind(against.inputs, segment.corpus, texts)
            started, rows = time.monotonic(), sum(shard.rows for shard in shards((*(against.inputs if against else ()), *segment.inputs)))
            with self.talk.bar(f"{segment.corpus}: {step.name} link", rows), threads.allow(self.crew.number):
                edges = step.link(self._signals(segment, position), texts)
            with writing(target.path("edges.parquet")) as path:
                edges.write_parquet(path)
            target.finish(edges=edges.height, rows=rows, seconds_per_row=(time.monotonic() - started) / max(1, rows))
            self.ran += 1

    def _signals(self, segment: Segment, position: int) -> pl.DataFrame:
        """Signals for `Step.link`. We keep none of it: a step may let go of what is large."""
        signals = columns(segment.inputs, segment.measures[position], but=("content_hash",))
        against = segment.against.get(position)
        return signals_behind(against.inputs, against.measures, signals) if against else signals

    def _describe(self, segment: Segment) -> None:
        for position, target in segment.described.items():
            if not target.done:
                described = segment.steps[position].describe(items(self.layout.benchmarks))
                with writing(target.path("items.parquet")) as path:
                    described.write_parquet(path)
                target.finish(rows=described.height)
                self.ran += 1

    def _decide(self, segment: Segment) -> None:
        if not segment.decide.done:
            deciding.decide(segment, items(self.layout.benchmarks))
            self.ran += 1

    def _make(self, segment: Segment) -> None:
        if segment.make is None or segment.make.done:
            return
        assert segment.maker is not None
        if segment.maker.does("revise"):
            with self.talk.bar(f"{segment.corpus}: {segment.maker.name}", segment.decide.facts()["rows"]) as report:
                revising.revise(segment, self.layout.recipe.recipe.seed, lambda done, total: report(done, total))
            self.ran += 1
            return
        others = [one.make for corpus in self.layout.corpora for one in corpus.segments if one.make and one.make.done]
        facts = [one.facts() for one in others]
        spent = sum(asked["usd"] for one in facts for asked in (*one["judges"], *one.get("writers", ())))  # whenever it was
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
