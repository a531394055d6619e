"""The scorer that is no LLM: keys, overlap, and never a word more than it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_annotators_loopback import make_rows

from tilth.annotators.judge import JUDGEMENTS, Judged, judge
from tilth.annotators.providers.baseline import Baseline, chosen_option, overlap
from tilth.annotators.question import Question
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.listwise import Listwise
from tilth.annotators.questions.pairwise import Pairwise
from tilth.annotators.questions.quality import Quality
from tilth.annotators.store import CallStore
from tilth.core.errors import RecipeError

OPTIONS = [{"label": "A", "text": "iron"}, {"label": "B", "text": "zinc"}, {"label": "C", "text": "锌缺乏症"}]
PAIRS = [[option["label"], option["text"]] for option in OPTIONS]


def judged(rows: list[dict[str, Any]], folder: Path, question: Question | None = None) -> Judged:
    with CallStore(folder / "calls.sqlite") as store:
        return judge(
            pl.DataFrame(rows, infer_schema_length=None), question=question or Listwise(), judges=[Baseline()], store=store,
            max_usd=0, seed=0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("So, the answer is B.", "B"),
        ("The correct answer is: **(C)**", "C"),
        ("Answer: A\nbecause iron", "A"),
        ("The answer is A? No. The answer is B.", "B"),
        ("正确答案是 C。", "C"),
        ("答案：B", "B"),
        ("因此应选A", "A"),
        ("Thinking it over\n\nB.", "B"),
        ("B. zinc", "B"),
        ("One should give Zinc daily.", "B"),
        ("患者为锌缺乏症。", "C"),
        ("Iron or zinc could help.", None),
        ("The answer is D.", None),
        ("Answering is hard", None),
        ("", None),
    ],
)
def test_the_option_that_a_text_settles_on(text: str, label: str | None) -> None:
    assert chosen_option(text, PAIRS) == label


def test_a_key_decides_and_no_answer_is_missing_not_wrong(tmp_path: Path) -> None:
    texts = {"right": "The answer is B.", "wrong": "The answer is A.", "silent": "Who knows."}
    row = make_rows(1)[0] | {
        "candidates": [{"model": model, "text": text} for model, text in texts.items()], "options": OPTIONS, "answer": "B",
    }  # fmt: skip
    found = judged([row], tmp_path)
    lines = {line["candidate"]: (line["value"], line["status"]) for line in found.judgements.iter_rows(named=True)}
    assert lines == {"right": (5.0, "ok"), "wrong": (1.0, "ok"), "silent": (None, "missing")}
    by_text = judged([row | {"answer": "zinc"}], tmp_path)
    assert by_text.judgements["value"].to_list() == found.judgements["value"].to_list()


def test_it_is_the_same_on_every_run_and_free(tmp_path: Path) -> None:
    rows = [*make_rows(20), *(row | {"id": f"zh-{row['id']}"} for row in make_rows(5, "zh"))]
    for question in (Listwise(), Pairwise(), Quality()):
        first = judged(rows, tmp_path / "one", question)
        again = judged(rows[::-1], tmp_path / "two", question)
        assert first.judgements.equals(again.judgements)
        assert first.judgements.schema == pl.Schema(JUDGEMENTS)
        assert first.judgements["judge"].unique().to_list() == ["baseline"] and not first.judgements["is_llm"].any()
        assert (first.usd, first.bought, first.calls) == (0.0, first.calls, again.calls)
        assert judged(rows, tmp_path / "one", question).bought == 0


def test_it_says_nothing_where_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    found = judged([make_rows(1)[0] | {"reference": None}], tmp_path)
    assert found.statuses == {"missing": 3}


def test_it_prefers_the_answer_that_says_what_the_reference_says(tmp_path: Path) -> None:
    values = dict(judged(make_rows(1), tmp_path).judgements.select("candidate", "value").iter_rows())
    assert values["gamma-7b"] > values["alpha-7b"] >= values["beta-7b"]


def test_it_cannot_say_how_difficult_a_question_is(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"baseline cannot answer difficulty@1"):
        judged(make_rows(1), tmp_path, Difficulty())


@given(st.text(), st.text(min_size=1))
def test_overlap_is_a_share(text: str, reference: str) -> None:
    assert 0 <= overlap(text, reference, 2.0) <= 1


def test_padding_does_not_help() -> None:
    reference = "zinc supports growth and immunity"
    padded = reference + " and so on" * 50
    assert overlap(reference, reference, 2.0) == 1
    assert overlap(padded, reference, 2.0) < 0.2
    assert overlap("锌有助于生长", "锌有助于生长和免疫", 2.0) > 0.7
