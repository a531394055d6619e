"""Provenance: what a trained model came from, beside its weights and inside its config.json.

{"tool_version": "0.1.0", "objective": "sft", "data": {"name": "demo", "version": "1.0.0", "tag": "v1.0.0", "commit": "3f…",
 "digest": "9a…", …}, "base_model": {"id": "org/base", "revision": "40 hex"}, "seed": 42, "config": {…}, "versions": {…}, …}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

import tilth
from tilth.core.durable import write_whole
from tilth.core.errors import StorageError, TrainError
from tilth.core.fingerprints import code_commit, file_digest, versions
from tilth.core.manifest import FILE as MANIFEST
from tilth.train import base_model
from tilth.train.config import Objective, TrainConfig
from tilth.train.data import Split
from tilth.train.output import FINISHED

if TYPE_CHECKING:
    from tilth.registry.releases import Release

DISTRIBUTIONS = ("accelerate", "datasets", "huggingface_hub", "peft", "safetensors", "tokenizers", "torch", "transformers", "trl")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingData(_Part):
    """The rows that were trained on."""

    name: str
    version: str
    tag: str = Field(description="git tag of the release, `v` and the version")
    where: str = Field(description="`local`, or hf://org/name")
    commit: str | None
    digest: str = Field(description="digest of the release: its identity")
    manifest_sha256: str
    config: str
    split: str
    rows: int
    license: str


class StartedFrom(_Part):
    """The base model."""

    id: str = Field(description="org/name on the Hub, or the last name of a folder: no path of this machine")
    revision: str = Field(description="commit on the Hub, or `sha256:` and the digest of the folder's files")
    training_data: list[dict[str, Any]] = Field(default_factory=list, description="what the base says it was trained on")


class Provenance(_Part):
    """All that decides a trained model."""

    tool_version: str
    objective: Objective
    data: TrainingData
    base_model: StartedFrom
    seed: int
    config: dict[str, Any] = Field(description="every choice of the run, defaults filled in")
    versions: dict[str, str]
    code_commit: str | None = Field(description="commit of Tilth's checkout, `-dirty` where it was changed; None where installed")
    metrics: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """As plain JSON values."""
        return self.model_dump(mode="json")

    def training_data(self) -> list[dict[str, Any]]:
        """What goes into config.json under `training_data`: the base model's history, then this run."""
        data = self.data.model_dump(include={"name", "version", "where", "commit", "digest", "config", "split", "rows"})
        return [*self.base_model.training_data, {"objective": self.objective, **data}]


def compose(
    objective: Objective, release: Release, split: Split, base: base_model.BaseModel, config: TrainConfig, metrics: dict[str, Any]
) -> Provenance:
    """The provenance of a run."""
    return Provenance(
        tool_version=tilth.__version__,
        objective=objective,
        data=TrainingData(
            name=release.name,
            version=release.version,
            tag=f"v{release.version}",
            where=release.where,
            commit=release.commit,
            digest=release.digest,
            manifest_sha256=file_digest(release.path / MANIFEST),
            config=split.config,
            split=split.name,
            rows=split.rows,
            license=split.license,
        ),
        base_model=StartedFrom(id=base.name, revision=base.revision, training_data=list(base.training_data)),
        seed=config.seed,
        config={**config.recorded(objective), "chat_template": config.chat_template and Path(config.chat_template).name},
        versions=versions(DISTRIBUTIONS),
        code_commit=code_commit(),
        metrics=metrics,
    )


def write(output: Path, provenance: Provenance, base: base_model.BaseModel) -> None:
    """Name the data in the model's own config, write the card, and last of all provenance.json.

    Raises:
        StorageError: the folder cannot be written.
    """
    from tilth.cards.model import model_card

    if (output / "adapter_config.json").exists():
        _merge(
            output / "adapter_config.json", {"base_model_name_or_path": base.id, "revision": base.revision} if base.on_hub else {}
        )
    if (output / "config.json").exists():
        _merge(output / "config.json", {"training_data": provenance.training_data()})
    write_whole(output / "README.md", model_card(provenance.plain()).encode())
    write_whole(output / FINISHED, (json.dumps(provenance.plain(), indent=2, ensure_ascii=False) + "\n").encode())


def _merge(file: Path, keys: dict[str, Any]) -> None:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise StorageError(f"{file}: {error}") from None
    if isinstance(modules := content.get("target_modules"), list):
        content["target_modules"] = sorted(modules)  # PEFT writes a set, in another order each time
    write_whole(file, (json.dumps({**content, **keys}, indent=2, ensure_ascii=False) + "\n").encode())


def read(folder: Path) -> Provenance:
    """The provenance of the model in `folder`.

    Raises:
        TrainError: there is none, or it is damaged.
    """
    try:
        return Provenance.model_validate_json((folder / FINISHED).read_bytes())
    except FileNotFoundError:
        raise TrainError(f"{folder}: no {FINISHED}", hint="a model that `tilth train` finished has one") from None
    except ValueError as error:
        raise TrainError(f"{folder / FINISHED}: damaged: {str(error).splitlines()[0]}") from None
