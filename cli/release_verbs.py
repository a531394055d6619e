"""release, ls, show, log, verify, diff, push, pull, yank: from a build to a release that others use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from tilth.cli import options, output


@click.command()
@options.recipe
@click.option("--version", required=True, metavar="X.Y.Z", help="MAJOR.MINOR.PATCH, never used before.")
@click.option("--note", "notes", multiple=True, help="A line for the changelog; may be given again.")
@options.as_json
def release(recipe: str, version: str, notes: tuple[str, ...], json_: bool) -> None:
    """Cut an immutable release from the last build of R. Refused, with the figures, while a gate fails."""
    from tilth.builders.build import latest
    from tilth.core.home import home
    from tilth.registry.releases import cut

    made = cut(latest(recipe, home()), version, home=home(), notes=notes)
    if json_:
        output.as_json(_summary(made))
        return
    output.say(f"{made.ref}  {made.digest[:12]}  {made.path}")
    show_loading(made)


def show_loading(made: Any) -> None:
    """The lines of Python that load a release."""
    click.echo("load it in Python:", err=True)
    for config in made.configs:
        click.echo(f'  datasets.load_dataset("{made.path}", "{config}")')


@click.command()
@click.argument("name", required=False)
@options.as_json
def ls(name: str | None, json_: bool) -> None:
    """List the datasets of the local registry, or the versions of one."""
    from tilth.core.home import home
    from tilth.registry.releases import names, versions

    found = [(one, entry) for one in ([name] if name else names(home())) for entry in versions(one, home())]
    if json_:
        output.as_json([{"name": one, **entry.__dict__} for one, entry in found])
        return
    rows = [[f"{one}@{e.version}", e.digest[:12], ", ".join(f"{c} {r:,}" for c, r in e.rows.items()), _day(e.created), e.yanked] for one, e in found]
    if rows:
        output.table(["release", "digest", "rows", "made", "yanked"], rows)
    else:
        output.say(f"no release in {home().registry}", err=True)


def _day(created: int) -> str:
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d %H:%M")


@click.command()
@click.argument("ref", metavar="NAME@V")
@options.as_json
def show(ref: str, json_: bool) -> None:
    """Show a release: what is in it, where it lies, how its rows came to be."""
    from tilth.cli.build_verbs import show_funnel, show_mixes
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    found = resolve(ref, home=home())
    if json_:
        output.as_json(_summary(found))
        return
    record = found.manifest
    output.say(f"{found.ref}  digest {found.digest}")
    output.say(f"commit {found.commit}  {found.where}")
    click.echo(str(found.path))
    if found.yanked:
        output.say(f"YANKED: {found.yanked}")
    for config, splits in record.configs.items():
        output.say(f"  {config}: " + ", ".join(f"{split} {sum(f.rows for f in files):,}" for split, files in splits.items()))
    show_funnel(record.funnel)
    show_mixes(record.mixes)
    for leak in record.leaks:
        output.say(leak.text)
    for alarm in record.alarms:
        output.say(f"expected: {alarm.text}: {alarm.expected}" if alarm.expected else f"ALARM {alarm.text}")


def _summary(found: Any) -> dict[str, Any]:
    from tilth.core.fingerprints import file_digest
    from tilth.core.manifest import FILE

    record = found.manifest
    return {
        "name": found.name, "version": found.version, "digest": found.digest, "path": str(found.path), "commit": found.commit,
        "where": found.where, "yanked": found.yanked, "manifest_sha256": file_digest(found.path / FILE),
        "configs": {c: {s: sum(f.rows for f in files) for s, files in splits.items()} for c, splits in record.configs.items()},
        "funnel": [line.model_dump() for line in record.funnel],
        "leaks": [leak.model_dump() for leak in record.leaks],
        "alarms": [alarm.model_dump() for alarm in record.alarms],
        "mixes": [mix.model_dump() for mix in record.mixes],
    }  # fmt: skip


@click.command()
@click.argument("name")
@options.as_json
def log(name: str, json_: bool) -> None:
    """Show the versions of a dataset, newest first, each with what changed."""
    from tilth.core.home import home
    from tilth.registry.releases import log as history

    found = list(reversed(history(name, home())))
    if json_:
        output.as_json([{**one.entry.__dict__, "parent": one.parent, "changes": one.changes} for one in found])
        return
    for one in found:
        yanked = f"  YANKED: {one.entry.yanked}" if one.entry.yanked else ""
        output.say(f"{name}@{one.entry.version}  {one.entry.digest[:12]}  {_day(one.entry.created)}{yanked}")
        for change in one.changes:
            output.say(f"  {change}")


@click.command()
@click.argument("ref", metavar="NAME@V")
@click.option("--download", is_flag=True, help="Of a Hub release, fetch and read every byte.")
@options.as_json
def verify(ref: str, download: bool, json_: bool) -> None:
    """Check every file of a release against its manifest: bytes, rows, ledger, card. Exit 1 when one is wrong."""
    from tilth.core.home import home
    from tilth.registry.verify import verify as check

    found = check(ref, home=home(), download=download)
    if json_:
        output.as_json(found.__dict__)
        return
    how = "every byte read" if found.downloaded else "by the Hub's own digests"
    output.say(f"{found.ref} is whole: {found.files} files, {output.size(found.bytes)}, {how}; digest {found.digest[:12]}")


@click.command()
@click.argument("before", metavar="NAME@V")
@click.argument("after", metavar="NAME@W|R")
@options.as_json
@click.option("--samples", type=click.IntRange(0), default=5, show_default=True, help="Row ids to show of each cause.")
def diff(before: str, after: str, json_: bool, samples: int) -> None:
    """Say which rows were added, dropped or changed between two releases (or a release and the last build of R), and why."""
    from tilth.builders.build import latest
    from tilth.core.home import home
    from tilth.registry import diff as differ
    from tilth.registry.releases import resolve

    right: Any = resolve(after, home=home()) if "@" in after else differ.Build.at(latest(after, home()))
    found = differ.diff(resolve(before, home=home()), right, samples=samples)
    if json_:
        output.as_json(found.to_json())
        return
    output.table(
        ["config", "before", "after", "added", "dropped", "changed", "moved", "unchanged"],
        [[c.config, c.rows_before, c.rows_after, c.added, c.dropped, c.changed, c.moved, c.unchanged] for c in found.configs],
        right=range(1, 8),
    )
    for config in found.configs:
        for cause in config.causes:
            ids = ", ".join(sample.id[:10] for sample in cause.samples)
            output.say(f"{config.config}: {cause.rows:,} {cause.change}: {cause.cause}" + (f"  ({ids})" if ids else ""))
    for change in found.recipe:
        output.say(f"recipe: {change}")


@click.command()
@click.argument("ref", metavar="NAME@V")
@click.option("--to", required=True, metavar="hf://org/name", help="Dataset on the Hub; made if it is not there.")
@click.option("--public", is_flag=True, help="Make a new repository public; it is private otherwise.")
@options.as_json
def push(ref: str, to: str, public: bool, json_: bool) -> None:
    """Publish a release on the Hub: one commit, checked there, then a tag. Pushing again is a no-op."""
    from tilth.core.home import home
    from tilth.registry.hub import push as publish
    from tilth.registry.releases import resolve
    from tilth.registry.verify import verify as check

    found = resolve(ref, home=home(), allow_yanked=False)
    check(found)
    commit = publish(found, to, private=not public)
    if json_:
        output.as_json({"ref": found.ref, "to": to, "commit": commit, "digest": found.digest})
        return
    output.say(f"{to}@{found.version}  commit {commit}")


@click.command()
@click.argument("ref", metavar="hf://org/name@V")
@options.as_json
def pull(ref: str, json_: bool) -> None:
    """Fetch a release from the Hub, pinned to the commit of its tag, and check every byte."""
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    found = resolve(ref, home=home())
    if json_:
        output.as_json(_summary(found))
        return
    output.say(f"{found.ref}  {found.digest[:12]}  {found.path}")
    show_loading(found)


@click.command()
@click.argument("ref", metavar="NAME@V")
@click.option("--reason", required=True, help="Why; shown to everyone who asks for the release.")
def yank(ref: str, reason: str) -> None:
    """Withdraw a release. It stays where it is, training refuses it, and it cannot be undone."""
    from tilth.core.home import home
    from tilth.registry.releases import yank as withdraw

    withdraw(ref, reason, home())
    output.say(f"{ref} is withdrawn: {reason}", err=True)


VERBS = (release, ls, show, log, verify, diff, push, pull, yank)
