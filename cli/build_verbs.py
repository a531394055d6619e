"""lock, plan, build, trace, drops: from a recipe to a build, and back from a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output


@click.command()
@click.argument("name")
@click.option("--from", "paths", multiple=True, required=True, help="A source: a file or glob, or hf://datasets/org/name/glob. Again for each.")
@click.option("--benchmark", "benchmarks", multiple=True, help="A test set that rows are decontaminated against. Again for each.")
@click.option("--domain", help="What the corpus is about, in words: law, 中国法律.")
@click.option("--language", help="BCP-47 code of sources that do not say theirs [identified].")
@click.option("--license", "license_", default="other", show_default=True, help="Hub id, of the release and of sources that do not say theirs.")
@click.option("--model", "model", metavar="PROVIDER:MODEL", help="A model that writes questions from the documents and answers them: an sft corpus.")
@click.option("--base-url", help="Address of a server of your own for it.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the recipe [NAME.yaml].")
@options.data_root
def new(
    name: str, paths: tuple[str, ...], benchmarks: tuple[str, ...], domain: str | None, language: str | None, license_: str, model: str | None,
    base_url: str | None, to: Path | None, data_root: Path | None,
) -> None:  # fmt: skip
    """Write a first recipe NAME.yaml for your own data, in any domain, from a look at its fields.

    \b
      tilth new law --from 'laws/*.jsonl.zst' --domain law --language zh [--model openai:gpt-5.4-mini]
      tilth lock law.yaml
      tilth build law.yaml --limit 500
    """
    from tilth.builders import new_recipe

    to = to or Path(f"{name}.yaml")
    provider, colon, called = (model or "").partition(":")
    if model is not None and not (provider and colon and called):
        raise click.BadParameter(f"{model!r}: write PROVIDER:MODEL, as in openai:gpt-5.4-mini", param_hint="--model")
    said = {provider: {"model": called} | ({"base_url": base_url} if base_url else {})} if model else None
    new_recipe.write(
        to, name, paths, benchmarks, domain=domain, language=language, license=license_, model=said, root=data_root or to.parent,
        on_guess=lambda one: output.say(f"{one.name}: {one.records} records looked at → {next(iter(one.entry['shape']))}", err=True),
    )  # fmt: skip
    output.say(f"wrote {to}: read it, then tilth lock {to}", err=True)


@click.command()
@options.recipe
@options.data_root
@options.as_json
def lock(recipe: str, data_root: Path | None, json_: bool) -> None:
    """Pin every source of R: revision, sha256, rows, into R.lock beside it.

    A build refuses to run without a lock, or when recipe or data no longer match it. Commit the lock with the recipe.
    """
    from tilth.builders.build import lock_recipe

    path, locked = lock_recipe(recipe, data_root)
    if json_:
        output.as_json({"lock": str(path), **locked.model_dump(mode="json")})
        return
    rows = [[name, len(one.files), one.rows, output.size(sum(f.bytes for f in one.files)), one.revision[:23]] for name, one in locked.sources.items()]
    output.table(["source", "files", "rows", "size", "revision"], rows, right=(1, 2, 3))
    output.say(f"wrote {path}", err=True)


@click.command()
@options.recipe
@options.data_root
@options.as_json
@click.option("--limit", type=click.IntRange(1), help="Plan a trial of that many records of each source.")
@click.option("--share", type=options.Amount(0, 1, min_open=True), default=1.0, help="Plan a trial of that part of the rows.")
def plan(recipe: str, data_root: Path | None, json_: bool, limit: int | None, share: float) -> None:
    """Say what a build of R would run, which part of its key changed, rows, time and money. Runs nothing."""
    from dataclasses import asdict

    from tilth.builders.build import layout
    from tilth.builders.layout import Options
    from tilth.builders.plan import plan as planned

    lines = planned(layout(recipe, data_root=data_root, options=Options(limit, share)))
    if json_:
        output.as_json({"stages": [asdict(line) for line in lines], "to_run": sum(line.to_run for line in lines)})
        return
    rows = [
        [line.work, f"{line.to_run} of {line.stages}" if line.to_run else "cached", line.rows if line.to_run else None,
         output.size(line.bytes) if line.bytes and line.to_run else None, line.seconds, line.usd if line.to_run else None, "; ".join(line.why[:4])]
        for line in lines
    ]  # fmt: skip
    output.table(["stage", "runs", "rows", "read", "seconds", "USD", "why"], rows, right=(1, 2, 3, 4, 5))
    waiting = sum(line.to_run for line in lines)
    output.say(f"{waiting} of {sum(line.stages for line in lines)} stages would run" if waiting else "nothing to do", err=True)


@click.command()
@options.recipe
@options.data_root
@click.option("--workers", type=click.IntRange(1), help="Processes [the cores of this machine]. The result is the same for any number.")
@click.option("--limit", type=click.IntRange(1), help="A trial: that many records of each source. Cannot be released.")
@click.option("--share", type=options.Amount(0, 1, min_open=True), default=1.0, help="A trial: that part of the rows, chosen by id hash.")
@click.option("--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where datatrove runs the tasks.")
@click.option("--max-usd", type=options.Amount(0), help="Hard cap on what model calls may cost.")
@options.as_json
@options.quiet
def build(
    recipe: str, data_root: Path | None, workers: int | None, limit: int | None, share: float, executor: Any, max_usd: float | None,
    json_: bool, quiet: bool,
) -> None:  # fmt: skip
    """Build the corpora of R. Only what changed runs; a killed build goes on where it stopped."""
    import os

    from tilth.builders.build import build as run

    talk = options.talk(quiet)
    made = run(
        recipe, data_root=data_root, workers=workers or os.cpu_count() or 1, limit=limit, share=share, executor=executor, max_usd=max_usd,
        talk=talk, fork=True,
    )  # fmt: skip
    if json_:
        record = made.record
        output.as_json(
            {"name": record.name, "digest": record.digest(), "path": str(made.path), "trial": record.trial, "stages_run": made.stages_run,
             "seconds": round(made.seconds, 2), "funnel": [line.model_dump() for line in record.funnel],
             "alarms": [alarm.model_dump() for alarm in record.alarms], "leaks": [leak.model_dump() for leak in record.leaks], "mixes": [mix.model_dump() for mix in record.mixes],
             "configs": {c: {s: sum(f.rows for f in files) for s, files in splits.items()} for c, splits in record.configs.items()}}
        )  # fmt: skip
        return
    show_funnel(made.record.funnel)
    show_mixes(made.record.mixes)
    talk.say(f"{made.stages_run} stages ran in {made.seconds:.1f} s; digest {made.record.digest()[:12]}; {made.path}")
    if made.record.trial:
        talk.say(f"a trial ({made.record.trial}): it cannot be released")
    for leak in made.record.leaks:
        talk.say(leak.text)
    for gate in made.record.gates:
        if not gate.passed:
            talk.say(f"gate {gate.gate} of {gate.corpus} fails: {gate.value} against {gate.limit}")


def show_funnel(lines: Any) -> None:
    """The ledger as a table."""
    names = ["corpus", "step", "rows_in", "kept", "dropped", "failed", "quarantined", "made", "merged", "rows_out"]
    output.table([name.replace("_", " ") for name in names], [[getattr(line, name) for name in names] for line in lines], right=range(2, 10))


def show_mixes(mixes: Any) -> None:
    """What each mix was asked for and what came of it."""
    for mix in mixes:
        for line in mix.lines:
            output.say(line)


@click.command()
@click.argument("row")
@click.argument("name", metavar="R|NAME[@V]", required=False)
@options.as_json
def trace(row: str, name: str | None, json_: bool) -> None:
    """Follow ROW (an id, or its first digits) back to its source line: every signal, edit, rule and judgement.

    Reads what the last build of the recipe R or of NAME (or of any recipe here) left; with @V, that build must be the one released.
    """
    from tilth.builders.trace import trace as follow
    from tilth.core.home import home
    from tilth.core.manifest import split_ref
    from tilth.core.recipe import load
    from tilth.registry.releases import resolve

    if name and name.endswith((".yaml", ".yml")):
        name = load(name).recipe.name
    recipe, version = split_ref(name) if name else (None, None)
    digest = resolve(name, home=home()).digest if name and version else None
    found = follow(home(), recipe, row, digest)
    if json_:
        output.as_json(found)
        return
    _show_trace(found, "")


def _show_trace(found: Any, indent: str) -> None:
    output.say(f"{indent}row {found['id']}")
    for origin in found["origin"]:
        output.say(f"{indent}  from {origin['source']}: {origin['file']}, record {origin['record']}")
    for step in found["steps"]:
        said = ", ".join(f"{k}={_short(v)}" for k, v in step["signals"].items() if k != "content_hash" and v is not None)
        output.say(f"{indent}  {step['work']}: {said or 'no signals'}")
    for fate in found["fates"]:
        output.say(f"{indent}  {fate['status']} by {fate['step']}: {fate['rule']} = {_short(fate['value'])}")
    for one in found["judgements"]:
        said = one["value"] if one["label"] is None else one["label"]
        output.say(f"{indent}  judged by {one['judge']} ({one['question']}): {one['candidate']} = {_short(said)} {one['status']}")
    for parent in found["parents"]:
        _show_trace(parent, indent + "  ")


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


@click.command()
@click.argument("release", metavar="NAME@V")
@click.option("--corpus", help="Only of that corpus.")
@click.option("--step", help="Only by that step.")
@click.option("--rule", help="Only by that rule.")
@click.option("--source", help="Only from that source.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Rows to list.")
@options.as_json
def drops(release: str, corpus: str | None, step: str | None, rule: str | None, source: str | None, limit: int, json_: bool) -> None:
    """List the rows of a release that did not make it, with step, rule and value."""
    import polars as pl

    from tilth.core.home import home
    from tilth.registry.releases import resolve

    found = resolve(release, home=home())
    files = found.manifest.configs.get("drops", {}).get("train", [])
    if not files:
        click.echo("nothing was dropped", err=True)
        return
    lazy = pl.scan_parquet([found.path / file.path for file in files])
    for column, wanted in (("corpus", corpus), ("step", step), ("rule", rule), ("source", source)):
        if wanted:
            lazy = lazy.filter(pl.col(column) == wanted)
    from tilth.core.errors import RecipeError

    known = {f"{line.step}" for line in found.manifest.funnel} | {"read"}
    if step and step not in known:
        raise RecipeError(f"{found.ref} has no step {step!r}", hint=f"it has {', '.join(sorted(known))}")
    total = lazy.select(pl.len()).collect().item()
    rows = lazy.head(limit).collect()
    if json_:
        output.as_json({"total": total, "rows": rows.to_dicts()})
        return
    columns = ["id", "corpus", "source", "step", "rule", "value", "status"]
    output.table(columns, [[_short(value) if value is not None else None for value in row] for row in rows.select(columns).iter_rows()])
    output.say(f"{min(total, limit):,} of {total:,} rows", err=True)


VERBS = (new, lock, plan, build, trace, drops)
