"""`train`: a release and a base model in, a trained model that names both out.

    tilth train sft --data demo@1.0.0 --model org/base --output out

The same on one GPU, on a CPU, and after Ctrl-C. On several GPUs (each process runs this module):

    accelerate launch --num_processes 8 -m tilth.train.run sft demo@1.0.0 org/base out --config config.yaml

Everything that can be wrong with the request is asked before torch is imported: the release and its bytes, the columns,
the model and its revision, the output folder, the room on the disk.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.errors import RegistryError, TrainError
from tilth.core.home import Home
from tilth.core.manifest import split_ref
from tilth.core.progress import Talk
from tilth.train import base_model, data, provenance, template
from tilth.train import output as outputs
from tilth.train.config import Objective, TrainConfig, processes, rank
from tilth.train.provenance import Provenance

if TYPE_CHECKING:
    from tilth.registry.releases import Release
    from tilth.train.loop import OnProgress

_EXTRA = ("torch", "transformers", "trl", "accelerate")


def train(
    objective: Objective,
    data: str,
    model: str,
    output: Path,
    *,
    model_revision: str | None = None,
    config: TrainConfig | None = None,
    home: Home,
    allow_latest: bool = False,
    on_progress: OnProgress | None = None,
    talk: Talk | None = None,
) -> Provenance:
    """Train `model` on the release that `data` names; the model, its card and provenance.json go to `output`.

    Args:
        objective: `sft` reads the config `sft`, `dpo` the config `preference`.
        data: `name@1.0.0` or `hf://org/name@1.0.0`.
        model: a folder, or `org/name` on the Hub.
        model_revision: branch, tag or commit of a model on the Hub; the commit it stands for is recorded.
        allow_latest: take a reference without a version as the newest release.
        on_progress: called with (step, steps in all, newest loss or None) after each step.

    Raises:
        YankedError: the release was withdrawn.
        VerifyError: its bytes are not those of its manifest.
        RegistryError: no such release, or no version.
        TrainError: rows, model, output folder or packages are not fit for this run.
        KeyboardInterrupt: stopped; a checkpoint is saved and the same call goes on from it.
    """
    talk = talk or Talk(quiet=rank() != 0)
    check_packages(config or TrainConfig())
    full = (config or TrainConfig()).resolved(objective)
    release = open_release(data, home=home, allow_latest=allow_latest)
    split = _split(release, objective, full)
    base = base_model.resolve(model, model_revision, pin=rank() == 0)
    chat = template.text(full.chat_template, base.id, base.path)
    if rank() == 0:
        parquet = sum(file.stat().st_size for file in split.files)
        outputs.check_space(output, model_bytes=base.bytes, data_bytes=parquet, adapters=full.lora is not None)
        outputs.claim(output, _identity(objective, release, base, full, chat))
        talk.say(f"{objective} {base.id} on {split}: {split.rows:,} rows, digest {release.digest[:12]}")
    from tilth.train import loop  # torch and TRL from here on

    metrics = loop.run(loop.Run(objective, split, base, output, full, chat, talk, on_progress))
    made = provenance.compose(objective, release, split, base, full, metrics)
    if rank() == 0:
        provenance.write(output, made, base)
        if not full.keep_checkpoints:
            outputs.clean(output)
    return made


def check_packages(config: TrainConfig) -> None:
    """Refuse to start without the packages that training needs; none of them is imported.

    Raises:
        TrainError: with the command that installs them.
    """
    wanted = (*_EXTRA, "peft") if config.lora else _EXTRA
    if missing := [name for name in wanted if importlib.util.find_spec(name) is None]:
        raise TrainError(f"training needs {', '.join(missing)}", hint="pip install -c constraints.txt 'tilth[train]'")


def open_release(reference: str, *, home: Home, allow_latest: bool = False) -> Release:
    """The release, its bytes checked against its manifest (once a machine).

    Raises:
        RegistryError: no version given, or no such release.
        YankedError: it was withdrawn.
        VerifyError: its bytes are not those of its manifest.
    """
    from tilth.registry import releases, verify

    if split_ref(reference)[1] is None and not allow_latest:
        raise RegistryError(
            f"{reference}: which version? a model must name the release it was trained on", hint=f"{reference}@1.0.0, say"
        )
    release = releases.resolve(reference, home=home, allow_yanked=False)
    if rank() == 0:
        verify.verify(release)
    return release


def _split(release: Release, objective: Objective, config: TrainConfig) -> data.Split:
    assert config.config
    reference = f"{release.name}@{release.version}"
    return data.find(reference, release.path, release.manifest, objective, config.config, config.split)


def _identity(
    objective: Objective, release: Release, base: base_model.BaseModel, config: TrainConfig, chat: str | None
) -> dict[str, Any]:
    """What decides the weights of a run."""
    return {
        "objective": objective,
        "data": release.digest,
        "model": base.revision,
        "processes": processes(),
        "template": chat,
        "config": {**config.identity(objective), "chat_template": None},
    }


def main(arguments: list[str] | None = None) -> int:
    """One process of `accelerate launch`; the exit code."""
    import argparse

    from tilth.core import marked_yaml
    from tilth.core.errors import TilthError
    from tilth.core.home import home
    from tilth.core.recipe import validate

    parser = argparse.ArgumentParser("tilth.train.run", description="Train from a release, as one process of accelerate launch.")
    parser.add_argument("objective", choices=("sft", "dpo"))
    parser.add_argument("data", help="name@1.0.0")
    parser.add_argument("model", help="folder, or org/name on the Hub")
    parser.add_argument("output", type=Path)
    parser.add_argument("--model-revision")
    parser.add_argument("--config", type=Path, help="YAML with the fields of TrainConfig")
    given = parser.parse_args(arguments)
    talk = Talk(quiet=rank() != 0)
    try:
        marked = marked_yaml.load(given.config) if given.config else None
        config = validate(TrainConfig, (marked.data if marked else None) or {}, marked, ())
        train(
            given.objective,
            given.data,
            given.model,
            given.output,
            model_revision=given.model_revision,
            config=config,
            home=home(),
            talk=talk,
        )
    except TilthError as error:
        talk.say(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
