"""review: people judge what the models judged, on a page of this machine."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output
from tilth.cli.annotate_verbs import job_argument


@click.command()
@job_argument
@click.option("--reviewer", help="Who judges; left out: the page asks.")
@click.option("--sample", type=click.IntRange(1), help="How many sheets, drawn by hash; all reviewers get the same.")
@click.option("--disagreements", is_flag=True, help="Those first that the judges, or their two orders, disagree on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1 [a free one].")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
@click.option("--status", is_flag=True, help="How far the reviewers are, and, of those who have finished, how far they agree.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write labels that two or more reviewers share to this jsonl file.")
@options.as_json
@options.quiet
def review(
    job: Path, reviewer: str | None, sample: int | None, disagreements: bool, port: int, no_browser: bool,
    status: bool, export: Path | None, json_: bool, quiet: bool,
) -> None:  # fmt: skip
    """Let people judge J: blind, by keyboard, two or more reviewers; resumed at any time.

    Opens a page on this machine. Each verdict is on disk before the next sheet is shown. The sample is drawn once and kept for all
    reviewers; --sample or --disagreements draw it again, and what is judged stays. Verdicts stand in the job's output as those of the
    judges human/NAME. Ctrl-C ends the page.
    """
    from tilth.annotators import human_plan, human_table
    from tilth.annotators.human import reviewer_name, sheets
    from tilth.annotators.human_store import ReviewStore
    from tilth.annotators.items import Items
    from tilth.core.errors import RecipeError
    from tilth.core.home import home

    work = _Work.of(job)
    said = work.said
    name = None if reviewer is None else reviewer_name(reviewer)
    shown = sheets(Items(work.rows), said.question, said.job.seed)
    if not shown:
        raise RecipeError(f"{job}: its rows show nothing to compare", hint="pairwise needs two candidates a row")
    with ReviewStore(home().reviews) as store:
        plan = store.plan(said.job.name, said.question.label)
        if plan is not None and not human_plan.listed(plan, shown):  # drawn over other rows
            plan = None
        if plan is None or sample is not None or disagreements:
            if (status or export is not None) and plan is None:
                raise RecipeError(f"{job}: nobody has reviewed it yet", hint=f"tilth review {job}")
            judgements = human_table.read(said.output_path) if disagreements else None
            if judgements is not None and judgements.is_empty():
                raise RecipeError(f"{said.output_path}: no judgements that could disagree", hint=f"tilth annotate {job}")
            judged = {verdict.sheet for verdict in store.verdicts(said.question.label)}
            plan = human_plan.draw(shown, sample=sample, judged=judged, judgements=judgements)
            store.keep_plan(said.job.name, said.question.label, plan)
        listed = human_plan.listed(plan, shown)
        if export is not None:
            _export(work, export, json_)
        elif status:
            _status(store, said, listed, json_)
        else:
            _serve(work, store, listed, name, port, no_browser, json_, quiet)


@dataclass(frozen=True)
class _Work:
    """A job with its rows."""

    said: Any
    rows: Any

    @classmethod
    def of(cls, job: Path) -> _Work:
        from tilth.annotators.job_file import load
        from tilth.cli.annotate_verbs import rows_of

        said = load(job)
        return cls(said, rows_of(said))

    def write(self) -> Any:
        """Put what people said into the job's table, and return it."""
        from tilth.annotators import human_table
        from tilth.core.home import home

        said = self.said
        return human_table.write(said.output_path, None, rows=self.rows, question=said.question, seed=said.job.seed, reviews=home().reviews)


def _serve(work: _Work, store: Any, listed: Any, reviewer: str | None, port: int, no_browser: bool, json_: bool, quiet: bool) -> None:
    import webbrowser

    from tilth.annotators.human import is_human
    from tilth.review.desk import Desk
    from tilth.review.server import ReviewServer

    said = work.said
    desk = Desk(said.job.name, said.question.label, said.job.seed, tuple(listed), store, reviewer)
    with ReviewServer(desk, port=port) as server:
        if json_:
            output.as_json({"url": server.url, "sheets": len(listed)})
        else:
            output.say(server.url)
        sys.stdout.flush()
        options.talk(quiet).say(f"{len(listed):,} sheets; every verdict is kept at once. Ctrl-C ends the page.")
        if not no_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            table = work.write()
            options.talk(quiet).say(f"{table.filter(is_human()).height:,} human judgements in {said.output_path}")


def _status(store: Any, said: Any, listed: Any, json_: bool) -> None:
    from tilth.review.progress import progress

    found = progress(store.verdicts(said.question.label), listed)
    if json_:
        output.as_json(asdict(found))
        return
    rows = [[one.reviewer, one.judged, one.sheets, one.cannot_say, one.seconds] for one in found.reviewers]
    output.table(["reviewer", "judged", "of", "cannot say", "seconds each"], rows, right=range(1, 5))
    if found.agreement is None:
        output.say("agreement is shown when two reviewers have finished", err=True)
        return
    click.echo()
    pairs = [[" · ".join(two.reviewers), two.compared, two.agree_share, two.kappa] for two in found.agreement.pairs]
    output.table(["reviewers", "both judged", "agree", "Cohen's kappa"], pairs, right=range(1, 4))
    output.say(f"Krippendorff's alpha of all: {'-' if found.agreement.alpha is None else f'{found.agreement.alpha:.3f}'}", err=True)


def _export(work: _Work, path: Path, json_: bool) -> None:
    from tilth.annotators.human_labels import human_labels
    from tilth.core.durable import write_whole
    from tilth.review.export import bench_rows

    labels = human_labels(work.write())
    lines, rows = bench_rows(labels, work.rows)
    write_whole(path, lines)
    told = {"output": str(path), "rows": rows, "ties": int(labels["winner"].null_count()), "agreed": labels.height}
    if json_:
        output.as_json(told)
    else:
        output.say(f"{rows:,} pairs that two or more reviewers agree on, and {told['ties']:,} ties left out; {path}", err=True)


VERBS = (review,)
