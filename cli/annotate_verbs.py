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
    "--max-usd", type=options.Amount(0), help="Hard cap on what the job costs, all its runs together [the job's own]."
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
    from tilth.annotators import human_table, job_run
    from tilth.annotators.job_file import load
    from tilth.annotators.spend import lowest
    from tilth.annotators.store import CallStore
    from tilth.core.home import home

    said = load(job)
    if check:
        checks = job_run.check_job(said)
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
    rows = _input_rows(said)
    if batch_cancel:
        with CallStore(home().calls) as store:
            batch_talk.end(said, rows, store, options.talk(quiet), json_)
        return
    with CallStore(home().calls) as store:
        if dry_run:
            foreseen = job_run.estimate_job(said, rows, store=store)
            if not any(one.calls for one in foreseen):
                raise _nothing_to_ask(job, said)
            show_estimates(foreseen, json_)
            return
        cap = lowest(max_usd, said.job.max_usd)
        done = job_run.run_job(said, rows, store=store, max_usd=cap, write=_write, watch=watch(said, options.talk(quiet), batch or said.job.batch))
    judged = done.judged
    if judged is not None and not judged.calls:
        raise _nothing_to_ask(job, said)
    if judged is not None:
        human_table.write(
            said.output_path, judged.judgements, rows=done.rows, question=said.question, seed=said.job.seed, reviews=home().reviews
        )
    if json_:
        output.as_json(_told(said, done))
        return
    if done.completed is not None:
        _summaries([one.__dict__ for one in done.completed.judges], "completions")
        where = said.sampling.path if said.sampling is not None else ""
        output.say(f"{done.completed.bought:,} of {done.completed.calls:,} completions bought now; {where}", err=True)
    if judged is not None:
        _summaries([one.__dict__ for one in judged.judges])
        _canaries(said, done)
        output.say(f"{judged.bought:,} of {judged.calls:,} calls bought now; {said.output_path}", err=True)
        if unanswered := judged.statuses.get("failed", 0):
            output.say(f"{unanswered:,} judgements have no answer (`tilth calls failures`); the same command asks again", err=True)
    output.say(f"${done.usd:.4f} spent now", err=True)


def watch(said: Any, talk: Any, batch: bool) -> Any:
    """Shows each part of a job as it goes on, and says what is kept of one that is interrupted."""
    from contextlib import contextmanager

    from tilth.annotators.job_run import Watched
    from tilth.annotators.meter import Meter
    from tilth.cli.live_meter import watching

    @contextmanager
    def watched(label: str, cap: float | None) -> Any:
        meter = Meter()
        policy = batch_talk.policy(talk, meter.see_batches) if batch else None
        try:
            with watching(talk, f"{said.job.name}: {label}", meter, cap):
                yield Watched(meter, policy, lambda judge: talk.say(f"  another process is asking {judge} {label}: waiting for it to end"))
        except KeyboardInterrupt:
            talk.say(f"kept: {meter.done:,} of {meter.calls:,} answers, {meter.bought:,} bought now for ${meter.spent:.4f}; the same command goes on from here")
            raise

    return watched


def _write(table: Any, path: Path) -> None:
    from tilth.core.durable import writing

    with writing(path) as temporary:
        table.write_parquet(temporary)


def _told(said: Any, done: Any) -> dict[str, Any]:
    from tilth.annotators.canaries import pass_rates

    def part(judged: Any, path: Path) -> dict[str, Any]:
        return {"output": str(path), "calls": judged.calls, "bought": judged.bought, "usd": judged.usd, "statuses": judged.statuses,
                "judges": [one.__dict__ for one in judged.judges]}  # fmt: skip

    told = {} if done.judged is None else part(done.judged, said.output_path)
    if done.completed is not None:
        told["completions"] = part(done.completed, said.sampling.path)
    if said.job.canaries is not None:
        told["canaries"] = pass_rates(done.judged.judgements).to_dicts()
        told["stopped"] = list(done.stopped)
    return told


def _canaries(said: Any, done: Any) -> None:
    from tilth.annotators.canaries import failing, pass_rates

    if said.job.canaries is None:
        return
    rates = pass_rates(done.judged.judgements)
    output.table(["judge", "language", "canaries passed", "of"], [list(line) for line in rates.iter_rows()], right=(2, 3))
    did = {"flag": "", "downweight": ": its votes count half in `tilth judges --scores`", "stop": " and was asked nothing else"}[said.job.canaries.action]
    for judge in failing(done.judged.judgements, said.job.canaries):
        output.say(f"{judge} passed fewer canaries than {said.job.canaries.min_pass:.0%}{did}", err=True)


def rows_of(said: Any) -> Any:
    """The rows of a job as its judges see them: with the completions of its last run, where it samples any."""
    import polars as pl

    from tilth.annotators.completions import with_completions

    rows = _input_rows(said)
    if said.sampling is None or not said.sampling.path.is_file():
        return rows
    return with_completions(rows, pl.read_parquet(said.sampling.path), said.sampling.show)


def _input_rows(said: Any) -> Any:
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


def _nothing_to_ask(job: Path, said: Any) -> Exception:
    from tilth.core.errors import RecipeError

    about = said.question.label if said.question is not None else "its completions"
    return RecipeError(f"{job}: nothing to ask: no row shows what {about} is about", hint="are `fields` right? pairwise needs two candidates a row")


def show_estimates(found: Any, json_: bool, few: str = "limit: 20") -> None:
    """Estimates by judge; `few` is what a job says to ask about a few rows only."""
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
        output.say(f"hint: a rule of thumb may be off by a third; `{few}` in the job buys the calls that make it exact", err=True)


def _summaries(found: list[dict[str, Any]], what: str = "judgements") -> None:
    rows = [[j["judge"], "LLM" if j["is_llm"] else "non-LLM scorer", j["judgements"],
             ", ".join(f"{status} {count:,}" for status, count in j["statuses"].items()), j["usd"]] for j in found]  # fmt: skip
    output.table(["judge" if what == "judgements" else "model", "kind", what, "statuses", "USD"], rows, right=(2, 4))


VERBS = (annotate,)
