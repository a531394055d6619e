"""Instructions about a subfield, each with the context that it needs: the third of the levels domain → subfield → instruction.

UltraMedical (arXiv 2406.03949, WikiInstruct): rules on varied verbs, questions beside imperatives, a range of tasks and difficulties, text
only, one or two sentences, and a context of at most a hundred words or "None". The words are ours, for any subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tilth.annotators.calls import Language, Message
from tilth.annotators.drafts import says_nothing, text_of
from tilth.annotators.generator import BrokenReply, Generator, material
from tilth.annotators.replies import json_object, object_schema

SYSTEM: dict[Language, str] = {
    "en": """You write instructions{about} that {readers} might put to an assistant. They are all about the subfield given.
- the verbs differ; questions stand beside imperatives
- the tasks differ: explaining, comparing, classifying, extracting, planning, calculating, criticising, summarising, writing and more
- the difficulty ranges from what a student knows to what an expert must think about
- an assistant that reads and writes text can do it: no pictures, no files, no search, no reminders
- one or two sentences each
- where an instruction needs data to work on (a report, a case, a table in words), write it as its context, realistic and in at most
  {context} words; where it needs none, the context is "None"
- in the language of the subfield's name""",
    "zh": """你编写{about}指令，即{readers}可能向助手提出的请求，全部围绕给定的子领域。
- 动词多样，疑问句与祈使句并用
- 任务多样：解释、比较、分类、提取、规划、计算、评析、总结、写作等
- 难度从学生应知到专家需深思不等
- 仅凭阅读和书写文字即可完成：不涉及图片、文件、检索、提醒
- 每条一至两句话
- 若指令需要可供处理的材料（如报告、案例、文字形式的表格），将其写作 context，须真实可信且不超过 {context} 字；不需要时 context 为 "None"
- 使用与子领域名称相同的语言""",
}
TASK: dict[Language, str] = {
    "en": 'Write {count} instructions{more}. Answer with JSON only: {"instructions": [{"instruction": text, "context": text or "None"}, …]}.',
    "zh": '请编写 {count} 条{more}指令。只用 JSON 作答：{"instructions": [{"instruction": 指令, "context": 材料或 "None"}, …]}。',
}
MORE: dict[Language, str] = {"en": " unlike those known", "zh": "与已有指令不同的"}
SUBFIELD: dict[Language, str] = {"en": "SUBFIELD", "zh": "子领域"}
DOMAIN: dict[Language, str] = {"en": "DOMAIN", "zh": "领域"}
KNOWN: dict[Language, str] = {"en": "KNOWN INSTRUCTIONS", "zh": "已有指令"}
NO_CONTEXT = frozenset(("", "none", "none.", "n/a", "null", "无", "无。", "没有"))


class Instructions(Generator, name="instructions", version=1):
    """Instructions about a subfield."""

    count: int = Field(20, ge=1, le=1000, description="instructions of a subfield")
    per_call: int = Field(20, ge=1, le=100, description="instructions that are asked for at once")
    max_context: int = Field(100, ge=0, description="words of a context at most, as the prompt says them; characters in Chinese")

    def messages(
        self, subfield: str, domain: str | None, known: Sequence[str], count: int, seed: int, identity: str, language: Language
    ) -> tuple[Message, ...]:
        """What is sent about a subfield to get `count` instructions unlike those known."""
        system = SYSTEM[language].replace("{context}", str(self.max_context))
        system = system.replace("{readers}", self.readers(language)).replace("{about}", self.about(language))
        task = TASK[language].replace("{count}", str(count)).replace("{more}", MORE[language] if known else "")
        blocks = [*([(DOMAIN[language], domain)] if domain else []), (SUBFIELD[language], subfield), *([(KNOWN[language], "\n".join(known))] if known else [])]
        return material(system, blocks, task, seed, identity, language)

    def answer_schema(self) -> dict[str, Any]:
        one = object_schema(instruction={"type": "string"}, context={"type": "string"})
        return object_schema(instructions={"type": "array", "items": one})

    def written(self, raw: str) -> list[str | BrokenReply]:
        """The instructions, each with its context beneath it where it needs one, and what is wrong with those that are none: no_instruction,
        says_nothing, long_context (more than half as long again as allowed) and the rules of `drafts.text_of`.

        Raises:
            BrokenReply: unparsed.
        """
        answer = json_object(raw)
        if answer is None or not isinstance(answer.get("instructions"), list):
            raise BrokenReply("unparsed", raw[:200])
        return [self._instruction(one) for one in answer["instructions"]]

    def expected_output_tokens(self, num_names: int) -> int:
        return 10 + 60 * min(self.per_call, self.count)

    def _instruction(self, value: object) -> str | BrokenReply:
        try:
            said = value if isinstance(value, dict) else {}
            text = text_of(said.get("instruction"), "no_instruction")
            if says_nothing(text):
                raise BrokenReply("says_nothing", text[:100])
            context = said.get("context")
            if context is None or (isinstance(context, str) and context.strip().lower() in NO_CONTEXT):
                return text
            context = text_of(context, "no_context")
            words = len(re.findall(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", context))
            if words > 1.5 * self.max_context:
                raise BrokenReply("long_context", f"{words} words")
            return f"{text}\n\n{context}"
        except BrokenReply as error:
            return error
