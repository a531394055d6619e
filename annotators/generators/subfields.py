"""Subfields of a domain: the second of the three levels domain → subfield → instruction.

UltraMedical (arXiv 2406.03949, WikiInstruct): twenty biomedical domains, twenty subfields of each, twenty instructions of each of these.
Here the domains are rows, of any subject. The words are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tilth.annotators.calls import Language, Message
from tilth.annotators.drafts import text_of
from tilth.annotators.generator import BrokenReply, Generator, material
from tilth.annotators.replies import json_object, object_schema

MAX_CHARS = 120
"""A name that is longer is none."""

SYSTEM: dict[Language, str] = {
    "en": """You know how the knowledge of a domain is divided for {readers}. Name subfields of the domain given{within}: each a field of study or practice of
its own, as specific as the chapters of a handbook, none of them a part or another name of another; together they cover the domain evenly.
Only their names, without numbers or explanations, in the language of the domain's name.""",
    "zh": """你了解某一领域的知识如何为{readers}划分。请列出给定领域{within}的子领域：每个都是独立的研究或实践方向，具体程度与手册的章节相当，
互不包含也不重名，合起来均衡地覆盖整个领域。只写名称，不带序号和解释，使用与领域名称相同的语言。""",
}
TASK: dict[Language, str] = {
    "en": 'Name {count} subfields{more}. Answer with JSON only: {"subfields": [name, …]}.',
    "zh": '请列出 {count} 个{more}子领域。只用 JSON 作答：{"subfields": [名称, …]}。',
}
MORE: dict[Language, str] = {"en": " that are not among those known", "zh": "尚未列出的"}
DOMAIN: dict[Language, str] = {"en": "DOMAIN", "zh": "领域"}
KNOWN: dict[Language, str] = {"en": "KNOWN SUBFIELDS", "zh": "已有子领域"}


class Subfields(Generator, name="subfields", version=1):
    """Names of subfields of a domain."""

    count: int = Field(20, ge=1, le=200, description="subfields of a domain")

    def messages(self, domain: str, known: Sequence[str], count: int, seed: int, identity: str, language: Language) -> tuple[Message, ...]:
        """What is sent about a domain to get `count` subfields unlike those known."""
        within = "" if self.domain is None else f" (a part of {self.domain})" if language == "en" else f"（属于{self.domain}）"
        system = SYSTEM[language].replace("{readers}", self.readers(language)).replace("{within}", within)
        task = TASK[language].replace("{count}", str(count)).replace("{more}", MORE[language] if known else "")
        blocks = [(DOMAIN[language], domain), *([(KNOWN[language], "\n".join(known))] if known else [])]
        return material(system, blocks, task, seed, identity, language)

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(subfields={"type": "array", "items": {"type": "string"}})

    def written(self, raw: str) -> list[str | BrokenReply]:
        """The names, and what is wrong with those that are none: too_long, no_name and the rules of `drafts.text_of`.

        Raises:
            BrokenReply: unparsed.
        """
        answer = json_object(raw)
        if answer is None or not isinstance(answer.get("subfields"), list):
            raise BrokenReply("unparsed", raw[:200])
        return [_name(one) for one in answer["subfields"]]

    def expected_output_tokens(self, num_names: int) -> int:
        return 10 + 8 * self.count


def _name(value: object) -> str | BrokenReply:
    try:
        name = text_of(value, "no_name")
        if len(name) > MAX_CHARS or "\n" in name:
            raise BrokenReply("too_long", name[:100])
        return name
    except BrokenReply as error:
        return error
