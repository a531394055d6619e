"""`tilth du` and `tilth gc`: what lies in a home, and taking away what no current build and no release needs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tilth.builders.build import LATEST, last
from tilth.builders.plan import remembered
from tilth.core.errors import StorageError
from tilth.core.home import Home


@dataclass(frozen=True)
class Usage:
    """Bytes on disk of one part of a home; a file linked twice counts where it is met first."""

    what: str
    bytes: int
    files: int


def usage(home: Home) -> list[Usage]:
    """What each part of a home takes: releases first, for their shards are linked from builds and stages."""
    seen: set[tuple[int, int]] = set()
    parts = [("releases", home.registry), ("builds", home.builds)]
    if home.stages.is_dir():
        parts += [(f"stages/{kind.name}", kind) for kind in sorted(home.stages.iterdir())]
    found = [_measure(name, folder, seen) for name, folder in parts]
    return [*found, _measure("calls", home.calls, seen)]


def _measure(what: str, place: Path, seen: set[tuple[int, int]]) -> Usage:
    size = files = 0
    paths = [place] if place.is_file() else [Path(folder) / name for folder, _, names in os.walk(place) for name in names]
    for path in paths:
        stat = path.stat()
        files += 1
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            size += stat.st_size
    return Usage(what, size, files)


def garbage(home: Home) -> list[Path]:
    """Folders that no recipe's last build uses: stages under old keys, builds that are not the latest, logs of killed runs.

    Releases and calls are never garbage.

    Raises:
        StorageError: a build does not say what it uses.
    """
    used: set[Path] = set()
    old: list[Path] = []
    for recipe in sorted(home.builds.iterdir()) if home.builds.is_dir() else ():
        if recipe.is_dir():
            noted = remembered(home.builds, recipe.name)
            if not noted and (recipe / LATEST).is_file():
                raise StorageError(f"what the last build of {recipe.name} uses is not known", hint=f"tilth build {recipe.name}, or remove {recipe}")
            used.update(home.stages / entry["folder"] for entry in noted.values())
            current = last(home, recipe.name)
            old += [folder for folder in sorted(recipe.iterdir()) if folder.is_dir() and folder != current]
    stages = sorted({done.parent for done in home.stages.rglob("stage.json")} | _unfinished(home)) if home.stages.is_dir() else []
    logs = sorted((home.root / "logs").glob("run-*"))
    return [*old, *(folder for folder in stages if folder not in used), *logs]


def _unfinished(home: Home) -> set[Path]:
    return {file.parent for file in home.stages.rglob("*.parquet") if not (file.parent / "stage.json").exists()}


def collect(folders: list[Path]) -> int:
    """Remove the folders; bytes that were in them."""
    size = sum(_measure("", folder, set()).bytes for folder in folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=False)
    return size
