"""distil: a few thousand documents labelled twice become a classifier that labels all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output


@click.command()
@click.argument("job", metavar="J", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Documents by language and source, calls, tokens and USD by judge, before any call.")
@click.option("--max-usd", type=options.Amount(0), help="Hard cap on what the job costs, all its runs together [the job's own].")
@click.option("--batch", is_flag=True, help="Buy in batches, at half the price and within a day.")
@options.as_json
@options.quiet
def distil(job: Path, dry_run: bool, max_usd: float | None, batch: bool, json_: bool, quiet: bool) -> None:
    """Train a classifier from the job file J: sample documents, have them labelled twice, keep what agrees, hold some out, train.

    The model, its figures (model.json) and the labelled documents go into a folder that the steps fasttext_label, fasttext_score
    and encoder_score name. Every call is stored: the same command after a crash buys nothing twice.
    """
    from tilth.annotators.spend import lowest
    from tilth.annotators.store import CallStore
    from tilth.builders.distil import run
    from tilth.builders.distil.job import load
    from tilth.cli.annotate_verbs import show_estimates, watch
    from tilth.core.errors import StorageError
    from tilth.core.home import home

    said, talk = load(job), options.talk(quiet)
    sample = run.take(said, _documents(said))
    talk.say(f"  {sample.rows.height:,} of {sum(sample.had.values()):,} documents sampled")
    with CallStore(home().calls) as store:
        if dry_run:
            _strata(sample, talk)
            show_estimates(run.foreseen(said, sample, store), json_, "sample: {documents: 40}")
            return
        try:
            told, judged = run.distil(
                said, sample, store=store, max_usd=lowest(max_usd, said.job.max_usd), watch=watch(said, talk, batch),
                on_epoch=lambda epoch, epochs, good: talk.say(f"  epoch {epoch} of {epochs}: {'accuracy' if said.question.scale is None else 'squared error'} {abs(good):.4f}"),
            )  # fmt: skip
        except OSError as error:
            raise StorageError(f"{said.output}: {error.strerror}", hint="name another folder under `output`") from None
    if json_:
        output.as_json({"output": str(said.output), **told})
        return
    _show(told)
    if judged is not None:
        output.say(f"{judged.bought:,} of {judged.calls:,} calls bought now, ${judged.usd:.4f}; ${told['usd']:.4f} in all", err=True)
    output.say(f"{said.output}  use it in a recipe:", err=True)
    click.echo(f"- {_as_yaml(told, said.output)}")


def _documents(said: Any) -> Iterator[Any]:
    """All documents of a job's input."""
    from tilth.builders.build import latest
    from tilth.builders.distil import documents
    from tilth.core import builds
    from tilth.core.errors import RecipeError
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    for one in said.inputs:
        if one.kind == "files":
            yield from documents.of_files(said, one.ref)
            continue
        if one.kind == "release":
            found = resolve(one.ref, home=home())
            splits = found.files(one.config) if one.config in found.configs else {}
        else:
            beside = said.path.parent / one.ref
            folder = latest(str(beside) if beside.is_file() else one.ref, home())
            splits = {split: [folder / file.path for file in files] for split, files in builds.read(folder).configs.get(one.config, {}).items()}
        if one.split not in splits:
            raise RecipeError(f"{said.path}: input: {one.ref} has no {one.config}/{one.split}", hint=f"its splits of {one.config}: {', '.join(splits) or 'none'}")
        yield from documents.of_shards(splits[one.split])


def _strata(sample: Any, talk: Any) -> None:
    """How many documents of each language and source are to be labelled."""
    for language, source, number in sample.rows.group_by("language", "source").len().sort("language", "source").iter_rows():
        talk.say(f"  {language} {source}: {number:,} of {sample.had[language, source]:,}")


def _show(told: dict[str, Any]) -> None:
    """What was labelled, and how good the model is, as tables."""
    documents, agreement, held = told["documents"], told["agreement"], told["held_out"]
    output.say(f"{documents['labelled']:,} of {documents['sampled']:,} documents labelled; {documents['differ']:,} answered differently, {documents['unanswered']:,} without two answers")
    if agreement["documents"]:
        groups = [("all", agreement), *agreement["by_language"].items(), *agreement["by_source"].items()]
        output.table(["answered twice", "documents", "agree", "95 %"], [[name, one["documents"], one["share"], _range(one)] for name, one in groups], right=(1, 2, 3))
    if "labels" in held:
        lines = [[one["label"], one["documents"], one["precision"], one["recall"], one["f1"]["value"], _range(one["f1"])] for one in held["labels"]]
        macro = held["macro_f1"]
        output.table(["held out", "documents", "precision", "recall", "F1", "95 %"], [*lines, ["macro", held["documents"], None, None, macro["value"], _range(macro)]], right=range(1, 6))
        groups = [("all", held), *held["by_language"].items(), *held["by_source"].items()]
        output.table(["right", "documents", "share", "95 %"], [[name, one["documents"], one["accuracy"]["value"], _range(one["accuracy"])] for name, one in groups], right=(1, 2, 3))
        return
    output.say(
        f"held out: {held['documents']:,}; mean error {held['mean_error']['value']} ({_range(held['mean_error'])}), always saying the mean {held['mean_error_of_the_mean']}; "
        f"rank correlation {held['spearman']['value']} ({_range(held['spearman'])})"
    )
    tiers = [[f"{one['at_least']} and more", one["documents"], one["predicted"], one["precision"], one["recall"], one["f1"]["value"], _range(one["f1"])] for one in held["tiers"]]
    output.table(["tier", "documents", "predicted", "precision", "recall", "F1", "95 %"], tiers, right=range(1, 7))
    groups = [*held["by_language"].items(), *held["by_source"].items()]
    output.table(["held out", "documents", "mean error", "rank correlation"], [[name, one["documents"], one["mean_error"], one["spearman"]] for name, one in groups], right=(1, 2, 3))


def _range(one: dict[str, Any]) -> str:
    return "-" if one["low"] is None else f"{one['low']:.3f}–{one['high']:.3f}"


def _as_yaml(told: dict[str, Any], folder: Path) -> str:
    """The step as a line of a recipe, with what is the reader's to choose."""
    import json

    [(name, parameters)] = told["step"].items()
    chosen = {"min_score": 3} if told["labels"] is None else {"keep": told["labels"][:1]}
    return f"{name}: {json.dumps({'path': str(folder), **parameters, **chosen}, ensure_ascii=False)}"


VERBS = (distil,)
