"""The canaries before the rows: what judges say of both, and which of them were asked no further."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

import polars as pl

from tilth.annotators.canaries import CanaryFields, before, canary_rows, failing
from tilth.annotators.items import Items
from tilth.annotators.judge import KEY, Judged, status_counts
from tilth.annotators.plan import cost_of
from tilth.annotators.provider import Provider
from tilth.annotators.question import Question
from tilth.annotators.store import CallStore
from tilth.core.errors import BudgetError


class Ask(Protocol):
    """Puts the question about some rows to some judges."""

    def __call__(self, rows: pl.DataFrame, judges: Sequence[Provider], max_usd: float | None, /, *, singly: bool) -> Judged:
        """What they say; `singly`: not in batches, for the rest waits for it."""


def with_canaries(
    rows: pl.DataFrame, *, question: Question, judges: Sequence[Provider], fields: CanaryFields | None, seed: int, store: CallStore,
    max_usd: float | None, ask: Ask,
) -> tuple[Judged, tuple[str, ...]]:  # fmt: skip
    """What the judges say of rows and canaries; a judge that fails these goes no further where `fields` says so.

    Args:
        rows: columns of `canary_rows`, at least.
        fields: None: no canaries.

    Returns:
        The judgements, canaries among them, and the judges that were asked about nothing else.

    Raises:
        BudgetError: the cap is spent on canaries. What `ask` raises.
    """
    if fields is None:
        return ask(rows, judges, max_usd, singly=False), ()
    known = canary_rows(rows, question, fields, seed)
    both = before(rows, known)
    if fields.action != "stop":
        return ask(both, judges, max_usd, singly=False), ()
    first = ask(known, judges, max_usd, singly=True)
    stopped = tuple(failing(first.judgements, fields))
    kept = [judge for judge in judges if judge.label not in stopped]
    if not kept:
        return first, stopped
    if max_usd is not None:
        max_usd = left(max_usd, spent(known, question, [judge for judge in judges if judge.label in stopped], store, seed))
    return _together(first, stopped, ask(both, kept, max_usd, singly=False)), stopped


def spent(rows: pl.DataFrame, question: Question, judges: Sequence[Provider], store: CallStore, seed: int) -> float:
    """USD that the calls about these rows have cost, with what is at risk."""
    costs = [cost_of(provider, Items(rows), question, store, seed, foresee=False) for provider in judges]
    return sum(cost.cached_usd + cost.at_risk_usd for cost in costs)


def left(max_usd: float, had: float) -> float:
    """What is left of a cap.

    Raises:
        BudgetError: nothing is.
    """
    if had > max_usd:
        raise BudgetError(f"the cap of ${max_usd:.2f} is reached: ${had:.4f} spent before the judges", hint="raise the cap and run again")
    return max_usd - had


def _together(first: Judged, stopped: Collection[str], rest: Judged) -> Judged:
    """The canaries of the judges that were stopped, and all of the others."""
    own = first.judgements.filter(pl.col("judge").is_in(list(stopped)))
    frame = pl.concat([own, rest.judgements]).sort(KEY, nulls_last=True)
    return replace(
        rest,
        judgements=frame,
        calls=rest.calls + own["call"].n_unique(),
        bought=rest.bought + first.bought,
        usd=rest.usd + first.usd,
        statuses=status_counts(frame),
        judges=(*(part for part in first.judges if part.judge in stopped), *rest.judges),
    )
