"""Does a completion's final answer equal the key? Each candidate by itself: correct, incorrect, or no answer.

UltraMedical (arXiv 2406.03949, answer annotation) compares the last option of a completion with the key and drops what
differs; a one-line regex finds one in nine of ten completions. A judge reads the rest, and keys that are no option. A completion
that settles on nothing has a label of its own, not a wrong answer. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask
from tilth.annotators.replies import label_of, object_schema

VALUES = {"correct": 1.0, "incorrect": 0.0, "no_answer": None}
CHINESE = {"正确": "correct", "错误": "incorrect", "不正确": "incorrect", "无答案": "no_answer", "没有答案": "no_answer"}

SYSTEM: dict[Language, str] = {
    "en": """You check one response against an answer key, given as the reference answer. Find the final answer that the response commits to,
and compare it with the key. Do not solve the question, and do not judge the reasoning.
correct: the final answer means the same as the key, whatever its words
incorrect: it settles on another answer, or on several of which the key is only one
no_answer: it states no final answer, declines, or breaks off before one""",
    "zh": """请将一份回答与答案（即参考答案）核对。找出该回答最终给出的答案，并与参考答案比较。不要自己解题，也不要评判推理过程。
correct 正确：最终答案与参考答案含义相同，措辞不限
incorrect 错误：给出了别的答案，或给出多个答案而参考答案只是其中之一
no_answer 没有答案：没有给出最终答案、拒绝回答，或在给出答案前中断""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"final_answer": the answer found, as short as possible, "verdict": "correct", "incorrect" or "no_answer"}.',
    "zh": '只用 JSON 作答：{"final_answer": 找到的答案，尽量简短, "verdict": "correct"、"incorrect" 或 "no_answer"}。',
}


class AnswerKey(Question, name="answer_key", version=1):
    """Whether each candidate's final answer is the key; correct has the value 1, incorrect 0, no_answer none. Rows without a key are not asked about."""

    compares: ClassVar[bool] = True

    def requests(self, row: Item, seed: int) -> list[Ask]:
        if row.answer is None:
            return []
        language = self.language_of(row)
        key = next((f"{label}. {text}" for label, text in row.options if row.answer in (label, text)), row.answer)
        return [
            make_ask(row, (index,), seed, language, SYSTEM[language], TASK[language], reference=key)
            for index in range(len(row.texts))
        ]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(final_answer={"type": "string"}, verdict={"type": "string", "enum": list(VALUES)})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        label, status = label_of(raw, "verdict", tuple(VALUES), CHINESE)
        return [Reading(names[0] if names else None, None if label is None else VALUES[label], status, label=label)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 25

    def reply_from(self, shares: Sequence[float | None], names: Sequence[str]) -> str:
        if shares[0] not in (0.0, 1.0):  # overlap with a text is no answer
            return "{}"
        return orjson.dumps({"verdict": "correct" if shares[0] else "incorrect"}).decode()
