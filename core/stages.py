"""Stages: pieces of work kept under the hash of everything that decides their output.

A stage is a folder `<home>/stages/<kind>/<key>/`. Whatever it makes is written under temporary names and renamed;
`stage.json` is written last, so a folder with it is whole and a folder without it is work to go on with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.durable import write_whole
from tilth.core.errors import StorageError
from tilth.core.fingerprints import code_digests, digest, versions
from tilth.core.home import Home
from tilth.core.units import Unit

if TYPE_CHECKING:
    import polars as pl

DONE = "stage.json"


@dataclass(frozen=True)
class Stage:
    """One piece of work: its name for people, the parts of its key, the folder where it lies."""

    name: str
    kind: str
    parts: dict[str, Any]
    root: Path

    @cached_property
    def key(self) -> str:
        """32 hex digits over kind and parts."""
        return digest({"kind": self.kind, "parts": self.parts})[:32]

    @property
    def folder(self) -> Path:
        return self.root / self.kind / self.key

    @property
    def done(self) -> bool:
        """Whether the stage ran to its end."""
        return (self.folder / DONE).is_file()

    def facts(self) -> dict[str, Any]:
        """What the stage wrote down when it ended: rows, bytes, seconds, …

        Raises:
            StorageError: it has not ended, or the file is damaged.
        """
        try:
            facts: dict[str, Any] = json.loads((self.folder / DONE).read_bytes())["facts"]
            return facts
        except (OSError, ValueError, KeyError) as error:
            raise StorageError(f"{self.folder / DONE}: {error}", hint="remove the folder and build again") from None

    def finish(self, **facts: Any) -> None:
        """Mark the stage as done; `facts` must be plain JSON."""
        write_whole(self.folder / DONE, json.dumps({"name": self.name, "parts": self.parts, "facts": facts}, ensure_ascii=False).encode())

    def path(self, name: str) -> Path:
        """A file of the stage; the folder is made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def stage(home: Home, kind: str, name: str, parts: Mapping[str, Any]) -> Stage:
    """A stage of this home; nothing is created."""
    return Stage(name, kind, dict(parts), home.stages)


def unit_parts(unit: Unit, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a key that a unit brings: name, version, parameters, code, distributions, and those of units it names."""
    inner = [unit_parts(one, one.parameters()) for one in unit.inner()]
    return {
        **({"inner": inner} if inner else {}),
        "unit": unit.name,
        "version": unit.version,
        "parameters": dict(parameters),
        "code": code_digests(type(unit).__module__),
        "distributions": versions(unit.distributions),
    }


def changed_parts(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Which parts of a key differ, as words: `parameters.min_words 50 → 80`, `code tilth.core.rows`, `input`.

    >>> changed_parts({"parameters": {"n": 5}, "code": {"a": "1"}}, {"parameters": {"n": 8}, "code": {"a": "2"}})
    ['code a', 'parameters.n 5 → 8']
    """
    words: list[str] = []
    for part in sorted(set(before) | set(now)):
        old, new = before.get(part), now.get(part)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            for item in sorted(set(old) | set(new)):
                if old.get(item) != new.get(item):
                    if part == "code":
                        words.append(f"code {item}")
                    else:
                        words.append(f"{part}.{item} {_short(old.get(item))} → {_short(new.get(item))}")
        elif isinstance(old, str | int | float) and isinstance(new, str | int | float) and len(str(old) + str(new)) < 40:
            words.append(f"{part} {old} → {new}")
        else:
            words.append(part)
    return words


def _short(value: object) -> str:
    text = "(none)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def read_table(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A Parquet file of ours.

    Raises:
        StorageError: it is missing or damaged, with the folder to remove.
    """
    import polars as pl

    try:
        return pl.read_parquet(path, columns=list(columns) if columns is not None else None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageError(f"{path}: {str(error).splitlines()[0]}", hint=f"remove {path.parent} and build again") from None
