"""Does a passage hold enough to write a question from? Yes or no, before anybody pays for the question.

UltraMedical (arXiv 2406.03949, TextBookQA): the model that writes a question from a textbook's paragraph first says whether it has
significance for an examination and knowledge enough to ask about; an empty object skips the paragraph. Here it is a question of its
own, so that a cheap judge can be the gate. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask
from tilth.annotators.replies import label_of, object_schema

VALUES = {"yes": 1.0, "no": 0.0}

SYSTEM: dict[Language, str] = {
    "en": """You decide whether a passage is worth an examination question. Say yes where it holds knowledge of its subject that an expert should
have, and enough of it to write a question with exactly one right answer from the passage alone. Say no to contents, references,
acknowledgements, exercises, anecdotes, advertising, and to passages that need a figure or another page.""",
    "zh": """请判断一段文字是否值得据此出一道考题。若其中含有专业人员应掌握的知识，且仅凭该段文字就足以出一道只有一个正确答案的题目，答 yes。
目录、参考文献、致谢、习题、轶事、广告，以及需要配图或其他页面才能理解的段落，答 no。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"worth_asking": "yes" or "no"}.',
    "zh": '只用 JSON 作答：{"worth_asking": "yes" 或 "no"}。',
}


class WorthAsking(Question, name="worth_asking", version=1):
    """Whether a passage is worth a question (value 1) or not (0); no candidate is shown."""

    shows_candidates: ClassVar[bool] = False

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        return [make_ask(row, (), seed, language, SYSTEM[language], TASK[language], subject=delimiters.DOCUMENT)]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(worth_asking={"type": "string", "enum": list(VALUES)})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        label, status = label_of(raw, "worth_asking", tuple(VALUES), {"是": "yes", "否": "no"})
        return [Reading(None, None if label is None else VALUES[label], status, label=label)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 8
