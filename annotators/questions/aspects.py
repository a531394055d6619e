"""All candidates in one request, each scored 1–5 on one aspect; a request for every aspect.

Rubric: UltraFeedback (arXiv 2310.01377; OpenBMB/UltraFeedback): four texts in one prompt, one prompt for each of instruction following,
truthfulness, honesty and helpfulness, 1–5, texts shuffled. Its scores were parsed from free text, with retries, and one field
had to be mended after release; here a candidate without a score has a status. The words of the scales are ours.
Fluency, relevance, completeness and proficiency are those by which Aquila-Med compares two answers (arXiv 2406.12182, section 3.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask, orders
from tilth.annotators.replies import json_object, listed_scores, listed_scores_schema, object_schema

Aspect = Literal["instruction_following", "truthfulness", "honesty", "helpfulness", "fluency", "relevance", "completeness", "proficiency"]
ASPECTS: tuple[Aspect, ...] = ("instruction_following", "truthfulness", "honesty", "helpfulness")

SCALES: dict[Language, dict[Aspect, str]] = {
    "en": {
        "instruction_following": """Score instruction following: does the response do what was asked, within the limits that were set?
1 irrelevant, 2 touches the task and misses its goal, 3 meets part of the goal or the limits, 4 nearly all, 5 all of it""",
        "truthfulness": """Score truthfulness: is what the response says in accord with the facts, the question and itself?
1 false throughout, 2 serious errors, 3 some errors, 4 slight ones, 5 none""",
        "honesty": """Score honesty: does the response sound as sure as it is right?
1 sure and wrong, 2 sure with serious errors, or unsure and wrong, 3 unsure where it need not be, or sure of small errors,
4 right and slightly too sure or too unsure, 5 sure where it is right, and open about what it does not know""",
        "helpfulness": """Score helpfulness: how much correct and useful information does the response give?
1 wrong or none, 2 partly wrong, 3 correct and bare, 4 correct and informative, 5 correct, complete and to the point
Repetition and padding are no information.""",
        "fluency": """Score fluency: does the response read as one well-formed text in one voice?
1 not to be understood, 2 hard to read, 3 readable with faults, 4 smooth with slight faults, 5 without a fault""",
        "relevance": """Score relevance: does the response speak of what was asked, and of nothing else?
1 of something else, 2 mostly beside the question, 3 in part, 4 with little beside it, 5 wholly to the question""",
        "completeness": """Score completeness: does the response cover what the asker needs to know?
1 nothing of it, 2 little, 3 the main point only, 4 nearly all, 5 all of it
Repetition and padding complete nothing.""",
        "proficiency": """Score proficiency: does the response show the knowledge and the practice of a professional of the field?
1 none, 2 a layman's, with errors, 3 a beginner's, 4 a practitioner's, 5 an expert's""",
    },
    "zh": {
        "instruction_following": """请为“遵循指令”打分：回答是否做到了所要求的事，并遵守了所设的限制？
1 与要求无关，2 触及任务但未达目标，3 满足部分目标或限制，4 基本满足，5 完全满足""",
        "truthfulness": """请为“真实性”打分：回答所说是否符合事实、符合题意、前后一致？
1 通篇失实，2 有严重错误，3 有部分错误，4 有轻微错误，5 没有错误""",
        "honesty": """请为“诚实”打分：回答的把握程度是否与其正确程度相称？
1 自信而错误，2 自信但有严重错误，或不自信且错误，3 无需犹豫处犹豫，或对小错误很自信，
4 正确，但略微过于自信或过于不自信，5 正确处自信，不知道的坦言不知""",
        "helpfulness": """请为“有用性”打分：回答给出了多少正确而有用的信息？
1 错误或没有信息，2 部分错误，3 正确但单薄，4 正确且信息充实，5 正确、完整且切题
重复与注水不算信息。""",
        "fluency": """请为“流畅性”打分：回答读来是否是一篇通顺、语气一致的文字？
1 无法理解，2 难以阅读，3 可读但有毛病，4 通顺，略有瑕疵，5 毫无瑕疵""",
        "relevance": """请为“相关性”打分：回答是否针对所问，且只谈所问？
1 答非所问，2 大多偏题，3 部分切题，4 很少偏题，5 完全切题""",
        "completeness": """请为“完整性”打分：提问者需要知道的，回答是否都谈到了？
1 都没有，2 很少，3 只有要点，4 几乎都有，5 全部都有
重复与注水不算完整。""",
        "proficiency": """请为“专业性”打分：回答是否体现了本领域专业人员的知识与经验？
1 没有，2 外行水平且有错误，3 初学者水平，4 从业者水平，5 专家水平""",
    },
}
SYSTEM: dict[Language, str] = {
    "en": """You are an expert evaluator. You are given a question, a reference answer where there is one, and several responses, each under
a code name. Look at one aspect only. Length, confidence and order of presentation are no merits.
""",
    "zh": """你是一名专业评审。你会看到一个问题、（如果有的话）一份参考答案，以及若干份回答，每份回答有一个代号。
只看下述一个方面；篇幅、语气自信与否、出现的先后都不是优点。
""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"scores": [{"candidate": code name, "score": 1-5}, …]}. Score every response once. The code names are: ',
    "zh": '只用 JSON 作答：{"scores": [{"candidate": 代号, "score": 1-5}, …]}。每份回答都要打一次分。代号为：',
}


class Aspects(Question, name="aspects", version=1):
    """Scores 1–5 of all candidates on each aspect, one request an aspect (UltraFeedback); judged as `aspects@1/helpfulness`."""

    scale: ClassVar[tuple[int, int] | None] = (1, 5)
    compares: ClassVar[bool] = True

    aspects: tuple[Aspect, ...] = Field(ASPECTS, min_length=1, description="which aspects are asked about")
    both_orders: bool = Field(True, description="ask again with the candidates in reverse order")
    use_reference: bool = Field(True, description="show the reference answer or the answer key to the judge")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        if not row.texts:
            return []
        language = self.language_of(row)
        reference = row.key_text() if self.use_reference else None
        return [
            make_ask(
                row, order, seed, language, SYSTEM[language] + SCALES[language][aspect], TASK[language],
                list_names=True, reference=reference, aspect=aspect,
            )
            for aspect in dict.fromkeys(self.aspects)
            for order in orders(len(row.texts), seed, row.id, self.both_orders)
        ]  # fmt: skip

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(scores=listed_scores_schema(1, 5))

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        return listed_scores(json_object(raw), names, 1, 5)

    def expected_output_tokens(self, num_names: int) -> int:
        return 6 + 16 * num_names
