"""How good one answer is, 1–6, each candidate by itself.

Rubric: Deita (arXiv 2312.15685, "evol quality"): helpfulness, relevance, depth, creativity and detail of the response on a scale of 1–6;
there a trained scorer's expected value over the tokens "1"–"6", here a judge's integer. The prompt's words are ours.
Deita's scorer returns 3.0 for whatever it cannot read; here that is a status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask
from tilth.annotators.replies import object_schema, scale_schema, score

SYSTEM: dict[Language, str] = {
    "en": """You rate the quality of one response to a question, on an integer scale from 1 to 6:
1 useless or wrong, 2 poor, 3 mediocre, 4 adequate, 5 good, 6 outstanding.
Consider helpfulness, relevance, correctness, depth, creativity where it is called for, and level of detail.
Length and confidence alone are no merits.""",
    "zh": """请为一个问题的一份回答的质量打分，用 1 到 6 的整数表示：
1 无用或错误，2 差，3 平庸，4 尚可，5 好，6 出色。
考虑：是否有帮助、是否切题、是否正确、深度、在需要时的创造性，以及详细程度。
篇幅长、语气自信本身不是优点。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"score": integer 1-6}.',
    "zh": '只用 JSON 作答：{"score": 1-6 的整数}。',
}


class Quality(Question, name="quality", version=1):
    """Quality of each answer by itself, 1–6."""

    scale: ClassVar[tuple[int, int] | None] = (1, 6)
    compares: ClassVar[bool] = True

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        return [make_ask(row, (index,), seed, language, SYSTEM[language], TASK[language]) for index in range(len(row.texts))]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(score=scale_schema(1, 6))

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        value, status = score(raw, 1, 6)
        return [Reading(names[0] if names else None, value, status)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 8

    def reply_from(self, shares: Sequence[float | None], names: Sequence[str]) -> str:
        share = shares[0]
        return "{}" if share is None else orjson.dumps({"score": 1 + round(5 * share)}).decode()
