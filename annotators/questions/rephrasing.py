"""Does a passage ask what an exam item asks, in other words? Each item by itself: same, related or different.

After the LLM decontaminator of LMSYS (Yang et al. 2023, arXiv:2311.04850, section 4): of the pairs that a search finds, a strong
model says whether both are the same, names and the order of words apart; two questions are the same where they have the same answer,
two programs where they solve the same problem. It asks for True or False, and a reply that cannot be had after thirty tries is a
False. Here a near miss has a word of its own, `related`, and so has a text that teaches what the item tests, for knowledge is no
leak; a translation counts; a reason comes first; and what cannot be read is a status, never a verdict. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask
from tilth.annotators.replies import json_object, label_of, object_schema

VALUES = {"same": 1.0, "related": 0.5, "different": 0.0}
CHINESE = {"相同": "same", "相关": "related", "不同": "different"}

SYSTEM: dict[Language, str] = {
    "en": """A benchmark must not be answered by what a model read in training. You are given a passage of a training set and one item of a benchmark.
Decide whether they ask the same thing, so that whoever knows the one has seen the other.
same: somewhere the passage puts the item's question or task, with or without an answer. Other words, another order, another language, other names,
options in another order or left out change nothing. Two programs or specifications are the same where they solve the same problem.
related: the same subject or kind of question, but another question, or another number, condition or negation that changes the answer;
also a passage that teaches what the item tests and does not ask it
different: neither
Compare what is asked, not how alike the words are. Do not answer the question, and do not judge who is right.""",
    "zh": """评测题不应因模型在训练中读过而被答出。你会看到训练数据中的一个段落和一道评测题。请判断两者所问是否相同，即见过其一是否就等于见过另一个。
same 相同：段落中某处提出了该题的问题或任务，无论是否附有答案。措辞、语序、语言、人名不同，选项顺序不同或省略选项，都不影响判断。
两段程序或两份说明若解决的是同一个问题，也算相同。
related 相关：主题或题型相同，但所问不同，或数字、条件、否定不同而使答案改变；段落只讲授该题所考的知识而并未提出该问题，也属此类
different 不同：以上皆非
请比较所问的内容，而不是字面相似程度。不要解答题目，也不要评判对错。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"reason": at most 20 words, "verdict": "same", "related" or "different"}.',
    "zh": '只用 JSON 作答：{"reason": 不超过 30 字的理由, "verdict": "same"、"related" 或 "different"}。',
}


class Rephrasing(Question, name="rephrasing", version=1):
    """Whether a passage asks what each item, shown as a candidate, asks: same has the value 1, related 0.5, different 0."""

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        return [
            make_ask(row, (index,), seed, language, SYSTEM[language], TASK[language], subject=delimiters.PASSAGE, candidate=delimiters.ITEM)
            for index in range(len(row.texts))
        ]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(reason={"type": "string"}, verdict={"type": "string", "enum": list(VALUES)})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        label, status = label_of(raw, "verdict", tuple(VALUES), CHINESE)
        return [Reading(names[0] if names else None, None if label is None else VALUES[label], status, label=label)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 40


def reason_of(raw: str) -> str | None:
    """The reason that a judge gave, what no UTF-8 file can hold taken out; None where it gave none.

    >>> reason_of('{"reason": "Both ask for the vessel.", "verdict": "same"}'), reason_of("same")
    ('Both ask for the vessel.', None)
    """
    said = (json_object(raw) or {}).get("reason")
    return said.encode("utf-8", "ignore").decode() or None if isinstance(said, str) else None
