"""`tilth pairs R`: what it says of a strategy is what a build with that strategy makes, and nobody is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from click.testing import CliRunner, Result

from tilth.builders import build as building
from tilth.builders.pair_survey import survey
from tilth.cli.main import tilth
from tilth.core import units
from tilth.core.errors import RecipeError, StorageError

RECIPE = """\
name: surveyed
license: cc0-1.0
seed: 7
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: en, key: id, shape: {completions: {reference: reference}}}
corpora:
  preference:
    from: [talks]
    steps:
      - judged_pairs: {strategy: {<strategy>: {}}}
"""
WORDS = "zinc helps the body grow heal wounds and keep off infections in children old people".split()  # noqa: SIM905


def talks(rows: int) -> list[dict[str, Any]]:
    """Prompts with five completions that share more and fewer words with the reference."""
    return [
        {"id": f"t{row}", "question": f"What does zinc do, asked {row} times?", "reference": " ".join(WORDS),
         "completions": [{"model": f"m{k}", "text": " ".join(WORDS[: (3 * k + row) % 13 + 1]) + " or so" * ((k * row) % 4)} for k in range(5)]}
        for row in range(rows)
    ]  # fmt: skip


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    small.write_jsonl(tmp_path / "talks.jsonl", talks(30))
    path = tmp_path / "surveyed.yaml"
    path.write_text(RECIPE.replace("<strategy>", "top_vs_lower"))
    building.lock_recipe(str(path))
    return path


def pairs(*arguments: object) -> Result:
    return CliRunner().invoke(tilth, ["pairs", *map(str, arguments)], catch_exceptions=False)


def test_what_it_says_is_what_a_build_makes(recipe: Path) -> None:
    building.build(str(recipe))
    [told] = survey(str(recipe))
    assert (told.prompts, told.question, told.judges) == (30, "listwise@1", ("baseline",))
    assert [one.strategy for one in told.strategies if one.in_recipe] == ["top_vs_lower"]
    assert {one.strategy for one in told.strategies} == set(units.every("strategy"))
    for one in told.strategies:
        recipe.write_text(RECIPE.replace("<strategy>", one.strategy))
        built = building.build(str(recipe))
        files = built.record.configs["preference"].get("train", [])
        rows = pl.concat([pl.read_parquet(built.path / file.path) for file in files]) if files else pl.DataFrame({"margin": []})
        assert rows.height == one.pairs == sum(one.margin_counts) and one.prompts + sum(one.without.values()) == 30
        assert built.record.drops.get("preference", {}) == {f"judged_pairs/{rule}": number for rule, number in one.without.items()}
        if not rows.height:
            assert (one.chosen_longer, one.margins, one.models) == (None, None, ())
            continue
        chosen, rejected = (rows[side].list.last().struct.field("content").str.len_chars().cast(pl.Int64) for side in ("chosen", "rejected"))
        assert one.mean_length_gap == pytest.approx((chosen - rejected).mean()) and one.median_length_gap == (chosen - rejected).median()
        assert one.chosen_longer == pytest.approx(((chosen > rejected) + (chosen == rejected) * 0.5).mean())
        assert one.margins is not None and one.margins[1] == pytest.approx(rows["margin"].median())
        wins = dict(rows["chosen_model"].value_counts().iter_rows())
        assert {line.model: line.chosen for line in one.models if line.chosen} == wins
    assert len({one.pairs for one in told.strategies}) > 2, "the strategies differ on these rows"


def test_the_verb_speaks_to_people_and_to_machines(recipe: Path) -> None:
    building.build(str(recipe), limit=12)
    shown = pairs(recipe)
    assert shown.exit_code == 0 and "12 prompts judged by listwise@1 of baseline" in shown.stdout and "top_vs_lower *" in shown.stdout
    assert "a trial (--limit 12)" in shown.stderr and "█" in shown.stdout
    [told] = json.loads(pairs(recipe, "--json").stdout)
    assert told["trial"] == "--limit 12" and told["prompts"] == 12
    assert {one["strategy"]: one["pairs"] for one in told["strategies"]}["best_vs_worst"] > 0


def test_without_judgements_it_says_what_to_do(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no build whose judgements"):
        survey(str(recipe))
    building.build(str(recipe))
    text = recipe.read_text()
    recipe.write_text(text.replace("judged_pairs: {", "judged_pairs: {question: {quality: {}}, "))
    with pytest.raises(StorageError, match="judged by other question"):
        survey(str(recipe))
    recipe.write_text(text.replace("- judged_pairs", "- normalize: {}\n      - judged_pairs"))
    with pytest.raises(StorageError, match="changed before judged_pairs"):
        survey(str(recipe))
    recipe.write_text(text.replace("judged_pairs: {strategy: {top_vs_lower: {}}}", "objective_pairs: {}"))
    with pytest.raises(RecipeError, match="has no step judged_pairs"):
        survey(str(recipe))
