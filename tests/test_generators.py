"""Generators: what models are asked to write, in both languages, and what their replies are read as."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing_server import block

from tilth.annotators.calls import Language, Message, summarise
from tilth.annotators.drafts import Draft
from tilth.annotators.generator import BrokenReply, Generator
from tilth.annotators.generators.evolved_question import EvolvedQuestion
from tilth.annotators.generators.instructions import Instructions
from tilth.annotators.generators.passage_question import PassageQuestion
from tilth.annotators.generators.subfields import Subfields
from tilth.annotators.generators.worked_answer import WorkedAnswer
from tilth.core import units

INJECTIONS = [json.loads(line)["text"] for line in Path(__file__).with_name("injections.jsonl").read_text(encoding="utf-8").splitlines()]
GENERATORS: list[Generator] = [cls() for cls in units.every("generator").values()] + [EvolvedQuestion().of("choice"), PassageQuestion(form="open")]
OPTIONS = [{"text": "zinc", "correct": True}, {"text": "iron", "correct": False}]


def asked(generator: Generator, text: str, language: Language) -> tuple[Message, ...]:
    """What is sent about a text."""
    match generator:
        case PassageQuestion():
            return generator.messages(text, [text], 7, "row", language)
        case EvolvedQuestion():
            choice = generator._form == "choice"
            return generator.messages(Draft(text, (text, "iron"), 0) if choice else Draft(text), generator.method(7, "row"), 7, "row", language)
        case Subfields():
            return generator.messages(text, [text], 3, 7, "row", language)
        case Instructions():
            return generator.messages(text, text, [text], 3, 7, "row", language)
        case WorkedAnswer():
            return generator.messages([{"role": "user", "content": text}], [(text, text)], True, language)
    raise AssertionError(f"{generator.name}: say here how it is asked")


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda one: one.name)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_asks_in_the_row_s_language_for_any_subject(generator: Generator, language: Language) -> None:
    named = generator.model_copy(update={"domain": "民法", "audience": "law clerks"})
    sent = asked(named, "Torts {brace} 侵权", language)
    assert sent == asked(named, "Torts {brace} 侵权", language)
    assert bool(re.search(r"[\u4e00-\u9fff]", sent[0]["content"].replace("民法", ""))) == (language == "zh")
    assert "law clerks" in sent[0]["content"] and "民法" in sent[0]["content"]
    assert not re.search(r"\{[a-z]+\}", "".join(turn["content"] for turn in sent).replace("{brace}", "")), "no place is left open"
    assert not re.search(r"medic|patient|clinic|医|病", "".join(turn["content"] for turn in sent)), "prompts know no domain"


@pytest.mark.parametrize("generator", [one for one in GENERATORS if one.name != "worked_answer"], ids=lambda one: one.name)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_it_works_from_cannot_leave_its_delimiters(generator: Generator, language: Language) -> None:
    for text in INJECTIONS:
        said = asked(generator, text, language)[-1]["content"]
        marks = re.findall(r"^<<<[^\n]* (\w{16})>>>$", said, re.MULTILINE)
        own = re.search(r"<<<… (\w{16})>>>", said)
        assert own and marks.count(own[1]) % 2 == 0
        pieces = re.split(rf"^<<<(?:END )?[^\n]* {own[1]}>>>$", said, flags=re.MULTILINE)
        outside = "".join(pieces[::2])
        assert (len(text) < 8 or text not in outside) and "JSON" in pieces[-1]


@pytest.mark.parametrize("generator", [one for one in GENERATORS if one.name != "worked_answer"], ids=lambda one: one.name)
def test_the_answer_schema_is_strict(generator: Generator) -> None:
    schema = generator.answer_schema()
    assert schema["additionalProperties"] is False and sorted(schema["required"]) == sorted(schema["properties"])
    assert not re.search(r"minimum|maximum|maxLength|minItems", orjson.dumps(schema).decode()), "Anthropic takes none of these"


PLAUSIBLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["zinc", "Which mineral is it?", "None"]),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["question", "options", "text", "correct", "sufficient_knowledge", "significance", "subfields", "instructions", "instruction", "context"]), inner
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda one: one.name)
@settings(deadline=None)
@given(value=PLAUSIBLE, cut=st.integers(0, 200))
def test_no_reply_breaks_a_parser(generator: Generator, value: Any, cut: int) -> None:
    for raw in (json.dumps(value, ensure_ascii=False), json.dumps(value)[:cut], str(value)):
        assert summarise(generator.read(raw, ())) in ("ok", "unparsed")


def broken(generator: Generator, said: Any) -> str | None:
    try:
        generator.written(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))
    except BrokenReply as error:
        return error.rule
    return None


def draft(**changes: Any) -> dict[str, Any]:
    return {"sufficient_knowledge": True, "significance": "", "question": "Which mineral heals wounds?", "options": OPTIONS} | changes


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (draft(), None), ({}, None), (draft(sufficient_knowledge=False), None), (draft(sufficient_knowledge="yes"), "no_gate"), (draft(question=" "), "no_question"),
        (draft(question=7), "no_question"), (draft(question="What is it?"), "says_nothing"), (draft(options=None), "option_count"), (draft(options=OPTIONS[:1]), "option_count"),
        (draft(options=[OPTIONS[0], "iron"]), "option_count"), (draft(options=[OPTIONS[0], {"text": "Zinc. ", "correct": False}]), "options_repeat"),
        (draft(options=[{"text": "zinc", "correct": "true"}, OPTIONS[1]]), "not_one_right"), (draft(options=[OPTIONS[1], OPTIONS[1] | {"text": "x"}]), "not_one_right"),
        (draft(options=[{"text": "A. zinc", "correct": True}, {"text": "B. iron", "correct": False}]), "options_labelled"),
        (draft(options=[OPTIONS[0], {"text": "None of the above", "correct": False}]), "options_refer"), (draft(options=[OPTIONS[0], {"text": "以上都不对", "correct": False}]), "options_refer"),
        (draft(options=[OPTIONS[0], {"text": "", "correct": False}]), "blank_option"), (draft(question="Which\u0007 mineral?"), "unprintable"),
        (draft(question="As the author says, which mineral?"), "leans_on_passage"), (draft(question="根据文中内容，哪种元素？"), "leans_on_passage"),
        (draft(question="<<<END PASSAGE 0a>>> Which mineral?"), "copies_prompt"), ("[1]", "unparsed"), ('{"question": "a"} {"question": "b"}', "unparsed"),
    ],
)  # fmt: skip
def test_a_draft_keeps_every_rule_or_is_named_after_the_one_it_breaks(said: Any, rule: str | None) -> None:
    assert broken(PassageQuestion(num_options=2), said) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Why does the original question matter?", "copies_prompt"), ("#Rewritten Prompt#: why zinc?", "copies_prompt"), ("改写后的问题：为何缺锌？", "copies_prompt"),
        ("I'm sorry, but I cannot rewrite this.", "refuses"), ("抱歉，我无法改写该问题。", "refuses"), ("...", "says_nothing"), ("的？", "says_nothing"),
        ("I can't sleep at night. Why?", None), ("还原问题中的数据为何重要？", None), ("为什么缺锌会影响人文中心城市的儿童？", None),
    ],
)  # fmt: skip
def test_what_evolution_eliminates(text: str, rule: str | None) -> None:
    assert broken(EvolvedQuestion(), {"question": text}) == rule


def test_thinking_is_no_answer() -> None:
    assert WorkedAnswer().written("<think>A?</think> So, the answer is B.") == "So, the answer is B."
    assert broken(WorkedAnswer(), "<think>So, the answer is B.") == "missing"


def test_a_long_context_is_named_and_none_is_none() -> None:
    said = [{"instruction": "Compare both.", "context": context} for context in ("None", "无", "a b", "w " * 16, "字" * 16)]
    found = Instructions(max_context=10).written(json.dumps({"instructions": said}))
    assert [one.rule if isinstance(one, BrokenReply) else one for one in found] == ["Compare both."] * 2 + ["Compare both.\n\na b"] + ["long_context"] * 2


def test_the_block_reader_of_the_test_server_reads_our_prompts() -> None:
    assert block(asked(PassageQuestion(), "Zinc heals.", "en")[-1]["content"], "PASSAGE") == "Zinc heals."
