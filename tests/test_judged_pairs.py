"""`judged_pairs` with canaries: what a judge that fails them decides, and where its judgements go."""

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

from tilth.annotators.canaries import is_canary
from tilth.annotators.canary_bank import BANK
from tilth.builders import build as building
from tilth.builders.makers.judged_pairs import JudgedPairs
from tilth.builders.plan import plan
from tilth.core.errors import BudgetError, RecipeError
from tilth.core.home import home
from tilth.registry.releases import cut

__all__ = ["loopback"]
RECIPE = """\
name: judged
license: cc0-1.0
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, key: id, shape: {completions: {}}}
corpora:
  preference:
    from: [talks]
    steps:
      - judged_pairs: {judges: [<judge>, <claude>]<more>}
"""
GPT, WISE = "openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5"
GOOD = {canary.good for canary in BANK}


@pytest.fixture
def recipe(tmp_path: Path, loopback: Loopback) -> Any:
    """Writes the recipe with more said of the step. Claude knows the good canaries and prefers `甲`; the other has it the wrong way round."""

    def text(prompt: str) -> str:
        wise = loopback.bodies[-1]["model"].startswith("claude")
        shown = [{"candidate": name, "score": 5 if (body in GOOD or "甲" in body) == wise else 2} for name, body in responses(prompt)]
        return json.dumps({"scores": shown, "ranking": []})

    def write(more: str) -> Path:
        found = RECIPE.replace("<judge>", OPENAI.format(model="gpt-5.4-mini", server=loopback))
        found = found.replace("<claude>", CLAUDE.format(model="claude-haiku-5-5", server=loopback)).replace("<more>", more)
        (tmp_path / "judged.yaml").write_text(re.sub(r"(openai|anthropic): (\{.*?\})", r"{\1: \2}", found), encoding="utf-8")
        completions = [{"model": "m1", "text": "甲：多休息。"}, {"model": "m2", "text": "乙：不知道。"}]
        small.write_jsonl(tmp_path / "talks.jsonl", [{"id": f"t{k}", "question": f"头痛第{k}天怎么办？", "completions": completions} for k in range(3)])
        return tmp_path / "judged.yaml"

    loopback.text = text
    return write


@pytest.mark.parametrize(("action", "best", "weight", "asked"), [("flag", "m2", 1.0, 5), ("downweight", "m1", 0.5, 5), ("stop", "m1", 0.0, 2)])
def test_a_judge_that_fails_its_canaries(action: str, best: str, weight: float, asked: int, recipe: Any, loopback: Loopback) -> None:
    path = recipe(f", canaries: {{count: 2, action: {action}}}")
    build = made(path)
    pairs, judgements = rows(build, "preference"), rows(build, "judgements")
    assert pairs["chosen_model"].to_list() == [best] * 3
    assert not pairs["id"].str.starts_with("canary/").any()
    of = dict(judgements.group_by("judge").agg(pl.col("row_id").n_unique()).iter_rows())
    assert of == {GPT: asked, WISE: 5} and judgements.filter(is_canary())["row_id"].n_unique() == 2
    assert set(judgements.filter(is_canary())["candidate"]) == {"canary-good", "canary-bad"}
    assert len(loopback.bodies) == 2 * (asked + 5)

    (panel,) = build.record.panels
    assert (panel.rows, panel.failed, panel.weight) == (3, {GPT: 0.0}, weight)
    assert {judge.judge: judge.canary_pass_rate for judge in build.record.judges} == {GPT: 0.0, WISE: 1.0}
    assert sum(judge.judgements for judge in build.record.judges) == judgements.height
    card = (cut(build.path, "1.0.0", home=home()).path / "README.md").read_text(encoding="utf-8")
    assert f"{GPT} passes only 0% of its canaries" in card

    again = building.build(str(path))
    assert again.record.digest() == build.record.digest() and len(loopback.bodies) == 2 * (asked + 5)


@pytest.mark.parametrize("more", ["", ", aggregation: dawid_skene", ", aggregation: log_odds, gold: answer_key"])
def test_where_every_judge_is_stopped_no_pair_is_made(more: str, recipe: Any, loopback: Loopback) -> None:
    loopback.text = lambda prompt: json.dumps({"scores": [{"candidate": name, "score": 3} for name, _ in responses(prompt)], "ranking": []})
    build = made(recipe(", canaries: {action: stop}" + more))
    assert build.record.funnel[-1].rows_out == 0 and set(rows(build, "drops")["rule"]) == {"not_judged"}
    assert rows(build, "judgements").select(is_canary().all()).item()


def test_canaries_count_against_the_cap_and_in_the_plan(recipe: Any, loopback: Loopback) -> None:
    def expected(count: int) -> float:
        path = recipe(f", canaries: {{count: {count}}}")
        return sum(line.usd or 0.0 for line in plan(building.layout(str(path))))

    made(recipe(""))
    assert expected(8) > 3 * expected(2) > 0, "the rows have been bought, the canaries not"
    loopback.usd = 0.0
    with pytest.raises(BudgetError, match="cap of"):
        made(recipe(", canaries: {action: stop}, max_usd: 0.5"))
    assert loopback.usd <= 0.5


def test_a_recipe_without_canaries_is_what_it_was(recipe: Any) -> None:
    assert "canaries" not in JudgedPairs().parameters()
    build = made(recipe(""))
    assert rows(build, "preference")["chosen_model"].to_list() == ["m2"] * 3 and not rows(build, "judgements").select(is_canary().any()).item()
    assert JudgedPairs(canaries={"count": 2}).parameters()["canaries"] == {"count": 2, "min_pass": 0.9, "action": "flag"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", question: {safety: {}}, canaries: {}", "does not say which of two answers is better"),
        (", canaries: {action: burn}", "canaries.action"),
        (", canaries: {count: 0}", "canaries.count"),
        (", canaries: [stop]", "canaries"),
        (", aggregation: log_odds, gold: answer_key", "log_odds learns from gold"),
    ],
)
def test_bad_canaries_are_one_line(recipe: Any, more: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        made(recipe(more))
