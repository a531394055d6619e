"""Build: a recipe and its lock → a folder with every config as Parquet and `build.json`, ready to release.

    tilth lock demo && tilth build demo

What lies under its stage key is not made again; a killed build goes on where it stopped.
"""

from __future__ import annotations

import platform
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tilth.builders import alarms, locking, models, record
from tilth.builders import plan as planning
from tilth.builders import write as writes
from tilth.builders.duplicates import duplicates
from tilth.builders.layout import Layout, Options, lay
from tilth.builders.pairs_made import pairs_made
from tilth.builders.runner import Runner
from tilth.builders.self_test import self_tests
from tilth.core import builds, fingerprints, home, lock, recipe
from tilth.core.builds import BuildRecord
from tilth.core.durable import link_or_copy, write_whole
from tilth.core.errors import RecipeError, StorageError
from tilth.core.executors import Executor
from tilth.core.local_executor import Workers
from tilth.core.progress import Talk
from tilth.core.stages import Stage, stage

LATEST = "latest"


@dataclass(frozen=True)
class Build:
    """A finished build: its folder and record, and how many stages ran to make it."""

    path: Path
    record: BuildRecord
    stages_run: int
    seconds: float


def lock_recipe(name: str, data_root: Path | None = None) -> tuple[Path, lock.Lock]:
    """Resolve the sources of a recipe and write `R.lock` beside it.

    Raises:
        RecipeError, SourceError, NetworkError.
    """
    found = recipe.load(name, data_root)
    made = locking.lock(found)
    made.write(found.lock_path)
    return found.lock_path, made


def layout(name: str, *, data_root: Path | None = None, options: Options | None = None, where: home.Home | None = None) -> Layout:
    """All stages of a build of a recipe, the lock held against the data. Nothing runs.

    Raises:
        RecipeError: the recipe is wrong, or a corpus names a source of another kind.
        LockError: no lock, or one that no longer matches.
    """
    found = recipe.load(name, data_root)
    locked = lock.read(found.lock_path)
    found = models.pinned(found, locked)
    files = locking.locked_paths(found, locked, where)
    made = lay(found, locked, files, where or home.home(), options or Options())
    for corpus in made.corpora:
        for source in corpus.sources:
            kind = made.reads[source].kind
            if kind != corpus.kind:
                raise RecipeError(
                    f"{found.path}: corpora.{corpus.kind}.from: {source} makes {kind} rows", hint=f"use it in the corpus {kind}, or change its shape"
                )
    return made


def build(
    name: str,
    *,
    data_root: Path | None = None,
    workers: int = 1,
    limit: int | None = None,
    share: float = 1.0,
    executor: Executor = "local",
    max_usd: float | None = None,
    talk: Talk | None = None,
    where: home.Home | None = None,
    fork: bool = False,
) -> Build:
    """Build a recipe.

    Args:
        name: a recipe's path, or the name of one that ships.
        data_root: folder that local paths count from; the recipe's own when None.
        workers: processes; the result is the same for any number.
        limit, share: records of each source, part of the rows: either makes the build a trial.
        max_usd: what may be spent on calls, in all; None for no cap of its own.
        fork: this process has done nothing yet but import, as a command line has: workers are forked from it.

    Raises:
        TilthError: with the thing, the value and the mend.
    """
    started = time.monotonic()
    talk = talk or Talk(quiet=True)
    made = layout(name, data_root=data_root, options=Options(limit, share), where=where)
    with Workers(workers) as crew:
        if executor == "local" and not all(one.done for _, _, one in made.stages()):
            crew.start(fork=fork)  # before a lock is held, which they would hold too
        with alone(made.home):
            runner = Runner(made, crew, executor, max_usd, talk)
            runner.run()
            built = _finish(made, runner, time.monotonic() - started)
    shortfalls = [writer.shortfall for writer in built.record.writers if writer.shortfall is not None]
    for line in (*alarms.told(built.record.alarms), *shortfalls):
        talk.say(line)
    return built


def last(where: home.Home, recipe_name: str) -> Path | None:
    """The folder of the last build of a recipe, whatever became of the recipe since; None where there is none."""
    folder = where.builds / recipe_name
    try:
        return folder / (folder / LATEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def latest(name: str, where: home.Home) -> Path:
    """The folder of the last build of a recipe, as recipe and lock stand now.

    Raises:
        StorageError: it was never built here, or recipe or lock changed since.
    """
    found = recipe.load(name)
    mend = f"tilth build {name}"
    path = last(where, found.recipe.name)
    if path is None:
        raise StorageError(f"{found.recipe.name} was never built in {where.root}", hint=mend)
    made = builds.read(path)
    if made.recipe != found.recipe.canonical():
        raise StorageError(f"{found.path} changed since the last build", hint=mend)
    if made.lock != lock.read(found.lock_path).model_dump(mode="json"):
        raise StorageError(f"{found.lock_path} changed since the last build", hint=mend)
    return path


@contextmanager
def alone(where: home.Home) -> Iterator[None]:
    """Hold a home for a build or a clean-up: its stages are shared by all recipes.

    Raises:
        StorageError: another build holds it, or it cannot be written.
    """
    path = where.root / "build.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(path, timeout=0)
        held.acquire()
    except Timeout:
        raise StorageError(f"another build runs in {where.root}", hint="wait for it, or set TILTH_HOME to another folder") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint="set TILTH_HOME to a folder that can be written") from None
    try:
        yield
    finally:
        held.release()


def _tables(made: Layout) -> dict[str, Stage]:
    """The stages of the tables that are no corpus."""
    modules = ("tilth.builders.record", "tilth.builders.duplicates", "tilth.builders.pairs_made")
    code = {name: digest for module in modules for name, digest in fingerprints.code_digests(module).items()}
    parts = {"corpora": [[c.kind, c.write.key] for c in made.corpora], "code": code}
    return {config: stage(made.home, f"tables/{config}", config, parts) for config in ("judgements", "drops")}


def _finish(made: Layout, runner: Runner, seconds: float) -> Build:
    """The build folder: shards linked in, the tables of drops and judgements, `build.json` last."""
    key = fingerprints.digest({
        "tables": {config: one.key for config, one in _tables(made).items()}, "options": [made.options.limit, made.options.share],
        "recipe": made.recipe.recipe.canonical(), "lock": made.lock.model_dump(mode="json"),
    })[:32]  # fmt: skip
    folder = made.home.builds / made.recipe.recipe.name / key
    whole = _sound(folder)
    if whole is None:
        runner.ran += 1
        whole = _write_folder(made, folder, runner, seconds)
    planning.remember(made, _tables(made))
    write_whole(folder.parent / LATEST, folder.name.encode())
    return Build(folder, whole, runner.ran, seconds)


def _sound(folder: Path) -> BuildRecord | None:
    """The record of a finished build whose shards are all there; None where it must be put together again."""
    try:
        record = builds.read(folder)
        files = [file for splits in record.configs.values() for entries in splits.values() for file in entries]
        return record if all((folder / file.path).stat().st_size == file.bytes for file in files) else None
    except (StorageError, OSError):
        return None


def _write_folder(made: Layout, folder: Path, runner: Runner, seconds: float) -> BuildRecord:
    lines = record.funnel(made)
    gone, judged = record.drops(made), record.judgements(made)
    configs: dict[str, dict[str, list[builds.FileEntry]]] = {corpus.kind: record.corpus_files(corpus) for corpus in made.corpora}
    stages = {corpus.kind: corpus.write for corpus in made.corpora} | _tables(made)
    for config, table in (("judgements", judged), ("drops", gone)):
        if table is not None and table.height:
            configs[config] = {"train": writes.write_table(stages[config], config, table)}
    found = record.contamination(made)
    limits, taken = made.recipe.recipe.alarms, alarms.entries(made)
    rows: dict[str, dict[str, int]] = {
        corpus.kind: {split: sum(f.rows for f in files) for split, files in configs[corpus.kind].items()} for corpus in made.corpora
    }
    checked = {entry.corpus for entry in found if entry.step == "decontaminate"} if made.benchmark_reads else None
    leaked, mixes = record.leaks(made), record.mixes(made)
    whole = BuildRecord(
        name=made.recipe.recipe.name, trial=made.options.trial, recipe=made.recipe.recipe.canonical(),
        recipe_text=made.recipe.path.read_text(encoding="utf-8"), lock=made.lock.model_dump(mode="json"), configs=configs, funnel=lines,
        sources=record.sources(made), contamination=found, judges=record.judges(made), panels=record.panels(made), pairs=pairs_made(made), writers=record.writers(made),
        gates=record.gates(made.recipe.recipe.gates, lines, rows, checked, taken, leaked, mixes), mixes=mixes, leaks=leaked,
        alarms=alarms.alarms(taken, limits), signals=record.signals(made), drops=record.drop_counts(gone), selections=record.selections(made),
        duplicates=duplicates(made), self_tests=self_tests(made),
        environment=_environment(runner, seconds),
    )  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    for config, splits in configs.items():
        for file in (file for files in splits.values() for file in files):
            _place(stages[config], file, folder)
    write_whole(folder / builds.RECORD, whole.model_dump_json(indent=1).encode())
    return whole


def _place(made: Stage, file: builds.FileEntry, folder: Path) -> None:
    """Link a shard into the build, its bytes being those of its entry."""
    source, target = made.folder / Path(file.path).name, folder / file.path
    if not source.is_file() or fingerprints.file_digest(source) != file.sha256:
        shutil.rmtree(made.folder, ignore_errors=True)
        raise StorageError(f"{source} was damaged and is removed", hint="the same command makes it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(source, target)


def _environment(runner: Runner, seconds: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    names = ["tilth", "datatrove", "polars", "pyarrow", "datasets", "huggingface-hub", "openai", "anthropic"]
    return {
        "seconds": round(seconds, 1), "usd": round(runner.usd, 6), "workers": runner.crew.number, "stages_run": runner.ran,
        "peak_mib_main": round(peak), "python": platform.python_version(), "versions": fingerprints.versions(names),
        "code_commit": fingerprints.code_commit(),
    }  # fmt: skip
