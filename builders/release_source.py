"""Earlier releases that rows are held against: which files they are, and what their rows are called.

A row is called `name@version/config/id`, as in `demo@1.0.0/cpt/3f0c…`: the release as the recipe's path names it, or
the recipe's own name for it where the path is a glob of files.
"""

from __future__ import annotations

from pathlib import Path

from tilth.builders import hub_source
from tilth.core.errors import SourceError
from tilth.core.home import Home
from tilth.core.manifest import split_ref
from tilth.core.rows import CONTENT, Kind

LOCAL = "release://"


def title(name: str, path: str) -> str:
    """What the rows of an earlier release are called by.

    >>> title("old", "release://demo@1.0.0"), title("old", "hf://datasets/org/demo@v1.0.0/cpt/*.parquet"), title("old", "a/*.parquet")
    ('demo@1.0.0', 'org/demo@v1.0.0', 'old')
    """
    if path.startswith(LOCAL):
        return path.removeprefix(LOCAL)
    if path.startswith("hf://"):
        repo, revision, _ = hub_source.parts(name, path)
        return f"{repo}@{revision}" if revision else repo
    return name


def files(name: str, path: str, where: Home) -> list[tuple[str, Path]]:
    """(path inside the release, path here) of the Parquet files of every corpus of `release://name@1.0.0`, sorted.

    Raises:
        SourceError: it is not of that form, or no such release lies here.
    """
    dataset, version = split_ref(path.removeprefix(LOCAL))
    if not version or "/" in dataset:
        raise SourceError(f"earlier release {name}: {path}", hint="write release://name@1.0.0; one on the Hub is hf://datasets/org/name@v1.0.0/cpt/*.parquet")
    folder = where.registry / "snapshots" / dataset / version
    kinds: tuple[Kind, ...] = tuple(CONTENT)
    found = [(one.relative_to(folder).as_posix(), one) for kind in kinds for one in sorted((folder / kind).glob("*.parquet"))]
    if not found:
        raise SourceError(f"earlier release {name}: no {dataset}@{version} in {where.registry}", hint=f"tilth ls; `tilth show {dataset}@{version}` lays it out again")
    return found
