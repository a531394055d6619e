"""judges: how good the judges of an annotation job are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tilth.cli import options, output
from tilth.cli.annotate_verbs import job_argument, rows_of

if TYPE_CHECKING:
    from tilth.annotators.job_file import JobFile
    from tilth.annotators.judge_report import JudgesReport
    from tilth.annotators.panel import Ruling


@click.command()
@job_argument
@click.option("--scores", metavar="FILE", type=click.Path(path_type=Path), help="Write the panel's score of every candidate to a Parquet file.")
@options.as_json
def judges(job: Path, scores: Path | None, json_: bool) -> None:
    """Show how good the judges of J are: accuracy on gold, agreement, order, length and family bias, failures, canaries, cost.

    Reads the job's rows, its output and the call store; calls nobody. Gold is what the job's `gold` names, else what two people of
    the table agree on. Without gold nothing here says who is right.

    With --scores the judges become one score a candidate, by the job's `aggregation` and `gold`, canaries and people left out; a judge
    that fails its canaries counts as the job's `canaries` say.
    """
    from tilth.annotators import gold, judge_report, panel
    from tilth.annotators.canaries import CanaryFields
    from tilth.annotators.human import is_human
    from tilth.annotators.human_table import read
    from tilth.annotators.items import Items
    from tilth.annotators.job_file import load
    from tilth.annotators.provider import ApiProvider
    from tilth.annotators.store import CallStore
    from tilth.core.durable import writing
    from tilth.core.errors import StorageError
    from tilth.core.home import home

    said = load(job)
    if not said.output_path.is_file():
        raise StorageError(f"{said.output_path}: not there yet", hint=f"tilth annotate {job}")
    table = read(said.output_path)
    items = Items(rows_of(said))
    known = gold.gold_of(said.job.gold, said.path.parent, items, table)
    families = {judge.label: judge.family for judge in said.judges if isinstance(judge, ApiProvider) and judge.family is not None}
    shown, names = judge_report.shown_of(items), [p.label for p in said.judges]
    with CallStore(home().calls) as store:
        calls = judge_report.calls_of(table, store)
    reports = [
        judge_report.report(part, shown=shown, gold=known, calls=calls, families=families, judges=names)
        for _, part in table.group_by("question", maintain_order=True)
    ]
    models = table.filter(~is_human())
    way, canaries = said.job.aggregation, said.job.canaries or CanaryFields()
    rule = panel.ruling(models, aggregation=way, gold=known, canaries=canaries)
    told = list(how_decided(rule, named=way != "default"))
    if scores is not None:
        _see_that_it_may_be_written(scores, said)
        scored = panel.aggregate(
            models, aggregation=way, judges=names, gold=known, extras=judge_report.extras_of(shown), canaries=canaries
        )
        with writing(scores) as temporary:
            scored.write_parquet(temporary)
        empty = scored["score"].null_count()
        told.append(f"{scored.height:,} scores{f', {empty:,} of them empty' if empty else ''}; {scores}")
    if json_:
        output.as_json([asdict(report) | {"ruling": asdict(rule), "scores": None if scores is None else str(scores)} for report in reports])
    else:
        for report in reports:
            show(report)
    for note in told:
        output.say(note, err=True)


def _see_that_it_may_be_written(path: Path, said: JobFile) -> None:
    from tilth.core.errors import StorageError

    if path.suffix != ".parquet":
        raise StorageError(f"--scores {path}: scores are a Parquet file", hint=f"--scores {path}.parquet")
    written = [said.output_path, *([said.sampling.path] if said.sampling else [])]
    if path.resolve() in {*said.reads(), *(one.resolve() for one in written)}:
        raise StorageError(f"--scores {path}: the job's own file", hint="name another")


def show(report: JudgesReport) -> None:
    """The report as tables."""
    titles = ["judge", "language", "judgements", "without a value", "accuracy", "95 %", "flips", "first", "length", "own family", "canaries", "USD/1,000", "s/1,000"]
    lines = []
    for line in report.judges:
        bounds = None if line.accuracy is None else f"{_percent(line.accuracy_low)}–{_percent(line.accuracy_high)}"
        own = None if line.own_family_win_rate is None else f"{_percent(line.own_family_win_rate)} (others {_percent(line.own_family_others)})"
        lines.append([
            line.judge, line.language or "all", line.judgements, _failures(line.status_shares), _percent(line.accuracy), bounds,
            _percent(line.order_flip_rate), _percent(line.first_share), None if line.length_slope is None else f"{line.length_slope:+.2f}", own,
            _percent(line.canary_pass_rate), line.usd_per_1000, line.seconds_per_1000,
        ])  # fmt: skip
    output.table(titles, lines, right=(2, 4, 5, 6, 7, 8, 10, 11, 12))
    output.table(
        ["panel", "rows", "judges", "agreement", "alpha", "effective votes", "gold's length"],
        [[p.language or "all", p.rows, p.judges, _percent(p.agreement), _two(p.alpha), _two(p.effective_votes), _two(p.gold_length_slope)] for p in report.panel],
        right=range(1, 7),
    )  # fmt: skip
    if report.aggregations:
        best = sorted(report.aggregations.items(), key=lambda pair: -pair[1])
        output.table(["aggregation", "accuracy on gold"], [[name, _percent(share)] for name, share in best], right=(1,))
    for note in notes(report):
        output.say(note, err=True)


def notes(report: JudgesReport) -> Iterable[str]:
    """What a reader of the tables should know."""
    whole = [line for line in report.judges if line.language is None]
    if not report.gold_rows:
        yield "no gold: nothing here says who is right; the default aggregation follows the first judge, the others only say where they disagree"
    elif any(line.accuracy is not None for line in whole):
        yield f"accuracy on {report.gold_rows:,} rows of gold; fitted aggregations are cross-validated, `mean_of_stacks` is the default"
    panel = report.panel[0]
    if panel.effective_votes is not None and panel.judges > 1:
        yield f"{panel.judges} judges are worth {panel.effective_votes:.1f} independent ones"


def how_decided(rule: Ruling, *, named: bool) -> Iterable[str]:
    """By what the judges become one score, why, and whose votes count less."""
    if rule.lacks_gold:
        yield f"scores by {rule.aggregation}: it learns from gold, and there is none"
    else:
        why = "as the job says" if named else "the default with gold" if rule.gold_rows else "the default without gold"
        yield f"scores by {rule.aggregation}: {why}" + (f", learned from {rule.gold_rows:,} rows of gold" if rule.learned else "")
    for judge, share in rule.failed.items():
        did = {1.0: "do not trust it", 0.5: "its votes count half, after all others", 0.0: "its votes count for nothing"}[rule.weight]
        yield f"{judge} passes {share:.0%} of its canaries: {did}"


def _failures(shares: dict[str, float]) -> str | None:
    return ", ".join(f"{status} {share:.1%}" for status, share in shares.items() if status != "ok") or None


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}"


def _two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


VERBS = (judges,)
