"""demo, du, gc: the walk through everything, and keeping house."""

from __future__ import annotations

import click
from tilth.cli import options, output

VERSION = "0.1.0"


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
    made = build("demo", workers=workers, talk=talk)
    released = cut(made.path, VERSION, home=home())
    checked = verify(released)
    show_funnel(made.record.funnel)
    click.echo(f"{released.ref} is whole: {checked.files} files, digest {released.digest[:12]}", err=True)
    talk.say(f"look at it:  {released.path / 'report.html'}")
    show_loading(released)


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
    from tilth.builders.upkeep import collect, garbage
    from tilth.core.home import home

    folders = garbage(home())
    if dry_run:
        if json_:
            output.as_json([str(folder) for folder in folders])
        else:
            for folder in folders:
                click.echo(str(folder))
        return
    size = collect(folders)
    if json_:
        output.as_json({"removed": len(folders), "bytes": size})
    else:
        click.echo(f"removed {len(folders)} folders, {output.size(size)}")


VERBS = (demo, du, gc)
