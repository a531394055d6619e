"""The model a run starts from, pinned: a local folder by the digest of its files, a model on the Hub by its commit.

A Hub model is fetched as a snapshot of that one commit and trained from the folder, so that nothing (DPO's reference
model, the tokenizer) is loaded from a branch that has moved since.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.errors import NetworkError, TrainError
from tilth.core.fingerprints import digest, file_digest

_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_HUB_ID = re.compile(r"^[\w.-]+(/[\w.-]+)?$")
_OTHER_FORMATS = ["original/*", "*.gguf", "*.onnx", "*.onnx_data", "*.h5", "*.msgpack", "*.tflite", "*.pth", "onnx/*"]
_WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True)
class BaseModel:
    """Name as given, revision (`sha256:` and 64 digits, or a commit of 40), the folder it is loaded from."""

    id: str
    revision: str
    path: Path
    on_hub: bool
    training_data: tuple[dict[str, Any], ...] = ()
    """What it was itself trained on, where its config.json says so."""

    @property
    def name(self) -> str:
        """Its name for others: org/name, or the last part of the folder's path."""
        return self.id if self.on_hub else self.path.resolve().name

    @property
    def bytes(self) -> int:
        """Size of its weights on disk."""
        return sum(file.stat().st_size for file in _weights(self.path))


def resolve(model: str, revision: str | None, *, pin: bool = True) -> BaseModel:
    """The model that `model` (a folder, or `org/name` on the Hub) names now.

    Args:
        revision: branch, tag or commit on the Hub; None is its default branch.
        pin: False skips the digest of a local folder (ranks other than 0 need none).

    Raises:
        TrainError: no such folder or model, or one that cannot be trained.
        NetworkError: the Hub cannot be reached.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise TrainError(f"{model} is a folder and has no revision {revision!r}", hint="leave the model revision out")
        base = BaseModel(model, _folder_digest(folder) if pin else "", folder.absolute(), on_hub=False)
    elif model.startswith((".", "/", "~")) or not _HUB_ID.match(model):
        raise TrainError(f"model {model}: no such folder", hint="give a folder with config.json, or org/name on the Hub")
    else:
        commit, path = _fetch(model, revision)
        base = BaseModel(model, commit, path, on_hub=True)
    return BaseModel(base.id, base.revision, base.path, base.on_hub, _check(model, base.path))


def _weights(folder: Path) -> list[Path]:
    return next((found for kind in _WEIGHTS if (found := sorted(folder.glob(kind)))), [])


def _check(model: str, folder: Path) -> tuple[dict[str, Any], ...]:
    """Refuse what cannot be trained; give what the model says it was trained on."""
    if (folder / "adapter_config.json").exists():
        raise TrainError(f"model {model} is a LoRA adapter", hint="merge it into its base model first (PEFT's merge_and_unload)")
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        raise TrainError(
            f"model {model}: {folder} has no config.json", hint="a folder that save_pretrained wrote has one"
        ) from None
    except ValueError as error:
        raise TrainError(f"model {model}: config.json: {error}") from None
    if not _weights(folder):
        raise TrainError(f"model {model}: no weights ({', '.join(_WEIGHTS)}) in {folder}")
    if not any((folder / name).exists() for name in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        raise TrainError(f"model {model}: no tokenizer in {folder}", hint="save the tokenizer beside the model")
    data = config.get("training_data") if isinstance(config, dict) else None
    return tuple(item for item in data if isinstance(item, dict)) if isinstance(data, list) else ()


def _folder_digest(folder: Path) -> str:
    """Digest over the names and bytes of a model's files; hidden files and checkpoints of a run are not part of it."""
    files = {}
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        hidden = any(part.startswith((".", "checkpoint")) for part in inside.parts)
        if file.is_file() and not hidden:
            files[inside.as_posix()] = file_digest(file)
    return f"sha256:{digest(files)}"


def _fetch(model: str, revision: str | None) -> tuple[str, Path]:
    """(commit, snapshot folder) of a model on the Hub."""
    import httpx2
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        ignored = list(_OTHER_FORMATS)
        if revision and _COMMIT.match(revision):
            commit = revision
        else:
            info = HfApi().model_info(model, revision=revision)
            commit = str(info.sha)
            if any((file.rfilename or "").endswith(".safetensors") for file in info.siblings or []):
                ignored.append("*.bin")
        return commit, Path(snapshot_download(model, revision=commit, ignore_patterns=ignored))
    except GatedRepoError:
        raise TrainError(f"model {model} is gated", hint="accept its terms on the Hub, then `hf auth login`") from None
    except RevisionNotFoundError:
        raise TrainError(f"model {model} has no revision {revision!r}") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise TrainError(
            f"model {model}: no such folder, and no such model on the Hub", hint="private models need `hf auth login`"
        ) from None
    except (OSError, httpx2.HTTPError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NetworkError(
            f"model {model}: the Hub cannot be reached: {reason}",
            hint="give a local folder, or a commit (40 hex digits) that is cached",
        ) from None
