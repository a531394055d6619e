"""The output folder of a run: whose it is, where it goes on, whether it has room.

OUT/checkpoints/run.json            what the run is (identity), written first
OUT/checkpoints/checkpoint-500/     model, optimizer, data order; `trainer_state.json` is its last file
OUT/checkpoints/data/               the tokenised rows
OUT/model.safetensors, …            the trained model
OUT/provenance.json                 written last: a folder with it holds a finished model
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tilth.core.durable import write_whole
from tilth.core.errors import StorageError, TrainError
from tilth.core.fingerprints import digest
from tilth.core.stages import changed_parts

FINISHED = "provenance.json"
WORK = "checkpoints"
_RUN = "run.json"
_HINT = "choose another --output, or remove the folder"


def claim(output: Path, identity: dict[str, Any]) -> None:
    """Make the folder this run's own, or find that it already is.

    Raises:
        TrainError: it holds something else: a finished model, another run, files of whatever kind.
        StorageError: it cannot be written.
    """
    if output.exists() and not output.is_dir():
        raise TrainError(f"output {output} is a file", hint="choose a folder")
    if (output / FINISHED).exists():
        raise TrainError(f"output {output} holds a finished model", hint=_HINT)
    run = output / WORK / _RUN
    if run.exists():
        try:
            before = json.loads(run.read_bytes())["identity"]
        except (ValueError, KeyError, TypeError):
            raise TrainError(f"{run}: damaged", hint=_HINT) from None
        if digest(before) != digest(identity):
            raise TrainError(f"output {output} holds another run: {', '.join(changed_parts(before, identity))}", hint=_HINT)
        return
    if output.is_dir() and (inside := sorted(item.name for item in output.iterdir())):
        raise TrainError(f"output {output} is not empty: {', '.join(inside[:3])}{', …' if len(inside) > 3 else ''}", hint=_HINT)
    write_whole(run, json.dumps({"identity": identity}, ensure_ascii=False, indent=2).encode())


def checkpoint(output: Path) -> Path | None:
    """The newest whole checkpoint; one that was being written when the run was killed is passed over."""
    whole = [folder.parent for folder in (output / WORK).glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def check_space(output: Path, *, model_bytes: int, data_bytes: int, adapters: bool) -> None:
    """Refuse a disk that cannot hold the run.

    Training all weights keeps float32 weights and two Adam moments in a checkpoint (12 bytes a parameter), two
    checkpoints while one replaces the other, and the model itself: 28 bytes a parameter, 14 times a bfloat16 model.
    Adapters are about 1 % of that. The tokenised rows take about six times their Parquet.

    Raises:
        StorageError: naming the need and what is free.
    """
    existing = next(folder for folder in (output.absolute(), *output.absolute().parents) if folder.exists())
    need = int(model_bytes * (0.3 if adapters else 14)) + 6 * data_bytes
    free = shutil.disk_usage(existing).free
    if need > free:
        raise StorageError(
            f"{output}: the run may need {need / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free",
            hint="free some space, choose another --output, or train adapters (lora)",
        )


def clean(output: Path) -> None:
    """Remove what only an unfinished run needs."""
    shutil.rmtree(output / WORK, ignore_errors=True)
