"""Completions: what models answer to the prompts of a job, several times each, before anybody judges it.

    completions:
      models: [openai: {model: gpt-5.4-mini}, anthropic: {model: claude-haiku-5-5}]
      samples: 4

A completion is a call like any other: stored under the hash of its request, with the sample's index in it, under the same cap, and never
bought twice. What is refused or cut off keeps that status, and judges see it only where the job says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from tilth.annotators.calls import Language, Message, Reading
from tilth.annotators.estimates import Estimator
from tilth.annotators.items import Items
from tilth.annotators.judge import Judged
from tilth.annotators.plan import chunks
from tilth.annotators.provider import ApiProvider
from tilth.annotators.question import Ask, Item, Question, several
from tilth.annotators.store import CallStore
from tilth.core.rows import CANDIDATES, MESSAGES

COMPLETIONS: dict[str, Any] = {
    "row_id": pl.String,
    "prompt": MESSAGES,
    "model": pl.String,
    "sample": pl.Int64,
    "candidate": pl.String,
    "text": pl.String,
    "status": pl.String,
    "output_tokens": pl.Int64,
    "usd": pl.Float64,
    "call": pl.String,
}
"""Columns of a table of completions. `model` is who wrote it, `sample` counts from 0; `candidate` is its name in the judgements;
`status` is ok, refused, truncated, missing (an empty reply) or failed (no reply: `text` is null)."""

Shown = Literal["ok", "truncated", "refused"]


class Completion(Question):
    """The prompt itself, put to a model as it stands; its reply is the completion."""

    name: ClassVar[str] = "completion"
    version: ClassVar[int] = 1
    shows_candidates: ClassVar[bool] = False

    samples: int = Field(1, ge=1, le=1000, description="completions of each prompt by each model")
    system: str | dict[Language, str] | None = Field(None, description="system message before the prompt, one for all or one by language")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        said = self.system[self.language_of(row)] if isinstance(self.system, dict) else self.system
        system: tuple[Message, ...] = ({"role": "system", "content": said},) if said else ()
        messages = (*system, *row.prompt)
        if options := row.options_to_show():
            last = messages[-1]
            messages = (*messages[:-1], {"role": last["role"], "content": f"{last['content']}\n\n{options}"})
        return several(Ask(row.id, "", "", messages, (), (), (), row), self.samples)

    def answer_schema(self) -> dict[str, Any]:
        return {}

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        return [Reading(None, None, "ok" if raw.strip() else "missing")]

    def expected_output_tokens(self, num_names: int) -> int:
        return 400


@dataclass(frozen=True)
class Sampling:
    """The completions of a job."""

    question: Completion
    models: tuple[ApiProvider, ...]
    show: tuple[Shown, ...]
    """Completions of which status the judges see."""
    path: Path
    """Parquet file of completions."""


def table_of(judged: Judged, rows: pl.DataFrame, store: CallStore) -> pl.DataFrame:
    """What was answered: columns `COMPLETIONS`, sorted by row, model and sample.

    Args:
        judged: what `judge` came to, with a `Completion` for its question.
        rows: the rows it was asked about.
    """
    prompts: dict[str, Any] = dict(rows.select("id", "prompt").iter_rows())
    lines = []
    for said in judged.judgements.iter_slices(1000):
        calls = store.get_many(said["call"])
        for row_id, model, order, status, key in said.select("row_id", "judge", "order", "status", "call").iter_rows():
            call, sample = calls[key], int(order[1:] or 0)
            text = None if status == "failed" else call.raw
            name = f"{model}#{sample + 1}" if sample else model
            lines.append((row_id, prompts[row_id], model, sample, name, text, status, call.usage.output_tokens, call.usd, key))
    return pl.DataFrame(lines, schema=COMPLETIONS, orient="row").sort("row_id", "model", "sample")


def with_completions(rows: pl.DataFrame, completions: pl.DataFrame, show: Sequence[Shown] = ("ok",)) -> pl.DataFrame:
    """The rows with completions among their candidates, after those that they have.

    Args:
        completions: columns `COMPLETIONS`.
        show: completions of which status; the others stay in the table only.
    """
    shown = completions.filter(pl.col("status").is_in(list(show)), pl.col("text").is_not_null())
    added: dict[str, list[dict[str, str]]] = {}
    for row_id, model, text in shown.select("row_id", "candidate", "text").iter_rows():
        added.setdefault(row_id, []).append({"model": model, "text": text})
    return _added(rows, added)


def expected_rows(rows: pl.DataFrame, sampling: Sampling, store: CallStore, seed: int) -> pl.DataFrame:
    """The rows with their completions, as far as the store has them, and blanks of the expected length for the rest: for estimates."""
    added: dict[str, list[dict[str, str]]] = {}
    items = Items(rows)
    for provider in sorted(sampling.models, key=lambda model: model.label):  # as in the table
        estimator: Estimator | None = None
        for tasks in chunks(provider, items, sampling.question, seed):
            known = store.get_many(task.key for task in tasks)
            for task in tasks:
                call, ask = known.get(task.key), task.ask
                if call is None or call.status in ("failed", *sampling.show):
                    if call is None or call.status == "failed":
                        estimator = estimator or Estimator(task.request, sampling.question, store)
                        tokens = estimator.expect(task.request, 0).usage.output_tokens
                        text = "字" * int(0.9 * tokens) if ask.item.language == "zh" else "word " * int(0.84 * tokens)
                    else:
                        text = call.raw
                    added.setdefault(ask.row_id, []).append({"model": provider.label, "text": text})
    return _added(rows, added)


def _added(rows: pl.DataFrame, added: Mapping[str, list[dict[str, str]]]) -> pl.DataFrame:
    own = rows["candidates"].to_list() if "candidates" in rows.columns else [None] * rows.height
    whole = [(before or []) + added.get(row_id, []) for row_id, before in zip(rows["id"], own, strict=True)]
    return rows.with_columns(pl.Series("candidates", whole, dtype=CANDIDATES))
