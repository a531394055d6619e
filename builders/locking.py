"""`tilth lock`: every source of a recipe resolved once, to bytes. `build` holds the world against the lock."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from tilth.builders import hub_source, models, release_source
from tilth.builders.lm_eval_source import from_task, held_task
from tilth.builders.records import Format
from tilth.core import units
from tilth.core.errors import LockError, SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home, home
from tilth.core.lock import Lock, LockedFile, LockedSource, digest_of, local_revision
from tilth.core.recipe import Earlier, RecipeFile, Source, Task

PARQUET = Source(path="*.parquet", shape={"text": {}}, license="other")
"""What tells the format of an earlier release's files."""


def format_of(name: str, source: Source) -> Format:
    """The format of a source, named or told from the file's name.

    Raises:
        SourceError: the name does not tell.
    """
    if source.format:
        cls = units.find("format", source.format)
    else:
        bare = source.path.removesuffix(".zst").removesuffix(".gz")
        ends = {suffix: cls for cls in units.every("format").values() for suffix in cls.suffixes}  # type: ignore[attr-defined]
        found = [cls for suffix, cls in ends.items() if bare.endswith(suffix)]
        if not found:
            known = ", ".join(sorted(ends))
            raise SourceError(f"source {name}: {source.path}: what format?", hint=f"set `format`; known endings: {known} (.zst, .gz)")
        cls = found[0]
    made = cls() if source.encoding is None else cls(encoding=source.encoding)  # type: ignore[call-arg]
    assert isinstance(made, Format)
    return made


def local_files(name: str, source: Source | Earlier, root: Path) -> list[tuple[str, Path]]:
    """(name inside the source, path) of a local source's files, sorted.

    Raises:
        SourceError: there is none.
    """
    if (root / source.path).is_dir():
        raise SourceError(f"source {name}: {root / source.path} is a folder", hint="name files: a glob such as folder/*.jsonl")
    # The folder before the first wildcard is where names count from, whatever folder the command runs in.
    fixed = re.split(r"[*?\[]", source.path, maxsplit=1)[0]
    base = fixed.rpartition("/")[0]
    found = sorted(one for one in glob.glob(source.path, root_dir=root, recursive=True) if (root / one).is_file())
    if not found:
        raise SourceError(f"source {name}: {root / source.path}: no such file", hint="paths count from the recipe's folder, or from --data-root")
    return [(one.removeprefix(base).lstrip("/"), root / one) for one in found]


def lock(recipe: RecipeFile) -> Lock:
    """Resolve all sources, benchmarks and earlier releases of a recipe.

    Raises:
        SourceError: one of them is missing, empty or damaged.
        NetworkError: the Hub cannot be reached.
    """
    every = _every(recipe)
    sources = {name: _lock_one(name, source, recipe) for name, source in every.items()}
    return Lock(recipe=recipe.recipe.name, sources=sources, models=models.digests(recipe))


def _every(recipe: RecipeFile) -> dict[str, Source | Task | Earlier]:
    return {**recipe.recipe.sources, **recipe.recipe.benchmarks, **recipe.recipe.earlier}


def as_locked(name: str, source: Source | Task, lock: Lock) -> Source:
    """A source as it is read: a task of lm-eval as the lock says what it came to.

    Raises:
        LockError: the lock does not say.
    """
    return held_task(name, source, lock.sources[name]) if isinstance(source, Task) else source


def _lock_one(name: str, source: Source | Task | Earlier, recipe: RecipeFile) -> LockedSource:
    if isinstance(source, Task):
        plain, task = from_task(name, source, recipe.data_root)
        return _lock_one(name, plain, recipe).model_copy(update={"task": task})
    if source.path.startswith("hf://"):
        commit, found = hub_source.resolve(name, source.path)
        revision = commit
    elif source.path.startswith(release_source.LOCAL):
        revision, found = "", release_source.files(name, source.path, home())
    else:
        revision, found = "", local_files(name, source, recipe.data_root)
    form = format_of(name, source if isinstance(source, Source) else PARQUET)
    files = [
        LockedFile(name=shown, sha256=file_digest(path), bytes=path.stat().st_size, rows=_count(form, path, shown)) for shown, path in found
    ]
    rows = sum(file.rows for file in files)
    if not rows:
        raise SourceError(f"source {name}: {source.path}: no records", hint="an empty source is a mistake; take it out")
    sha256 = digest_of([file.sha256 for file in files])
    return LockedSource(path=source.path, revision=revision or local_revision(sha256), sha256=sha256, rows=rows, files=files)


def _count(form: Format, path: Path, shown: str) -> int:
    return sum(1 for _ in form.records(path, shown))


def locked_paths(recipe: RecipeFile, lock: Lock, where: Home | None = None) -> dict[str, list[tuple[LockedFile, Path]]]:
    """Source → its files where they lie now, every byte as locked.

    Raises:
        LockError: the recipe names another source, or the bytes are others than the lock's.
    """
    mend = f"tilth lock {recipe.path}"
    every = _every(recipe)
    if recipe.recipe.name != lock.recipe:
        raise LockError(f"{recipe.lock_path} locks {lock.recipe!r}, the recipe is {recipe.recipe.name!r}", hint=mend)
    if missing := sorted(set(every) - set(lock.sources)):
        raise LockError(f"{recipe.lock_path}: source {missing[0]!r} is not locked", hint=mend)
    if extra := sorted(set(lock.sources) - set(every)):
        raise LockError(f"{recipe.lock_path}: locks {extra[0]!r}, which the recipe no longer names", hint=mend)
    return {name: _locked_source(name, source, lock.sources[name], recipe, where or home(), mend) for name, source in every.items()}


def _locked_source(
    name: str, source: Source | Task | Earlier, locked: LockedSource, recipe: RecipeFile, where: Home, mend: str
) -> list[tuple[LockedFile, Path]]:
    if isinstance(source, Task):
        source = held_task(name, source, locked, recipe.data_root, mend)
    elif source.path != locked.path or (isinstance(source, Source) and locked.task is not None):
        raise LockError(f"source {name}: the recipe says {source.path}, the lock {locked.path}", hint=mend)
    if source.path.startswith("hf://"):
        found = hub_source.fetch(name, source.path, locked.revision, [file.name for file in locked.files])
    elif source.path.startswith(release_source.LOCAL):
        found = release_source.files(name, source.path, where)
    else:
        found = local_files(name, source, recipe.data_root)
    there, wanted = [shown for shown, _ in found], [file.name for file in locked.files]
    if there != wanted:
        odd = sorted(set(there) ^ set(wanted))
        raise LockError(f"source {name}: {source.path} now matches {len(there)} files, locked were {len(wanted)} ({odd[0]})", hint=mend)
    for file, (shown, path) in zip(locked.files, found, strict=True):
        if path.stat().st_size != file.bytes or file_digest(path) != file.sha256:
            raise LockError(f"source {name}: {shown} is not what was locked (sha256 {file.sha256[:12]})", hint=f"{mend}, if the change is meant")
    return [(file, path) for file, (_, path) in zip(locked.files, found, strict=True)]
