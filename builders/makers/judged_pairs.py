"""Judged pairs: a panel scores the completions of a prompt; the best is chosen, a lower one rejected.

UltraMedical (arXiv 2406.03949): the top-ranked completion is chosen, a random lower-ranked one rejected (the Zephyr
way). Aquila-Med compares two. A tie at the top makes no pair here; UltraMedical prefers GPT-4's answer then, which
is the judge preferring its own family.

Scores are by default those of the judge named first, asked in both orders; the others say where they disagree. With `gold` the panel's
weights are learned from rows whose answer key is known (`annotators/panels`). Canaries are asked of the judges and stand among the
judgements; they make no pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators import judge_report
from tilth.annotators.canaries import CanaryFields, before, canary_rows
from tilth.annotators.canary_round import with_canaries
from tilth.annotators.gold import of_keys
from tilth.annotators.items import Items
from tilth.annotators.judge import Judged, estimate, judge
from tilth.annotators.panel import Aggregation, aggregate, ruling
from tilth.annotators.panels.strategies import WITH_GOLD, WITHOUT_GOLD
from tilth.annotators.panels.votes import over_aspects
from tilth.annotators.provider import Provider
from tilth.annotators.question import Question
from tilth.annotators.store import CallStore
from tilth.builders.makers.objective_pairs import drawn, paired
from tilth.core.errors import RecipeError
from tilth.core.recipe import named_unit
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.units import Unit, execution

Named = dict[str, dict[str, Any]]
MEASURES = (
    "gold_rows", "accuracy", "accuracy_low", "accuracy_high", "order_flip_rate", "first_share", "length_slope", "own_family_win_rate",
    "own_family_others", "canary_pass_rate", "usd_per_1000", "seconds_per_1000",
)  # fmt: skip
"""Of a judge's line in the report, what the build's record keeps."""
Fate = tuple[int, str, str, str | None, str | None]


class JudgedPairs(Step, name="judged_pairs", version=1):
    """Best completion chosen, a lower one rejected, by the scores of a panel. Rows that are pairs already pass."""

    corpora = ("preference",)
    question: Named = Field({"listwise": {}}, description="one question with its parameters")
    judges: list[Named] = Field([{"baseline": {}}], min_length=1, description="judges, each {provider: parameters}, the strongest first")
    aggregation: Aggregation = Field("default", description="how judges become one score; default: the first judge's, or learned where there is gold")
    gold: Literal["none", "answer_key"] = Field("none", description="what weights are learned from: rows with a key, where completions choose options")
    canaries: CanaryFields | None = Field(None, description="pairs whose better answer is known, asked of every judge first")
    rejected: Literal["random_lower", "worst"] = Field("random_lower", description="which of the lower completions is rejected")
    min_margin: float = Field(0.0, ge=0, description="score points that chosen must lie above rejected, at least")
    min_agreement: float = Field(0.0, ge=0, le=1, description="share of the judges' comparisons of the chosen one that must agree, at least")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _units_are_known(self) -> JudgedPairs:
        try:
            self.inner()
        except RecipeError as error:  # pydantic gathers ValueErrors, with their place in the recipe
            raise ValueError(f"{error.message}{'; ' + error.hint if error.hint else ''}") from None
        if self.gold == "none" and self.aggregation in WITH_GOLD.keys() - WITHOUT_GOLD.keys():
            raise ValueError(f"aggregation {self.aggregation} learns from gold; set gold: answer_key")
        question, _ = self._panel()
        if self.canaries is not None and not question.compares:
            raise ValueError(f"canaries: {question.label} does not say which of two answers is better; leave canaries out")
        return self

    def inner(self) -> list[Unit]:
        """The question, then the judges."""
        return [named_unit("question", self.question), *(named_unit("provider", one) for one in self.judges)]

    def parameters(self) -> dict[str, Any]:
        """Those of question and judges spelled out: another default is another recipe."""
        question, *judges = ({one.name: one.parameters()} for one in self.inner())
        own = super().parameters()
        if self.canaries is None:
            del own["canaries"]  # a recipe without them is the one that it was before there were any
        return {**own, "question": question, "judges": judges}

    def _panel(self) -> tuple[Question, list[Provider]]:
        question, *judges = self.inner()
        assert isinstance(question, Question)
        return question, [judge for judge in judges if isinstance(judge, Provider)]

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        fates: list[Fate] = []
        ready: list[int] = []
        whole = list(rows.iter_rows(named=True))
        for index, row in enumerate(whole):
            if row["chosen"] is None:
                if len(row["candidates"] or ()) < 2:
                    fates.append((index, "dropped", "few_completions", str(len(row["candidates"] or ())), None))
                else:
                    ready.append(index)
        question, judges = self._panel()
        caps = [cap for cap in (self.max_usd, context.max_usd) if cap is not None]
        with CallStore(context.calls) as store:

            def ask(some: pl.DataFrame, judges: Sequence[Provider], max_usd: float | None, *, singly: bool) -> Judged:
                return judge(
                    some, question=question, judges=judges, store=store, max_usd=max_usd, seed=context.seed, on_progress=context.on_progress
                )

            judged, _ = with_canaries(
                rows[ready], question=question, judges=judges, fields=self.canaries, seed=context.seed, store=store,
                max_usd=min(caps) if caps else None, ask=ask,
            )  # fmt: skip
            calls = judge_report.calls_of(judged.judgements, store)
        scored, told, panel = self._scored(rows[ready], judged, calls, [one.label for one in judges])
        scores: dict[str, list[dict[str, Any]]] = {}
        for line in scored.iter_rows(named=True):
            scores.setdefault(line["row_id"], []).append(line)
        waiting = set(ready)
        out = []
        for index, row in enumerate(whole):
            if row["chosen"] is not None:
                out.append(row)
            elif index in waiting:
                pair = self._pair(row, scores.get(row["id"], []), context.seed, lambda *fate, at=index: fates.append((at, *fate)))
                out += [pair] if pair else []
        gone = pl.DataFrame(fates, schema=FATES, orient="row").sort("index")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, judgements=judged.judgements, judges=told, panel=panel, usd=judged.usd)

    def _scored(
        self, rows: pl.DataFrame, judged: Judged, calls: pl.DataFrame, names: list[str]
    ) -> tuple[pl.DataFrame, tuple[dict[str, Any], ...], dict[str, Any]]:
        """Scores of the candidates, and what the record says of each judge and of the panel."""
        items = Items(rows)
        gold, shown = of_keys(items) if self.gold == "answer_key" else None, judge_report.shown_of(items)
        table = over_aspects(judged.judgements)
        rule = ruling(judged.judgements, aggregation=self.aggregation, gold=gold, canaries=self.canaries)
        scored = aggregate(
            judged.judgements, aggregation=self.aggregation, judges=names, gold=gold, extras=judge_report.extras_of(shown),
            canaries=self.canaries,
        )  # fmt: skip
        measured = judge_report.report(table, shown=shown, gold=gold, calls=calls, judges=names, compare=False)
        lines = {line.judge: line for line in measured.judges if line.language is None}
        told = []
        for one in judged.judges:
            entry = {name: getattr(one, name) for name in ("judge", "is_llm", "question", "judgements", "statuses", "usd")}
            told.append(entry | ({name: getattr(lines[one.judge], name) for name in MEASURES} if one.judge in lines else {}))
        whole = {name: getattr(measured.panel[0], name) for name in ("rows", "judges", "agreement", "alpha", "effective_votes")}
        whole |= {"aggregation": rule.aggregation, "failed": rule.failed, "weight": rule.weight}
        return scored, tuple(told), {"question": judged.judges[0].question, "gold_rows": measured.gold_rows, **whole}

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        question, judges = self._panel()
        if not any(judge.is_llm for judge in judges):
            return 0.0
        if rows is None:
            return None
        ready = rows.filter(pl.col("chosen").is_null(), pl.col("candidates").list.len() >= 2)
        if self.canaries is not None:
            ready = before(ready, canary_rows(ready, question, self.canaries, context.seed))
        with CallStore(context.calls) as store:
            parts = estimate(ready, question=question, judges=judges, store=store, seed=context.seed)
        known = [part.usd for part in parts if part.usd is not None]
        return sum(known) if len(known) == len(parts) else None

    def _pair(
        self, row: dict[str, Any], scores: list[dict[str, Any]], seed: int, gone: Callable[[str, str, str | None, str | None], None]
    ) -> dict[str, Any] | None:
        """The pair of one row, or why there is none."""
        known = sorted((s for s in scores if s["score"] is not None), key=_place)
        if len(known) < 2:
            gone("failed", "not_judged", f"{len(known)} of {len(row['candidates'])} completions have a score", None)
            return None
        best, rest = known[0], known[1:]
        lower = [s for s in rest if s["score"] < best["score"] and best["score"] - s["score"] >= self.min_margin]
        if _place(rest[0])[:2] == _place(best)[:2]:
            gone("dropped", "tie", f"{best['score']:g}", f"{best['candidate']} and {rest[0]['candidate']}")
            return None
        if not lower:
            gone("dropped", "small_margin", f"{best['score'] - rest[-1]['score']:g}", None)
            return None
        if best["agreement"] is not None and best["agreement"] < self.min_agreement:
            gone("dropped", "disputed", f"{best['agreement']:.2f}", best["candidate"])
            return None
        texts = {candidate["model"]: candidate for candidate in row["candidates"]}
        if self.rejected == "worst":
            taken = lower[-1]
        else:
            names = drawn([texts[s["candidate"]] for s in lower], row["id"], seed, "rejected")
            taken = next(s for s in lower if s["candidate"] == names[0]["model"])
        margin = float(best["score"] - taken["score"])
        return paired(row, texts[best["candidate"]], texts[taken["candidate"]], "judged", margin, 0)


def _place(score: dict[str, Any]) -> tuple[float, float, str]:
    """Best first: by score, then by mean rank where the question ranks."""
    return -score["score"], score["rank"] if score["rank"] is not None else 0.0, score["candidate"]
