"""The UltraMedical SFT rows (arXiv 2406.03949; hf://datasets/TsinghuaC3I/UltraMedical), read and written.

    {"id": "MedQA,1592", "type": "Exam", "conversations": [{"from": "human", "value": "…\\n\\nA. …\\nB. …"},
     {"from": "gpt", "value": "… So, the answer is A."}], "answer": "A", "score": "This question would be rated a 7. …"}

The score is prose: `difficulty` is what it states of this question, and is left out where it states none or two ("7 or 8").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.annotators.replies import stated_score
from tilth.builders.records import Record
from tilth.builders.shapes.chat import Chat
from tilth.builders.shapes.choices import options_in
from tilth.builders.two_way import TwoWay

DIFFICULTY = "difficulty"
_CHAT = Chat(messages="conversations", role="from", text="value")


class UltraMedical(TwoWay, name="ultramedical", version=1):
    """Question and answer; options and key where the question lists options; the stated difficulty, 1 to 10, as a score."""

    makes = "sft"
    keep: bool = Field(True, description="keep `id`, `type`, a free answer and the prose of `score` as `metadata`")

    def parse(self, record: Record) -> dict[str, Any]:
        messages = _CHAT.parse(record)["messages"]
        options = options_in(messages[0]["content"])
        answer = record.get("answer")
        key = answer if any(answer == option["label"] for option in options) else None
        said = record.get("score")
        value = stated_score(said, 1, 10, whole=False)[0] if isinstance(said, str) else None
        return {
            "messages": messages, "options": options if key else None, "answer": key,
            "scores": [{"name": DIFFICULTY, "value": value}] if value is not None else None,
        }  # fmt: skip

    def plain(self, row: Mapping[str, Any]) -> Record:
        told = {one["name"]: one["value"] for one in row.get("scores") or ()}
        score = f"Score: {told[DIFFICULTY]:g}" if DIFFICULTY in told else None
        return {**_CHAT.plain(row), "answer": row.get("answer"), "score": score}
