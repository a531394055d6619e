"""A case and the questions asked about it, in order: CMB-Clin (`description`, `QA_pairs` of `question` and `solution`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.builders.records import BadRecord, Record, put, take, take_text
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core.rows import conversation


class Case(TwoWay, name="case", version=1):
    """One conversation a case: its description stands before the first question."""

    makes = "sft"
    description: str = Field("description", description="field of the case")
    pairs: str = Field("QA_pairs", description="field of the list of questions with answers")
    question: str = Field("question", description="field of a pair that asks")
    answer: str = Field("solution", description="field of a pair that answers")

    def parse(self, record: Record) -> dict[str, Any]:
        pairs = take(record, self.pairs)
        if not isinstance(pairs, list) or not pairs or not all(isinstance(pair, dict) for pair in pairs):
            raise BadRecord(f"field {self.pairs!r} is not a list of questions and answers")
        said = [(take_text(pair, self.question), take_text(pair, self.answer)) for pair in pairs]
        said[0] = (f"{take_text(record, self.description)}\n\n{said[0][0]}", said[0][1])
        return {"messages": conversation([turn for asks, tells in said for turn in (("user", asks), ("assistant", tells))])}

    def plain(self, row: Mapping[str, Any]) -> Record:
        told = [turn["content"] for turn in row["messages"]]
        description, parted, first = told[0].rpartition("\n\n")
        if not parted or len(told) % 2:
            raise Unfit("it is no case with questions, each with its answer")
        made: Record = {}
        put(made, self.description, description)
        asked = zip([first, *told[2::2]], told[1::2], strict=True)
        put(made, self.pairs, [{self.question: asks, self.answer: tells} for asks, tells in asked])
        return made
