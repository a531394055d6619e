"""Option pairs (Aquila-Med, arXiv 2406.12182, DPO data): of an exam item the right option is chosen, a randomly chosen wrong one rejected.

No model is asked. Aquila-Med made 3,708 such pairs against the alignment tax; in what words the options stand as answers it does not say, so
the form is a parameter.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.calls import Language
from tilth.builders.pairing import drawn, paired
from tilth.core.rows import schema
from tilth.core.steps import FATES, Made, MakeContext, Step

PLACES = re.compile(r"\{(label|text)\}")
SENTENCE: dict[Language, str] = {"en": "The correct answer is {label}. {text}", "zh": "正确答案是{label}。{text}"}
Option = dict[str, str]


class OptionPairs(Step, name="option_pairs", version=1):
    """Right option chosen, a wrong one rejected, of items with options and key and no completions. Other rows pass."""

    corpora = ("preference",)
    form: Literal["label_text", "text", "sentence"] = Field("label_text", description="an option as an answer: `B. Zinc`, `Zinc`, or a sentence")
    sentence: dict[Language, str] = Field(SENTENCE, description="the sentence by language, with {label}, {text} or both")
    per_prompt: int = Field(1, ge=1, description="pairs made of one item at most, each with another wrong option")

    @model_validator(mode="after")
    def _sentences_name_the_option(self) -> OptionPairs:
        for language in ("en", "zh"):
            if not PLACES.search(self.sentence.get(language, "")):
                raise ValueError(f"sentence.{language} holds neither {{label}} nor {{text}}: chosen and rejected would be equal")
        return self

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        out: list[dict[str, Any]] = []
        fates: list[tuple[int, str, str, str | None, str | None]] = []
        made = 0
        for index, row in enumerate(rows.iter_rows(named=True)):
            if row["chosen"] is not None or row["candidates"] or not row["options"] or not row["answer"]:
                out.append(row)
                continue
            key = next((one for one in row["options"] if one["label"] == row["answer"]), None)
            if key is None:
                fates.append((index, "dropped", "no_single_key", row["answer"], None))
                continue
            wrong = [one for one in row["options"] if one["label"] != key["label"] and _plain(one["text"]) != _plain(key["text"])]
            if not wrong:
                fates.append((index, "dropped", "no_wrong_option", f"{len(row['options'])} options", None))
                continue
            taken = drawn(wrong, row["id"], context.seed, "wrong option", name=lambda one: one["label"])[: self.per_prompt]
            out += [self._pair(row, key, one, number) for number, one in enumerate(taken)]
            made += len(taken) - 1
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, made=made)

    def _pair(self, row: dict[str, Any], key: Option, wrong: Option, number: int) -> dict[str, Any]:
        language: Language = "zh" if str(row["language"] or "").lower().split("-")[0] == "zh" else "en"
        chosen, rejected = (self.answer(option, language) for option in (key, wrong))
        return paired(row, (None, chosen), (None, rejected), "option", None, number)

    def answer(self, option: Option, language: Language) -> str:
        """An option in the words of an answer."""
        if self.form == "text":
            return option["text"]
        said = "{label}. {text}" if self.form == "label_text" else self.sentence[language]
        return PLACES.sub(lambda place: option[place[1]], said)  # an option that writes {label} is left as it is


def _plain(text: str) -> list[str]:
    return text.casefold().split()
