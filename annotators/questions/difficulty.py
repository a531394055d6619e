"""How difficult a question is, 1–10, from the question alone.

Rubric: UltraMedical (arXiv 2406.03949, data filtering; gpt-3.5-turbo there): breadth and depth of the knowledge asked for, number of
concepts, terminology, quantitative parts; a score and one or two sentences of reason. Its parser took the first
integer of the prose ("type 2 diabetes … Score: 8" was 2); here only a number that is called a score counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask
from tilth.annotators.replies import object_schema, scale_schema, score

SYSTEM: dict[Language, str] = {
    "en": """You rate how difficult a question is for a well-trained professional, on an integer scale from 1 (trivial) to 10
(demands rare expertise). Consider the breadth and depth of the knowledge it asks for, the number of concepts that must be
combined, specialised terminology, and quantitative or multi-step reasoning. Do not answer the question.""",
    "zh": """请评估一个问题对受过良好训练的专业人员的难度，用 1（极易）到 10（需要罕见的专长）的整数表示。
考虑：所需知识的广度与深度、需要综合的概念数量、专业术语、定量或多步推理。不要回答该问题。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"score": integer 1-10, "justification": one or two sentences}.',
    "zh": '只用 JSON 作答：{"score": 1-10 的整数, "justification": 一两句话}。',
}


class Difficulty(Question, name="difficulty", version=1):
    """Difficulty of the question, 1–10; no candidate is shown."""

    scale: ClassVar[tuple[int, int] | None] = (1, 10)
    shows_candidates: ClassVar[bool] = False

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        return [make_ask(row, (), seed, language, SYSTEM[language], TASK[language])]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(score=scale_schema(1, 10), justification={"type": "string"})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        value, status = score(raw, 1, 10)
        return [Reading(None, value, status)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 60
