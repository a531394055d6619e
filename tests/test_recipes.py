"""The recipes of the two papers, whole, against a Hub and models on loopback: locked, built, every corpus with rows from all its sources."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import recipes_fixture
import tiny_model
from click.testing import CliRunner
from hub_server import HubServer, hub_here
from small import rows
from test_annotators_loopback import answer_text
from writing_server import WritingServer, number, writing

from tilth.annotators.answers import verdict
from tilth.builders import build as building
from tilth.cli import main as cli
from tilth.core.home import home
from tilth.core.recipe import load
from tilth.registry.releases import cut

__all__ = ["writing"]
SHIPPED = Path(__file__).parents[1] / "recipes"
PRICED = "input_usd_per_mtok: 1.0, output_usd_per_mtok: 1.0"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_here(tmp_path, monkeypatch) as running:
        recipes_fixture.fill(running)
        yield running


def here(name: str, folder: Path, server: WritingServer) -> Path:
    """The recipe as it ships, with its folder, but that its models answer from this machine."""
    shutil.copytree(SHIPPED / name, folder / name)
    shutil.copy(SHIPPED / f"{name}.yaml", folder)
    for path in folder.rglob("*.yaml"):
        text = re.sub(r', base_url: "[^"]*"', "", path.read_text(encoding="utf-8"))
        for provider, url in (("openai", server.openai_url), ("anthropic", server.anthropic_url)):
            text = text.replace(f"{{{provider}: {{model:", f'{{{provider}: {{base_url: "{url}", {PRICED}, model:')
        path.write_text(text.replace("count: 20", "count: 2"), encoding="utf-8")  # or twenty thousand calls
    return folder / f"{name}.yaml"


def judging(server: WritingServer) -> None:
    """Writers write, each in its own words; judges judge: difficulty 8, completions by their length."""

    def text(prompt: str) -> str:
        body = server.bodies[-1]
        if '"justification"' in prompt:
            return '{"score": 8, "justification": "several concepts"}'
        if "0-6" in prompt:
            return json.dumps({"score": 1 if any(mark.strip() in prompt for mark in recipes_fixture.POOR.values()) else 6})
        if "labels are: " in prompt or "标签为：" in prompt:
            return json.dumps({"domain": "medicine" if any(mark.strip() in prompt for mark in recipes_fixture.MEDICINE.values()) else "law"})
        if '"winner"' in prompt:
            first, second = (len(text) for text in re.findall(r"^<<<\S+ [AB] \w+>>>\n(.*?)\n<<<END", prompt, re.DOTALL | re.MULTILINE))
            better = "A" if first > second else "B"
            return json.dumps(dict.fromkeys(("fluency", "relevance", "completeness", "proficiency", "winner"), better))
        if '"ranking"' in prompt:
            return answer_text(prompt)
        said = server.write(body)
        return said if server.asked[-1][0] != "answer" else f"{'Well. ' * number(body['model'], 9)}{said}"

    server.text = text


@pytest.mark.parametrize("name", ["ultramedical", "aquila-med"])
def test_no_revision_is_invented(name: str) -> None:
    recipe = load(name).recipe
    for source in (*recipe.sources.values(), *recipe.benchmarks.values()):
        revision = re.match(r"hf://datasets/[^/@]+/[^/@]+(?:@([^/]+))?/", source.path)
        assert (revision is None) == (not source.path.startswith("hf://")), source.path
        assert revision is None or revision[1] in (None, "refs%2Fconvert%2Fparquet")


def test_ultramedical(hub: HubServer, writing: WritingServer, tmp_path: Path) -> None:
    judging(writing)
    path = here("ultramedical", tmp_path, writing)
    _, lock = building.lock_recipe(str(path))
    assert {len(source.revision) for name, source in lock.sources.items() if name != "domains"} == {40}
    build = building.build(str(path))
    sft, preference = rows(build, "sft"), rows(build, "preference")
    written = {row["id"] for row in sft.iter_rows(named=True) if row["parents"]}
    assert set(sft["source"]) == set(load(str(path)).recipe.corpora["sft"].sources) and len(written) > sft.height / 3
    for row in sft.iter_rows(named=True):
        assert row["messages"][-1]["role"] == "assistant" and row["scores"] == [{"name": "difficulty", "value": 8.0}]
        if row["answer"] and row["source"] != "pubmedqa":
            labels, texts = zip(*((one["label"], one["text"]) for one in row["options"]), strict=True)
            assert verdict(row["messages"][-1]["content"], labels, texts).label == row["answer"]
    assert set(preference["source"]) == set(load(str(path)).recipe.corpora["preference"].sources)
    assert set(preference["label"]) <= {"easy", "hard", "length"} and preference["margin"].min() > 0
    assert building.build(str(path)).stages_run == 0
    assert cut(build.path, "1.0.0", home=home()).ref == "ultramedical@1.0.0"


def test_aquila_med(hub: HubServer, writing: WritingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed is built, two classifiers are distilled from what a model says of it, and the recipe that names them is built."""
    judging(writing)
    path = here("aquila-med", tmp_path, writing)
    for place, name in enumerate(("deita-complexity-scorer", "deita-quality-scorer", "turns")):
        tiny_model.make(tmp_path / "models" / name, seed=place)
    monkeypatch.chdir(tmp_path)
    for words in ("lock aquila-med/seed.yaml", "build aquila-med/seed.yaml --workers 1", "distil aquila-med/domain.yaml", "distil aquila-med/quality.yaml",
                  "lock aquila-med.yaml", "build aquila-med.yaml --workers 1"):  # fmt: skip
        done = CliRunner().invoke(cli.tilth, words.split())
        assert done.exit_code == 0, (words, done.output, done.exception)
    build = building.build(str(path))
    cpt, sft, preference = (rows(build, kind) for kind in ("cpt", "sft", "preference"))
    scores = cpt.with_columns(
        cpt["scores"].list.eval(pl.element().filter(pl.element().struct.field("name") == name).struct.field("value")).list.first().alias(name)
        for name in ("medicine", "quality")
    )
    medical = scores.filter(pl.col("source").str.starts_with("medical"))
    assert set(scores["stage"]) == {"stage1", "stage2"} and medical["medicine"].min() >= 0.5
    assert scores.filter(stage="stage2")["quality"].min() >= 4 > scores.filter(stage="stage1")["quality"].min()
    asked = {(stage.stage, part.part, part.language): (part.asked, part.share) for one in build.record.mixes if one.corpus == "cpt" for stage in one.stages for part in stage.parts}
    assert {part for _, part, _ in asked} == {"medicine", "general"} and all(abs(said - found) < 0.05 for said, found in asked.values())
    assert set(sft["language"]) == {"zh", "en"} and sft.filter(source="cmb_train")["answer"].null_count() == 0
    assert {"option", "best_vs_worst"} == set(preference["strategy"])
    assert set(preference.filter(strategy="best_vs_worst")["chosen_model"]) >= {"original"}  # either may win
    assert all(row["chosen"] != row["rejected"] for row in preference.iter_rows(named=True))
