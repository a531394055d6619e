"""Judged scores: models say how difficult, complex, good … a row is, and the row keeps what they said in its `scores`.

UltraMedical (arXiv 2406.03949) scores the difficulty of questions, Aquila-Med (arXiv 2406.12182) documents 0–6, and with Deita
(arXiv 2312.15685) the complexity and the quality of every turn: their product is summed over the turns there, averaged by Aquila-Med.
A turn is scored alone, without its history, as Deita's code does. `score_filter` and `diverse_selection` choose by the scores.

A row that could not be scored (no answer that can be read, nothing to ask about) has no score: it fails, or stays without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.judge import estimate, judge, total_usd
from tilth.annotators.panel import aggregate
from tilth.annotators.provider import Provider
from tilth.annotators.question import Question
from tilth.annotators.spend import lowest
from tilth.annotators.store import CallStore
from tilth.builders.asked import told
from tilth.core.errors import RecipeError
from tilth.core.recipe import Named, named_unit, units_named
from tilth.core.rows import CANDIDATES, MESSAGES, OPTIONS, Kind, conversation
from tilth.core.scores import OverTurns, over_turns, with_scores
from tilth.core.steps import FATES, Made, MakeContext, Step
from tilth.core.turns import turns
from tilth.core.units import Unit, execution

ASKED: dict[str, Any] = {"id": pl.String, "prompt": MESSAGES, "candidates": CANDIDATES, "options": OPTIONS, "language": pl.String}
ANSWER = "answer"


@dataclass(frozen=True)
class _Requests:
    """What judges are asked about: rows with columns `ASKED`, and for each row of the corpus the ids of its own; None: nothing is said there."""

    rows: pl.DataFrame
    ids: list[list[str | None]]


class JudgedScores(Step, name="judged_scores", version=1):
    """Scores of rows by LLM judges: one question or several, of the whole row or turn by turn."""

    questions: list[Named] = Field([{"difficulty": {}}], min_length=1, description="questions on a scale, each {question: parameters}; a score has its question's name")
    judges: list[Named] = Field(min_length=1, description="judges, each {provider: parameters}, the strongest first")
    aggregation: Literal["strongest", "mean"] = Field("strongest", description="how judges become one score: the first judge's that gave one, or their mean")
    over_turns: OverTurns | None = Field(None, description="score every turn of a conversation by itself, and sum (Deita) or average (Aquila-Med) them")
    product: str | None = Field(None, min_length=1, description="name of a further score: the questions' scores multiplied, turn by turn (`deita`: complexity × quality)")
    unscored: Literal["fail", "keep"] = Field("fail", description="rows that could not be scored: they fail, counted, or stay without the score")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _units_are_known(self) -> JudgedScores:
        with units_named():
            questions, _ = self._panel()
        for question in questions:
            if question.scale is None:
                raise ValueError(f"questions: {question.label} gives no number on a scale")
        names = [question.name for question in questions]
        if len(set(names)) < len(names) or self.product in names:
            raise ValueError(f"questions: two scores of one name among {', '.join([*names, *([self.product] if self.product else [])])}")
        if self.product is not None and len(questions) < 2:
            raise ValueError("product: of two questions or more")
        return self

    def inner(self) -> list[Unit]:
        """The questions, then the judges."""
        return [*(named_unit("question", one) for one in self.questions), *(named_unit("provider", one) for one in self.judges)]

    def parameters(self) -> dict[str, Any]:
        """Those of questions and judges spelled out: another default is another recipe."""
        spelled = [{one.name: one.parameters()} for one in self.inner()]
        count = len(self.questions)
        return {**super().parameters(), "questions": spelled[:count], "judges": spelled[count:]}

    def _panel(self) -> tuple[list[Question], list[Provider]]:
        units = self.inner()
        return [one for one in units if isinstance(one, Question)], [one for one in units if isinstance(one, Provider)]

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        questions, judges = self._panel()
        asked = self._requests(rows, context.kind, questions)
        cap = lowest(self.max_usd, context.max_usd)
        values: dict[str, list[list[float | None]]] = {}
        tables: list[pl.DataFrame] = []
        entries: list[dict[str, Any]] = []
        panels: list[dict[str, Any]] = []
        spent = usd = 0.0
        with CallStore(context.calls) as store:
            for question in questions:
                left = None if cap is None else max(0.0, cap - spent)
                judged = judge(
                    asked.rows, question=question, judges=judges, store=store, max_usd=left, seed=context.seed, on_progress=context.on_progress
                )
                spent += sum(one.usd for one in judged.judges)
                usd += judged.usd
                scored = aggregate(judged.judgements, aggregation=self.aggregation, judges=[one.label for one in judges])
                found = dict(scored.select("row_id", "score").iter_rows())
                values[question.name] = [[None if one is None else found.get(one) for one in ids] for ids in asked.ids]
                tables.append(judged.judgements)
                lines, panel = told(asked.rows, judged, store, aggregation=self.aggregation)
                entries += lines
                panels.append(panel)
        scores, fates = self._scores(values, asked)
        gone = pl.DataFrame(fates if self.unscored == "fail" else [], schema=FATES, orient="row")
        kept = with_scores(rows, scores).with_row_index("_place").join(gone, left_on="_place", right_on="index", how="anti", maintain_order="left")
        return Made(kept.drop("_place"), gone, judgements=pl.concat(tables), judges=tuple(entries), panels=tuple(panels), usd=usd)

    def _scores(self, values: dict[str, list[list[float | None]]], asked: _Requests) -> tuple[dict[str, list[float | None]], list[tuple[Any, ...]]]:
        """Score → its value in each row; and the fates of the rows that lack one."""
        how = self.over_turns or "sum"  # of one
        scores = {name: [over_turns([one], how) for one in found] for name, found in values.items()}
        if self.product is not None:
            scores[self.product] = [over_turns(parts, how) for parts in zip(*values.values(), strict=True)]
        fates = []
        for index, ids in enumerate(asked.ids):
            lacking = [name for name, found in scores.items() if found[index] is None]
            if lacking:
                told = [sum(value is not None for value in values[name][index]) for name in values]
                why = "nothing to ask about" if not any(ids) else f"{min(told)} of {len(ids)} scored"
                fates.append((index, "failed", "not_scored", why, ", ".join(lacking)))
        return scores, fates

    def _requests(self, rows: pl.DataFrame, kind: Kind, questions: Sequence[Question]) -> _Requests:
        """
        Raises:
            RecipeError: the question is about answers, and the rows have none, or several.
        """
        answers = [question.name for question in questions if question.shows_candidates]
        if answers and kind != "sft":
            raise RecipeError(f"judged_scores: {', '.join(answers)} scores an answer, and {kind} rows have no single one", hint="ask it of an sft corpus")
        lines: list[dict[str, Any]] = []
        ids: list[list[str | None]] = []
        for row in rows.iter_rows(named=True):
            mine: list[str | None] = []
            for number, (prompt, answer) in enumerate(self._parts(row, kind, bool(answers))):
                silent = not any((turn["content"] or "").strip() for turn in prompt)
                name = row["id"] if self.over_turns is None else f"{row['id']}/{number}"
                mine.append(None if silent else name)
                if not silent:
                    candidates = [] if answer is None else [{"model": ANSWER, "text": answer}]
                    lines.append({"id": name, "prompt": prompt, "candidates": candidates, "options": row.get("options"), "language": row["language"]})
            ids.append(mine)
        return _Requests(pl.DataFrame(lines, schema=ASKED), ids)

    def _parts(self, row: Mapping[str, Any], kind: Kind, answered: bool) -> Iterator[tuple[list[dict[str, str]], str | None]]:
        """(prompt, answer) of a row, or of each of its turns; where answers are scored, a question that nobody answered is no part."""
        if kind != "sft":
            yield (conversation([("user", row["text"] or "")]) if kind == "cpt" else row["prompt"] or []), None
            return
        messages = row["messages"] or []
        while answered and messages and messages[-1]["role"] != "assistant":
            messages = messages[:-1]
        said = turns(messages)
        if self.over_turns is not None:
            yield from ((conversation([("user", turn.asked)]), turn.answered) for turn in said)
        elif said:
            last = max(place for place, message in enumerate(messages) if message["role"] == "user")
            yield messages[: last + 1], said[-1].answered

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        questions, judges = self._panel()
        if not any(judge.is_llm for judge in judges):
            return 0.0
        if rows is None:
            return None
        asked = self._requests(rows, context.kind, questions)
        with CallStore(context.calls) as store:
            parts = [part for question in questions for part in estimate(asked.rows, question=question, judges=judges, store=store, seed=context.seed)]
        return total_usd(parts)
