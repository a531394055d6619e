"""How fit a document is to train on, 0–6, asked twice.

Rubric: Aquila-Med (arXiv 2406.12182, LLM-quality filter of its pretraining corpus): GPT-4 scores a document twice, 0–6, against
advertising, faulty grammar, incoherence, spliced texts and residue of image or video editing; documents whose two scores
are about two points apart are left out of the seed. The prompt is not published; the words here are ours. Of the scale, the
public successor (BAAI/IndustryCorpus2_DataRater) says that 3 is relatively good and 4 clearly good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask, several
from tilth.annotators.replies import object_schema, scale_schema, score

SYSTEM: dict[Language, str] = {
    "en": """You rate how fit a document is as training text for a language model, on an integer scale from 0 to 6:
0 no usable text, 1 very poor, 2 poor, 3 relatively good, 4 clearly good, 5 very good, 6 excellent.
Take points off for advertising and marketing, faulty grammar, incoherence, pieces of unrelated texts put together, and residue of web
pages or of image and video editing. Reward text that is informative, coherent, complete and well written.
Rate the text as it stands; neither its topic nor its length counts.""",
    "zh": """请评估一篇文档作为语言模型训练文本的质量，用 0 到 6 的整数表示：
0 没有可用的文本，1 很差，2 较差，3 较好，4 明显好，5 很好，6 极好。
出现以下情况应扣分：广告与营销、语法错误、语义不连贯、由无关文本拼接而成、网页残留或图片视频编辑的残留。
内容翔实、连贯、完整、行文良好者应得高分。只评判文本本身；主题与篇幅都不计分。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"score": integer 0-6}.',
    "zh": '只用 JSON 作答：{"score": 0-6 的整数}。',
}


class DocumentQuality(Question, name="document_quality", version=1):
    """Fitness of a document as training text, 0–6 (Aquila-Med), asked twice: keep rows whose scores are less than two apart."""

    scale: ClassVar[tuple[int, int] | None] = (0, 6)
    shows_candidates: ClassVar[bool] = False

    times: int = Field(2, ge=1, le=16, description="times that each judge is asked; give it a temperature, or it repeats itself")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        language = self.language_of(row)
        ask = make_ask(row, (), seed, language, SYSTEM[language], TASK[language], subject=delimiters.DOCUMENT)
        return several(ask, self.times)

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(score=scale_schema(0, 6))

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        return [Reading(None, *score(raw, 0, 6))]

    def expected_output_tokens(self, num_names: int) -> int:
        return 8
