"""Decontamination: how items are found, what is not flagged, the evidence. On real text: test_decontaminate_real.py."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from tilth.core.batch import Batch
from tilth.core.builds import ContaminationEntry
from tilth.core.errors import RecipeError
from tilth.core.rows import CONTENT, conversation
from tilth.core.steps import Context
from tilth.filters import benchmark_index
from tilth.filters.decontaminate import SUMMARY, Decontaminate

ITEMS: dict[str, Any] = dict.fromkeys(("benchmark", "item", "question", "options", "answer"), pl.String)
ITEMS["options"] = pl.List(pl.String)
LONG = (
    "A 45-year-old man comes to the physician because of a 3-month history of thirst and of waking at night to drink. "
    "His glucose is 14.2 mmol/L. Which of the following is the most appropriate next step in management?"
)
EXAM: list[dict[str, Any]] = [
    {"benchmark": "en", "item": "long", "question": LONG, "options": ["Start metformin", "Start insulin", "Wait", "Refer"]},
    {"benchmark": "en", "item": "short", "question": "Nerve damaged in fracture of the humerus?", "options": ["Radial nerve", "Ulnar nerve"]},
    {"benchmark": "en", "item": "tiny", "question": "Kinase reactions:", "options": ["inhibit breakdown", "add a group", "cut"]},
    {"benchmark": "en", "item": "three", "question": "Ceramide is found?", "options": []},
    {"benchmark": "en", "item": "none", "question": "Why?", "options": []},
    {"benchmark": "en", "item": "dose", "question": "Give 5 mg of drug X twice a day for acute pain of the back", "options": []},
    {
        "benchmark": "zh",
        "item": "long",
        "question": "下列关于幽门螺杆菌感染与胃癌关系的叙述正确的是",
        "options": ["无关", "密切相关"],
    },
    {"benchmark": "zh", "item": "short", "question": "贲门的位置位于", "options": ["左侧", "右侧", "中线", "腹腔"]},
    {"benchmark": "zh", "item": "stock", "question": "下列说法正确的是", "options": ["胃壁有四层", "胃壁有三层", "胃壁有两层"]},
]
BENCHMARKS = pl.DataFrame([{**item, "answer": "Radial"} for item in EXAM], schema=ITEMS)
CONTEXT = Context("cpt", 0, BENCHMARKS)


def signals(texts: list[str], step: Decontaminate | None = None, context: Context = CONTEXT) -> pl.DataFrame:
    batch = Batch(pl.DataFrame({"text": texts}, schema={"text": pl.String}), "cpt")
    found = (step or Decontaminate()).measure(batch, context)
    return found.with_columns(id=pl.Series([f"r{i}" for i in range(len(texts))], dtype=pl.String))


def found(text: str, **parameters: Any) -> dict[str, tuple[str, float]]:
    """Item → (how, coverage) of every hit in one document."""
    hits = signals([text], Decontaminate(**parameters))["hits"][0].to_list()
    return {f"{hit['benchmark']}/{hit['item']}": (hit["how"], round(hit["coverage"], 3)) for hit in hits}


def drops(text: str, **parameters: Any) -> dict[str, tuple[str, float]]:
    """Item → (how, coverage) of the hits that drop one document."""
    step = Decontaminate(**parameters)
    hits = step.counted(signals([text], step), np.ones(1, bool)).filter("drops").to_dicts()
    return {f"{hit['benchmark']}/{hit['item']}": (hit["how"], round(hit["coverage"], 3)) for hit in hits}


@pytest.mark.parametrize(
    ("text", "item", "how"),
    [
        (f"Some notes. {LONG} And more.", "en/long", "sentence"),
        (f"Some notes.\n{LONG.upper()}\nA. START METFORMIN", "en/long", "line"),
        (f"Some notes {LONG.lower().replace('?', '')} and more.", "en/long", "text"),
        (LONG.replace(" ", "\n").replace("?", ""), "en/long", "line"),
        ("I asked about a nerve damaged in fracture of the humerus, he said", "en/short", "text"),
        ("Kinase reactions:\nsee above", "en/tiny", "line"),
        ("the kinase reactions (b) add a group (a) inhibit breakdown (c) cut", "en/tiny", "listed"),
        ("the kinase reactions in any cell: those that add a group, those that inhibit breakdown, those that cut", "en/tiny", "options"),
        ("We read:\nceramide is found\nand went on", "en/three", "line"),
        ("We read ceramide is found? and went on", "en/three", "sentence"),
        ("问：下列关于幽门螺杆菌感染与胃癌关系的叙述，正确的是（ ）。", "zh/long", "line"),
        ("問下列關於幽門螺桿菌感染與胃癌關係的敘述正確的是甚麼", "zh/long", "text"),
        ("贲门的位置，位于哪里", "zh/short", "text"),
        ("下列说法正确的是\n1.胃壁有两层\n2.胃壁有三层", "zh/stock", "options"),
    ],
)
def test_items_are_found(text: str, item: str, how: str) -> None:
    assert found(text) == {item: (how, 1.0)}


@pytest.mark.parametrize(
    ("text", "item"),
    [
        (LONG.replace("physician ", "").replace("thirst and of ", "").replace("mmol", "").replace("next ", ""), "en/long"),
        (LONG.replace("physician", "physican").replace("glucose", "gluc\u200bose").replace("waking", "wak-\ning"), "en/long"),
        (LONG.replace("thirst", "page 12\nof 300\nthirst"), "en/long"),
        ("Notes.\nNerve in fracture of the humerus?\nend", "en/short"),
        ("on Nerve damaged in of the humerus (a) Radial nerve (b) Ulnar nerve and so on", "en/short"),
        ("一些文字下列关于幽门螺菌感染与胃癌关系叙述正确的是一些文字", "zh/long"),
        ("一些文字下列关于幽门螺杆菌感与胃癌关系\n的叙述正确的是一些文字", "zh/long"),
        ("下列关于幽门螺杆茵感染与胃癌关系的叙述正确的是", "zh/long"),
    ],
)
def test_light_edits_do_not_hide_an_item(text: str, item: str) -> None:
    """Words left out, a typing error, a line break or a page header inside."""
    assert {name: coverage for name, (_, coverage) in drops(text).items() if name == item}.keys() == {item}


@pytest.mark.parametrize(
    "text",
    [
        "How many mg of morphine are given after a fracture of the femur? 20 mg in 2 hours",
        "Give 10 mg of drug X twice a day for acute pain of the back",
        "Nerve damaged in dislocation of the shoulder?",
        "Vein damaged in fracture of the humerus?",
        LONG.replace("thirst", "cough").replace("waking at night to drink", "fever and chills")
        .replace("His glucose is 14.2 mmol/L", "Examination shows crackles in both lungs"),
    ],
)
def test_other_questions_are_other_questions(text: str) -> None:
    """A dose, a word or a history that is another."""
    assert drops(text) == {}


def test_options_that_follow_as_a_list_stand_for_words_left_out() -> None:
    """Two thirds of a short question are a leak with them, and not where prose says as much."""
    layers = ["basal layer", "granular layer", "clear layer", "horny layer"]
    item = {"benchmark": "en", "item": "one", "question": "Enzyme that keratin lacks in old skin", "options": layers, "answer": None}
    context = Context("cpt", 0, pl.DataFrame([item], schema=ITEMS))
    listed, prose = (
        signals([f"We read of an enzyme that keratin in skin {rest}"], context=context)
        for rest in ("A. basal layer B. granular layer C. clear D. horny layer and so on", "has, first in the basal layer, then in others")
    )
    assert [hit["how"] for hit in listed["hits"][0]] == ["listed"]
    assert [len(Decontaminate().decide(one, np.ones(1, bool), None)) for one in (listed, prose)] == [1, 0]


def test_a_heading_is_not_a_question_of_which_it_is_a_part() -> None:
    items = pl.DataFrame([{"benchmark": "en", "item": "one", "question": "Sickle cell anemia is a", "options": [], "answer": None}], schema=ITEMS)
    said = [signals([text], context=Context("cpt", 0, items)) for text in ("On\nSickle cell anemia\nin adults", "On\nSickle cell is a\nin adults")]
    assert [len(Decontaminate().decide(one, np.ones(1, bool), None)) for one in said] == [0, 1]


def test_a_number_on_the_line_before_is_not_one_replaced() -> None:
    assert "en/dose" in drops("There were 7\nof drug X twice a day for acute pain of the back")


def test_a_number_left_out_is_not_a_number_replaced() -> None:
    assert "en/dose" in drops("Give 5 of drug X twice a day for acute pain of the back")
    assert "en/dose" not in drops("Give 50 mg of drug X twice a day for acute pain of the back")


@pytest.mark.parametrize(
    "text",
    [
        "A 45-year-old man comes to the physician because of a cough. Which of the following is the most appropriate next step in management?",
        "Which of the following is the most likely diagnosis?",
        "下列关于高血压的叙述，正确的是哪一项？下列说法正确的是：血压会变。",
        "In kinase reactions: ATP is used.",
        "Kinase reactions: see above",
        "it is said that ceramide is found everywhere",
        "Ceramide is found in the skin",
        "Radial. Start metformin, start insulin, wait, refer. 无关 密切相关",
        "Why?",
        "",
    ],
)
def test_phrases_and_answers_are_not(text: str) -> None:
    assert found(text) == {}


def test_coverage_is_the_share_of_the_question_that_stands_together() -> None:
    words = LONG.split()
    assert 0.4 < found(" ".join(words[: len(words) // 2]), floor=0.2, min_coverage=0.3)["en/long"][1] < 0.6
    halves = " ".join(words[:18]) + " filler" * 200 + " ".join(["", *words[18:]])
    assert found(halves, floor=0.2, min_coverage=0.3)["en/long"][1] < 0.7
    assert found(" ".join(words[:18]) + " and, " + " ".join(words[18:]))["en/long"][1] > 0.95


def test_any_run_of_words_counts_where_it_is_asked_for() -> None:
    run = "thirst and of waking at night to drink"
    assert drops(f"complained of {run} a lot") == {}
    assert drops(f"complained of {run} a lot", ngram=8)["en/long"][0] == "ngram"
    assert drops(f"complained of {run} a lot", ngram=9) == {}


def test_phrases_of_a_recipe_say_nothing() -> None:
    text = "so nerve damaged in fracture of the humerus it is"
    assert drops(text) != {}
    assert drops(text, common_phrases=["nerve damaged in fracture of the humerus"]) == {}


def test_span_is_the_text_of_the_row_as_it_stands() -> None:
    text = "胃 – naïve\u200b ①\n" + LONG.replace("45", "４５").replace("mmol", "mmol\u200b") + "\nend"
    hit = signals([text])["hits"][0][0]
    assert text[hit["start"] : hit["end"]].startswith("A ４５-year-old") and text[hit["end"] :] == "?\nend"
    assert hit["span"] == text[hit["start"] : hit["end"]][:300]
    assert signals([text])["item"][0] == "en/long" and signals([text])["coverage"][0] == 1.0


def test_messages_are_lines() -> None:
    rows = [
        conversation([("user", "Ceramide is found?"), ("assistant", "Yes")]),
        conversation([("user", "so ceramide is found")]),
    ]
    batch = Batch(pl.DataFrame([{"messages": row} for row in rows], schema=CONTENT["sft"]), "sft")
    assert Decontaminate().measure(batch, Context("sft", 0, BENCHMARKS))["item"].to_list() == ["en/three", None]


def test_rows_go_with_evidence_and_allowed_ones_stay() -> None:
    texts = ["clean", f"x {LONG}", "贲门的位置位于此", f"{LONG}\n贲门的位置位于此"]
    step = Decontaminate(allow={"en": "published with the benchmark"})
    measured, alive = signals(texts, step), np.ones(4, bool)
    assert measured.equals(signals(texts)), "allow is a threshold"
    fates = step.decide(measured, alive, None)
    assert fates.select("index", "status", "rule", "value").rows() == [
        (2, "dropped", "contaminated", "zh/short"),
        (3, "dropped", "contaminated", "zh/short"),
    ]
    assert json.loads(fates["detail"][0]) == {
        "coverage": 1.0, "how": "text", "start": 0, "end": 7, "span": "贲门的位置位于", "words": [0, 7]
    }  # fmt: skip
    assert Decontaminate().decide(measured, alive, None)["value"].to_list() == ["en/long", "zh/short", "en/long"]
    assert Decontaminate().decide(measured, np.array([True, False, True, False]), None)["index"].to_list() == [2]

    entries = step.account(measured, alive, fates, BENCHMARKS)
    counts = [[ContaminationEntry(corpus="cpt", **entry).model_dump()[name] for name in SUMMARY] for entry in entries]
    assert counts == [["en", 6, 1, 1, 1, 1, 0, "published with the benchmark"], ["zh", 3, 0, 1, 2, 0, 0, None]]


def test_one_item_can_be_allowed() -> None:
    texts = [f"x {LONG}", f"x {LONG}\nCeramide is found?"]
    step = Decontaminate(allow_items={"en/long": "quoted in a review"})
    measured, alive = signals(texts, step), np.ones(2, bool)
    fates = step.decide(measured, alive, None)
    assert fates.select("index", "value").rows() == [(1, "en/three")]
    entry = step.account(measured, alive, fates, BENCHMARKS)[0]
    assert (entry["rows_dropped"], entry["rows_allowed"], entry["reason"]) == (1, 1, "quoted in a review")
    with pytest.raises(RecipeError, match="en/nothing"):
        signals(texts, Decontaminate(allow_items={"en/nothing": "why"}))
    with pytest.raises(ValueError, match="gives no reason"):
        Decontaminate(allow_items={"en/long": ""})


def test_a_phrase_that_a_source_says_everywhere_is_no_leak() -> None:
    texts = [f"case {k} the nerve damaged in fracture of the humerus recovered {k}" for k in range(6)]
    measured, alive = signals(texts), np.ones(6, bool)
    of_one = measured.with_columns(source=pl.lit("books"))
    assert Decontaminate().decide(of_one, alive, None).height == 0
    assert Decontaminate(common_from=None).decide(of_one, alive, None).height == 6
    assert Decontaminate(common_from=7).decide(of_one, alive, None).height == 6
    of_many = measured.with_columns(source=pl.Series([f"s{k % 3}" for k in range(6)]))
    assert Decontaminate().decide(of_many, alive, None).height == 6
    copies = signals([texts[0]] * 6).with_columns(source=pl.lit("books"))
    assert Decontaminate().decide(copies, alive, None).height == 6, "copies of one text are one place"
    entry = Decontaminate().account(of_one, alive, Decontaminate().decide(of_one, alive, None), BENCHMARKS)[0]
    assert (entry["rows_dropped"], entry["rows_common"], entry["items_found"]) == (0, 6, 0)


def test_threshold_decides_again_without_measuring() -> None:
    most = " ".join(LONG.split()[:30])
    measured, alive = signals([most]), np.ones(1, bool)
    coverage = measured["coverage"][0]
    assert Decontaminate(min_coverage=coverage).decide(measured, alive, None).height == 1
    assert Decontaminate(min_coverage=coverage + 0.01).decide(measured, alive, None).height == 0
    with pytest.raises(ValueError, match=r"min_coverage 0.2 is under floor 0.5"):
        Decontaminate(min_coverage=0.2)


def test_against_names_benchmarks() -> None:
    assert set(found(f"{LONG} 贲门的位置位于", against=["zh"])) == {"zh/short"}
    with pytest.raises(RecipeError, match="no benchmark 'xx'"):
        found("a", against=["xx"])
    with pytest.raises(ValueError, match="gives no reason"):
        Decontaminate(allow={"en": " "})


def test_unmatchable_items_are_named() -> None:
    found = benchmark_index.describe(BENCHMARKS)
    assert [one["item"] for one, how in zip(EXAM, found, strict=True) if how is None] == ["none"]


def test_rows_do_not_depend_on_their_batch() -> None:
    texts = ["clean", f"x {LONG}", "", "贲门的位置位于此", "Kinase reactions"]
    assert pl.concat([signals([text]) for text in texts]).drop("id").equals(signals(texts).drop("id"))


def test_a_question_of_a_thousand_words_is_measured_by_its_seeds() -> None:
    draw = np.random.default_rng(0)
    words = [f"word{k}" for k in draw.integers(0, 5000, 1000)]
    item = {"benchmark": "en", "item": "passage", "question": " ".join(words), "options": [], "answer": None}
    context = Context("cpt", 0, pl.DataFrame([item], schema=ITEMS))
    kept = [word for word in words if draw.random() > 0.1]
    texts = ["Before. " + " ".join(words) + " after.", " ".join(kept), " ".join(words[:300]), " ".join(reversed(words))]
    step = Decontaminate()
    assert step.decide(signals(texts, step, context), np.ones(4, bool), None)["index"].to_list() == [0, 1]
