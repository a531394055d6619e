"""An answer to a row's own question, worked out step by step, after examples where there are any.

UltraMedical (arXiv 2406.03949, answer annotation): GPT-4 answers step by step, and where the key says that it is wrong it tries again after
worked examples of the most similar questions (Medprompt, arXiv 2311.16452, section 4: dynamic few-shot, self-generated chains of thought).
The words are ours. What is asked is the row itself, as its reader would ask it, so no delimiters stand around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from tilth.annotators.calls import Language, Message
from tilth.annotators.generator import BrokenReply, Generator
from tilth.annotators.replies import spoken

SYSTEM: dict[str, dict[Language, str]] = {
    "choice": {
        "en": "You answer examination questions{about} for {readers}. Think step by step: recall what matters, weigh every option, and say why the "
        "others are wrong. End with a line of its own: So, the answer is X. (X is the letter of one option.)",
        "zh": "你为{readers}解答{about}考题。请逐步思考：回忆要点，比较每个选项，说明其余选项为何错误。最后单独一行写出：因此，答案是X。（X 为某一选项的字母）",
    },
    "open": {
        "en": "You answer questions{about} for {readers}. Be right, complete and clear; where there is something to work out, do it step by step. "
        "Say so where the question cannot be answered for certain.",
        "zh": "你为{readers}回答{about}问题。请做到正确、完整、清楚；需要推导之处请逐步进行。若问题无法确切回答，请如实说明。",
    },
}


class WorkedAnswer(Generator, name="worked_answer", version=1):
    """The answer to a question, in free text."""

    instruction: str | None = Field(None, min_length=1, description="system message in place of ours; for keyed questions it must ask for the letter at the end")

    def messages(self, turns: Sequence[Message], examples: Sequence[tuple[str, str]], choice: bool, language: Language) -> tuple[Message, ...]:
        """What is sent about a conversation that ends with the user; `examples` are (question, answer) pairs, the last the most similar."""
        system = self.instruction
        if system is None:
            system = SYSTEM["choice" if choice else "open"][language].replace("{readers}", self.readers(language)).replace("{about}", self.about(language))
        own = [turn["content"] for turn in turns if turn["role"] == "system"]
        shown: list[Message] = []
        for question, answer in examples:
            shown += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        rest = [turn for turn in turns if turn["role"] != "system"]
        return ({"role": "system", "content": "\n\n".join((system, *own))}, *shown, *rest)

    def answer_schema(self) -> dict[str, Any]:
        return {}

    def written(self, raw: str) -> str:
        """The answer.

        Raises:
            BrokenReply: it is empty.
        """
        if not (said := spoken(raw).strip()):
            raise BrokenReply("missing", "an empty reply")
        return said

    def expected_output_tokens(self, num_names: int) -> int:
        return 350
