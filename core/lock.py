"""The lock: what each source of a recipe is, by content. `R.lock` stands beside the recipe and is committed with it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tilth.core.errors import LockError


class LockedFile(BaseModel):
    """One file of a source: its name in the source (never a path of this machine), its bytes, its records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int
    rows: int


class LockedSource(BaseModel):
    """One source: the path as the recipe gives it, the revision, and the files that it came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    revision: str = Field(description="commit (40 hex digits) on the Hub, `sha256:` and 16 digits for local files")
    sha256: str = Field(description="sha256 over the files' digests, in order")
    rows: int
    files: list[LockedFile]


class Lock(BaseModel):
    """All sources and benchmarks of a recipe, resolved once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tilth_lock: int = 1
    recipe: str
    sources: dict[str, LockedSource]

    def write(self, path: Path) -> None:
        """Write the lock, whole or not at all."""
        temporary = path.with_suffix(".lock.tmp")
        temporary.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)


def read(path: Path) -> Lock:
    """Read a lock.

    Raises:
        LockError: there is none, or it is not one.
    """
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise LockError(f"{path}: no lock", hint=f"tilth lock {path.with_suffix('.yaml')}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise LockError(f"{path}: {where}: {first['msg']}", hint=f"tilth lock {path.with_suffix('.yaml')}") from None
