"""Judged pairs: a panel scores the completions of a prompt, and a strategy (`builders/strategies/`) says which of them make pairs.

By default as UltraMedical does (arXiv 2406.03949): the best is chosen, a random lower one rejected. Aquila-Med (arXiv 2406.12182)
compares an answer with a rewritten one: `rewritten` before this step, and the question `pairwise`.

Scores are by default those of the judge named first, asked in both orders; the others say where they disagree. With `gold` the panel's
weights are learned from rows whose answer key is known (`annotators/panels`). Canaries are asked of the judges and stand among the
judgements; they make no pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators import judge_report
from tilth.annotators.canaries import CanaryFields, before, canary_rows
from tilth.annotators.canary_round import with_canaries
from tilth.annotators.gold import of_keys
from tilth.annotators.items import Items
from tilth.annotators.judge import Judged, estimate, judge, total_usd
from tilth.annotators.own_family import without_own_family
from tilth.annotators.panel import Aggregation, aggregate
from tilth.annotators.panels.strategies import WITH_GOLD, WITHOUT_GOLD
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.question import Question
from tilth.annotators.spend import lowest
from tilth.annotators.store import CallStore
from tilth.builders.asked import told
from tilth.builders.pairing import NewRows, choose, paired, scored_of, to_judge
from tilth.builders.strategy import NoPair, Pair, Rules, Strategy
from tilth.core.recipe import Named, named_unit, units_named
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.units import Unit, execution

Fate = tuple[int, str, str, str | None, str | None]


class JudgedPairs(Step, name="judged_pairs", version=1):
    """Pairs of completions by the scores of a panel and a strategy. Rows that are pairs already pass."""

    corpora = ("preference",)
    question: Named = Field({"listwise": {}}, description="one question with its parameters")
    judges: list[Named] = Field([{"baseline": {}}], min_length=1, description="judges, each {provider: parameters}, the strongest first")
    aggregation: Aggregation = Field("default", description="how judges become one score; default: the first judge's, or learned where there is gold")
    gold: Literal["none", "answer_key"] = Field("none", description="what weights are learned from: rows with a key, where completions choose options")
    canaries: CanaryFields | None = Field(None, description="pairs whose better answer is known, asked of every judge first")
    strategy: Named = Field({"top_vs_lower": {}}, description="one strategy with its parameters: which completions make pairs")
    own_family: Literal["drop", "count"] = Field("drop", description="what a judge says of a model of its own family: drop it, or count it")
    min_margin: float = Field(0.0, ge=0, description="score points that chosen must lie above rejected, at least")
    min_agreement: float = Field(0.0, ge=0, le=1, description="share of the judges' comparisons of the chosen one that must agree, at least")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _units_are_known(self) -> JudgedPairs:
        with units_named():
            self.inner()
        if self.gold == "none" and self.aggregation in WITH_GOLD.keys() - WITHOUT_GOLD.keys():
            raise ValueError(f"aggregation {self.aggregation} learns from gold; set gold: answer_key")
        question, _, _ = self.parts()
        if self.canaries is not None and not question.compares:
            raise ValueError(f"canaries: {question.label} does not say which of two answers is better; leave canaries out")
        return self

    def inner(self) -> list[Unit]:
        """The question, the strategy, then the judges."""
        judges = [named_unit("provider", one) for one in self.judges]
        return [named_unit("question", self.question), named_unit("strategy", self.strategy), *judges]

    def parameters(self) -> dict[str, Any]:
        """Those of question, strategy and judges spelled out: another default is another recipe."""
        question, strategy, *judges = ({one.name: one.parameters()} for one in self.inner())
        own = super().parameters()
        if self.canaries is None:
            del own["canaries"]  # a recipe without them is the one that it was before there were any
        return {**own, "question": question, "strategy": strategy, "judges": judges}

    def parts(self) -> tuple[Question, Strategy, list[Provider]]:
        """The question, the strategy, the judges."""
        question, strategy, *judges = self.inner()
        assert isinstance(question, Question) and isinstance(strategy, Strategy)
        return question, strategy, [judge for judge in judges if isinstance(judge, Provider)]

    @property
    def pair_rules(self) -> Rules:
        """What every strategy keeps to."""
        return Rules(self.min_margin, self.min_agreement)

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        ready = to_judge(rows)
        question, strategy, judges = self.parts()
        with CallStore(context.calls) as store:

            def ask(some: pl.DataFrame, judges: Sequence[Provider], max_usd: float | None, *, singly: bool) -> Judged:
                return judge(
                    some, question=question, judges=judges, store=store, max_usd=max_usd, seed=context.seed, on_progress=context.on_progress
                )

            judged, _ = with_canaries(
                ready, question=question, judges=judges, fields=self.canaries, seed=context.seed, store=store,
                max_usd=lowest(self.max_usd, context.max_usd), ask=ask,
            )  # fmt: skip
            gold = self._gold(Items(ready))
            entries, panel = told(ready, judged, store, aggregation=self.aggregation, gold=gold, canaries=self.canaries)
        scored = self.scores(ready, judged.judgements)
        out = NewRows()
        fates: list[Fate] = []
        for index, row in enumerate(rows.iter_rows(named=True)):
            if row["chosen"] is not None:
                out.add(row)
            elif (number := len(row["candidates"] or ())) < 2:
                fates.append((index, "dropped", "few_completions", str(number), None))
            else:
                found = choose(row, scored_of(row, scored.get(row["id"], ())), strategy, self.pair_rules, context.seed)
                if isinstance(found, NoPair):
                    status = "failed" if found.rule == "not_judged" else "dropped"
                    fates.append((index, status, found.rule, found.value, found.detail))
                else:
                    out.add(*(_row(row, pair, strategy, number) for number, pair in enumerate(found)))
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        made = out.frame()
        return Made(
            made, gone, made=made.height - (rows.height - gone.height), judgements=judged.judgements, judges=entries, panels=(panel,),
            usd=judged.usd,
        )  # fmt: skip

    def scores(self, rows: pl.DataFrame, judgements: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
        """Row id → the panel's score of every candidate (lines of `annotators.panel.SCORES`), from what the judges said.

        Args:
            rows: those that the judgements are about.
        """
        items = Items(rows)
        _, _, judges = self.parts()
        families = {one.label: one.family for one in judges if isinstance(one, ApiProvider) and one.family is not None}
        if self.own_family == "drop":
            judgements = without_own_family(judgements, families, whole_rows=self.aggregation == "mean")
        scored = aggregate(
            judgements, aggregation=self.aggregation, judges=[one.label for one in judges], gold=self._gold(items),
            extras=judge_report.extras_of(judge_report.shown_of(items)), canaries=self.canaries,
        )  # fmt: skip
        found: dict[str, list[dict[str, Any]]] = {}
        for line in scored.iter_rows(named=True):
            found.setdefault(line["row_id"], []).append(line)
        return found

    def _gold(self, items: Items) -> pl.DataFrame | None:
        return of_keys(items) if self.gold == "answer_key" else None

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        question, _, judges = self.parts()
        if not any(judge.is_llm for judge in judges):
            return 0.0
        if rows is None:
            return None
        ready = to_judge(rows)
        if self.canaries is not None:
            ready = before(ready, canary_rows(ready, question, self.canaries, context.seed))
        with CallStore(context.calls) as store:
            parts = estimate(ready, question=question, judges=judges, store=store, seed=context.seed)
        return total_usd(parts)


def _row(row: dict[str, Any], pair: Pair, strategy: Strategy, number: int) -> dict[str, Any]:
    chosen, rejected = pair.chosen, pair.rejected
    return paired(row, (chosen.model, chosen.text), (rejected.model, rejected.text), strategy.name, pair.margin, number)
