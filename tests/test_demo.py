"""The demo: every plant is found, the chain adds up from rows read to rows held, and what is shown can be loaded."""

from __future__ import annotations

import html
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tilth.builders import build as building
from tilth.core.home import Home
from tilth.core.rows import row_id
from tilth.registry.releases import Release, cut, resolve
from tilth.registry.verify import verify

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "recipes" / "demo"
PLANTS: list[dict[str, Any]] = json.loads((DEMO / "plants.json").read_text(encoding="utf-8"))
SOURCES = {path: Path(path).stem for path in {plant["file"] for plant in PLANTS}}
CONFIGS = ("cpt", "sft", "preference")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The demo, built and released in a home of its own."""
    where = Home(tmp_path_factory.mktemp("demo") / "home")
    made = building.build("demo", workers=1, where=where)
    return cut(made.path, "0.1.0", home=where)


@pytest.fixture(scope="module")
def tables(demo: Release) -> dict[str, pl.DataFrame]:
    """All configs of the demo."""
    return {config: pl.concat([pl.read_parquet(path) for paths in demo.files(config).values() for path in paths]) for config in demo.configs}


@pytest.fixture(scope="module")
def ids(demo: Release) -> dict[tuple[str, str], str]:
    """(file, the record's own id, or its number in the CSV) → row id."""
    found = {}
    home = demo.path.parents[3]
    for origin in (home / "stages" / "read").glob("*/origin.parquet"):
        for row, file, record in pl.read_parquet(origin).select("id", "file", "record").iter_rows():
            found[file, str(record - 2)] = row  # a CSV's first record stands on line 2
    for path in DEMO.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            key = json.loads(line)["id"]
            found[path.name, key] = row_id(path.stem, key)
    return found


def text_of(row: dict[str, Any]) -> str:
    """All text of a released row."""
    if "text" in row:
        return str(row["text"])
    turns = row.get("messages") or [*row["prompt"], *row["chosen"], *row["rejected"]]
    return "\n".join(turn["content"] for turn in turns)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant['plant']}-{plant['id']}")
def test_every_plant_is_found(plant: dict[str, Any], tables: dict[str, pl.DataFrame], ids: dict[tuple[str, str], str]) -> None:
    steps = plant["step"] if isinstance(plant["step"], list) else [plant["step"]]
    identity = ids.get((plant["file"], plant["id"]))
    if steps == ["read"] or plant["expect"] == "failed" or identity is None:
        assert "read" in steps
        assert read_fate(plant, tables)["status"] in ("failed", "dropped")
        return
    fate = tables["drops"].filter(pl.col("id") == identity).to_dicts()
    kept = [row for config in CONFIGS for row in tables[config].filter(pl.col("id") == identity).to_dicts()]
    detail = plant.get("detail") or {}
    if plant["expect"] == "dropped":
        assert not kept
        [one] = fate or [read_fate(plant, tables)]  # a record that never became a row has no id
        assert one["step"] in steps, one
        if plant["plant"] == "contaminated":
            assert one["value"].endswith("/" + detail["item"])
            assert json.loads(one["detail"])["span"]
        elif "duplicate" in plant["plant"] and (of := detail.get("of") or plant.get("of")):
            assert one["value"] == ids[plant["file"], str(of)]
    else:
        assert not fate, fate
        [row] = kept
        said = text_of(row)
        for piece in (*detail.get("absent", ()), *plant.get("absent", ())):
            assert piece not in said
        for piece in (*detail.get("present", ()), *plant.get("present", ())):
            assert piece in said


def line_of(plant: dict[str, Any]) -> int:
    """Line of a plant's record in its file."""
    if plant["file"].endswith(".csv"):
        return int(plant["id"]) + 2
    lines = (DEMO / plant["file"]).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if json.loads(line)["id"] == plant["id"])


def read_fate(plant: dict[str, Any], tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """The fate of a record that never became a row."""
    where = f"{plant['file']}:{line_of(plant)}:"
    [one] = tables["drops"].filter(pl.col("step") == "read", pl.col("detail").str.starts_with(where)).to_dicts()
    return one


def test_the_chain_adds_up(demo: Release, tables: dict[str, pl.DataFrame]) -> None:
    """From `show --json`, as anybody would: every line, every link, first what was read, last what the config holds."""
    env = {**os.environ, "TILTH_HOME": str(demo.path.parents[3])}
    shown = subprocess.run([sys.executable, "-m", "tilth.cli.main", "show", "demo@0.1.0", "--json"], capture_output=True, check=True, env=env)
    said = json.loads(shown.stdout)
    assert set(said) >= {"name", "version", "digest", "path", "configs", "funnel"}
    assert (said["name"], said["version"], said["digest"]) == ("demo", "0.1.0", demo.digest)
    records = {name: sum(bool(line.strip()) for line in (DEMO / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
               for name in ("documents", "dialogues", "exam_completions", "open_completions")} | {"qa_zh": 30}  # fmt: skip
    read = {"cpt": records["documents"], "sft": records["dialogues"] + records["qa_zh"],
            "preference": records["exam_completions"] + records["open_completions"]}  # fmt: skip
    for corpus in CONFIGS:
        lines = [line for line in said["funnel"] if line["corpus"] == corpus]
        for line in lines:
            assert line["rows_in"] == line["kept"] + line["dropped"] + line["failed"] + line["quarantined"], line
            assert line["rows_out"] == line["kept"] + line["made"] - line["merged"], line
        for before, after in itertools.pairwise(lines):
            assert after["rows_in"] == before["rows_out"]
        assert lines[0]["rows_in"] == read[corpus]
        assert lines[-1]["rows_out"] == sum(said["configs"][corpus].values()) == tables[corpus].height
        gone = tables["drops"].filter(pl.col("corpus") == corpus).height
        assert gone == sum(line["dropped"] + line["failed"] + line["quarantined"] for line in lines)


def test_datasets_loads_the_path(demo: Release, tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    import datasets

    for config in demo.configs:
        loaded = datasets.load_dataset(str(demo.path), config, cache_dir=str(tmp_path))
        assert sum(part.num_rows for part in loaded.values()) == tables[config].height


def test_the_release_is_whole(demo: Release) -> None:
    assert verify(demo).digest == demo.digest
    assert set(demo.configs) == {"cpt", "sft", "preference", "judgements", "drops"}


def test_no_prompt_is_in_two_splits(demo: Release) -> None:
    first = {split: {row["messages"][0]["content"] for row in pl.read_parquet(paths).iter_rows(named=True)} for split, paths in demo.files("sft").items()}
    assert set(first) == {"train", "test"}
    assert not first["train"] & first["test"]


def test_the_baseline_is_named_as_no_llm(demo: Release, tables: dict[str, pl.DataFrame]) -> None:
    assert set(tables["judgements"]["judge"]) == {"baseline"}
    assert not tables["judgements"]["is_llm"].any()
    card = (demo.path / "README.md").read_text(encoding="utf-8")
    assert "non-LLM" in card


def test_pairs_are_of_both_kinds_and_never_equal(tables: dict[str, pl.DataFrame]) -> None:
    pairs = tables["preference"]
    assert set(pairs["strategy"]) == {"objective", "top_vs_lower"}
    assert (pairs["chosen"] != pairs["rejected"]).all()
    judged = pairs.filter(pl.col("strategy") == "top_vs_lower")
    assert (judged["margin"] > 0).all()
    assert judged.height >= 30


def test_what_the_strategies_made_is_on_card_and_page(demo: Release, tables: dict[str, pl.DataFrame]) -> None:
    told = {entry.strategy: entry for entry in demo.manifest.pairs}
    pairs = tables["preference"]
    assert {name: entry.pairs for name, entry in told.items()} == dict(pairs["strategy"].value_counts().iter_rows())
    judged = pairs.filter(pl.col("strategy") == "top_vs_lower")
    gaps = [len(row["chosen"][-1]["content"]) - len(row["rejected"][-1]["content"]) for row in judged.iter_rows(named=True)]
    entry = told["top_vs_lower"]
    assert entry.mean_length_gap == pytest.approx(sum(gaps) / len(gaps), abs=1e-3) and entry.median_margin == judged["margin"].median()
    assert entry.chosen_longer == pytest.approx(sum((gap > 0) + (gap == 0) / 2 for gap in gaps) / len(gaps), abs=1e-6)
    assert told["objective"].median_margin is None and entry.prompts == judged.height
    card, page = ((demo.path / name).read_text(encoding="utf-8") for name in ("README.md", "report.html"))
    assert f"| `top_vs_lower` | {judged.height} | {judged.height} | " in card and 'id="pairs"' in page and "较优回答更长的占比" in page


def test_the_contamination_is_on_the_card(demo: Release) -> None:
    found = {(entry.corpus, entry.benchmark): entry for entry in demo.manifest.contamination}
    assert found["cpt", "demo_exam_en"].rows_dropped == 4
    assert found["cpt", "demo_exam_zh"].rows_dropped == 4
    assert found["sft", "demo_exam_en"].items == 24


def test_the_report_shows_item_row_and_span(demo: Release, tables: dict[str, pl.DataFrame]) -> None:
    page = (demo.path / "report.html").read_text(encoding="utf-8")
    hits = tables["drops"].filter(pl.col("rule") == "contaminated").to_dicts()
    assert len(hits) >= 14
    for hit in hits:
        assert hit["value"] in page
        assert hit["id"][:12] in page
        assert html.escape(" ".join(json.loads(hit["detail"])["span"].split())[:20]) in page


def test_any_number_of_workers_gives_the_digest(demo: Release, tmp_path: Path) -> None:
    assert building.build("demo", workers=2, where=Home(tmp_path)).record.digest() == demo.digest


def test_the_python_api_of_the_readme(demo: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    import tilth

    monkeypatch.setenv("TILTH_HOME", str(demo.path.parents[3]))
    assert tilth.open("demo@0.1.0")["sft"]["train"].num_rows > 100
    assert tilth.build("demo").stages_run == 0
    assert resolve("demo", home=Home(demo.path.parents[3])).version == "0.1.0"
