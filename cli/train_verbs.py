"""train sft | dpo: from a release's tag to a model that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output


@click.group()
def train() -> None:
    """Train from a release: sft, dpo. The model's card and provenance.json name tag, commit and digest."""


def _common(command: Any) -> Any:
    for option in reversed((
        click.option("--data", required=True, metavar="NAME@V", help="A release, local or hf://org/name@V."),
        click.option("--model", required=True, help="A folder, or org/name on the Hub."),
        click.option("--model-revision", help="Branch, tag or commit of a model on the Hub; its commit is recorded."),
        click.option("--output", "target", required=True, type=click.Path(path_type=Path), help="Folder for the model; empty, or a run to go on with."),
        click.option("--config", "file", type=click.Path(path_type=Path), help="YAML with any field of tilth.train.config.TrainConfig."),
        click.option("--seed", type=int, help="Seed of order, adapters and dropout."),
        click.option("--max-steps", type=click.IntRange(1), help="Stop after so many steps."),
        click.option("--max-length", type=click.IntRange(8), help="Tokens a row; longer ones are counted."),
        click.option("--batch-size", type=click.IntRange(1), help="Rows a device takes at once."),
        click.option("--learning-rate", type=options.Amount(0, min_open=True), help="Peak learning rate."),
        options.as_json, options.quiet,
    )):  # fmt: skip
        command = option(command)
    return command


def _run(objective: Any, data: str, model: str, model_revision: str | None, target: Path, file: Path | None, json_: bool, quiet: bool, said: Any) -> None:
    from tilth.core import marked_yaml
    from tilth.core.home import home
    from tilth.core.recipe import validate
    from tilth.train.config import TrainConfig
    from tilth.train.run import train as run

    marked = marked_yaml.load(file) if file else None
    fields = {**((marked.data or {}) if marked else {}), **{name: value for name, value in said.items() if value is not None}}
    config = validate(TrainConfig, fields, marked, ())
    made = run(objective, data, model, target, model_revision=model_revision, config=config, home=home(), talk=options.talk(quiet))
    if json_:
        output.as_json(made)
    else:
        output.say(f"{target}: {objective} on {data}")


@train.command()
@_common
def sft(data: str, model: str, model_revision: str | None, target: Path, file: Path | None, json_: bool, quiet: bool, **said: Any) -> None:
    """Supervised fine-tuning on the config `sft` of a release."""
    _run("sft", data, model, model_revision, target, file, json_, quiet, said)


@train.command()
@_common
def dpo(data: str, model: str, model_revision: str | None, target: Path, file: Path | None, json_: bool, quiet: bool, **said: Any) -> None:
    """Direct preference optimisation on the config `preference` of a release."""
    _run("dpo", data, model, model_revision, target, file, json_, quiet, said)


VERBS = (train,)
