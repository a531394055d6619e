"""annotate: put a question to a panel of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tilth.cli import batch_talk, options, output

job_argument = click.argument("job", metavar="J", type=click.Path(path_type=Path))


@click.command()
@job_argument
@click.option("--dry-run", is_flag=True, help="Calls, tokens and USD by judge, before any call.")
@click.option("--check", is_flag=True, help="Ask every judge once, a few tokens, and say which answer.")
@click.option(
    "--max-usd", type=click.FloatRange(0), help="Hard cap on what the job costs, all its runs together [the job's own]."
)
@click.option("--batch", is_flag=True, help="Buy in batches, at half the price and within a day [the job's own].")
@click.option("--batch-status", is_flag=True, help="The batches of J's judges that are not collected yet, as they were left.")
@click.option("--batch-cancel", is_flag=True, help="Ask J's batches to end early, and collect what they have answered.")
@options.as_json
@options.quiet
def annotate(
    job: Path, dry_run: bool, check: bool, max_usd: float | None, batch: bool, batch_status: bool, batch_cancel: bool, json_: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Run the annotation job J. Every call is stored: the same command after a crash buys nothing twice.

    With --batch, Ctrl-C leaves the batches running, and the same command goes on with them."""
    from tilth.annotators import human_table
    from tilth.annotators import judge as judging
    from tilth.annotators.job_file import load
    from tilth.annotators.meter import Meter
    from tilth.annotators.store import CallStore
    from tilth.cli.live_meter import watching
    from tilth.core.home import home

    said = load(job)
    if check:
        from tilth.annotators.check import check as ask_each

        checks = ask_each(said.judges)
        if json_:
            output.as_json([one.__dict__ for one in checks])
        else:
            rows = [[c.judge, c.ok, c.message, c.seconds, c.structured, c.usd, c.hint] for c in checks]
            output.table(["judge", "ok", "how", "seconds", "in form", "USD", "mend"], rows, right=(3, 5))
        raise SystemExit(0 if all(one.ok for one in checks) else 1)
    if batch_status:
        with CallStore(home().calls) as store:
            batch_talk.show(said, store, json_)
        return
    rows = rows_of(said)
    if batch_cancel:
        with CallStore(home().calls) as store:
            batch_talk.end(said, rows, store, options.talk(quiet), json_)
        return
    with CallStore(home().calls) as store:
        if dry_run:
            _estimates(judging.estimate(rows, question=said.question, judges=said.judges, store=store, seed=said.job.seed), json_)
            return
        caps = [cap for cap in (max_usd, said.job.max_usd) if cap is not None]
        talk, meter, cap = options.talk(quiet), Meter(), min(caps) if caps else None
        policy = batch_talk.policy(talk, meter.see_batches) if batch or said.job.batch else None
        try:
            with watching(talk, f"{said.job.name}: {said.question.label}", meter, cap):
                judged = judging.judge(
                    rows, question=said.question, judges=said.judges, store=store, max_usd=cap, max_usd_per_judge=said.job.max_usd_per_judge,
                    seed=said.job.seed, meter=meter, batch=policy,
                    on_wait=lambda judge: talk.say(f"  another process is asking {judge} {said.question.label}: waiting for it to end"),
                )  # fmt: skip
        except KeyboardInterrupt:
            talk.say(f"kept: {meter.done:,} of {meter.calls:,} answers, {meter.bought:,} bought now for ${meter.spent:.4f}; the same command goes on from here")
            raise
    human_table.write(said.output_path, judged.judgements, rows=rows, question=said.question, seed=said.job.seed, reviews=home().reviews)
    if json_:
        output.as_json({"output": str(said.output_path), "calls": judged.calls, "bought": judged.bought, "usd": judged.usd,
                        "statuses": judged.statuses, "judges": [one.__dict__ for one in judged.judges]})  # fmt: skip
        return
    _summaries([one.__dict__ for one in judged.judges])
    output.say(f"{judged.bought:,} of {judged.calls:,} calls bought now for ${judged.usd:.4f}; {said.output_path}", err=True)


def rows_of(said: Any) -> Any:
    """The rows of a job."""
    from tilth.builders import job_rows
    from tilth.core.errors import RecipeError
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    if said.input.kind == "file":
        return job_rows.of_file(said)
    found = resolve(said.input.ref, home=home())
    config = said.input.config or "preference"
    splits = found.files(config)
    split = said.input.split or "train"
    if split not in splits:
        raise RecipeError(
            f"{said.path}: input: {config} of {found.ref} has no split {split!r}", hint=f"it has {', '.join(splits)}"
        )
    return job_rows.of_release(splits[split], said.job.limit)


def _estimates(found: Any, json_: bool) -> None:
    if json_:
        output.as_json([one.__dict__ for one in found])
        return
    rows = [[e.judge, e.calls, e.cached_calls, e.input_tokens, e.output_tokens, e.usd, e.batch_usd, e.prefix_cached_usd, e.stored_usd,
             f"{e.known_calls:,} calls" if e.known_calls else "rule of thumb"] for e in found]  # fmt: skip
    headers = ["judge", "calls", "stored", "input tokens", "output tokens", "USD", "in batches", "prompt cached", "USD of stored", "by"]
    output.table(headers, rows, right=range(1, 9))
    unknown = [e.judge for e in found if e.usd is None]
    total, batch = sum(e.usd or 0.0 for e in found), sum(e.batch_usd or 0.0 for e in found)
    output.say(f"${total:.4f} to buy, ${batch:.4f} in batches" + (f", without {', '.join(unknown)}, whose price is not known" if unknown else ""), err=True)
    if any(not e.known_calls and e.usd for e in found):
        output.say("hint: a rule of thumb may be off by a third; `limit: 20` in the job buys the calls that make it exact", err=True)


def _summaries(found: list[dict[str, Any]]) -> None:
    rows = [[j["judge"], "LLM" if j["is_llm"] else "non-LLM scorer", j["judgements"],
             ", ".join(f"{status} {count:,}" for status, count in j["statuses"].items()), j["usd"]] for j in found]  # fmt: skip
    output.table(["judge", "kind", "judgements", "statuses", "USD"], rows, right=(2, 4))


VERBS = (annotate,)
