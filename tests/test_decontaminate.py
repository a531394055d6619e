"""Decontamination: how items are found, what is not flagged, the evidence; recall and false positives on real text."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard

from tilth.core.batch import Batch
from tilth.core.builds import ContaminationEntry
from tilth.core.errors import RecipeError
from tilth.core.rows import MESSAGES, conversation
from tilth.core.steps import Context
from tilth.filters import benchmark_index
from tilth.filters.decontaminate import Decontaminate

ITEMS: dict[str, Any] = dict.fromkeys(("benchmark", "item", "question", "options", "answer"), pl.String)
ITEMS["options"] = pl.List(pl.String)
LONG = (
    "A 45-year-old man comes to the physician because of a 3-month history of thirst and of waking at night to drink. "
    "His glucose is 14.2 mmol/L. Which of the following is the most appropriate next step in management?"
)
EXAM: list[dict[str, Any]] = [
    {"benchmark": "en", "item": "long", "question": LONG, "options": ["Start metformin", "Start insulin", "Wait", "Refer"]},
    {"benchmark": "en", "item": "short", "question": "Nerve damaged in fracture of the humerus?", "options": ["Radial", "Ulnar"]},
    {"benchmark": "en", "item": "tiny", "question": "Kinase reactions:", "options": ["inhibit breakdown", "add a group", "cut"]},
    {"benchmark": "en", "item": "three", "question": "Ceramide is found?", "options": []},
    {"benchmark": "en", "item": "none", "question": "Why?", "options": []},
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


@pytest.mark.parametrize(
    ("text", "item", "how"),
    [
        (f"Some notes. {LONG} And more.", "en/long", "ngrams"),
        (f"Some notes.\n{LONG.upper()}\nA. START METFORMIN", "en/long", "ngrams"),
        (LONG.replace(" ", "\n").replace("?", ""), "en/long", "ngrams"),
        ("I asked: nerve damaged in fracture of the humerus, he said", "en/short", "whole"),
        ("Kinase reactions:\nsee above", "en/tiny", "line"),
        ("1.\nKinase reactions\n(b) add a group (a) inhibit breakdown (c) cut", "en/tiny", "options"),
        ("We read:\nceramide is found\nand went on", "en/three", "line"),
        ("问：下列关于幽门螺杆菌感染与胃癌关系的叙述，正确的是（ ）。", "zh/long", "ngrams"),
        ("贲门的位置，位于哪里", "zh/short", "whole"),
        ("下列说法正确的是\n1.胃壁有两层\n2.胃壁有三层", "zh/stock", "options"),
    ],
)
def test_items_are_found(text: str, item: str, how: str) -> None:
    assert found(text) == {item: (how, 1.0)}


@pytest.mark.parametrize(
    "text",
    [
        "A 45-year-old man comes to the physician because of a cough. Which of the following is the most appropriate next step in management?",
        "Which of the following is the most likely diagnosis?",
        "下列关于高血压的叙述，正确的是哪一项？下列说法正确的是：血压会变。",
        "In kinase reactions: ATP is used.",
        "Kinase reactions: see above",
        "it is said that ceramide is found everywhere",
        "Radial. Start metformin, start insulin, wait, refer. 无关 密切相关",
        "Why?",
        "",
    ],
)
def test_phrases_and_answers_are_not(text: str) -> None:
    assert found(text, floor=0.5) == {}


def test_coverage_is_the_share_of_the_question_that_stands_together() -> None:
    words = LONG.split()
    assert 0.4 < found(" ".join(words[: len(words) // 2]))["en/long"][1] < 0.6
    halves = " ".join(words[:18]) + " filler" * 200 + " ".join(["", *words[18:]])
    assert found(halves)["en/long"][1] < 0.7
    assert found(" ".join(words[:18]) + " and, " + " ".join(words[18:]))["en/long"][1] == 1.0


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
    batch = Batch(pl.DataFrame({"messages": rows}, schema={"messages": MESSAGES}), "sft")
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
    assert json.loads(fates["detail"][0]) == {"coverage": 1.0, "how": "whole", "start": 0, "end": 7, "span": "贲门的位置位于"}
    assert Decontaminate().decide(measured, alive, None)["value"].to_list() == ["en/long", "zh/short", "en/long"]
    assert Decontaminate().decide(measured, np.array([True, False, True, False]), None)["index"].to_list() == [2]

    entries = step.account(measured, alive, fates, BENCHMARKS)
    counts = [list(ContaminationEntry(corpus="cpt", **entry).model_dump().values())[1:] for entry in entries]
    assert counts == [["en", 5, 1, 1, 1, 1, "published with the benchmark"], ["zh", 3, 0, 1, 2, 0, None]]


def test_threshold_decides_again_without_measuring() -> None:
    half = " ".join(LONG.split()[:18])
    measured, alive = signals([half]), np.ones(1, bool)
    coverage = measured["coverage"][0]
    assert Decontaminate(min_coverage=coverage).decide(measured, alive, None).height == 1
    assert Decontaminate(min_coverage=coverage + 0.01).decide(measured, alive, None).height == 0
    with pytest.raises(ValueError, match=r"min_coverage 0.2 is under floor 0.3"):
        Decontaminate(min_coverage=0.2)


def test_against_names_benchmarks() -> None:
    assert found(f"{LONG} 贲门的位置位于", against=["zh"]) == {"zh/short": ("whole", 1.0)}
    with pytest.raises(RecipeError, match="no benchmark 'xx'"):
        found("a", against=["xx"])
    with pytest.raises(ValueError, match="gives no reason"):
        Decontaminate(allow={"en": " "})


def test_unmatchable_items_are_named() -> None:
    found = benchmark_index.describe(BENCHMARKS, Decontaminate().lengths)
    assert [one["item"] for one, how in zip(EXAM, found, strict=True) if how is None] == ["none"]


def test_rows_do_not_depend_on_their_batch() -> None:
    texts = ["clean", f"x {LONG}", "", "贲门的位置位于此", "Kinase reactions"]
    assert pl.concat([signals([text]) for text in texts]).drop("id").equals(signals(texts).drop("id"))


# real text


def read(path: Path, rows: int | None = None) -> list[dict[str, Any]]:
    stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(path.open("rb")), encoding="utf-8")
    return [json.loads(line) for _, line in zip(range(rows or 1 << 60), stream, strict=False)]


@pytest.fixture(scope="module")
def items(data: Path) -> pl.DataFrame:
    """8,040 items of MedQA, MedMCQA, PubMedQA, MMLU and CMMLU."""
    mcq = read(data / "bench_medmcqa_dev/dev.jsonl.zst")
    cmmlu = read(data / "bench_cmmlu_medical_a/cmmlu.jsonl.zst")
    mmlu = read(data / "bench_mmlu_medical_a/test.jsonl.zst")
    rows = [("medmcqa", r["id"], r["question"], [r[f"op{c}"] for c in "abcd"]) for r in mcq]
    for i, r in enumerate(read(data / "bench_medqa_us_test/test.jsonl.zst")):
        rows.append(("medqa", str(i), r["question"], list(r["options"].values())))
    rows += [("pubmedqa", r["PMID"], r["QUESTION"], []) for r in read(data / "bench_pubmedqa/ori_pqal.jsonl.zst")]
    rows += [("mmlu", f"{r['subject']}-{r['idx']}", r["question"], [r[c] for c in "ABCD"]) for r in mmlu]
    rows += [("cmmlu", f"{r['subject']}-{r['split']}-{r['idx']}", r["Question"], [r[c] for c in "ABCD"]) for r in cmmlu]
    return pl.DataFrame([(*row, None) for row in rows], schema=ITEMS, orient="row")


def documents(data: Path, rows: int | None) -> list[dict[str, Any]]:
    return [row for path in sorted((data / "cpt_raw_mix").glob("*.zst")) for row in read(path, rows)]


def recall(items: pl.DataFrame, texts: dict[bool, list[str]], whole: bool) -> dict[tuple[bool, bool], list[bool]]:
    """(Chinese, under 13 words) → for every item, set as lines into a document, whether it is found where it stands."""
    rng = random.Random(0)
    planted, places = [], []
    for row in items.iter_rows(named=True):
        text = rng.choice(texts[row["benchmark"] == "cmmlu"])
        at = text.find("\n", rng.randrange(len(text)))
        at = len(text) if at < 0 else at
        body = row["question"]
        if whole:
            body += "".join(f"\n{label}. {option}" for label, option in zip("ABCD", row["options"], strict=False))
        planted.append(f"{text[:at]}\n{body}\n{text[at:]}")
        places.append((at, at + 1 + len(body)))
    result: dict[tuple[bool, bool], list[bool]] = {}
    hits = signals(planted, context=Context("cpt", 0, items))["hits"].to_list()
    for row, place, text, of_row in zip(items.iter_rows(named=True), places, planted, hits, strict=True):
        good = [
            hit
            for hit in of_row
            if (hit["benchmark"], hit["item"]) == (row["benchmark"], row["item"]) and hit["coverage"] >= 0.99
        ]
        for hit in good:
            assert place[0] <= hit["start"] < hit["end"] <= place[1], "the evidence lies outside the planted item"
            assert hit["span"] == text[hit["start"] : hit["end"]][:300]
        chinese = row["benchmark"] == "cmmlu"
        # A Chinese word is about 1.6 characters: 13 words are 20.
        short = len(row["question"]) < 20 if chinese else len(row["question"].split()) < 13
        result.setdefault((chinese, short), []).append(bool(good))
    return result


def check_recall(data: Path, items: pl.DataFrame, rows: int) -> None:
    of_source = documents(data, rows)
    texts = {
        zh: [row["text"] for row in of_source if (row["lang"] == "zh") == zh and len(row["text"]) > 400] for zh in (False, True)
    }
    for whole in (True, False):
        for (chinese, short), good in recall(items, texts, whole).items():
            share = sum(good) / len(good)
            print(f"whole={whole} chinese={chinese} short={short}: {share:.4f} of {len(good)}")
            assert share >= 0.98, (whole, chinese, short, share)


@pytest.mark.data
def test_recall_of_planted_items(data: Path, items: pl.DataFrame) -> None:
    """A sample of `test_recall_of_all_items`."""
    check_recall(data, items.sample(1200, seed=2), 30)


@pytest.mark.data
@pytest.mark.slow
def test_recall_of_all_items(data: Path, items: pl.DataFrame) -> None:
    """All 8,040 items set into real documents; `docs/decontamination.md` has the figures."""
    check_recall(data, items, 60)
    assert benchmark_index.describe(items, Decontaminate().lengths).count(None) <= 0.005 * items.height


@pytest.mark.data
def test_stock_phrases_of_exams_flag_nothing(data: Path, items: pl.DataFrame) -> None:
    """UltraMedical's 79 rows share stock phrases with the MedQA test and are other questions: none is flagged.

    The nearest is 0.27: "year-old woman comes to the physician because of a 2-week history of ..." against medqa/1009.
    """
    texts = [
        "\n".join(turn["value"] for turn in row["conversations"])
        for name in ("examples", "medqa", "medqa_outputs")
        for row in read(data / "peer_ultramedical_samples" / f"{name}.jsonl.zst")
    ]
    measured = signals(texts, Decontaminate(floor=0.1), Context("cpt", 0, items))
    assert len(texts) == 79
    assert (measured["coverage"] > 0).sum() > 5, "the phrases are there"
    assert measured["coverage"].max() < 0.3  # type: ignore[operator]


@pytest.mark.data
def test_false_positives_on_a_sample(data: Path, items: pl.DataFrame) -> None:
    """Real documents, nothing planted: of the first 300 of each file (3,400) at most 8 are flagged, all from textbooks."""
    rows = documents(data, 300)
    measured = signals([row["text"] for row in rows], context=Context("cpt", 0, items))
    flagged = [row["source"] for row, coverage in zip(rows, measured["coverage"], strict=True) if coverage >= 0.5]
    assert len(flagged) <= 8
    assert set(flagged) <= {"openstax_anatomy_physiology", "medquad_documents"}


@pytest.mark.data
@pytest.mark.slow
def test_false_positives_on_all_documents(data: Path, items: pl.DataFrame) -> None:
    """All 112,999 documents of cpt_raw_mix: 14 are flagged, none of them a leak, each explained.

    Twelve hold an incomplete statement of four or five words that an exam uses as its stem and a textbook says too:
    "the pyruvate dehydrogenase complex" (MMLU, 5 rows), "Sickle cell anemia is a" (MedMCQA, 2), "cell membrane consists
    of" (MedMCQA), "ectoderm(,) gives rise to" (MMLU, 2), "The coronal suture joins the" (MMLU), "the pulse(,) can be
    palpated" (MMLU). One is a classical sentence that a CMMLU question and a commentary both quote
    (动极者镇之以静，阴亢者胜之以阳, coverage 0.54). One has a heading of two words that is a MedMCQA stem too.
    """
    flagged: Counter[str] = Counter()
    for path in sorted((data / "cpt_raw_mix").glob("*.zst")):
        rows = read(path)
        for first in range(0, len(rows), 5000):
            some = rows[first : first + 5000]
            measured = signals([row["text"] for row in some], context=Context("cpt", 0, items))
            flagged.update(row["source"] for row, share in zip(some, measured["coverage"], strict=True) if share >= 0.5)
    assert flagged == {"openstax_anatomy_physiology": 8, "medquad_documents": 5, "tcm_ancient_books": 1}
