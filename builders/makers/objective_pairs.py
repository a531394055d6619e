"""Objective pairs (Aquila-Med, section 3.3; UltraMedical's exam questions): the key decides, no judge.

A completion whose verdict is the key's option is right, another option wrong, no verdict neither. Chosen is a right
one, rejected a wrong one, drawn by hash of seed and row, so that no model is preferred.
"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from pydantic import Field

from tilth.annotators.answers import verdict
from tilth.builders.pairing import drawn, paired
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step


class ObjectivePairs(Step, name="objective_pairs", version=1):
    """Right completion chosen, wrong one rejected, by the answer key."""

    corpora = ("preference",)
    per_prompt: int = Field(1, ge=1, description="pairs made of one prompt at most, each of another right or wrong completion")
    without_key: Literal["drop", "keep"] = Field("drop", description="rows that have no key: drop them, or keep them for a later maker")

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        out: list[dict[str, Any]] = []
        fates: list[tuple[int, str, str, str | None, str | None]] = []
        made = 0
        for index, row in enumerate(rows.iter_rows(named=True)):
            if row["chosen"] is not None or (not row["answer"] and self.without_key == "keep"):
                out.append(row)
                continue
            if not row["answer"]:
                fates.append((index, "dropped", "no_key", None, None))
                continue
            right, wrong, unclear = _sorted(row)
            if not right or not wrong:
                rule = "no_verdict" if not right and not wrong else "none_right" if not right else "none_wrong"
                counts = f"{len(right)} right, {len(wrong)} wrong, {len(unclear)} without a verdict"
                fates.append((index, "dropped", rule, counts, None))
                continue
            pairs = _pairs(row, right, wrong, self.per_prompt, context.seed)
            out += pairs
            made += len(pairs) - 1
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, made=made)


def _sorted(row: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Candidates that are right, wrong, and without a verdict."""
    labels = [option["label"] for option in row["options"] or ()]
    texts = [option["text"] for option in row["options"] or ()]
    right: list[Any] = []
    wrong: list[Any] = []
    unclear: list[Any] = []
    for candidate in row["candidates"] or ():
        label = verdict(candidate["text"], labels, texts).label
        (unclear if label is None else right if label == row["answer"] else wrong).append(candidate)
    return right, wrong, unclear


def _pairs(row: dict[str, Any], right: list[Any], wrong: list[Any], most: int, seed: int) -> list[dict[str, Any]]:
    drawn_right, drawn_wrong = (drawn(some, row["id"], seed, side, name=_model) for some, side in ((right, "right"), (wrong, "wrong")))
    pairs = []
    for number in range(min(most, max(len(right), len(wrong)))):
        chosen, rejected = drawn_right[number % len(right)], drawn_wrong[number % len(wrong)]
        sides = [(one["model"], one["text"]) for one in (chosen, rejected)]
        pairs.append(paired(row, sides[0], sides[1], "objective", None, number))
    return pairs


def _model(candidate: dict[str, str]) -> str:
    return candidate["model"]
