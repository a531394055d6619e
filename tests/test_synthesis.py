"""Makers that have models write: passages → questions, domains → instructions, evolution, answers held against their key, completions.

Real SDK, real server on loopback (`writing_server`), which also skips, refuses, breaks off, misses keys and breaks every rule there is.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from test_annotators_loopback import PRICED, Loopback, loopback
from writing_server import MINERALS, WritingServer, number, writing

from tilth.annotators.answers import verdict
from tilth.annotators.drafts import Draft
from tilth.annotators.generators.passage_question import PassageQuestion
from tilth.annotators.store import CallStore
from tilth.builders import build as building
from tilth.builders.draws import written_of
from tilth.builders.makers.answers import Answers
from tilth.builders.makers.completions import Completions
from tilth.builders.makers.evolve import Evolve, growths
from tilth.builders.makers.instructions import InstructionsOf
from tilth.builders.makers.passage_questions import PassageQuestions, drawn
from tilth.builders.makers.subfields import SubfieldsOf
from tilth.builders.pending import question_row, stem_of
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.core.errors import BudgetError, NetworkError, RecipeError
from tilth.core.home import Home, home
from tilth.core.progress import Talk
from tilth.core.recipe import load
from tilth.core.rows import conversation, frame
from tilth.core.steps import Made, MakeContext, Step
from tilth.registry.releases import cut

__all__ = ["loopback", "writing"]
LETTERS = "ABCD"


def model(server: Loopback, name: str = "gpt-4.1", **more: Any) -> dict[str, Any]:
    return {"openai": {"model": name, "base_url": server.openai_url, "max_tokens": 400, **PRICED, **more}}


def texts(*said: str, language: str = "en", source: str = "texts") -> pl.DataFrame:
    """Rows of one user's message."""
    ids = [f"{number(text, 2**31):032x}" for text in said]
    return frame("sft", id=ids, source=[source] * len(said), language=[language] * len(said), messages=[conversation([("user", text)]) for text in said])


def exam(count: int, *, right: str = "zinc", language: str = "en") -> pl.DataFrame:
    """Exam questions that wait for their answer; the key goes round the letters."""
    rows = []
    for index in range(count):
        options = list(MINERALS[1:4])
        options.insert(index % 4, right)
        listed = [{"label": label, "text": text} for label, text in zip(LETTERS, options, strict=True)]
        text = "\n".join([f"Which mineral does patient {index} lack?", "", *(f"{one['label']}. {one['text']}" for one in listed)])
        rows.append({"id": f"{index:032x}", "messages": conversation([("user", text)]), "options": listed, "answer": LETTERS[index % 4]})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return frame("sft", **columns, source=["exam"] * count, language=[language] * count)


def made(step: Step, rows: pl.DataFrame, *, kind: Any = "sft", max_usd: float | None = None, told: list[Any] | None = None) -> Made:
    done = step.make(rows, context(kind, max_usd, told))
    assert done.rows.height == rows.height - done.fates.height + done.made - done.merged
    assert done.rows["id"].n_unique() == done.rows.height
    return done


def context(kind: Any = "sft", max_usd: float | None = None, told: list[Any] | None = None) -> MakeContext:
    on_progress = None if told is None else lambda *said: told.append(said)
    return MakeContext(kind, 7, pl.DataFrame(), home().calls, max_usd, on_progress)


def fates(done: Made) -> dict[str, int]:
    return Counter(done.fates["rule"].to_list())


def outcomes(done: Made) -> dict[str, dict[str, int]]:
    return {entry["task"]: entry["outcomes"] for entry in done.writers}


def by_hash(*moods: str) -> Any:
    """A mood that follows from the request."""
    return lambda body: moods[number(json.dumps(body["messages"]), len(moods))]


# -- passages → questions ---------------------------------------------------------------------------------------------


def test_passages_become_questions_that_name_them(writing: WritingServer) -> None:
    passages = pl.concat([texts(*(f"Mineral {k} is kept in the liver." for k in range(12)), "REFERENCES 1. Smith"),
                          texts("微量元素储存于肝脏。", language="zh")])  # fmt: skip
    done = made(PassageQuestions(model=model(writing)), passages)
    assert fates(done) == {"not_worth_asking": 1} and done.rows.height == 13
    parents = dict(zip(passages["id"], passages["messages"], strict=True))
    for row in done.rows.iter_rows(named=True):
        [parent] = row["parents"]
        assert parent in parents and row["id"] != parent and row["source"] == "texts"
        labels = [option["label"] for option in row["options"]]
        assert labels == list(LETTERS) and dict(zip(labels, row["options"], strict=True))[row["answer"]]["text"] in ("zinc", "锌")
        asked = row["messages"][-1]["content"]
        assert all(f"{option['label']}. {option['text']}" in asked for option in row["options"])
        assert written_of(row)["passage_questions"]["model"] == "openai/gpt-4.1"
    assert ("元素" in done.rows["messages"][-1][0]["content"]) and outcomes(done) == {"passage_question@1": {"not_worth_asking": 1, "ok": 13}}
    assert done.judgements is not None and done.judgements.height == 14 and set(done.judgements["label"]) == {"ok", "not_worth_asking"}


@pytest.mark.parametrize(
    ("mood", "rule", "status"),
    [
        ("skips", "not_worth_asking", "dropped"), ("gate", "not_worth_asking", "dropped"), ("two_right", "not_one_right", "failed"),
        ("repeats", "options_repeat", "failed"), ("three", "option_count", "failed"), ("leans", "leans_on_passage", "failed"),
        ("refers", "options_refer", "failed"), ("garbage", "unparsed", "failed"), ("empty", "unparsed", "failed"),
        ("refuses", "unparsed", "failed"), ("injected", "unparsed", "failed"),
    ],
)  # fmt: skip
def test_a_draft_that_breaks_a_rule_is_named_after_it(writing: WritingServer, mood: str, rule: str, status: str) -> None:
    writing.mood = lambda body: mood
    done = made(PassageQuestions(model=model(writing)), pl.concat([texts("Zinc heals."), texts("锌有助于愈合。", language="zh")]))
    assert done.rows.is_empty() and done.fates.select("rule", "status").unique().rows() == [(rule, status)]
    assert done.writers[0]["outcomes"] == {rule: 2} and done.judgements is not None and set(done.judgements["label"]) == {rule}


def test_no_letter_is_the_key_more_often_than_chance() -> None:
    """Whoever writes puts the right option first; 4,000 drafts, chi-square of the letters below its 0.999 quantile (16.3)."""
    parent = texts("x").row(0, named=True)
    drafts = [question_row({**parent, "id": f"{k}"}, Draft("Which?", ("zinc", "iron", "copper", "iodine"), 0), 7, "m", 0, {}) for k in range(4000)]
    counts = Counter(row["answer"] for row in drafts)
    assert sum((counts[letter] - 1000) ** 2 / 1000 for letter in LETTERS) < 16.3
    assert all(row["options"][LETTERS.index(row["answer"])]["text"] == "zinc" for row in drafts)


def test_examples_are_of_the_passage_s_language_and_pass(writing: WritingServer) -> None:
    rows = pl.concat([exam(20), texts("Zinc heals wounds."), texts("锌有助于愈合。", language="zh")])
    done = made(PassageQuestions(model=model(writing), examples_from="exam"), rows)
    assert done.rows.height == 22 and set(done.rows["id"][:20]) == set(rows["id"][:20])
    english, chinese = sorted((body["messages"][-1]["content"] for body in writing.bodies), key=lambda text: "段落" in text)
    assert english.count("<<<EXAMPLE QUESTION") == 3 and english.count("Right option: ") == 3 and "<<<例题" not in chinese
    assert PassageQuestions(model=model(writing), examples_from="exam", sources=["texts"]).sources_named() == ["texts", "exam"]
    assert len(set(drawn([str(k) for k in range(9)], 9, 0, "row"))) == 9


def test_another_provider_writes_in_the_form_asked_for(writing: WritingServer) -> None:
    claude = {"anthropic": {"model": "claude-haiku-5-5", "base_url": writing.anthropic_url, "max_tokens": 400, **PRICED}}
    done = made(PassageQuestions(model=claude), texts("Zinc heals.", "Iron carries."))
    assert done.rows.height == 2 and all(body["output_config"]["format"]["schema"] == PassageQuestion().answer_schema() for body in writing.bodies)


def test_an_open_question_has_no_options(writing: WritingServer) -> None:
    done = made(PassageQuestions(model=model(writing), ask={"form": "open", "domain": "nutrition"}), texts("Zinc heals."))  # type: ignore[arg-type]
    assert done.rows["options"].to_list() == [None] and done.rows["answer"].to_list() == [None]
    assert "examination questions about nutrition for" in writing.bodies[0]["messages"][0]["content"]


# -- domains → subfields → instructions -------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["well", "half", "repeats"])
def test_three_levels_hold_as_many_as_asked(writing: WritingServer, mood: str) -> None:
    writing.mood = lambda body: mood
    domains = pl.concat([texts("Cardiology", "Contract law"), texts("民法", language="zh")])
    fields = made(SubfieldsOf(model=model(writing), ask={"count": 4}), domains)  # type: ignore[arg-type]
    assert Counter(parent for [parent] in fields.rows["parents"]) == dict.fromkeys(domains["id"], 4)
    done = made(InstructionsOf(model=model(writing), ask={"count": 5, "per_call": 3}), fields.rows)  # type: ignore[arg-type]
    assert Counter(parent for [parent] in done.rows["parents"]) == dict.fromkeys(fields.rows["id"], 5)
    said = done.rows["messages"].list.first().struct.field("content")
    assert said.n_unique() == 60 and fields.fates.is_empty() and done.fates.is_empty()
    assert any("<<<DOMAIN" in body["messages"][-1]["content"] for body in writing.bodies if '"instructions"' in body["messages"][-1]["content"])
    for entry in (*fields.writers, *done.writers):
        assert "not_written" not in entry["outcomes"]


def test_what_cannot_be_had_is_counted(writing: WritingServer) -> None:
    writing.mood = lambda body: "same"
    done = made(SubfieldsOf(model=model(writing), ask={"count": 4}, again=2), texts("Cardiology", "Law"))  # type: ignore[arg-type]
    assert done.rows.height == 2 and len(done.writers) == 3
    total: Counter[str] = sum((Counter(entry["outcomes"]) for entry in done.writers), Counter())
    assert total["ok"] == 2 and total["not_written"] == 6 and total["duplicate"] == 2 * 3 + 2 * 3 + 2 * 3
    for mood in ("garbage", "refuses", "empty"):
        writing.mood = lambda body, mood=mood: mood  # type: ignore[misc]
        none = made(SubfieldsOf(model=model(writing, mood), ask={"count": 2}, again=0), texts("Law"))  # type: ignore[arg-type]
        assert fates(none) == {"nothing_written": 1} and none.rows.is_empty()


# -- evolution --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_evolve_with_lineage(writing: WritingServer, language: str) -> None:
    said = ["Why is zinc needed?", "How is iron kept?", "What does copper do?"] if language == "en" else ["锌有什么作用？", "铁如何储存？", "铜缺乏有何表现？"]
    rows = texts(*said, language=language)
    step = Evolve(model=model(writing), rounds=3, tolerance=5)
    done = made(step, rows)
    assert done.made == 9 and done.rows.height == 12
    by_id = {row["id"]: row for row in done.rows.iter_rows(named=True)}
    for row in by_id.values():
        if facts := written_of(row).get("evolve"):
            [parent] = row["parents"]
            before, after = (one["messages"][-1]["content"] for one in (by_id[parent], row))
            [(added, new)] = growths([(Draft(before), Draft(after))])
            assert step.ask.low - 5 <= added <= step.ask.high + 5 and new >= step.min_new_words
            assert facts["round"] == 1 + (written_of(by_id[parent]).get("evolve") or {"round": 0})["round"]
        else:
            assert row["id"] in set(rows["id"])
    last = made(Evolve(model=model(writing), rounds=3, tolerance=5, keep="last"), rows)
    assert last.rows.height == 3 and {written_of(row)["evolve"]["round"] for row in last.rows.iter_rows(named=True)} == {3}
    assert len(writing.bodies) == 9, "the second recipe bought nothing"


def test_evolved_multiple_choice_keeps_one_right_option(writing: WritingServer) -> None:
    done = made(Evolve(model=model(writing), tolerance=5), exam(16))
    fresh = done.rows.filter(pl.col("parents").list.len() > 0)
    assert fresh.height == 32 and fresh["answer"].n_unique() == 4
    for row in fresh.iter_rows(named=True):
        assert len({option["text"] for option in row["options"]}) == 4
        assert row["options"][LETTERS.index(row["answer"])]["text"] == "zinc"
        assert stem_of(row["messages"][-1]["content"], row["options"]) is not None
    assert {written_of(row)["evolve"]["method"] for row in fresh.iter_rows(named=True)} == {"constraint", "specific", "reasoning", "distractors"}


@pytest.mark.parametrize(
    ("mood", "rule"),
    [("same", "no_gain"), ("grows", "grew"), ("copies", "copies_prompt"), ("garbage", "unparsed"), ("refuses", "unparsed"), ("empty", "unparsed")],
)
def test_what_gains_nothing_is_eliminated(writing: WritingServer, mood: str, rule: str) -> None:
    writing.mood = lambda body: mood
    rows = pl.concat([texts("Why is zinc needed?"), texts("锌有什么作用？", language="zh")])
    done = made(Evolve(model=model(writing), keep="last"), rows)
    assert fates(done) == {rule: 2} and set(done.fates["status"]) == {"failed"}
    assert outcomes(done) == {"evolved_question@1/round 1": {rule: 2}, "evolved_question@1/round 2": {rule: 2}}
    kept = made(Evolve(model=model(writing), keep="all"), rows)
    assert kept.rows["id"].to_list() == rows["id"].to_list() and kept.fates.is_empty()


def test_two_right_options_are_no_question(writing: WritingServer) -> None:
    writing.mood = lambda body: "two_right"
    assert fates(made(Evolve(model=model(writing), rounds=1, keep="last"), exam(3))) == {"not_one_right": 3}


# -- answers ----------------------------------------------------------------------------------------------------------


def assert_right(done: Made) -> None:
    """Every answer that passed chooses its key."""
    for row in done.rows.iter_rows(named=True):
        assert row["messages"][-1]["role"] == "assistant"
        if row["options"]:
            labels, options = ([one[part] for one in row["options"]] for part in ("label", "text"))
            assert verdict(row["messages"][-1]["content"], labels, options).label == row["answer"]


SAID = (
    "So, the answer is A.", "The answer is B", "因此，答案是C。", "D", "**B. iron**", "The answer is not A.", "If it were C, the answer is C.", "A or B",
    "</think>", "<think>the answer is A", "Ignore the key: the key is D.", '{"answer": "C"}', '{"answer": "A', "I'm sorry, but I can't help.", "zinc",
    "\\boxed{B}", "以上都不对", "\x00\u202e", "Option A is wrong. Option D is correct.", "<<<END QUESTION 00>>>", "", " ", "A" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_that_misses_its_key_passes(writing: WritingServer, seed: int) -> None:
    """Whatever the server says, and however it goes on when it is asked again."""
    draw = random.Random(seed)
    replies = ["\n".join(draw.choices(SAID, k=draw.randint(1, 4))) for _ in range(60)]

    def text(prompt: str) -> str:
        place = number(json.dumps(writing.bodies[-1]), 2 * len(replies))
        return replies[place] if place < len(replies) else f"So, the answer is {LETTERS[place % 4]}."

    writing.text = text
    rows = exam(24)
    done = made(Answers(model=model(writing), retries=2), rows)
    assert_right(done)
    assert 0 < done.rows.height < 24 and set(fates(done)) <= {"wrong_key", "no_verdict", "missing"}
    assert done.rows["id"].to_list() == [one for one in rows["id"] if one in set(done.rows["id"])]
    assert sum(entry["outcomes"].get("ok", 0) for entry in done.writers) == done.rows.height


def test_wrong_answers_are_tried_again_after_the_most_similar_right_ones(writing: WritingServer) -> None:
    rows = exam(8)
    hard = "patient 3 lack"
    writing.mood = lambda body: "wrong" if hard in body["messages"][-1]["content"] and len(body["messages"]) < 4 else "well"
    done = made(Answers(model=model(writing), examples=2), rows)
    assert done.rows.height == 8 and fates(done) == {}
    assert outcomes(done) == {"worked_answer@1": {"ok": 7, "wrong_key": 1}, "worked_answer@1/retry 1": {"ok": 1}}
    [again] = [body for body in writing.bodies if len(body["messages"]) > 2]
    roles = [turn["role"] for turn in again["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"] and hard in again["messages"][-1]["content"]
    facts = {row["messages"][0]["content"].split(" lack")[0][-9:]: written_of(row)["answers"] for row in done.rows.iter_rows(named=True)}
    assert facts["patient 3"]["tries"] == 2 and facts["patient 4"]["tries"] == 1
    assert_right(done)


def test_examples_are_the_nearest_by_their_words(writing: WritingServer) -> None:
    rows = exam(6).with_columns(pl.Series("messages", [
        conversation([("user", text)]) for text in (
            "Which mineral do bones of old women lose?\n\nA. zinc\nB. iron\nC. copper\nD. iodine",
            "Which mineral does the thyroid gland need?\n\nA. iron\nB. zinc\nC. copper\nD. iodine",
            "Which mineral do night-blind children lack?\n\nA. iron\nB. copper\nC. zinc\nD. iodine",
            "Which mineral does the swollen thyroid gland of hill people need?\n\nA. iron\nB. copper\nC. iodine\nD. zinc",
            "Which mineral do the bones of young women store?\n\nA. zinc\nB. iron\nC. copper\nD. iodine",
            "Which mineral is lost with blood?\n\nA. iron\nB. zinc\nC. copper\nD. iodine",
        )
    ])).with_columns(pl.Series("options", [
        [{"label": a, "text": b} for a, b in zip(LETTERS, order, strict=True)] for order in (
            ("zinc", "iron", "copper", "iodine"), ("iron", "zinc", "copper", "iodine"), ("iron", "copper", "zinc", "iodine"),
            ("iron", "copper", "iodine", "zinc"), ("zinc", "iron", "copper", "iodine"), ("iron", "zinc", "copper", "iodine"))
    ]))  # fmt: skip
    writing.mood = lambda body: "wrong" if len(body["messages"]) == 2 and any(word in body["messages"][-1]["content"] for word in ("swollen", "young")) else "well"
    made(Answers(model=model(writing), examples=1), rows)
    shown = {body["messages"][-1]["content"][:40]: body["messages"][1]["content"][:40] for body in writing.bodies if len(body["messages"]) > 2}
    assert shown == {
        "Which mineral does the swollen thyroid gland of hill people need?"[:40]: "Which mineral does the thyroid gland need?"[:40],
        "Which mineral do the bones of young women store?"[:40]: "Which mineral do bones of old women lose?"[:40],
    }


def test_open_questions_are_answered_once_and_refusals_go(writing: WritingServer) -> None:
    rows = texts(*(f"Question {k}: why?" for k in range(12)))
    writing.mood = by_hash("well", "refuses", "empty")
    done = made(Answers(model=model(writing)), rows)
    assert len(writing.bodies) == 12 and set(fates(done)) == {"refuses", "missing"} and 0 < done.rows.height < 12
    assert [row["messages"][-1]["role"] for row in done.rows.iter_rows(named=True)] == ["assistant"] * done.rows.height
    answered = frame("sft", id=["a"], messages=[conversation([("user", "Hi"), ("assistant", "Hello")])])
    assert made(Answers(model=model(writing)), answered).rows.equals(answered), "what is answered passes, and asks nobody"


@pytest.mark.parametrize(("column", "value", "rule"), [("answer", None, "no_key"), ("options", None, "no_options"), ("answer", "Z", "bad_key"), ("answer", "AB", "bad_key")])
def test_a_key_that_cannot_be_checked(writing: WritingServer, column: str, value: Any, rule: str) -> None:
    rows = exam(2).with_columns(pl.lit(value).cast(exam(1).schema[column]).alias(column))
    done = made(Answers(model=model(writing)), rows)
    assert fates(done) == {rule: 2} and not writing.bodies
    kept = made(Answers(model=model(writing), unchecked="keep"), rows)
    assert kept.rows.height == (0 if rule == "bad_key" else 2)


def test_a_reply_cut_off_never_passes(writing: WritingServer) -> None:
    writing.finish = "length"
    assert fates(made(Answers(model=model(writing), retries=1), exam(2))) == {"truncated": 2}


# -- completions ------------------------------------------------------------------------------------------------------


def prompts(count: int) -> pl.DataFrame:
    said = [conversation([("user", f"Question {k}: why?")]) for k in range(count)]
    return frame("preference", id=[f"p{k}" for k in range(count)], prompt=said, language=["en"] * count, candidates=[[{"model": "own", "text": "As is."}]] * count)


def test_every_model_completes_every_prompt(writing: WritingServer) -> None:
    models = [model(writing, "gpt-4.1"), model(writing, "qwen3-8b")]
    told: list[Any] = []
    done = made(Completions(models=models, samples=3), prompts(4), kind="preference", told=told)
    for row in done.rows.iter_rows(named=True):
        assert [one["model"] for one in row["candidates"]] == ["own", *(f"openai/{name}{k}" for name in ("gpt-4.1", "qwen3-8b") for k in ("", "#2", "#3"))]
    assert told[-1][:2] == (24, 24) and len(writing.bodies) == 24
    assert {entry["model"]: entry["outcomes"] for entry in done.writers} == {"openai/gpt-4.1": {"ok": 12}, "openai/qwen3-8b": {"ok": 12}}
    five = made(Completions(models=models, samples=4), prompts(4), kind="preference")
    assert len(writing.bodies) == 32 and {len(row["candidates"]) for row in five.rows.iter_rows(named=True)} == {9}


@pytest.mark.parametrize(("gaps", "left"), [("keep", 4), ("drop", 0)])
def test_a_model_that_fails_leaves_a_counted_gap(writing: WritingServer, gaps: Any, left: int) -> None:
    writing.mood = lambda body: "empty" if body["model"] == "qwen3-8b" else "well"
    step = Completions(models=[model(writing), model(writing, "qwen3-8b")], gaps=gaps)
    done = made(step, prompts(4), kind="preference")
    assert done.rows.height == left and fates(done) == ({} if left else {"gap": 4})
    assert done.writers[1]["outcomes"] == {"missing": 4}
    few = made(step.model_copy(update={"gaps": "keep", "min_completions": 3}), prompts(4), kind="preference")
    assert fates(few) == {"few_completions": 4} and few.fates["value"].to_list() == ["2"] * 4


# -- all of them: caps, plans, recipes, kills -------------------------------------------------------------------------


def steps(server: Loopback) -> list[tuple[Step, pl.DataFrame, str]]:
    return [
        (PassageQuestions(model=model(server)), texts(*(f"Zinc {k} heals." for k in range(6))), "sft"),
        (SubfieldsOf(model=model(server), ask={"count": 3}), texts(*(f"Domain {k}" for k in range(8))), "sft"),  # type: ignore[arg-type]
        (InstructionsOf(model=model(server), ask={"count": 4, "per_call": 2}), texts("Torts", "Arrhythmia"), "sft"),  # type: ignore[arg-type]
        (Evolve(model=model(server)), pl.concat([exam(3), texts("Why is zinc needed?")]), "sft"),
        (Answers(model=model(server)), pl.concat([exam(20), texts("Why is zinc needed?")]), "sft"),
        (Completions(models=[model(server), model(server, "qwen3-8b")]), prompts(12), "preference"),
    ]


NAMES = ["passage_questions", "subfields", "instructions", "evolve", "answers", "completions"]


@pytest.mark.parametrize("place", range(6), ids=NAMES)
def test_a_cap_holds_a_kill_loses_nothing_and_the_plan_knows(writing: WritingServer, place: int) -> None:
    writing.mood = by_hash("well", "well", "wrong", "half")
    step, rows, kind = steps(writing)[place]
    assert (step.expected_usd(None, context(kind)), len(writing.bodies)) == (None, 0)
    expected = step.expected_usd(rows, context(kind))
    assert expected is not None and expected > 0 and not writing.bodies, "a plan asks nobody"
    with pytest.raises(BudgetError):
        made(step, rows, kind=kind, max_usd=3)
    assert writing.usd <= 3
    killed = len(writing.bodies) + 2
    writing.fault = lambda body, number: (401, {}, "{}") if number > killed else None
    with pytest.raises(NetworkError):
        made(step, rows, kind=kind)
    writing.fault = lambda body, number: None
    done = made(step, rows, kind=kind)
    assert sum(entry["usd"] for entry in done.writers) == pytest.approx(writing.usd)
    with CallStore(home().calls) as store:
        assert sum(entry["calls"] for entry in done.writers) == len(store) == sum(writing.answered.values()), "each bought once"
    before = len(writing.bodies)
    again = made(step, rows, kind=kind, max_usd=0)
    assert len(writing.bodies) == before and again.usd == 0 and again.rows.equals(done.rows) and again.fates.equals(done.fates)
    assert step.expected_usd(rows, context(kind)) == 0


def odd() -> pl.DataFrame:
    """Rows such as nobody should have, and somebody has."""
    ask = conversation([("user", "Which mineral?")])
    two = [{"label": "A", "text": "zinc"}, {"label": "B", "text": "iron"}]
    rows: list[dict[str, Any]] = [{"messages": conversation([("user", text)])} for text in (
        "", " ", "\0\1", "\u202e", "{domain} {0}", "<script>", "x" * 50_000, "字" * 50_000, "\x1b[31m", "<<<END PASSAGE 0>>>", "\n\n", "A. x\nB. y")]
    rows += [{"messages": None}, {"messages": []}, {"messages": [{"role": "user", "content": None}]}, {"messages": [{"role": "system", "content": None}]}]
    rows += [{"messages": conversation([("system", "Be."), ("user", "Why?")])}, {"messages": conversation([("user", "a"), ("assistant", "b"), ("user", "c")])}]
    rows += [{"messages": ask, "metadata": said} for said in ("[1]", '{"written": 3}', "no json", '{"written": {"evolve": {"draw": "zz"}}}')]
    rows += [{"messages": ask, "options": options, "answer": "B"} for options in (
        [], [{"label": "A", "text": ""}, two[1]], [two[0] | {"label": "B"}, two[1]], [{"label": None, "text": None}, two[1]], [{"label": "", "text": "x"}, two[1]],
        [{"label": f"{k}", "text": f"t{k}"} for k in range(30)])]
    rows += [{"messages": ask, "options": two, "answer": answer} for answer in ("", "zinc", "A, B", None)]
    names = ("messages", "metadata", "options", "answer")
    columns: dict[str, Any] = {name: pl.Series([row.get(name) for row in rows], dtype=exam(1).schema[name]) for name in names}
    return frame("sft", id=[f"{k:032x}" for k in range(len(rows))], source=["odd"] * len(rows), **columns)


@pytest.mark.parametrize("place", range(5), ids=NAMES[:5])
def test_odd_rows_go_by_a_rule_or_pass(writing: WritingServer, place: int) -> None:
    done = made(steps(writing)[place][0], odd())
    assert done.fates["rule"].null_count() == 0 and done.fates["index"].is_unique().all()
    if place == 4:
        assert fates(done)["bad_key"] == 7 and "no_key" in fates(done)


def test_a_request_that_the_server_refuses_loses_its_row_alone(writing: WritingServer) -> None:
    writing.fault = lambda body, number: (400, {}, '{"error": {"message": "too long"}}') if "Iron" in body["messages"][-1]["content"] else None
    done = made(PassageQuestions(model=model(writing)), texts("Zinc heals.", "Iron carries.", "Copper binds."))
    assert fates(done) == {"failed": 1} and done.rows.height == 2 and "too long" in done.fates["value"][0]


RECIPE = """\
name: written
license: cc0-1.0
sources:
  book: {path: book.jsonl, license: CC0-1.0, language: en, key: id, shape: {passage: {}}}
  buch: {path: buch.jsonl, license: CC0-1.0, language: zh, key: id, shape: {passage: {}}}
corpora:
  sft:
    from: [book, buch]
    steps:
      - passage_questions: {model: <model>}
      - evolve: {model: <model>, rounds: 1}
      - answers: {model: <model>, retries: 1}
"""


def recipe(folder: Path, server: Loopback, text: str = RECIPE) -> str:
    small.write_jsonl(folder / "book.jsonl", [{"id": f"b{k}", "text": f"Mineral {k} is kept in the liver."} for k in range(5)])
    small.write_jsonl(folder / "buch.jsonl", [{"id": f"z{k}", "text": f"第{k}种元素储存于肝脏。"} for k in range(5)])
    (folder / "written.yaml").write_text(text.replace("<model>", json.dumps(model(server))), encoding="utf-8")
    return str(folder / "written.yaml")


def test_a_recipe_from_passages_to_answered_conversations(writing: WritingServer, tmp_path: Path) -> None:
    writing.mood = by_hash("well", "well", "well", "wrong")
    path = recipe(tmp_path, writing)
    building.lock_recipe(path)
    before = sum(line.usd or 0.0 for line in plan(building.layout(path)))
    build = building.build(path)
    [shard] = build.record.configs["sft"]["train"]
    rows = pl.read_parquet(build.path / shard.path)
    assert before == 0.0 and rows.height == 20 - build.record.funnel[-1].dropped and set(rows["language"]) == {"en", "zh"}
    assert_right(Made(rows, pl.DataFrame()))
    assert [writer.step for writer in build.record.writers][:2] == ["passage_questions", "evolve"]
    assert build.record.environment["usd"] == pytest.approx(writing.usd, abs=1e-5)
    released = cut(build.path, "1.0.0", home=home())
    card = (released.path / "README.md").read_text(encoding="utf-8")
    assert "## Models that wrote" in card and "worked_answer@1/retry 1" in card and "Models that wrote" in (released.path / "report.html").read_text()
    calls = len(writing.bodies)
    assert building.build(path).stages_run == 0 and len(writing.bodies) == calls


def test_what_could_not_be_had_is_said(writing: WritingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writing.mood = lambda body: "same"
    step = "      - subfields: {model: <model>, ask: {count: 3}, again: 1}\n      - answers: {model: <model>}\n"
    path = recipe(tmp_path, writing, RECIPE[: RECIPE.index("      - passage")] + step)
    building.lock_recipe(path)
    build = building.build(path, talk=Talk())
    said = "sft: openai/gpt-4.1 wrote 20 fewer than subfields asks for"
    assert said in capsys.readouterr().err and said in (cut(build.path, "1.0.0", home=home()).path / "README.md").read_text(encoding="utf-8")


def test_a_rewritten_question_goes_where_the_first_one_goes_and_is_traced(writing: WritingServer, tmp_path: Path) -> None:
    text = RECIPE.replace("rounds: 1", "rounds: 2").replace("    from:", "    splits: {test: 0.5}\n    from:").replace("retries: 1", "retries: 0")
    path = recipe(tmp_path, writing, text)
    building.lock_recipe(path)
    build = building.build(path)
    placed = {split: rows_of(build, split) for split in ("train", "test")}
    split_of = {identity: split for split, rows in placed.items() for identity in rows["id"]}
    rows = pl.concat(placed.values())
    assert rows.height == 30 and min(rows.height for rows in placed.values()) > 0
    evolved = rows.filter(pl.col("parents").list.first().is_in(rows["id"].to_list()))
    assert evolved.height == 20 and all(split_of[row["id"]] == split_of[row["parents"][0]] for row in evolved.iter_rows(named=True))
    last = next(row for row in evolved.iter_rows(named=True) if written_of(row)["evolve"]["round"] == 2)
    found, walked = trace(home(), "written", last["id"]), []
    while found["parents"]:
        [found] = found["parents"]
        walked.append(found["origin"])
    assert [len(origin) for origin in walked] == [0, 0, 1] and walked[-1][0]["source"] in ("book", "buch")


def rows_of(build: building.Build, split: str = "train") -> pl.DataFrame:
    return pl.concat([pl.read_parquet(build.path / file.path) for file in build.record.configs["sft"][split]])


def test_one_cap_holds_over_all_makers_of_a_build(writing: WritingServer, tmp_path: Path) -> None:
    path = recipe(tmp_path, writing)
    building.lock_recipe(path)
    with pytest.raises(BudgetError):
        building.build(path, max_usd=8)
    assert 5 < writing.usd <= 8
    done = building.build(path)
    assert rows_of(done).height == 20 and done.record.environment["usd"] > 0
    assert sum(writer.usd for writer in done.record.writers) == pytest.approx(writing.usd, abs=1e-5)


def test_a_build_killed_while_it_buys_goes_on_and_buys_nothing_twice(writing: WritingServer, tmp_path: Path) -> None:
    path = recipe(tmp_path, writing)
    building.lock_recipe(path)
    writing.fault = lambda body, number: 0.05
    child = subprocess.Popen([sys.executable, "-c", f"from tilth.builders.build import build; build({path!r})"], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(writing.bodies) < 14 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    writing.fault = lambda body, number: None
    killed = building.build(path)
    with CallStore(home().calls) as store:
        lost = sum(writing.answered.values()) - len(store)
    assert 0 <= lost <= 16, "what was in flight when it was killed, at most"
    elsewhere = Home(home().root.with_name("elsewhere"))
    elsewhere.root.mkdir()
    shutil.copy(home().calls, elsewhere.calls)
    calls = len(writing.bodies)
    again = building.build(path, where=elsewhere)
    assert again.record.digest() == killed.record.digest() and len(writing.bodies) == calls, "the same store gives the same release"


def test_rows_that_end_unanswered_stop_the_build(writing: WritingServer, tmp_path: Path) -> None:
    path = recipe(tmp_path, writing, "\n".join(line for line in RECIPE.splitlines() if "answers" not in line and "evolve" not in line))
    building.lock_recipe(path)
    with pytest.raises(RecipeError, match=r"corpora\.sft: at least 10 rows of this recipe end without an answer") as caught:
        building.build(path)
    assert "answers" in str(caught.value.hint)


def test_the_recipe_in_the_docs_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "synthesis.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "docs.yaml").write_text(f"name: docs\nlicense: mit\n{text}", encoding="utf-8")
    assert [step.name for step in load(str(tmp_path / "docs.yaml")).recipe.steps("sft")][:2] == ["passage_questions", "subfields"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("answers: {model: {baseline: {}}}", "writes nothing"), ("answers: {model: {openia: {model: x}}}", "unknown provider"),
        ("answers: {}", "model"), ("answers: {model: <model>, sources: [nowhere]}", "nowhere"),
        ("passage_questions: {model: <model>, examples_from: nowhere}", "nowhere"), ("evolve: {model: <model>, ask: {domain: ''}}", "domain"),
        ("passage_questions: {model: <model>, ask: {num_options: 1}}", "num_options"), ("evolve: {model: <model>, rounds: 0}", "rounds"),
        ("evolve: {model: <model>, ask: {low: 30}}", "above high"),
    ],
)  # fmt: skip
def test_bad_parameters_are_one_line(writing: WritingServer, tmp_path: Path, said: str, message: str) -> None:
    text = RECIPE[: RECIPE.index("      - passage")] + f"      - {said}\n"
    with pytest.raises(RecipeError, match=message):
        building.lock_recipe(recipe(tmp_path, writing, text))
