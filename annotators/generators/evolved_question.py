"""A harder question from a question: evol-instruct in depth, open and multiple choice.

WizardLM (arXiv 2304.12244, section 3.2): an instruction is rewritten by one method, ten to twenty words longer. UltraMedical (arXiv
2406.03949) has five methods for open questions and four for multiple choice, which must keep one right option. The words are ours.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Message
from tilth.annotators.drafts import Draft, draft, draft_schema
from tilth.annotators.generator import BrokenReply, Generator, material
from tilth.annotators.replies import json_object, object_schema

Form = Literal["open", "choice"]
Method = Literal["constraint", "specific", "reasoning", "widen", "case", "distractors"]

METHODS: dict[Method, dict[Language, str]] = {
    "constraint": {"en": "add one more condition or requirement that the answer must meet", "zh": "增加一个答案必须满足的条件或要求"},
    "specific": {"en": "replace general concepts by more specific ones", "zh": "用更具体的概念替换笼统的概念"},
    "reasoning": {
        "en": "make it need several steps of reasoning that depend on one another, and ask for them where it is open",
        "zh": "使其需要多个相互依赖的推理步骤才能作答；若为开放式问题，明确要求给出这些步骤",
    },
    "widen": {"en": "ask for more depth and breadth of the same subject", "zh": "在同一主题上扩大问题的深度与广度"},
    "case": {
        "en": "build it on a concrete case with data of its own (findings, figures, a record, a table in words)",
        "zh": "以带有具体数据的真实情形为基础（如检查结果、数字、记录、案情）",
    },
    "distractors": {
        "en": "leave the question as it is, and replace wrong options by ones that are harder to tell from the right one, and still wrong",
        "zh": "题干保持不变，将错误选项换成更难与正确选项区分、但仍然错误的选项",
    },
}
OPEN: tuple[Method, ...] = ("constraint", "specific", "reasoning", "widen", "case")
CHOICE: tuple[Method, ...] = ("constraint", "specific", "reasoning", "distractors")

SYSTEM: dict[Language, str] = {
    "en": """You rewrite questions{about} so that {readers} find them harder, and can still understand and answer them.
How to rewrite this one: {method}.
- {growth}
- keep its language and all that it gives: code, tables, numbers, names
- it stands alone, and says nothing of having been rewritten
- do not answer it{choice}""",
    "zh": """你负责改写{about}问题，使其对{readers}更有难度，但仍然可以理解和回答。
本题的改写方法：{method}。
- {growth}
- 保留原有语言以及题中给出的全部内容：代码、表格、数字、名称
- 题目独立成立，不得提及“改写”
- 不要作答{choice}""",
}
GROWTH: dict[Language, str] = {"en": "add {low} to {high} words, no more", "zh": "增加 {low} 到 {high} 个字，不要更多"}
SAME: dict[Language, str] = {"en": "keep every option about as long as it was", "zh": "各选项的长度与原来大致相当"}
RULES: dict[Language, str] = {
    "en": """
- {count} options again, exactly one of them right; the others are plausible and certainly wrong
- no option speaks of another ("all of the above", "both A and B"), and none begins with a letter or number of its own""",
    "zh": """
- 仍为 {count} 个选项，其中只有一个正确；其余选项看似合理，但必定错误
- 选项不得提及其他选项（如“以上都对”“A 和 B”），也不要自带字母或序号""",
}
TASK: dict[Form, dict[Language, str]] = {
    "open": {"en": 'Answer with JSON only: {"question": text}.', "zh": '只用 JSON 作答：{"question": 题目}。'},
    "choice": {
        "en": 'Answer with JSON only: {"question": text, "options": [{"text": text, "correct": true or false}, …]}.',
        "zh": '只用 JSON 作答：{"question": 题目, "options": [{"text": 选项, "correct": true 或 false}, …]}。',
    },
}
RIGHT: dict[Language, str] = {"en": "RIGHT OPTION", "zh": "正确选项"}


class EvolvedQuestion(Generator, name="evolved_question", version=1):
    """A question rewritten by one method to be harder; with options it keeps exactly one right."""

    low: int = Field(10, ge=0, description="words to add, at least (characters in Chinese)")
    high: int = Field(20, ge=1, description="words to add, at most")
    _form: Form = PrivateAttr("open")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} lies above high {self.high}")
        return self

    def of(self, form: Form) -> Self:
        """The same for questions of that form."""
        copy = self.model_copy()
        copy._form = form
        return copy

    def method(self, seed: int, identity: str) -> Method:
        """The method of a row, drawn by hash of seed and row."""
        methods = CHOICE if self._form == "choice" else OPEN
        drawn = hashlib.sha256(f"{seed}/{identity}/method".encode()).digest()
        return methods[int.from_bytes(drawn[:8]) % len(methods)]

    def messages(self, question: Draft, method: Method, seed: int, identity: str, language: Language) -> tuple[Message, ...]:
        """What is sent about a question."""
        growth = SAME[language] if method == "distractors" else GROWTH[language].replace("{low}", str(self.low)).replace("{high}", str(self.high))
        choice = RULES[language].replace("{count}", str(len(question.options))) if question.options else ""
        system = SYSTEM[language].replace("{method}", METHODS[method][language]).replace("{growth}", growth).replace("{choice}", choice)
        system = system.replace("{readers}", self.readers(language)).replace("{about}", self.about(language))
        blocks = [(delimiters.QUESTION[language], question.question)]
        if question.right is not None:
            blocks += [(delimiters.OPTIONS[language], "\n".join(f"- {text}" for text in question.options))]
            blocks += [(RIGHT[language], question.options[question.right])]
        return material(system, blocks, TASK[self._form][language], seed, identity, language)

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(**draft_schema(self._form == "choice"))

    def written(self, raw: str) -> Draft:
        """The question as rewritten.

        Raises:
            BrokenReply: unparsed, and the rules of `drafts.draft`.
        """
        answer = json_object(raw)
        if answer is None:
            raise BrokenReply("unparsed", raw[:200])
        return draft(answer, None if self._form == "choice" else 0)

    def expected_output_tokens(self, num_names: int) -> int:
        return 170 if self._form == "choice" else 70
