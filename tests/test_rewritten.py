"""Subjective pairs: an answer against one written anew, judged by real requests to a server on loopback; either may win."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from small import made
from test_annotators_completions import CLAUDE, OPENAI
from test_annotators_loopback import Loopback, loopback

from tilth.builders import build as building
from tilth.builders.makers.rewritten import SYSTEM, Rewritten
from tilth.builders.plan import plan
from tilth.core.errors import BudgetError

__all__ = ["loopback"]
RECIPE = """\
name: subjective
license: cc0-1.0
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: {field: lang}, key: id, shape: {completions: {completions: null, reference: answer}}}
corpora:
  preference:
    from: [talks]
    steps:
      - rewritten: {models: [<model>]<more>}
      - judged_pairs: {question: {pairwise: {}}, judges: [<judge>]}
"""


def judges(body: dict[str, Any]) -> bool:
    return "<<<" in json.dumps(body["messages"])


@pytest.fixture
def recipe(tmp_path: Path, loopback: Loopback) -> Any:
    """A recipe whose model answers `anew`; the judge prefers what holds `good`, wherever it stands."""

    def text(prompt: str) -> str:
        if "<<<" not in prompt:
            return "written anew"
        first = prompt.index("good") < prompt.index("written anew") if "good" in prompt else prompt.index("written anew") < prompt.index("bad")
        winner = "A" if first else "B"
        return json.dumps(dict.fromkeys(("fluency", "relevance", "completeness", "proficiency", "winner"), winner))

    def write(more: str = "") -> Path:
        found = RECIPE.replace("<model>", _flow(OPENAI.format(model="gpt-5.4-mini", server=loopback))).replace("<more>", more)
        (tmp_path / "subjective.yaml").write_text(found.replace("<judge>", _flow(CLAUDE.format(model="claude-haiku-5-5", server=loopback))))
        small.write_jsonl(tmp_path / "talks.jsonl", [
            {"id": f"t{k}", "question": f"Question {k}?", "answer": "a good answer" if k % 2 else "a bad answer", "lang": "zh" if k == 3 else "en"} for k in range(4)
        ])  # fmt: skip
        return tmp_path / "subjective.yaml"

    loopback.text = text
    return write


def _flow(provider: str) -> str:
    """`openai: {…}` as a mapping of one line."""
    return "{" + " ".join(provider.split()) + "}"


def rows(build: building.Build) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(build.path / file.path) for file in build.record.configs["preference"]["train"]])


def test_either_side_may_win(recipe: Any, loopback: Loopback) -> None:
    path = recipe()
    pairs = rows(made(path)).with_columns(pl.col(name).list.last().struct.field("content").alias(name) for name in ("chosen", "rejected"))
    assert sorted(pairs.select("chosen", "rejected", "chosen_model", "rejected_model").rows()) == [
        ("a good answer", "written anew", "original", "openai/gpt-5.4-mini"),
        ("a good answer", "written anew", "original", "openai/gpt-5.4-mini"),
        ("written anew", "a bad answer", "openai/gpt-5.4-mini", "original"),
        ("written anew", "a bad answer", "openai/gpt-5.4-mini", "original"),
    ]  # fmt: skip
    asked = [body for body in loopback.bodies if not judges(body)]
    assert sorted(body["messages"][0]["content"] for body in asked) == sorted([*[SYSTEM["en"]] * 3, SYSTEM["zh"]])
    assert not any("good" in json.dumps(body) for body in asked), "who answers anew does not see the old answer"
    for body in filter(judges, loopback.bodies):
        told = json.dumps(body, ensure_ascii=False)
        assert told.count("a good answer") + told.count("a bad answer") == 1, "the old answer is a candidate, and no reference"

    bought = len(loopback.bodies)
    assert made(recipe()).record.digest() and len(loopback.bodies) == bought, "nothing is bought twice"
    made(recipe(", system: {en: You are a doctor., zh: 你是医生。}"))
    assert {body["messages"][0]["content"] for body in loopback.bodies[bought:] if not judges(body)} == {"You are a doctor.", "你是医生。"}


def test_a_prompt_without_a_new_answer_goes_with_its_reason(recipe: Any, loopback: Loopback) -> None:
    path = recipe()
    loopback.finish = "length"
    built = made(path)
    drops = pl.concat([pl.read_parquet(built.path / file.path) for file in built.record.configs["drops"]["train"]])
    assert drops["detail"].to_list() == ["1 truncated"] * 4
    assert drops.select("step", "rule", "value", "status").rows() == [("rewritten", "few_completions", "1", "failed")] * 4
    assert not any(judges(body) for body in loopback.bodies)


def test_a_row_without_any_answer_is_counted_and_not_asked_about(recipe: Any, loopback: Loopback, tmp_path: Path) -> None:
    path = recipe()
    path.write_text(path.read_text().replace("reference: answer}}", "completions: old}}").replace("completions: null, completions: old", "completions: old"))
    old = [{"model": "old", "text": "a good answer"}]
    small.write_jsonl(tmp_path / "talks.jsonl", [{"id": f"t{k}", "question": f"Question {k}?", "old": old if k else [], "lang": "en"} for k in range(3)])
    built = made(path)
    assert built.record.drops["preference"] == {"rewritten/no_original": 1}
    assert rows(built)["chosen_model"].to_list() == ["old"] * 2
    assert len([body for body in loopback.bodies if not judges(body)]) == 2
    [writer] = built.record.writers
    assert (writer.step, writer.model, writer.calls, writer.outcomes) == ("rewritten", "openai/gpt-5.4-mini", 2, {"ok": 2})


def test_the_plan_says_the_cost_and_the_cap_holds(recipe: Any, loopback: Loopback) -> None:
    path = recipe(", max_usd: 0.01")
    building.lock_recipe(str(path))
    with pytest.raises(BudgetError):
        building.build(str(path))
    assert loopback.usd <= 0.01
    [line] = [line for line in plan(building.layout(str(path))) if line.work == "preference rewritten"]
    assert line.usd is not None and line.usd > 0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"models": [{"baseline": {}}]}, "writes nothing"),
        ({"models": [{"opnai": {}}]}, "unknown provider 'opnai'; did you mean openai"),
        ({"models": []}, "models"),
        ({"models": [{"openai": {"model": "m"}}], "system": {"en": "Answer."}}, "system.zh is missing"),
        ({"models": [{"openai": {"model": "m"}}], "system": {"en": " ", "zh": "答"}}, "system.en is missing or blank"),
    ],
)
def test_what_cannot_answer_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rewritten(**said)
