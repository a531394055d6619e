"""The record of a build: all that a release's manifest, card and page are written from.

A build is a folder `<home>/builds/<recipe>/<key>/` with the Parquet files of each config and `build.json`,
which is written last. `builders` writes it, `registry` cuts releases from it, `cards` reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tilth.core.errors import StorageError
from tilth.core.fingerprints import digest
from tilth.core.ledger import LedgerLine

SCHEMA_VERSION = 1
RECORD = "build.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One Parquet shard: path inside the release, sha256 (64 hex), size in bytes, rows."""

    path: str
    sha256: str
    bytes: int
    rows: int


class SourceEntry(_Part):
    """One source as it was read."""

    name: str
    title: str | None
    url: str | None
    citation: str | None
    path: str
    revision: str
    sha256: str
    corpora: list[str]
    rows_read: int
    rows_failed: int
    licenses: dict[str, int] = Field(description="licence → rows in the release")
    languages: dict[str, int] = Field(description="language → rows in the release")
    rows_released: dict[str, int] = Field(description="corpus → rows in the release")


class ContaminationEntry(_Part):
    """What one benchmark's items met in one corpus."""

    corpus: str
    benchmark: str
    items: int
    items_unmatchable: int = Field(description="items too short to look for")
    items_found: int
    rows_dropped: int
    rows_allowed: int = Field(description="rows that match and stay, for the reason given")
    reason: str | None


class JudgeEntry(_Part):
    """One judge of one question in one corpus."""

    corpus: str
    judge: str = Field(description="provider/model, `baseline` for the non-LLM scorer")
    is_llm: bool
    question: str = Field(description="question@version")
    judgements: int
    statuses: dict[str, int]
    usd: float


class GateEntry(_Part):
    """One gate: its limit, the value found, whether it lets a release pass."""

    gate: str
    corpus: str | None
    limit: float
    value: float
    passed: bool


class BuildRecord(_Part):
    """Everything a release says about how it was made."""

    name: str
    trial: str | None = Field(None, description="why this build cannot be released (`--limit 500`), None where it can")
    recipe: dict[str, Any] = Field(description="canonical recipe")
    recipe_text: str = Field(description="the recipe file as written")
    lock: dict[str, Any]
    configs: dict[str, dict[str, list[FileEntry]]] = Field(description="config → split → shards")
    funnel: list[LedgerLine]
    sources: list[SourceEntry]
    contamination: list[ContaminationEntry]
    judges: list[JudgeEntry]
    gates: list[GateEntry]
    signals: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="`corpus/step.signal` → {mean, p5, p50, p95} over the rows measured"
    )
    drops: dict[str, dict[str, int]] = Field(default_factory=dict, description="corpus → `step/rule` → rows")
    environment: dict[str, Any] = Field(
        default_factory=dict, description="code commit, versions, seconds, USD: outside the digest"
    )

    def digest(self) -> str:
        """The digest of a release made from this build (64 hex digits)."""
        return release_digest(self.configs, self.recipe, self.lock)


def release_digest(configs: dict[str, dict[str, list[FileEntry]]], recipe: dict[str, Any], lock: dict[str, Any]) -> str:
    """sha256 of the canonical JSON of {configs: {config: {split: [[path, sha256, rows]]}}, recipe, lock, schema version}."""
    files = {
        config: {split: [[f.path, f.sha256, f.rows] for f in shards] for split, shards in splits.items()}
        for config, splits in configs.items()
    }
    return digest({"configs": files, "recipe": recipe, "lock": lock, "schema_version": SCHEMA_VERSION})


def read(folder: Path) -> BuildRecord:
    """The record of the build in `folder`.

    Raises:
        StorageError: there is none, or it is damaged.
    """
    path = folder / RECORD
    try:
        return BuildRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageError(f"{folder}: no finished build", hint="tilth build") from None
    except ValueError as error:
        raise StorageError(f"{path}: damaged: {str(error).splitlines()[0]}", hint="build again") from None
