"""`judged_scores`: what models say of rows stands in their scores, turn by turn where asked; what cannot be read is no score."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from small import made, rows
from test_annotators_completions import CLAUDE, OPENAI, responses
from test_annotators_loopback import Loopback, loopback

from tilth.builders import build as building
from tilth.builders.makers.judged_scores import JudgedScores
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.core.errors import BudgetError, RecipeError
from tilth.core.home import home
from tilth.core.rows import conversation, frame
from tilth.core.steps import MakeContext

__all__ = ["loopback"]
RECIPE = """\
name: scored
license: cc0-1.0
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, key: id, shape: {chat: {}}}
  exams: {path: exams.jsonl, license: CC0-1.0, language: en, key: id, shape: {qa: {}}}
corpora:
  sft:
    from: [talks, exams]
    steps:
"""
TALKS = [
    {"id": "t0", "messages": conversation([("system", "你是医生。"), ("user", "难5 头痛？"), ("assistant", "好4 多休息。"), ("user", "难2 发烧？"), ("assistant", "好3 多喝水。")])},
    {"id": "t1", "messages": conversation([("user", "难3 咳嗽？"), ("assistant", "坏 不知道。")])},
]
EXAMS = [{"id": f"e{k}", "question": f"Hard{k}: which drug?", "answer": "Good5 timolol."} for k in (1, 6)]


@pytest.fixture
def recipe(tmp_path: Path, loopback: Loopback) -> Any:
    """Writes the recipe with its steps. The server reads the difficulty off the question and the quality off the answer, in prose or JSON."""

    def text(prompt: str) -> str:
        shown = responses(prompt)
        found = re.findall(r"(?:Good|好)(\d)" if shown else r"(?:Hard|难)(\d)", shown[0][1] if shown else prompt)
        if not found:
            return "The patient has type 2 diabetes; I cannot say."
        return f"This question about type 2 diabetes would be rated as a {found[-1]}. Score: {found[-1]}" if "Hard" in prompt else json.dumps({"score": int(found[-1]), "justification": "x"})

    def write(*steps: str) -> Path:
        small.write_jsonl(tmp_path / "talks.jsonl", TALKS)
        small.write_jsonl(tmp_path / "exams.jsonl", EXAMS)
        said = "".join(f"      - {step}\n" for step in steps)
        said = said.replace("<judge>", "{" + OPENAI.format(model="gpt-5.4-mini", server=loopback) + "}").replace("<claude>", "{" + CLAUDE.format(model="claude-haiku-5-5", server=loopback) + "}")
        (tmp_path / "scored.yaml").write_text(RECIPE + said, encoding="utf-8")
        return tmp_path / "scored.yaml"

    loopback.text = text
    return write


def scores(build: building.Build) -> dict[str, dict[str, float]]:
    return {row["messages"][-2]["content"]: {one["name"]: one["value"] for one in row["scores"]} for row in rows(build, "sft").iter_rows(named=True)}


def test_difficulty_is_asked_once_and_thresholds_are_free(recipe: Any, loopback: Loopback) -> None:
    build = made(recipe("judged_scores: {judges: [<judge>]}", "score_filter: {score: difficulty, min_score: 3, min_by_source: {talks: 2}}"))
    assert scores(build) == {"难2 发烧？": {"difficulty": 2.0}, "难3 咳嗽？": {"difficulty": 3.0}, "Hard6: which drug?": {"difficulty": 6.0}}
    assert build.record.drops["sft"] == {"score_filter/low_score": 1} and len(loopback.bodies) == 4
    assert rows(build, "judgements").select("question", "value").sort("value").rows() == [("difficulty@1", v) for v in (1.0, 2.0, 3.0, 6.0)]
    [entry] = build.record.selections
    came, chosen = entry.arms[:2]
    assert (came.sources, chosen.sources) == ({"exams": 2, "talks": 2}, {"talks": 2, "exams": 1}) and entry.rule == "min 3, talks 2"
    again = made(recipe("judged_scores: {judges: [<judge>]}", "score_filter: {score: difficulty, min_score: 6}"))
    assert list(scores(again)) == ["Hard6: which drug?"] and len(loopback.bodies) == 4, "another threshold asks nobody"
    assert {line.usd for line in plan(building.layout(str(recipe("judged_scores: {judges: [<judge>]}")))) if line.usd} == set()


@pytest.mark.parametrize(("how", "expected"), [("sum", 5 * 4 + 2 * 3), ("mean", (5 * 4 + 2 * 3) / 2)])
def test_complexity_times_quality_over_turns(how: str, expected: float, recipe: Any, loopback: Loopback) -> None:
    """The product is of each turn; an answer that cannot be scored leaves the row without a score, and it fails."""
    step = f"judged_scores: {{questions: [{{complexity: {{}}}}, {{quality: {{}}}}], judges: [<judge>], over_turns: {how}, product: deita}}"
    build = made(recipe(step))
    whole = {"sum": 1.0, "mean": 0.5}[how]
    assert scores(build) == {
        "难2 发烧？": {"complexity": 7 * whole, "quality": 7 * whole, "deita": expected},
        "Hard1: which drug?": {"complexity": 1.0, "quality": 5.0, "deita": 5.0}, "Hard6: which drug?": {"complexity": 6.0, "quality": 5.0, "deita": 30.0},
    }  # fmt: skip
    [fate] = rows(build, "drops").select("status", "rule", "value", "detail").rows()
    assert fate == ("failed", "not_scored", "0 of 1 scored", "quality, deita")
    assert {(panel.question, panel.rows) for panel in build.record.panels} == {("complexity@1", 5), ("quality@1", 5)}
    assert {judge.statuses.get("unparsed", 0) for judge in build.record.judges} == {0, 1}
    found = trace(home(), "scored", str(rows(build, "sft").filter(pl.col("source") == "talks")["id"][0]))
    assert sorted(one["row_id"].split("/")[1] for one in found["judgements"]) == ["0", "0", "1", "1"]
    assert not any("你是医生" in json.dumps(body, ensure_ascii=False) for body in loopback.bodies), "a turn is scored alone"

    kept = made(recipe(step.replace("product", "unscored: keep, product")))
    assert scores(kept)["难3 咳嗽？"] == {"complexity": 3.0} and len(loopback.bodies) == 10


def test_the_cap_holds_over_all_questions(recipe: Any, loopback: Loopback) -> None:
    def step(judge: str, cap: float, questions: str = "{complexity: {}}, {quality: {}}") -> Path:
        return recipe(f"judged_scores: {{questions: [{questions}], judges: [{judge}], over_turns: sum, max_usd: {cap:.2f}}}")

    made(step("<judge>", 100, "{complexity: {}}"))
    half, path = len(loopback.bodies), step("<judge>", 100)
    [usd] = [line.usd for line in plan(building.layout(str(path))) if line.usd]
    made(path)
    whole, loopback.usd = loopback.usd, 0.0
    assert half == 5 and len(loopback.bodies) == 10 and 0 < usd < 0.75 * whole, "what is bought is not expected again"
    with pytest.raises(BudgetError, match="cap of"):
        made(step("<claude>", 0.8 * whole))
    assert 0 < loopback.usd <= 0.8 * whole


@pytest.mark.parametrize("kind", ["cpt", "preference"])
def test_documents_and_prompts(kind: Any, loopback: Loopback, tmp_path: Path) -> None:
    content: dict[str, Any] = {"text": ["Hard2 text", " "]} if kind == "cpt" else {"prompt": [conversation([("user", "Hard2?")]), []]}
    given = frame(kind, id=["a", "b"], source=["x", "x"], language=["en", "en"], **content)
    step = JudgedScores(questions=[{"document_quality" if kind == "cpt" else "difficulty": {}}], judges=[{"openai": {
        "model": "gpt-5.4-mini", "base_url": loopback.openai_url, "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}}])  # fmt: skip
    loopback.text = lambda prompt: json.dumps({"score": 2, "justification": ""})
    context = MakeContext(kind, 0, pl.DataFrame(), tmp_path / "calls", None)
    found = step.make(given, context)
    assert found.rows["scores"].to_list() == [[{"name": next(iter(step.questions[0])), "value": 2.0}]]
    assert found.fates.select("index", "status", "rule", "value").rows() == [(1, "failed", "not_scored", "nothing to ask about")]
    with pytest.raises(RecipeError, match="no single one"):
        step.model_copy(update={"questions": [{"quality": {}}]}).make(given, context)
    empty = step.make(given.clear(), context)
    assert empty.rows.height == 0 and empty.fates.height == 0


@pytest.mark.parametrize(
    ("said", "match"),
    [({"questions": [{"domain": {}}]}, "no number on a scale"), ({"questions": [{"difficulty": {}}], "product": "x"}, "two questions or more"),
     ({"questions": [{"quality": {}}, {"complexity": {}}], "product": "quality"}, "two scores of one name"), ({"questions": [{"dificulty": {}}]}, "unknown question")],
)  # fmt: skip
def test_what_cannot_be_asked(said: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        JudgedScores(judges=[{"baseline": {}}], **said)
