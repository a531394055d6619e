"""calls: look at the model calls that were made, read their replies again, export them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output

STATUSES = ("ok", "refused", "truncated", "unparsed", "out_of_range", "failed")
EPILOG = """\b
  tilth calls                                 how many, by judge, question and status, and the newest
  tilth calls --status unparsed --judge gpt   what one judge said that could not be read
  tilth calls --job J --since 2h              what a job bought in the last two hours
  tilth calls show 3fa9                       one call whole: request, reply, what was read in it
  tilth calls failures                        what went wrong, most frequent first
  tilth calls reparse --question listwise     read old replies with today's parser, for free
  tilth calls export calls.parquet            all of them, for other tools

All jobs, recipes and releases of $TILTH_HOME share one store; a request is bought once."""


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose calls."""
    for option in (
        click.option("--since", metavar="WHEN", help="Calls since then: 90m, 2h, 3d, 1w ago, or 2026-11-01."),
        click.option("--question", metavar="Q", help="Question: name, or name@version."),
        click.option("--judge", metavar="TEXT", help="Judge: provider/model, or a part of it."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True, epilog=EPILOG)
@click.option("--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Status; may be given several times.")
@filters
@click.option("--job", type=click.Path(path_type=Path), metavar="J", help="Calls that the job J rests on.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Calls to list.")
@options.as_json
@click.pass_context
def calls(
    context: click.Context, statuses: tuple[str, ...], judge: str | None, question: str | None, since: str | None, job: Path | None,
    limit: int, json_: bool,
) -> None:  # fmt: skip
    """Look at the model calls that were made: what was asked, what came back, what it cost. Calls nobody."""
    if context.invoked_subcommand is not None:
        return
    which = _filter(statuses, judge, question, since)
    with _store() as store:
        if job is not None:
            found, counted = _of_job(store, job, which, limit)
        else:
            found, counted = store.search(which, limit), store.counts(which)
    if json_:
        keys = ("judge", "question", "status", "calls", "usd")
        output.as_json({"counts": [dict(zip(keys, line, strict=True)) for line in counted], "calls": [_plain(call) for call in found]})
        return
    output.table(["judge", "question", "status", "calls", "USD"], counted, right=(3, 4))
    if found:
        output.say("")
        lines = [[c.key[:12], c.created[:19], f"{c.provider}/{c.model}", c.asked.question, c.status, c.usage.input_tokens,
                  c.usage.output_tokens, c.usd, _short(c.raw)] for c in found]  # fmt: skip
        output.table(["key", "when (UTC)", "judge", "question", "status", "in", "out", "USD", "reply"], lines, right=(5, 6, 7))


@calls.command()
@click.argument("key")
@options.as_json
def show(key: str, json_: bool) -> None:
    """Show one call whole. KEY may be cut short where that is clear."""
    from tilth.core.errors import RecipeError

    with _store() as store:
        found = store.begins(key.lower())
    if len(found) != 1:
        what = "two calls or more begin" if found else "no call begins"
        raise RecipeError(f"{what} with {key!r}", hint="`tilth calls` lists keys")
    (call,) = found
    if json_:
        output.as_json(_plain(call))
        return
    plain = _plain(call)
    request = plain.pop("request")
    raw, readings = plain.pop("raw"), plain.pop("readings")
    for name, value in plain.items():
        output.say(f"{name:<22} {value}")
    for name, value in request["parameters"].items():
        output.say(f"{name:<22} {value}")
    for turn in request["messages"]:
        _section(turn["role"], turn["content"])
    _section("reply" if call.status != "failed" else "last error", raw)
    output.say("")
    for reading in readings or ():
        output.say("reading                " + ", ".join(f"{name} {value}" for name, value in reading.items() if value is not None))


@calls.command()
@filters
@options.as_json
def failures(judge: str | None, question: str | None, since: str | None, json_: bool) -> None:
    """What went wrong, most frequent first: judge, status, what came back, and a call to look at."""
    which = _filter(tuple(status for status in STATUSES if status != "ok"), judge, question, since)
    groups: dict[tuple[str, str, str, str], list[Any]] = {}
    with _store() as store:
        for call in store.search(which, 100_000):
            told = _short(call.raw) if call.status != "truncated" else ""
            groups.setdefault((f"{call.provider}/{call.model}", call.asked.question, call.status, told), [0, call.key])[0] += 1
    lines = sorted(([*key, *value] for key, value in groups.items()), key=lambda line: (-line[4], line))
    if json_:
        output.as_json([dict(zip(("judge", "question", "status", "reply", "calls", "example"), line, strict=True)) for line in lines])
        return
    output.table(["judge", "question", "status", "reply", "calls", "example"], [[*line[:5], line[5][:12]] for line in lines[:50]], right=(4,))
    if len(lines) > 50:
        output.say(f"and {len(lines) - 50:,} kinds more; --json has all", err=True)


@calls.command()
@click.option("--question", metavar="Q", help="One question only, by name.")
@options.as_json
def reparse(question: str | None, json_: bool) -> None:
    """Read kept replies again with today's parsers and ranges. Free; jobs and releases that rest on them see it at their next run."""
    from tilth.annotators.question import Question
    from tilth.core import units

    names = [question.split("@")[0]] if question is not None else sorted(units.every("question"))
    changed = {}
    with _store() as store:
        for name in names:
            made = units.find("question", name)()
            assert isinstance(made, Question)
            changed[made.label] = store.reparse(made)
    if json_:
        output.as_json(changed)
        return
    output.table(["question", "readings changed"], list(changed.items()), right=(1,))


@calls.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.parquet")
@options.as_json
def export(file: Path, json_: bool) -> None:
    """Write every call to a Parquet file: request, raw reply, readings, status, tokens, USD, price version, time."""
    with _store() as store:
        count = store.export(file)
    if json_:
        output.as_json({"output": str(file), "calls": count})
    else:
        output.say(f"{count:,} calls to {file}", err=True)


def _store() -> Any:
    from tilth.annotators.store import CallStore
    from tilth.core.home import home

    return CallStore(home().calls)


def _filter(statuses: tuple[str, ...], judge: str | None, question: str | None, since: str | None) -> Any:
    from tilth.annotators.call_search import CallFilter, moment

    return CallFilter(statuses, judge, question, None if since is None else moment(since))


def _of_job(store: Any, job: Path, which: Any, limit: int) -> tuple[list[Any], list[list[Any]]]:
    """The same for the calls of one job, whose keys follow from its rows."""
    from tilth.annotators.items import Items
    from tilth.annotators.job_file import load
    from tilth.annotators.plan import chunks
    from tilth.cli.annotate_verbs import rows_of

    said = load(job)
    found: list[Any] = []
    counted: dict[tuple[str, str, str], list[Any]] = {}
    for provider in said.judges:
        for tasks in chunks(provider, Items(rows_of(said)), said.question, said.job.seed):
            for call in store.get_many(task.key for task in tasks).values():
                if which.holds(call):
                    total = counted.setdefault((f"{call.provider}/{call.model}", call.asked.question, call.status), [0, 0.0])
                    total[0] += 1
                    total[1] += call.usd or 0.0
                    found.append(call)
            found = sorted(found, key=lambda call: call.created, reverse=True)[:limit]
    return found, [[*key, *total] for key, total in sorted(counted.items())]


def _plain(call: Any) -> dict[str, Any]:
    import json

    usage = {name: getattr(call.usage, name) for name in call.usage.__dataclass_fields__}
    return {
        "key": call.key, "judge": f"{call.provider}/{call.model}", "base_url": call.base_url, "question": call.asked.question,
        "order": call.asked.order, "names": list(call.asked.names), "status": call.status, **usage, "usd": call.usd,
        "price_version": call.price_version, "latency_s": call.latency_s, "created": call.created, "request": json.loads(call.request),
        "raw": call.raw,
        "readings": None if call.readings is None else [{name: getattr(r, name) for name in r.__dataclass_fields__} for r in call.readings],
    }  # fmt: skip


def _section(name: str, text: str) -> None:
    output.say(f"\u2500\u2500 {name} ".ljust(60, "\u2500"))
    for line in text.split("\n"):
        output.say(line)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:59] + "\u2026"


VERBS = (calls,)
