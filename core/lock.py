"""The lock: what each source of a recipe is, by content. `R.lock` stands beside the recipe and is committed with it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tilth.core.durable import write_whole
from tilth.core.errors import LockError


def digest_of(digests: list[str]) -> str:
    """sha256 over the digests of a source's files, in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def local_revision(sha256: str) -> str:
    """The revision of local files: their content, shortened."""
    return f"sha256:{sha256[:16]}"


class LockedFile(BaseModel):
    """One file of a source: its name in the source (never a path of this machine), its bytes, its records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int = Field(ge=0)


class LockedTask(BaseModel):
    """What a task of lm-eval came to: enough to build without lm-eval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lm_eval: str
    tasks: str | None = None
    revision: str | None = None
    files: dict[str, str] = Field(description="the task's YAMLs, by name in the tasks' folder: sha256")
    shape: dict[str, dict[str, Any]] = Field(description="how a record becomes an item")


class LockedSource(BaseModel):
    """One source: the path as the recipe gives it, the revision, and the files that it came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    revision: str = Field(description="commit (40 hex digits) on the Hub, `sha256:` and 16 digits for local files")
    sha256: str = Field(description="sha256 over the files' digests, in order")
    rows: int = Field(ge=1)
    files: list[LockedFile] = Field(min_length=1)
    task: LockedTask | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> LockedSource:
        if self.rows != sum(file.rows for file in self.files):
            raise ValueError(f"{self.rows} rows, its files have {sum(file.rows for file in self.files)}")
        if self.sha256 != digest_of([file.sha256 for file in self.files]):
            raise ValueError("sha256 is not that of its files")
        if self.revision != local_revision(self.sha256) and not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            raise ValueError(f"revision {self.revision!r} is neither a commit nor that of its files")
        return self


class Lock(BaseModel):
    """All sources and benchmarks of a recipe, resolved once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tilth_lock: Literal[1] = 1
    recipe: str
    sources: dict[str, LockedSource]
    models: dict[str, str] = Field(default_factory=dict, description="sha256 of the models that steps read from files, by path in the recipe")

    def write(self, path: Path) -> None:
        """Write the lock, whole or not at all."""
        plain = self.model_dump_json(indent=2, exclude_none=True, exclude=None if self.models else {"models"})
        write_whole(path, (plain + "\n").encode())


def read(path: Path) -> Lock:
    """Read a lock.

    Raises:
        LockError: there is none, or it is not one.
    """
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise LockError(f"{path}: no lock", hint=f"tilth lock {path.with_suffix('.yaml')}") from None
    except OSError as error:
        raise LockError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise LockError(f"{path}: {where}: {first['msg']}", hint=f"tilth lock {path.with_suffix('.yaml')}") from None
