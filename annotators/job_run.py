"""One run of a job file: completions first, where it wants any; then the canaries; then its question.

run = run_job(said, rows, store=store, max_usd=5)
run.judged.judgements        # the canaries' too: row ids that begin with `canary/`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from tilth.annotators import canaries, completions
from tilth.annotators.asking import OnWait
from tilth.annotators.batches import BatchPolicy
from tilth.annotators.canary_round import left, spent, with_canaries
from tilth.annotators.check import Check, check
from tilth.annotators.job_file import JobFile
from tilth.annotators.judge import Judged, JudgeEstimate, estimate, judge
from tilth.annotators.meter import Meter
from tilth.annotators.provider import Provider
from tilth.annotators.question import Question
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.store import CallStore


@dataclass(frozen=True)
class Watched:
    """What one part of a job is run with."""

    meter: Meter = field(default_factory=Meter)
    batch: BatchPolicy | None = None
    """To buy in batches."""
    on_wait: OnWait | None = None


Watch = Callable[[str, float | None], AbstractContextManager[Watched]]


@dataclass(frozen=True)
class JobRun:
    """What a run of a job came to."""

    rows: pl.DataFrame
    """The job's rows, completions among their candidates."""
    completions: pl.DataFrame | None
    """Columns `COMPLETIONS`; None where the job samples none."""
    completed: Judged | None
    """Calls and money of the completions."""
    judged: Judged | None
    """What the judges said, canaries included; None where there are none."""
    stopped: tuple[str, ...] = ()
    """Judges that failed their canaries and were asked nothing else."""

    @property
    def usd(self) -> float:
        """USD that this run spent."""
        return sum(part.usd for part in (self.completed, self.judged) if part is not None)


def run_job(
    said: JobFile,
    rows: pl.DataFrame,
    *,
    store: CallStore,
    max_usd: float | None,
    retry: RetryPolicy | None = None,
    watch: Watch = lambda label, cap: nullcontext(Watched()),
    write: Callable[[pl.DataFrame, Path], None] | None = None,
) -> JobRun:
    """Do a job.

    Args:
        rows: what `builders.job_rows` reads for it.
        max_usd: cap on all of it together, earlier runs included.
        watch: (question, cap) → what is entered while that part of the job runs. Canaries that may stop a judge are bought singly in
            any case, for the rest waits for them.
        write: given the completions and their place as soon as there are all, before anybody judges them.

    Raises:
        BudgetError, NetworkError, RecipeError, StorageError: as `judge`.
    """
    canaries.see_that_none_is(rows)
    asking = _Asking(said, store, retry, watch)
    if said.sampling is None:
        table = completed = None
    else:
        sampling = said.sampling
        completed = asking.judged(rows, sampling.question, sampling.models, max_usd)
        table = completions.table_of(completed, rows, store)
        if write is not None:
            write(table, sampling.path)
        if max_usd is not None:
            max_usd = left(max_usd, spent(rows, sampling.question, sampling.models, store, said.job.seed))
        rows = completions.with_completions(rows, table, sampling.show)
    if not said.judges:
        return JobRun(rows, table, completed, None)
    judged, stopped = with_canaries(
        rows, question=said.question, judges=said.judges, fields=said.job.canaries, seed=said.job.seed, store=store, max_usd=max_usd,
        ask=lambda some, judges, cap, *, singly: asking.judged(some, said.question, judges, cap, singly=singly),
    )  # fmt: skip
    return JobRun(rows, table, completed, judged, stopped)


@dataclass(frozen=True)
class _Asking:
    """How a job asks, whatever and whomever."""

    said: JobFile
    store: CallStore
    retry: RetryPolicy | None
    watch: Watch

    def judged(
        self, rows: pl.DataFrame, question: Question, judges: Sequence[Provider], max_usd: float | None, *, singly: bool = False
    ) -> Judged:
        with self.watch(question.label, max_usd) as watched:
            return judge(
                rows, question=question, judges=judges, store=self.store, max_usd=max_usd, max_usd_per_judge=self.said.job.max_usd_per_judge,
                seed=self.said.job.seed, retry=self.retry, batch=None if singly else watched.batch, meter=watched.meter, on_wait=watched.on_wait,
            )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One thing that a job asks, of whom, about which rows."""

    role: str
    """Empty, or ` (completions)`."""
    rows: pl.DataFrame
    question: Question
    judges: tuple[Provider, ...]


def parts_of(said: JobFile, rows: pl.DataFrame, *, store: CallStore) -> Iterator[Part]:
    """All that a job asks, before any call: completions not yet bought stand there as blanks of their expected length."""
    if said.sampling is not None:
        yield Part(" (completions)", rows, said.sampling.question, said.sampling.models)
        rows = completions.expected_rows(rows, said.sampling, store, said.job.seed)
    if said.judges:
        if said.job.canaries is not None:
            rows = canaries.before(rows, canaries.canary_rows(rows, said.question, said.job.canaries, said.job.seed))
        yield Part("", rows, said.question, said.judges)


def estimate_job(said: JobFile, rows: pl.DataFrame, *, store: CallStore) -> list[JudgeEstimate]:
    """Calls, tokens and USD by model and judge, before any call."""
    return [
        replace(one, judge=one.judge + part.role)
        for part in parts_of(said, rows, store=store)
        for one in estimate(part.rows, question=part.question, judges=part.judges, store=store, seed=said.job.seed)
    ]


def check_job(said: JobFile) -> list[Check]:
    """Ask every model and judge of a job once."""
    models = said.sampling.models if said.sampling is not None else ()
    told = check([*models, *said.judges])
    return [replace(one, judge=f"{one.judge} (completions)") for one in told[: len(models)]] + told[len(models) :]
