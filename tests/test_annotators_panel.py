"""Panels and job files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tilth.annotators import job_file
from tilth.annotators.judge import JUDGEMENTS
from tilth.annotators.panel import SCORES, aggregate
from tilth.annotators.providers.baseline import Baseline
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.listwise import Listwise
from tilth.core.errors import RecipeError

Vote = tuple[str, str, str, float | None]
"""(judge, order, candidate, value)"""


def table(votes: list[Vote], row: str = "r") -> pl.DataFrame:
    lines = [
        {"row_id": row, "label": None, "question": "q@1", "judge": judge, "is_llm": True, "order": order, "candidate": candidate, "value": value,
         "rank": None, "status": "ok" if value is not None else "unparsed", "call": "k"}
        for judge, order, candidate, value in votes
    ]  # fmt: skip
    return pl.DataFrame(lines, schema=JUDGEMENTS)


def scores(votes: list[Vote], column: str) -> dict[str, float | None]:
    return dict(aggregate(table(votes)).select("candidate", column).iter_rows())


VOTES: list[Vote] = [("one", "0,1", "x", 5), ("one", "1,0", "x", 3), ("two", "0,1", "x", 1)]


def test_the_judge_named_first_decides_and_the_others_say_where_they_disagree() -> None:
    assert scores(VOTES, "score") == {"x": 4}
    assert dict(aggregate(table(VOTES), judges=["two", "one"]).select("candidate", "score").iter_rows()) == {"x": 1}
    other: list[Vote] = [("one", "", "x", 5), ("one", "", "y", 1), ("two", "", "x", 1), ("two", "", "y", 5)]
    assert scores(other, "score") == {"x": 5, "y": 1} and scores(other, "against") == {"x": 1, "y": 1}


def test_a_silent_judge_gives_its_row_to_the_next() -> None:
    votes: list[Vote] = [("one", "", "x", None), ("one", "", "y", 5), ("two", "", "x", 2), ("two", "", "y", 1)]
    assert scores(votes, "score") == {"x": 2, "y": 1}


def test_every_judge_counts_once_however_often_it_was_asked() -> None:
    found = aggregate(table(VOTES), aggregation="mean")
    assert found["score"].to_list() == [2.5] and found["num_votes"].to_list() == [3]


def test_a_judgement_without_a_value_is_no_vote() -> None:
    votes: list[Vote] = [("one", "0,1", "x", 5), ("two", "0,1", "x", None), ("two", "0,1", "y", None)]
    assert scores(votes, "score") == {"x": 5, "y": None}
    assert scores(votes, "num_votes") == {"x": 1, "y": 0}


def test_a_preference_that_turns_with_the_order_is_a_flip() -> None:
    turned: list[Vote] = [("one", "0,1", "x", 5), ("one", "0,1", "y", 1), ("one", "1,0", "x", 1), ("one", "1,0", "y", 5)]
    assert scores(turned, "flips") == {"x": 1, "y": 1}
    assert scores(turned, "ties") == {"x": 1, "y": 1}
    steady: list[Vote] = [*turned[:2], ("one", "1,0", "x", 3), ("one", "1,0", "y", 3)]
    assert scores(steady, "flips") == {"x": 0, "y": 0}, "from better to equal is no reversal"


def test_agreement_is_of_judges_about_who_is_better() -> None:
    one: list[Vote] = [("one", "", "x", 5), ("one", "", "y", 3), ("one", "", "z", 1)]
    two: list[Vote] = [("two", "", "x", 3), ("two", "", "y", 2), ("two", "", "z", 2)]
    assert scores(one, "agreement") == {"x": None, "y": None, "z": None}
    assert scores(one + two, "agreement") == {"x": 1.0, "y": 0.5, "z": 0.5}


def test_a_question_about_the_row_has_one_score_without_a_candidate() -> None:
    votes = [("one", "", None, 8), ("two", "", None, 8), ("three", "", None, 3)]
    found = aggregate(table(votes))  # type: ignore[arg-type]
    assert found.rows() == [("r", None, 8, None, 3, pytest.approx(1 / 3), 0, 0, 0)]


def test_scores_are_sorted_and_typed_whatever_the_order_of_votes() -> None:
    frame = pl.concat([table([("one", "", "y", 2), ("one", "", "x", 4)], row) for row in ("b", "a")])
    found = aggregate(frame)
    assert found.schema == pl.Schema(SCORES)
    assert found.select("row_id", "candidate").rows() == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert aggregate(frame.sample(fraction=1, shuffle=True, seed=3)).equals(found)
    assert aggregate(frame.head(0)).schema == found.schema


# -- job files --------------------------------------------------------------------------------------------------------

JOB = """\
name: clinic-judged
input: clinic@1.0.0#preference/train
question: {listwise: {use_reference: false}}
judges:
  - openai: {model: gpt-5.4-mini, rpm: 500}
  - baseline: {}
max_usd: 20
"""


def load(folder: Path, text: str) -> job_file.JobFile:
    (folder / "job.yaml").write_text(text, encoding="utf-8")
    return job_file.load(folder / "job.yaml")


def test_a_job_file_is_its_units(tmp_path: Path) -> None:
    found = load(tmp_path, JOB)
    assert found.question == Listwise(use_reference=False)
    assert found.judges == (OpenAI(model="gpt-5.4-mini", rpm=500), Baseline())
    assert (found.input.kind, found.input.ref, found.input.config, found.input.split) == (
        "release", "clinic@1.0.0", "preference", "train",
    )  # fmt: skip
    assert found.job.max_usd == 20 and found.output_path == tmp_path / "clinic-judged.judgements.parquet"
    other = load(tmp_path, JOB.replace("clinic@1.0.0#preference/train", "rows/in.jsonl.zst"))
    assert other.input.kind == "file" and other.input_path == tmp_path / "rows" / "in.jsonl.zst"


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ("clinic@1.0.0#preference/train", "clinic", r"job.yaml:2: input: 'clinic' is neither a release nor a file"),
        ("clinic@1.0.0#preference/train", "clinic@1.0", r"job.yaml:2: input: version '1.0'"),
        ("{listwise: {use_reference: false}}", "{listwize: {}}", r"job.yaml:3: question.listwize: unknown question"),
        ("use_reference: false", "use_reference: 3", r"job.yaml:3: question.listwise.use_reference"),
        ("use_reference: false", "use_refrence: true", r"job.yaml:3: question.listwise.use_refrence: no such field"),
        ("rpm: 500", "rpm: -1", r"job.yaml:5: judges.0.openai.rpm"),
        ("rpm: 500", "api_key: secret", r"job.yaml:5: judges.0.openai.api_key: no such field"),
        ("baseline: {}", "openai: {model: gpt-5.4-mini}", r"job.yaml:6: judges.1: openai/gpt-5.4-mini is named twice"),
        ("baseline: {}", "baseline: {}\n    openai: {model: m}", r"job.yaml:6: judges.1: a provider is one name"),
        ("{listwise: {use_reference: false}}", "{difficulty: {}}", r"job.yaml:6: judges.1: baseline compares answers"),
        ("max_usd: 20", "max_usd: lots", r"job.yaml:7: max_usd"),
        ("name: clinic-judged\n", "", r"name: is missing"),
    ],
)
def test_a_mistake_in_a_job_file_is_named_with_its_line(tmp_path: Path, change: str, to: str, message: str) -> None:
    assert change in JOB
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, JOB.replace(change, to))
