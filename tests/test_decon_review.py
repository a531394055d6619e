"""`tilth decon review`: hits of the last build, item beside row, and an allow-list that a recipe takes once it has reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import small
import yaml
from click.testing import CliRunner

from tilth.builders import build as building
from tilth.builders.contamination_review import review
from tilth.cli.main import tilth
from tilth.core.errors import RecipeError, StorageError
from tilth.filters.decontaminate import Decontaminate

QUESTION = "Which vessel carries blood back from the lungs to the left atrium of the heart?"
RECIPE = """\
name: small
license: cc0-1.0
sources:
  notes: {path: notes.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
benchmarks:
  exam: {path: exam.jsonl, license: MIT, shape: {item: {options: options}}}
corpora:
  cpt:
    from: [notes]
    steps:
      - decontaminate: {}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = small.make(tmp_path, RECIPE)
    notes = [*small.notes(), {"id": "leak", "text": f"Notes \x1b[31mof the day.\n{QUESTION.replace('blood ', '')}\nA walk."}]
    small.write_jsonl(tmp_path / "notes.jsonl", notes)
    small.write_jsonl(tmp_path / "exam.jsonl", [{"question": QUESTION, "options": ["vein", "artery"], "answer": "A"}])
    building.lock_recipe(str(path))
    return path


def run(*said: str) -> str:
    ended = CliRunner().invoke(tilth, ["decon", "review", *said])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_a_hit_is_shown_with_what_both_share(recipe: Path) -> None:
    building.build(str(recipe))
    hit = review(str(recipe)).hits[0]
    assert (hit.benchmark, hit.fate, hit.how, hit.source) == ("exam", "dropped", "line", "notes")
    assert "".join(hit.span[start:end] for start, end in hit.row_words).startswith("Which vessel carries")
    assert next(hit.question[start:end] for start, end in hit.item_words) == "Which vessel carries"
    assert "blood" not in "".join(hit.question[start:end] for start, end in hit.item_words)
    said = run(str(recipe))
    assert "exam" in said and "Which vessel carries blood" in said and hit.row in said and "\x1b" not in said
    found = json.loads(run(str(recipe), "--json"))
    assert found["benchmarks"][0]["rows_dropped"] == 1 and found["hits"][0]["question"] == QUESTION
    assert "Which vessel" not in run(str(recipe), "--limit", "0")


def test_an_allow_list_needs_reasons_and_then_keeps_the_row(recipe: Path, tmp_path: Path) -> None:
    building.build(str(recipe))
    written = tmp_path / "allow.yaml"
    run(str(recipe), "--write", str(written))
    said = yaml.safe_load(written.read_text())
    with pytest.raises(ValueError, match="gives no reason"):
        Decontaminate(**said)
    [item] = said["allow_items"]
    recipe.write_text(RECIPE.replace("decontaminate: {}", f"decontaminate: {{allow_items: {{{item}: a quotation}}}}"))
    building.build(str(recipe))
    assert review(str(recipe)).hits == []
    assert [hit.fate for hit in review(str(recipe), fates=("allowed",)).hits] == ["allowed"]
    assert CliRunner().invoke(tilth, ["decon", "review", str(recipe), "--write", str(written)]).exception


def test_what_is_not_there_is_said(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not built"):
        review(str(recipe))
    building.build(str(recipe))
    with pytest.raises(RecipeError, match="no benchmark 'other'"):
        review(str(recipe), benchmark="other")
    recipe.write_text(RECIPE.replace("decontaminate", "normalize"))
    with pytest.raises(RecipeError, match="no step decontaminates"):
        review(str(recipe))
