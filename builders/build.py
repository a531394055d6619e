"""Build: a recipe and its lock → a folder with every config as Parquet and `build.json`, ready to release.

    tilth lock demo && tilth build demo

What lies under its stage key is not made again; a killed build goes on where it stopped.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tilth.builders import locking, record
from tilth.builders import plan as planning
from tilth.builders import write as writing_
from tilth.builders.layout import Layout, Options, lay
from tilth.builders.runner import Runner
from tilth.core import builds, fingerprints, home, lock, recipe
from tilth.core.builds import BuildRecord
from tilth.core.errors import RecipeError, StorageError
from tilth.core.executors import Executor
from tilth.core.progress import Talk
from tilth.core.stages import Stage, stage, write_whole

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
    files = locking.locked_paths(found, locked)
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
) -> Build:
    """Build a recipe.

    Args:
        name: a recipe's path, or the name of one that ships.
        data_root: folder that local paths count from; the recipe's own when None.
        workers: processes; the result is the same for any number.
        limit, share: records of each source, part of the rows: either makes the build a trial.
        max_usd: what may be spent on calls, in all; None for no cap of its own.

    Raises:
        TilthError: with the thing, the value and the mend.
    """
    started = time.monotonic()
    talk = talk or Talk(quiet=True)
    made = layout(name, data_root=data_root, options=Options(limit, share), where=where)
    with _alone(made.home, made.recipe.recipe.name):
        runner = Runner(made, workers, executor, max_usd, talk)
        runner.run()
        done = _finish(made, runner, time.monotonic() - started)
        planning.remember(made)
        return done


def latest(name: str, where: home.Home) -> Path:
    """The folder of the last build of a recipe, as recipe and lock stand now.

    Raises:
        StorageError: it was never built here, or recipe or lock changed since.
    """
    found = recipe.load(name)
    folder = where.builds / found.recipe.name
    mend = f"tilth build {name}"
    try:
        path = folder / (folder / LATEST).read_text()
    except OSError:
        raise StorageError(f"{found.recipe.name} was never built in {where.root}", hint=mend) from None
    made = builds.read(path)
    if made.recipe != found.recipe.canonical():
        raise StorageError(f"{found.path} changed since the last build", hint=mend)
    if made.lock != lock.read(found.lock_path).model_dump(mode="json"):
        raise StorageError(f"{found.lock_path} changed since the last build", hint=mend)
    return path


class _alone:
    """One build of a recipe at a time in one home."""

    def __init__(self, where: home.Home, name: str) -> None:
        self.path = where.builds / f"{name}.lock"

    def __enter__(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.lock = FileLock(self.path, timeout=0)
            self.lock.acquire()
        except Timeout:
            raise StorageError(f"another build of this recipe runs in {self.path.parent.parent}", hint="wait for it, or set TILTH_HOME") from None
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror}", hint="set TILTH_HOME to a folder that can be written") from None

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def _finish(made: Layout, runner: Runner, seconds: float) -> Build:
    """The build folder: shards linked in, the tables of drops and judgements, `build.json` last."""
    inputs = {"corpora": [[c.kind, c.write.key] for c in made.corpora], "options": [made.options.limit, made.options.share],
              "recipe": made.recipe.recipe.canonical(), "lock": made.lock.model_dump(mode="json"),
              "code": fingerprints.code_digests("tilth.builders.record")}  # fmt: skip
    tables = stage(made.home, "tables", "drops and judgements", inputs)
    folder = made.home.builds / made.recipe.recipe.name / tables.key
    if not (tables.done and (folder / builds.RECORD).is_file()):
        runner.ran += 1
        _write_folder(made, tables, folder, runner, seconds)
    write_whole(folder.parent / LATEST, folder.name.encode())
    return Build(folder, builds.read(folder), runner.ran, seconds)


def _write_folder(made: Layout, tables: Stage, folder: Path, runner: Runner, seconds: float) -> None:
    lines = record.funnel(made)
    gone, judged = record.drops(made), record.judgements(made)
    configs: dict[str, dict[str, list[builds.FileEntry]]] = {corpus.kind: record.corpus_files(corpus) for corpus in made.corpora}
    folders: dict[str, Path] = {corpus.kind: corpus.write.folder for corpus in made.corpora}
    for config, table in (("judgements", judged), ("drops", gone)):
        if table is not None and table.height:
            entry = stage(made.home, tables.kind, config, {**tables.parts, "config": config})
            configs[config] = {"train": writing_.write_table(entry, config, table)}
            folders[config] = entry.folder
    tables.finish(rows=gone.height)
    found = record.contamination(made)
    rows: dict[str, int] = {corpus.kind: sum(f.rows for files in configs[corpus.kind].values() for f in files) for corpus in made.corpora}
    whole = BuildRecord(
        name=made.recipe.recipe.name, trial=made.options.trial, recipe=made.recipe.recipe.canonical(),
        recipe_text=made.recipe.path.read_text(encoding="utf-8"), lock=made.lock.model_dump(mode="json"), configs=configs, funnel=lines,
        sources=record.sources(made), contamination=found, judges=record.judges(made),
        gates=record.gates(made.recipe.recipe.gates, lines, rows, found), signals=record.signals(made),
        drops=record.drop_counts(gone), environment=_environment(runner, seconds),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for config, splits in configs.items():
        for files in splits.values():
            for file in files:
                _link(folders[config] / Path(file.path).name, folder / file.path)
    write_whole(folder / builds.RECORD, whole.model_dump_json(indent=1).encode())


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _environment(runner: Runner, seconds: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    names = ["tilth", "datatrove", "polars", "pyarrow", "datasets", "huggingface-hub", "openai", "anthropic"]
    return {
        "seconds": round(seconds, 1), "usd": round(runner.usd, 6), "workers": runner.workers, "stages_run": runner.ran,
        "peak_mib_main": round(peak), "python": platform.python_version(), "versions": fingerprints.versions(names),
        "code_commit": fingerprints.code_commit(),
    }  # fmt: skip
