"""whatif: other thresholds, decided from the signals that a build left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output

SHOWN = 12
"""Lines of a table; `--json` has them all."""


@click.command()
@options.recipe
@click.option("--set", "said", required=True, multiple=True, metavar="STEP.FIELD=VALUE", help="A threshold and its value, in YAML; may be given again.")
@click.option("--corpus", help="Only in that corpus [every one that has the step].")
@click.option("--samples", type=click.IntRange(0), default=5, show_default=True, help="Rows to show of those lost, and of those gained.")
@options.data_root
@options.as_json
def whatif(recipe: str, said: tuple[str, ...], corpus: str | None, samples: int, data_root: Path | None, json_: bool) -> None:
    """Say which rows R would lose and gain with other thresholds. Decides again from cached signals and writes nothing.

    STEP may be the beginning of a step's name; where a corpus has several of one name, STEP[0] is the first.
    """
    from tilth.builders.whatif import whatif as decide

    found = decide(recipe, said, corpus=corpus, samples=samples, data_root=data_root)
    if json_:
        output.as_json(found.to_json())
        return
    for change in found.set:
        output.say(f"{change.corpus}: {change.step}.{change.field} {_value(change.now)} → {_value(change.then)}")
    for effect in found.corpora:
        _show(effect)
    talk = f"decided again in {found.seconds:.2f} s; nothing was written"
    output.say(f"{talk}; the signals are those of a trial ({found.trial})" if found.trial else talk, err=True)


def _show(effect: Any) -> None:
    """One corpus: totals, tables, samples."""
    click.echo()
    kept = f"{effect.now:,} → {effect.then:,} of {effect.rows_in:,} rows kept"
    output.say(f"{effect.corpus}: {kept}, {effect.lost:,} lost, {effect.gained:,} gained")
    if effect.up_to:
        output.say(f"these rows go to {effect.up_to}: what it makes of them needs a build")
    for name, lines in (("source", effect.sources), ("language", effect.languages)):
        _table(name, [one for one in lines if one.lost or one.gained], ("kept now", "then", "lost", "gained"))
    _table("step/rule", effect.rules, ("takes now", "then", "lost to it", "gained from it"))
    for title, samples in (("lost", effect.lost_samples), ("gained", effect.gained_samples)):
        for sample in samples:
            _show_sample(title, sample)
    for alarm in effect.alarms:
        output.say(f"ALARM {alarm.text}")


def _table(name: str, lines: Any, counts: tuple[str, ...]) -> None:
    if not lines:
        return
    click.echo()
    output.table([name, *counts], [[one.name, one.now, one.then, one.lost, one.gained] for one in lines[:SHOWN]], right=range(1, 5))
    if len(lines) > SHOWN:
        output.say(f"and {len(lines) - SHOWN} more: --json has them")


def _show_sample(title: str, sample: Any) -> None:
    value = f"{sample.signal or 'value'} {_value(sample.value)}" if sample.value is not None else "no value"
    limits = "; ".join(f"{field} {_value(now)} → {_value(then)}" for field, (now, then) in sample.limits.items())
    words = [f"{value} ({limits})" if limits else value, *([sample.detail] if sample.detail else [])]
    click.echo()
    output.say(f"{title} {sample.id[:12]} {sample.source} {sample.language or 'und'}  {sample.rule}: {', '.join(map(_cut, words))}")
    output.say(f"  {_cut(' '.join(sample.text.split()), 110)}")


def _value(value: Any) -> str:
    """A value as YAML would have it, cut."""
    import json

    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


VERBS = (whatif,)
