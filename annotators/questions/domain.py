"""Which domain a document belongs to, one of a list, asked twice.

Rubric: Aquila-Med (arXiv 2406.12182, domain classification): GPT-4 labels the domain of 20,000 documents twice, and those with the
same label both times are the seed of a classifier. The paper prints neither prompt nor list; the default list is the
eighteen industries of the corpus that its authors published with it (BAAI/IndustryCorpus), and `other`. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask, several
from tilth.annotators.replies import label_of, object_schema

INDUSTRIES = {
    "medicine": "医学", "law": "法律", "education": "教育", "finance": "金融", "literature": "文学", "travel": "旅游", "sports": "体育",
    "automobile": "汽车", "news": "新闻", "politics": "时政", "technology": "科技", "computer": "计算机", "programming": "编程",
    "artificial_intelligence": "人工智能", "mathematics": "数学", "agriculture": "农业", "film": "影视", "emotion": "情感", "other": "其他",
}  # fmt: skip
"""The default labels, and what they are called in Chinese."""

SYSTEM: dict[Language, str] = {
    "en": """You say which domain a document belongs to. Choose the one label that fits its main subject best; judge by what it is about,
not by single words. Use only labels of the list.""",
    "zh": """请判断一篇文档属于哪个领域。选出最符合其主要内容的一个标签；依据内容主旨而非个别词语判断。只能使用列表中的标签。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"domain": label}. The labels are: ',
    "zh": '只用 JSON 作答：{"domain": 标签}。标签为：',
}


class Domain(Question, name="domain", version=1):
    """Domain of a document, a label of the list (Aquila-Med), asked twice: keep rows with the same label both times."""

    shows_candidates: ClassVar[bool] = False

    labels: tuple[str, ...] = Field(tuple(INDUSTRIES), description="the labels, as the judge must write them")
    times: int = Field(2, ge=1, le=16, description="times that each judge is asked; give it a temperature, or it repeats itself")

    @model_validator(mode="after")
    def _labels_differ(self) -> Domain:
        folded = [label.strip().casefold() for label in self.labels]
        if len(folded) < 2 or "" in folded or len(set(folded)) != len(folded):
            raise ValueError("labels: two or more, none empty, all different whatever their case")
        return self

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        shown = [f"{label} ({INDUSTRIES[label]})" if language == "zh" and label in INDUSTRIES else label for label in self.labels]
        ask = make_ask(row, (), seed, language, SYSTEM[language], TASK[language] + ", ".join(shown), subject=delimiters.DOCUMENT)
        return several(ask, self.times)

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(domain={"type": "string", "enum": list(self.labels)})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        chinese = {name: label for label, name in INDUSTRIES.items() if label in self.labels}
        label, status = label_of(raw, "domain", self.labels, chinese)
        return [Reading(None, None, status, label=label)]

    def expected_output_tokens(self, num_names: int) -> int:
        return 10
