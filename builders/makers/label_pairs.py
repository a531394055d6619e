"""Labels of pairs, after UltraMedical-Preference's `label_type`: easy, hard, length, human.

Easy and hard are about the gap of the scores, length about that of the texts, human are pairs where experts contradict the judge
(arXiv 2406.03949, Medical RewardBench: 238, 196, 180 and 163 of 777). The exact rules were not found in the paper, card or repository:
those here are ours. The first that holds is a pair's label:

- human    at least two people prefer the other side; chosen and rejected are turned round, the margin is then below 0
- length   the longer side has `length_ratio` times the characters of the shorter, or more
- easy     the margin is `easy_margin` or more
- hard     the margin is `hard_margin` or less
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.builders.strategy import EVEN, length_ratio
from tilth.core.fingerprints import canonical
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step

Row = dict[str, Any]


class LabelPairs(Step, name="label_pairs", version=1):
    """Writes easy, hard, length or human into the column `label`. A label that a row came with stays."""

    corpora = ("preference",)
    easy_margin: float = Field(2.0, ge=0, description="score points between chosen and rejected from which a pair is easy")
    hard_margin: float | None = Field(None, ge=0, description="up to which it is hard; left out: whatever is not easy")
    length_ratio: float = Field(2.0, gt=1, description="length of the longer side over that of the shorter, in characters, from which a pair is one of length")
    length_side: Literal["either", "chosen", "rejected"] = Field("either", description="which side must be the longer one for that")
    people: str | None = Field(None, description="source of the corpus with the pairs that people agree on: what `tilth review J --export` writes, in the shape `pair`")
    unreviewed: Literal["keep", "drop"] = Field("keep", description="pairs that no two people agreed on, where `people` is named: a bench drops them")

    @model_validator(mode="after")
    def _margins_part(self) -> LabelPairs:
        if self.hard_margin is not None and self.hard_margin >= self.easy_margin:
            raise ValueError(f"hard_margin {self.hard_margin:g} is not below easy_margin {self.easy_margin:g}")
        if self.unreviewed == "drop" and self.people is None:
            raise ValueError("unreviewed: drop would drop every pair; name the source of what people said in `people`")
        return self

    def sources_named(self) -> Sequence[str]:
        return [self.people] if self.people is not None else []

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        whole = list(rows.iter_rows(named=True))
        theirs = {sides(row): row for row in whole if row["source"] == self.people and row["chosen"] is not None}
        met: set[bytes] = set()
        out: list[Row] = []
        fates: list[tuple[int, str, str, str | None, str | None]] = []
        late: list[Row] = []
        merged = 0
        for index, row in enumerate(whole):
            if row["chosen"] is None:
                out.append(row)
            elif row["source"] == self.people:
                late.append(row)
            elif (said := theirs.get(sides(row))) is not None:
                met.add(sides(row))
                out.append(self._labelled(turned(row) if _text(row["chosen"]) != _text(said["chosen"]) else row))
            elif self.unreviewed == "drop":
                fates.append((index, "dropped", "unreviewed", None, None))
            else:
                out.append(self._labelled(row))
        for row in late:
            if sides(row) in met:
                merged += 1  # what people said of a pair stands in that pair
            else:
                out.append(self._labelled(row))
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, merged=merged)

    def _labelled(self, row: Row) -> Row:
        return {**row, "label": row["label"] or self.label(_text(row["chosen"]), _text(row["rejected"]), row["margin"])}

    def label(self, chosen: str, rejected: str, margin: float | None) -> str | None:
        """The label of a pair that nobody contradicts; None where no rule holds, as for pairs without a margin."""
        longer = "chosen" if len(chosen) > len(rejected) else "rejected"
        if length_ratio(chosen, rejected) >= self.length_ratio and self.length_side in ("either", longer):
            return "length"
        if margin is None:
            return None
        if margin >= self.easy_margin - EVEN:
            return "easy"
        return "hard" if self.hard_margin is None or margin <= self.hard_margin + EVEN else None


def turned(row: Row) -> Row:
    """The pair as people see it: chosen and rejected turned round, labelled human."""
    margin = row["margin"]
    return {
        **row, "chosen": row["rejected"], "rejected": row["chosen"], "chosen_model": row["rejected_model"], "rejected_model": row["chosen_model"],
        "margin": None if margin is None else -margin, "label": "human",
    }  # fmt: skip


def sides(row: Row) -> bytes:
    """What a pair is about, whichever side is chosen: the prompt and the two answers."""
    return canonical([row["prompt"], sorted([_text(row["chosen"]), _text(row["rejected"])])])


def _text(conversation: list[dict[str, str]]) -> str:
    return conversation[-1]["content"]
