"""Trace: from a row back to its source line, through every edit, signal, decision and judgement.

Reads what the last build of a recipe left under its stage keys; nothing is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tilth.builders.build import last
from tilth.builders.plan import remembered
from tilth.core import builds
from tilth.core.errors import StorageError
from tilth.core.home import Home

MAX_DEPTH = 16
"""Generations that are walked up: a question of five rounds of evolution has six."""


def trace(home: Home, recipe: str | None, row: str, digest: str | None = None) -> dict[str, Any]:
    """Everything known of a row.

    Args:
        recipe: name of the recipe (the dataset's name); None: look in all that were built here.
        row: its id, or the first eight or more digits of it.
        digest: of the release that the last build must be.

    Returns:
        {id, origin: [{source, file, record}], steps: [{work, over, signals}], fates, judgements, parents: [traces]}

    Raises:
        StorageError: no such row, more than one, no build here, or another than asked for.
    """
    if len(row) < 8 or not row.isalnum():
        raise StorageError(f"{row!r} is no id", hint="give eight or more digits of it; ids are in the column `id` of every config")
    if digest is not None and recipe is not None:
        folder = last(home, recipe)
        if folder is None or builds.read(folder).digest() != digest:
            raise StorageError(f"the last build of {recipe!r} here is not the release with digest {digest[:12]}", hint="build that recipe again")
    names = [recipe] if recipe else sorted(folder.name for folder in home.builds.glob("*/") if folder.is_dir())
    found: dict[str, list[tuple[str, str, Path]]] = {}
    for name in names:
        stages = [(*work.split(" | ", 1), home.stages / entry["folder"]) for work, entry in remembered(home.builds, name).items()]
        if not stages and recipe:
            raise StorageError(f"no build of {recipe!r} in {home.root}", hint=f"tilth build {recipe}")
        found |= {identity: stages for identity in _matching(stages, row)}
    if len(found) > 1:
        raise StorageError(f"{row!r} begins {len(found)} ids: {', '.join(sorted(found)[:3])} …", hint="give more digits")
    if not found:
        raise StorageError(f"no row {row!r} in the last build of {recipe or 'any recipe here'}")
    [(identity, stages)] = found.items()
    return _trace(stages, identity, depth=0)


def _trace(stages: list[tuple[str, str, Path]], identity: str, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"id": identity, "origin": [], "steps": [], "fates": [], "judgements": [], "parents": []}
    parents: set[str] = set()  # a row stands in the stage that made it and in all later ones
    for work, over, folder in stages:
        if work == "read":
            found["origin"] += [{"source": over, **line} for line in _rows(folder, "origin.parquet", identity, ("file", "record"))]
            found["fates"] += _fates(work, _rows(folder, "failed.parquet", identity))
        elif (folder / "fates.parquet").is_file():
            found["fates"] += _fates(work, _rows(folder, "fates.parquet", identity))
            asked = (pl.col("row_id") == identity) | pl.col("row_id").str.starts_with(f"{identity}/")  # a turn of it: `id/0`
            found["judgements"] += _where(folder / "judgements.parquet", asked).to_dicts()
            changed = _rows(folder, "changed.parquet", identity)
            found["steps"] += [{"work": work, "over": over, "signals": {k: v for k, v in line.items() if k != "id"}} for line in changed]
            made = [line for shard in sorted(folder.glob("rows-*.parquet")) for line in _rows(folder, shard.name, identity)]
            parents.update(parent for line in made for parent in line["parents"] or ())
        elif not work.endswith(" edits"):  # those are the rows themselves
            for shard in sorted(folder.glob("rows-*.parquet")):
                for line in _rows(folder, shard.name, identity):
                    line.pop("id")
                    found["steps"].append({"work": work, "over": over, "signals": line})
    found["parents"] = [_trace(stages, parent, depth + 1) if depth < MAX_DEPTH else parent for parent in sorted(parents)]
    return found


def _fates(work: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"work": work, **{name: line.get(name, "read") for name in ("step", "status", "rule", "value", "detail")}} for line in lines]


def _matching(stages: list[tuple[str, str, Path]], row: str) -> set[str]:
    begins = pl.col("id").str.starts_with(row)
    found: set[str] = set()
    for _, _, folder in stages:
        for name in ("origin.parquet", "failed.parquet"):
            found.update(_where(folder / name, begins, ("id",))["id"])
        if (folder / "fates.parquet").is_file():
            for shard in folder.glob("rows-*.parquet"):
                found.update(_where(shard, begins, ("id",))["id"])
    return found


def _rows(folder: Path, name: str, identity: str, columns: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return _where(folder / name, pl.col("id") == identity, columns).to_dicts()


def _where(path: Path, condition: pl.Expr, columns: tuple[str, ...] = ()) -> pl.DataFrame:
    """The rows of a stage's table that meet a condition; none where it has no such table.

    Raises:
        StorageError: the table is damaged.
    """
    if not path.is_file():
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    lazy = pl.scan_parquet(path).filter(condition)
    try:
        return (lazy.select(columns) if columns else lazy).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageError(f"{path}: {str(error).splitlines()[0]}", hint=f"remove {path.parent} and build again") from None
