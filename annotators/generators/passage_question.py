"""A question from a passage, behind a gate: whoever writes it first says whether the passage is worth one.

UltraMedical (arXiv 2406.03949, TextBookQA): GPT-4 sees a textbook's paragraph and three random exam questions, and answers in one JSON the
examination significance, whether the paragraph holds knowledge enough, and a question with four choices; an empty object skips the
paragraph. The words are ours, for any subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from tilth.annotators.calls import Language, Message
from tilth.annotators.drafts import Draft, draft, draft_schema, stands_alone
from tilth.annotators.generator import BrokenReply, Generator, material
from tilth.annotators.replies import json_object, object_schema

SYSTEM: dict[Language, str] = {
    "en": """You write examination questions{about} for {readers}. First decide whether the passage is worth one: it must hold knowledge that its
readers should have, and enough of it that the passage itself settles the answer. Contents pages, references, acknowledgements, exercises,
anecdotes, advertising, and passages that need a figure or another page are not worth a question.
If it is worth one, write one question:
- it stands alone: whoever reads it has not seen the passage, so it never speaks of a passage, text, author, figure or table
- it asks for understanding, or for several steps of reasoning, not for a wording that only this passage has
{form}
- in the language of the passage""",
    "zh": """你为{readers}编写{about}考题。首先判断这段文字是否值得出题：其中必须含有读者应掌握的知识，且足以由该段文字本身确定答案。
目录、参考文献、致谢、习题、轶事、广告，以及需要配图或其他页面才能理解的段落，都不值得出题。
若值得出题，写一道题：
- 题目独立成立：读题的人没有看过这段文字，因此不得提及“文中”“本段”“作者”“图”“表”等
- 考查理解或多步推理，而不是只有该段才有的措辞
{form}
- 使用该段文字的语言""",
}
FORM: dict[Literal["choice", "open"], dict[Language, str]] = {
    "choice": {
        "en": """- {count} options, exactly one of them right; the others are plausible, of like length and kind, and certainly wrong
- no option speaks of another ("all of the above", "both A and B"), and none begins with a letter or number of its own""",
        "zh": """- {count} 个选项，其中只有一个正确；其余选项看似合理、长度与类型相近，但必定错误
- 选项不得提及其他选项（如“以上都对”“A 和 B”），也不要自带字母或序号""",
    },
    "open": {"en": "- an open question that an expert answers in a paragraph or two", "zh": "- 一道开放式问题，专业人员可用一两段话作答"},
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"significance": what its readers should know of the passage, in one sentence, "sufficient_knowledge": '
    'true or false, "question": text{options}}. If the passage is not worth a question, answer {}, or with false and the rest empty.',
    "zh": '只用 JSON 作答：{"significance": 用一句话说明该段中读者应掌握的内容, "sufficient_knowledge": true 或 false, "question": 题目{options}}。'
    "若该段文字不值得出题，请回答 {}，或填 false 并将其余各项留空。",
}
OPTIONS: dict[Language, str] = {
    "en": ', "options": [{"text": text, "correct": true or false}, …]',
    "zh": ', "options": [{"text": 选项, "correct": true 或 false}, …]',
}
EXAMPLE: dict[Language, str] = {"en": "EXAMPLE QUESTION", "zh": "例题"}
PASSAGE: dict[Language, str] = {"en": "PASSAGE", "zh": "段落"}


class PassageQuestion(Generator, name="passage_question", version=1):
    """A question from a passage, or the word that it is not worth one (UltraMedical)."""

    form: Literal["choice", "open"] = Field("choice", description="multiple choice with one right option, or an open question")
    num_options: int = Field(4, ge=2, le=8, description="options of a multiple-choice question")

    @property
    def count(self) -> int:
        """Options that a question has; 0 for an open one."""
        return self.num_options if self.form == "choice" else 0

    def messages(self, passage: str, examples: Sequence[str], seed: int, identity: str, language: Language) -> tuple[Message, ...]:
        """What is sent about a passage; `examples` show the kind of question that is wanted."""
        form = FORM[self.form][language].replace("{count}", str(self.num_options))
        system = SYSTEM[language].replace("{form}", form).replace("{readers}", self.readers(language)).replace("{about}", self.about(language))
        task = TASK[language].replace("{options}", OPTIONS[language] if self.count else "")
        blocks = [(f"{EXAMPLE[language]} {number}", text) for number, text in enumerate(examples, start=1)]
        return material(system, [*blocks, (PASSAGE[language], passage)], task, seed, identity, language)

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(significance={"type": "string"}, sufficient_knowledge={"type": "boolean"}, **draft_schema(self.form == "choice"))

    def written(self, raw: str) -> Draft | None:
        """The question; None where the passage is not worth one.

        Raises:
            BrokenReply: unparsed, no_gate, leans_on_passage, and the rules of `drafts.draft`.
        """
        answer = json_object(raw)
        if answer is None:
            raise BrokenReply("unparsed", raw[:200])
        if not answer or answer.get("sufficient_knowledge") is False:
            return None
        if answer.get("sufficient_knowledge") is not True:
            raise BrokenReply("no_gate", f"sufficient_knowledge is {answer.get('sufficient_knowledge')!r}"[:200])
        found = draft(answer, self.count)
        stands_alone(found)
        return found

    def expected_output_tokens(self, num_names: int) -> int:
        return 80 + 25 * self.count


