"""export: the rows of a release in the shape that another tool reads."""

from __future__ import annotations

from pathlib import Path

import click

from tilth.cli import options, output


@click.command()
@click.argument("ref", metavar="NAME@V")
@click.option("--as", "as_", required=True, metavar="SHAPE", help="sft, dpo, kto, reward or cpt; a published name (docs/shapes.md); or a shape.")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="A new file (.jsonl, .jsonl.zst, .jsonl.gz, .parquet), or a new folder.")
@click.option("--config", help="Config of the release [the one whose rows the shape writes].")
@click.option("--split", help="Only this split; a file holds one [all, each in a file of the folder].")
@click.option("--format", "end", default="jsonl", show_default=True, help="Of the files in a folder: jsonl, jsonl.zst, jsonl.gz, parquet.",
              type=click.Choice(["jsonl", "jsonl.zst", "jsonl.gz", "parquet"]))  # fmt: skip
@click.option("--leave-out", is_flag=True, help="Write the rows that fit and list the others; otherwise one that does not is exit 1.")
@options.as_json
@options.quiet
def export(ref: str, as_: str, to: Path, config: str | None, split: str | None, end: str, leave_out: bool, json_: bool, quiet: bool) -> None:
    """Write a release for a trainer or in a published shape, whole or not at all.

    \b
      tilth export clinic@1.0.0 --as dpo --to dpo/                  datasets.load_dataset("dpo")
      tilth export clinic@1.0.0 --as alpaca --split train --to train.jsonl.zst
      tilth export clinic@1.0.0 --as '{qa: {question: q, answer: a}}' --to pairs.parquet

    export.json beside the records names the release, its digest, what was written and what was left out.
    """
    from tilth.builders.export import export as write
    from tilth.builders.export import target
    from tilth.core.errors import RecipeError
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    found = resolve(ref, home=home(), allow_yanked=False)
    wanted = target(as_)
    if config not in (None, wanted.makes):
        raise RecipeError(f"{as_} is written of {wanted.makes} rows, not of {config}", hint="leave --config out, or take another shape")
    splits = found.files(wanted.makes)
    if split is not None:
        if split not in splits:
            raise RecipeError(f"{found.ref} {wanted.makes} has no split {split!r}", hint=f"it has {', '.join(splits)}")
        splits = {split: splits[split]}
    said = {"release": found.ref, "digest": found.digest, "commit": found.commit, "config": wanted.makes, "license": found.manifest.recipe.get("license")}
    made = write(wanted, splits, to, said, end=f".{end}", leave_out=leave_out, talk=options.talk(quiet))
    if json_:
        output.as_json({**said, "as": as_, "files": [{**one.__dict__, "path": str(one.path)} for one in made]})
        return
    for one in made:
        output.say(f"{one.path}: {one.records:,} records of {one.rows:,} rows")
        for column in one.without:
            output.say(f"  without {column}: not all rows have one", err=True)
        for reason, number in one.left_out.items():
            output.say(f"  left out {number:,}: {reason}", err=True)


VERBS = (export,)
