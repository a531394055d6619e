"""Two candidates, which is better: A, B or tie, on four axes and over all, in both orders.

Rubric: Aquila-Med (arXiv 2406.12182, section on DPO data): GPT-4 compares two responses on fluency, relevance, completeness and
proficiency; in its evaluation the order is swapped and a win counts only where both orders agree. The prompt is
not published; the words here are ours. A row with more than two candidates is asked about every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, ClassVar

import orjson
from pydantic import Field

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask, orders
from tilth.annotators.replies import label_of, object_schema

AXES = ("fluency", "relevance", "completeness", "proficiency")
NAMES = ("A", "B")
VALUES = {"A": (1.0, 0.0), "B": (0.0, 1.0), "tie": (0.5, 0.5)}

SYSTEM: dict[Language, str] = {
    "en": """You are an expert evaluator. You are given a question and two responses, A and B. Compare them on four axes:
fluency: grammatical, natural and easy to read
relevance: answers what was asked, and keeps to it
completeness: covers what the asker needs to know, cautions included
proficiency: professional knowledge: facts, terms and reasoning are right
Then say which response is better over all. Errors of fact weigh more than style.
Length, confidence and order of presentation are no merits. Say tie only where neither is better.""",
    "zh": """你是一名专业评审。你会看到一个问题和两份回答 A 与 B。请从四个方面比较：
fluency 流畅性：语句通顺、自然、易读
relevance 相关性：回答所问，不偏题
completeness 完整性：涵盖提问者需要知道的内容，包括注意事项
proficiency 专业性：专业知识、术语和推理正确
然后判断总体上哪份回答更好。事实错误比文风更重要。
篇幅、语气自信与否、出现的先后都不是优点。只有确实不分高下时才选 tie。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"fluency": …, "relevance": …, "completeness": …, "proficiency": …, "winner": …}, '
    'each value "A", "B" or "tie".',
    "zh": '只用 JSON 作答：{"fluency": …, "relevance": …, "completeness": …, "proficiency": …, "winner": …}，'
    '每个值为 "A"、"B" 或 "tie"。',
}


class Pairwise(Question, name="pairwise", version=1):
    """Two candidates, A, B or tie: the better one has the value 1, the other 0, a tie 0.5 each."""

    compares: ClassVar[bool] = True

    both_orders: bool = Field(True, description="ask again with the candidates in reverse order")
    use_reference: bool = Field(False, description="show the reference answer or the answer key to the judge")
    tie_share: float = Field(0.02, ge=0, le=1, description="scorers that are no LLM: shares closer than this are a tie")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        reference = row.key_text() if self.use_reference else None
        asks = []
        for pair in combinations(range(len(row.texts)), 2):
            for order in orders(2, seed, f"{row.id}/{pair[0]},{pair[1]}", self.both_orders):
                shown = [pair[index] for index in order]
                ask = make_ask(row, shown, seed, language, SYSTEM[language], TASK[language], names=NAMES, reference=reference)
                asks.append(ask)
        return asks

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(**{field: {"type": "string", "enum": ["A", "B", "tie"]} for field in (*AXES, "winner")})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        winner, status = label_of(raw, "winner", tuple(VALUES))
        values = (None, None) if winner is None else VALUES[winner]
        return [Reading(name, value, status) for name, value in zip(names, values, strict=True)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 35

    def reply_from(self, shares: Sequence[float | None], names: Sequence[str]) -> str:
        first, second = shares
        if first is None or second is None:
            return "{}"
        winner = "tie" if abs(first - second) < self.tie_share else "A" if first > second else "B"
        return orjson.dumps({"winner": winner}).decode()
