"""Replies: every way that judges go wrong, put to every question. What is not said clearly is a status."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from test_annotators_loopback import make_rows

from tilth.annotators.calls import Reading, summarise
from tilth.annotators.question import Ask, Item, Question
from tilth.annotators.replies import json_object, stated_score
from tilth.core import units

QUESTIONS = [cls() for cls in units.every("question").values()]
ROW = Item.of(make_rows(1)[0] | {"answer": "Growth"})
ASKS = {question.name: question.requests(ROW, 0)[0] for question in QUESTIONS}


def reply(schema: dict[str, Any], ask: Ask, leaf: str | None = None, turn: int = 0) -> str:
    """A reply in the schema's form, with `leaf` in place of every value that it fixes; None: the value in turn."""
    if schema["type"] == "object":
        inside = [f"{json.dumps(name)}: {reply(part, ask, leaf, turn)}" for name, part in schema["properties"].items()]
        return "{" + ", ".join(inside) + "}"
    if schema["type"] == "array":
        items = schema["items"]
        each = [reply(items, Ask(**{**as_dict(ask), "names": (name,)}), leaf, turn) for name in ask.names]
        return "[" + ", ".join(each) + "]"
    if "enum" in schema:
        return json.dumps(schema["enum"][turn % len(schema["enum"])]) if leaf is None else leaf
    return json.dumps(ask.names[0] if ask.names else "said")


def as_dict(ask: Ask) -> dict[str, Any]:
    return {name: getattr(ask, name) for name in Ask.__slots__}


def read(question: Question, raw: str) -> list[Reading]:
    return question.read(raw, ASKS[question.name].names)


def says_nothing(readings: list[Reading]) -> bool:
    return summarise(readings) != "ok" and all(one.value is one.label is None and one.status != "ok" for one in readings)


each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.name)


@each_question
def test_a_reply_in_form_is_read(question: Question) -> None:
    for turn in range(2):
        found = read(question, reply(question.answer_schema(), ASKS[question.name], turn=turn))
        assert found[0].status == "ok" and (found[0].value is not None or found[0].label)
        assert {one.name for one in found} == set(ASKS[question.name].names or [None])


@each_question
@pytest.mark.parametrize(
    "wrap",
    [
        "```json\n{}\n```", "```\n{}\n```", "Here is my verdict:\n{}", "{}\nThis is because the answer is right, as {{a}} shows.",
        "\ufeff{}", "  {}  \n\n", "<think>It could be {{\"score\": 1}} or {{\"winner\": \"A\"}}.</think>\n{}", "{0}\n{0}",
    ],
)  # fmt: skip
def test_what_stands_around_it_changes_nothing(question: Question, wrap: str) -> None:
    raw = reply(question.answer_schema(), ASKS[question.name])
    assert read(question, wrap.format(raw)) == read(question, raw)


@each_question
def test_json_that_is_cut_off_says_nothing(question: Question) -> None:
    """The 1 of a cut 10 is no score, and neither is the first of two candidates."""
    raw = reply(question.answer_schema(), ASKS[question.name])
    for end in range(len(raw)):
        assert says_nothing(read(question, raw[:end])), raw[:end]
        assert says_nothing(read(question, "```json\n" + raw[:end])), raw[:end]


@each_question
def test_two_answers_are_none(question: Question) -> None:
    schema, ask = question.answer_schema(), ASKS[question.name]
    one, two = reply(schema, ask), reply(schema, ask, turn=1)
    assert says_nothing(read(question, f"{one}\nor rather\n{two}"))
    assert says_nothing(read(question, f"```json\n{one}\n```\nFinal:\n```json\n{two}\n```"))
    doubled = one[:-1] + ", " + two[1:]
    assert says_nothing(read(question, doubled)), "one name, two values"
    assert read(question, one[:-1] + ", " + one[1:]) == read(question, one), "the same said twice"


@each_question
@pytest.mark.parametrize(
    "leaf",
    [
        "true", "false", "null", "NaN", "Infinity", "-Infinity", "1e400", "-1", "7.5", "99", "1" + "0" * 30, "1" * 5000, "[]", "{}", "[1]", '""', '" "',
        '"7-8"', '"between 3 and 4"', '"3/4/5"', '"high"', '"½"', '"1e0"', '"0x1"', '"\\u0000"', '"A or B"', '"correct or incorrect"', '"unsafe?"', "'A'", "01",
    ],
)  # fmt: skip
def test_a_value_that_is_none_of_the_answers_is_a_status(question: Question, leaf: str) -> None:
    assert says_nothing(read(question, reply(question.answer_schema(), ASKS[question.name], leaf)))


@each_question
@pytest.mark.parametrize(
    "raw",
    ["{" * 5000, '{"a":' * 5000, "[" * 100_000, '{"score": "' + "9" * 100_000 + '"}', "score: " * 20_000, "评分" * 20_000, "7-" * 20_000,
     "Score: " + "9" * 100_000, "\ud800", '{"score": "\\ud800"}', "\x00\x1b[31m"],
    ids=range(11),
)  # fmt: skip
def test_hostile_replies_are_read_in_no_time(question: Question, raw: str) -> None:
    started = time.process_time()
    assert says_nothing(read(question, raw))
    assert time.process_time() - started < 0.5


SCALES = [question for question in QUESTIONS if question.scale is not None and not ASKS[question.name].names[1:]]
"""Questions whose reply is one number."""


@pytest.mark.parametrize("question", SCALES, ids=lambda q: q.name)
def test_every_number_of_the_scale_is_itself_and_no_other(question: Question) -> None:
    assert question.scale is not None
    low, high = question.scale
    for value in range(low, high + 1):
        wide = str(value).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
        for raw in (f'{{"score": {value}}}', f'{{"score": "{value}/{high}"}}', f"{value}", f"Score: {value}", f"**Rating**: {value}/{high}.",
                    f"I would rate this a {value}.", f"评分：{wide}分", f"Score ({low}-{high}): {value}", f"[[{value}]]", f"A patient with type 2 diabetes. Score: {value}"):  # fmt: skip
            assert [(one.value, one.status) for one in read(question, raw)] == [(value, "ok")], raw
    for raw in (f'{{"score": {low - 1}}}', f'{{"score": {high + 1}}}', '{"score": 3.5}', "3.5", "Score: 3.5", f"Score: {high + 1}", "Score: -2", f"Score: 3/{high + 5}"):  # fmt: skip
        assert [(one.value, one.status) for one in read(question, raw)] == [(None, "out_of_range")], raw


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("评分：８分", 8), ("评分：八分", 8), ("评分：十", 10), ("难度为八，因为涉及两个概念。", 8), ("我给出的评分是7分", 7), ("**评分**：5", 5),
        ("评分：９（满分10分）", 9), ("最终评分：6", 6), ("七分", 7), ("Score (1-10): 8", 8), ("Rating: [[8]]", 8), ("Score: 8 (out of 10)", 8),
        ("I'd rate this a 9 out of 10.", 9), ("Final score: **8**", 8), ("Score: 8, confidence 9", 8), ("Score: 8\nScore: 8", 8),
        ("The difficulty is 7, since 3 concepts are combined.", 7), ("The Apgar score of 7 is normal.\nScore: 4", 4),
    ],
)  # fmt: skip
def test_scores_that_prose_states(raw: str, value: int) -> None:
    assert stated_score(raw, 1, 10) == (value, "ok")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Score: 7-8", "unparsed"), ("Score: 7 to 8", "unparsed"), ("Score: 7～8", "unparsed"), ("Score: 7 or 8", "unparsed"), ("7–8", "unparsed"),
        ("评分：七到八分", "unparsed"), ("评分7至8分", "unparsed"), ("难度十分高", "unparsed"), ("难度：十分困难", "unparsed"), ("１０分之８", "unparsed"),
        ("The Apgar score of 7 is normal.", "unparsed"), ("GCS评分8分，难度很高", "unparsed"), ("A heart rate of 9.", "unparsed"), ("Grade 3 tumours.", "unparsed"),
        ("Score: 1e1", "unparsed"), ("Score: 8th", "unparsed"), ("Score: 8½", "unparsed"), ("Score: 7.5%", "unparsed"), ("Score: 3.0.1", "unparsed"),
        ("Score: 8\nScore: 9", "unparsed"), ("Score: 8. No: the score is 9.", "unparsed"), ("<think>Score: 3", "unparsed"), ("Score: 10-point", "unparsed"),
        ("Score: 1,000", "out_of_range"), ("Score: 7,5", "out_of_range"), ("评分：７．５", "out_of_range"), ("满分5分，评分4分", "out_of_range"),
        ("Score: 4 (out of 5)", "out_of_range"), ("Score: 0", "out_of_range"),
    ],
)  # fmt: skip
def test_prose_that_states_no_score_of_the_scale(raw: str, status: str) -> None:
    assert stated_score(raw, 1, 10) == (None, status)


def test_a_brace_of_prose_is_no_json() -> None:
    assert json_object('The set {a, b} and f{x}: {"score": 4}') == {"score": 4}
    assert json_object("x" * 100 + "{}") == {}


def test_labels_are_read_whatever_their_case_and_in_both_languages() -> None:
    found = {question.name: question for question in QUESTIONS}
    label = {
        name: lambda raw, name=name: [(one.label, one.value, one.aspect) for one in read(found[name], raw)] for name in found
    }
    assert label["answer_key"]('{"verdict": "Correct"}') == [("correct", 1.0, None)]
    assert label["answer_key"]('{"verdict": "不正确"}') == [("incorrect", 0.0, None)]
    assert label["answer_key"]("no_answer") == [("no_answer", None, None)]
    assert label["safety"]('{"verdict": "unsafe", "category": "medical_harm"}') == [
        ("unsafe", 0.0, None),
        ("medical_harm", None, "category"),
    ]
    assert label["safety"]('{"verdict": "unsafe", "category": "none"}') == [("unsafe", 0.0, None), (None, None, "category")]
    assert label["safety"]('{"verdict": "安全", "category": "none"}') == [("safe", 1.0, None)]
    assert label["domain"]('{"domain": "医学"}') == label["domain"]("Medicine.") == [("medicine", None, None)]
    assert label["worth_asking"]('{"worth_asking": "否"}') == [("no", 0.0, None)]
