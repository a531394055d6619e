"""demo, du, gc, units: the walk through everything, and keeping house."""

from __future__ import annotations

import click

from tilth.cli import options, output


@click.command()
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@options.quiet
def demo(workers: int, quiet: bool) -> None:
    """Build, release and verify `demo`, a small bilingual corpus with planted defects. Calls no model."""
    from tilth.builders.build import build
    from tilth.cli.build_verbs import show_funnel
    from tilth.cli.release_verbs import show_loading
    from tilth.core.home import home
    from tilth.registry.releases import cut
    from tilth.registry.verify import verify

    talk = options.talk(quiet)
    talk.say("building the demo corpus")
    made = build("demo", workers=workers, talk=talk, fork=True)
    released = cut(made.path, _version(made.record.digest()), home=home())
    checked = verify(released)
    show_funnel(made.record.funnel)
    click.echo(f"{released.ref} is whole: {checked.files} files, digest {released.digest[:12]}", err=True)
    talk.say(f"look at it:  {released.path / 'report.html'}")
    show_loading(released)


def _version(digest: str) -> str:
    """The demo's version: 0.1.0, or after an upgrade that changed it the next patch."""
    from tilth.core.home import home
    from tilth.registry.releases import names, versions

    there = versions("demo", home()) if "demo" in names(home()) else []
    same = [entry.version for entry in there if entry.digest == digest]
    return same[0] if same else f"0.1.{len(there)}"


@click.command()
@options.as_json
def du(json_: bool) -> None:
    """Show what this home takes on disk."""
    from tilth.builders.upkeep import usage
    from tilth.core.home import home

    found = usage(home())
    if json_:
        output.as_json([one.__dict__ for one in found])
        return
    output.table(["what", "size", "files"], [[one.what, output.size(one.bytes), one.files] for one in found], right=(1, 2))
    click.echo(f"{output.size(sum(one.bytes for one in found))} in {home().root}", err=True)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@options.as_json
def gc(dry_run: bool, json_: bool) -> None:
    """Remove stages and builds that no recipe's last build uses. Releases and model calls always stay."""
    from tilth.builders.build import alone
    from tilth.builders.upkeep import collect, garbage
    from tilth.core.home import home

    with alone(home()):
        folders = garbage(home())
        size = 0 if dry_run else collect(folders)
    if dry_run:
        if json_:
            output.as_json([str(folder) for folder in folders])
        else:
            for folder in folders:
                click.echo(str(folder))
        return
    if json_:
        output.as_json({"removed": len(folders), "bytes": size})
    else:
        click.echo(f"removed {len(folders)} folders, {output.size(size)}")


@click.command()
@click.option("--markdown", is_flag=True, help="Print the whole reference as Markdown.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of recipes, for editors.")
@click.argument("kind", default="step", type=click.Choice(["step", "shape", "format", "question", "generator", "provider", "strategy"]))
@options.as_json
def units(markdown: bool, schema: bool, kind: str, json_: bool) -> None:
    """List what a recipe or a job can name: steps, shapes, formats, questions, providers, strategies."""
    from tilth.core import units as known
    from tilth.core.recipe_schema import recipe_schema
    from tilth.core.unit_reference import reference

    if schema:
        output.as_json(recipe_schema())
    elif markdown:
        click.echo(reference(), nl=False)
    else:
        found = known.every(kind)
        lines = [[name, (cls.__doc__ or "").strip().splitlines()[0]] for name, cls in found.items()]
        if json_:
            output.as_json([{"name": name, "says": says, "parameters": found[name].model_json_schema()} for name, says in lines])
        else:
            output.table([kind, "what it does"], lines)


VERBS = (demo, du, gc, units)
