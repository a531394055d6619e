"""Judging: rows, a question and judges in; a table of judgements out. What the store knows is not asked again.

    with CallStore(home().calls) as store:
        judged = judge(rows, question=Listwise(), judges=[OpenAI(model="gpt-5.4-mini")], store=store, max_usd=5, seed=0)
    judged.judgements

A judgement is (row, question, judge, order, candidate) → value or label, and status. An answer that could not be had or read has neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from tilth.annotators.asking import OnWait, asking
from tilth.annotators.batch_run import buyers_of, known_calls, see_that_none_waits, together
from tilth.annotators.batches import BatchPolicy
from tilth.annotators.calls import Call
from tilth.annotators.collector import JUDGEMENTS, KEY, JudgementTable
from tilth.annotators.items import Items
from tilth.annotators.jobs import Job, Judge, Task, run
from tilth.annotators.meter import JudgeMeter, Meter
from tilth.annotators.plan import cost_of, need_prices, tasks_of
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.question import Ask, Question, Verdict
from tilth.annotators.retry import RetryPolicy
from tilth.annotators.spend import Budget
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError

__all__ = ["JUDGEMENTS", "KEY", "Judged", "estimate", "judge", "verdicts"]

OnProgress = Callable[[int, int, float], None]
"""(calls done, calls in all, USD spent by this run)"""


@dataclass(frozen=True)
class JudgeSummary:
    """One judge's part in a job."""

    judge: str
    is_llm: bool
    question: str
    judgements: int
    statuses: dict[str, int]
    usd: float
    """What its calls cost, whenever they were bought."""


@dataclass(frozen=True)
class Judged:
    """What a job came to."""

    judgements: pl.DataFrame
    """Columns `JUDGEMENTS`, sorted by row, question, judge, order and candidate."""
    calls: int
    """Calls that the judgements rest on."""
    bought: int
    """Calls of these that this run made."""
    usd: float
    """USD that this run spent, attempts without an answer at their worst case."""
    statuses: dict[str, int]
    """status → judgements"""
    judges: tuple[JudgeSummary, ...]


def judge(
    rows: pl.DataFrame,
    *,
    question: Question,
    judges: Sequence[Provider],
    store: CallStore,
    max_usd: float | None,
    seed: int,
    max_usd_per_judge: float | None = None,
    on_progress: OnProgress | None = None,
    retry: RetryPolicy | None = None,
    batch: BatchPolicy | None = None,
    meter: Meter | None = None,
    on_wait: OnWait | None = None,
) -> Judged:
    """Put a question about every row to every judge.

    Args:
        rows: id, prompt (list of messages), candidates (list of {model, text}), and where there are answer, options
            (list of {label, text}), reference, language.
        max_usd: cap on what the job's calls cost, those that earlier runs bought included; None for none.
        seed: of the order in which candidates are shown, and of the waits between attempts.
        max_usd_per_judge: the same, for each judge.
        batch: buy in batches where the provider has them, at half the price and within a day; what is in batches when this is
            interrupted goes on, and the same call collects it.
        meter: filled as the job goes on.
        on_wait: told which judge another process is asking the same question; this one then waits.

    Raises:
        BudgetError: a cap is reached. What was bought is in the store; a run with a higher cap goes on from there.
        NetworkError: a key is missing or wrong, or a provider failed twenty times in a row.
        RecipeError: two judges of one name, two rows of one id, a cap without a known price, a judge that cannot answer.
        StorageError: the call store cannot be read or written.
    """
    items = Items(rows)
    labels = [provider.label for provider in judges]
    if len(set(labels)) != len(labels):
        raise RecipeError(f"judges {sorted(labels)}: one is named twice", hint="a model judges once; ask another model")
    if max_usd is not None or max_usd_per_judge is not None:
        need_prices(judges)
    with asking(store.path, judges, question, on_wait):
        caps = (max_usd, max_usd_per_judge)
        return _judge(items, question, judges, store, seed, caps, on_progress, retry or RetryPolicy(), batch, meter or Meter())


def _judge(
    items: Items, question: Question, judges: Sequence[Provider], store: CallStore, seed: int, caps: tuple[float | None, float | None],
    on_progress: OnProgress | None, retry: RetryPolicy, batch: BatchPolicy | None, meter: Meter,
) -> Judged:  # fmt: skip
    collector = _Collector(question, on_progress, meter)
    spent: dict[str, float] = {}
    for provider in judges:
        cost = cost_of(provider, items, question, store, seed, foresee=False)
        meter.judges.append(JudgeMeter(provider.label, calls=cost.calls))
        spent[provider.label] = cost.cached_usd + cost.at_risk_usd
    budget = Budget(store, *caps, spent)
    meter.already = budget.total
    meter.budget = budget

    in_batches = [p for p in judges if batch is not None and isinstance(p, ApiProvider) and p.in_batches]
    single = [p for p in judges if p not in in_batches]
    see_that_none_waits(single, items, question, store, seed)

    async def work() -> None:
        job = Job(question, store, budget, retry, seed, collector.bought_one)
        meters = {one.judge: one for one in meter.judges}
        at_work = [Judge(p, tasks_of(p, items, question, store, seed, _known(collector, p)), meters[p.label]) for p in single]
        buyers = buyers_of(in_batches, items, question, store, seed, budget, batch or BatchPolicy(), retry, collector.hold)
        await together(*([job.run(at_work)] if at_work else ()), *(buyer.run() for buyer in buyers))
        meter.in_batches = sum(buyer.bought for buyer in buyers)

    run(work)
    for provider in in_batches:
        for task, call in known_calls(provider, items, question, store, seed):
            collector.known_one(provider, task.ask, call)
    return collector.judged(judges)


def _known(collector: _Collector, provider: Provider) -> Callable[[Ask, Call], None]:
    return lambda ask, call: collector.known_one(provider, ask, call)


class _Collector:
    """Gathers verdicts as calls are found or bought."""

    def __init__(self, question: Question, on_progress: OnProgress | None, meter: Meter) -> None:
        self._question = question
        self._on_progress = on_progress
        self._meter = meter
        self._table = JudgementTable()
        self._usd: defaultdict[str, float] = defaultdict(float)

    def _add(self, provider: Provider, ask: Ask, call: Call) -> None:
        label = provider.label
        for verdict in verdicts(self._question, ask, call):
            asked = (ask.row_id, self._question.labelled(verdict.aspect), label, provider.is_llm, ask.order)
            said = (verdict.candidate, verdict.value, verdict.label, verdict.rank, verdict.status)
            self._table.add(*asked, *said, call.key)
        self._usd[label] += call.usd or 0.0
        own = self._own(label)
        own.ok += call.status == "ok"
        own.failed += call.status == "failed"

    def known_one(self, provider: Provider, ask: Ask, call: Call) -> None:
        """Take in a call that the store had."""
        self._own(provider.label).stored += 1
        self._add(provider, ask, call)
        self._told()

    def bought_one(self, at_work: Judge, task: Task, call: Call) -> None:
        """Take in a call that this run made."""
        at_work.meter.bought += 1
        self._add(at_work.provider, task.ask, call)
        self._told()

    def hold(self, usd: float) -> None:
        """USD that the budget holds back, or lets go, and that this run has not spent."""
        self._meter.already += usd

    def _own(self, label: str) -> JudgeMeter:
        return next(one for one in self._meter.judges if one.judge == label)

    def _told(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._meter.done, self._meter.calls, self._meter.spent)

    def judged(self, judges: Sequence[Provider]) -> Judged:
        frame = self._table.frame()
        statuses = status_counts(frame)
        summaries = []
        for provider in judges:
            own = frame.filter(pl.col("judge") == provider.label)
            usd = self._usd[provider.label]
            summaries.append(JudgeSummary(provider.label, provider.is_llm, self._question.label, own.height, status_counts(own), usd))
        return Judged(frame, self._meter.done, self._meter.bought, self._meter.spent, statuses, tuple(summaries))


def status_counts(frame: pl.DataFrame) -> dict[str, int]:
    """status → judgements, sorted by status."""
    return {status: count for status, count in frame["status"].value_counts().sort("status").iter_rows()}


def verdicts(question: Question, ask: Ask, call: Call) -> list[Verdict]:
    """The verdicts of a stored call, read from its raw reply by today's parser."""
    if call.status in ("failed", "refused", "truncated"):
        return [Verdict(model, None, call.status, aspect=ask.aspect) for model in ask.models or (None,)]
    return question.parse(call.raw, ask)


@dataclass(frozen=True)
class JudgeEstimate:
    """What a judge's part would take, before any call."""

    judge: str
    calls: int
    cached_calls: int
    """Calls of these that the store has: free."""
    input_tokens: int
    output_tokens: int
    usd: float | None
    """For the calls to be bought; None where no price is known."""
    batch_usd: float | None
    """The same in batches."""
    prefix_cached_usd: float | None
    """The same where the provider reads what all requests begin with from its prompt cache; None where that is too short."""
    stored_usd: float
    """What the cached calls cost when they were bought."""
    known_calls: int
    """Earlier calls of the judge that the estimate rests on; 0 where it is a rule of thumb."""


def total_usd(parts: Sequence[JudgeEstimate]) -> float | None:
    """USD for all calls to be bought; None where a judge's price is not known."""
    known = [part.usd for part in parts if part.usd is not None]
    return sum(known) if len(known) == len(parts) else None


def estimate(
    rows: pl.DataFrame, *, question: Question, judges: Sequence[Provider], store: CallStore, seed: int
) -> list[JudgeEstimate]:
    """Calls, tokens and USD for each judge. Asks nobody.

    Tokens follow what the judge used for this question before (from 20 stored calls on), else rules of thumb; reasoning tokens of a
    model never asked before cannot be foreseen.
    """
    items = Items(rows)
    costs = [(provider, cost_of(provider, items, question, store, seed)) for provider in judges]
    return [
        JudgeEstimate(
            p.label, c.calls, c.cached_calls, c.usage.input_tokens, c.usage.output_tokens, c.usd, c.batch_usd, c.prefix_cached_usd,
            c.cached_usd, c.known_calls,
        )
        for p, c in costs
    ]  # fmt: skip
