"""The self-test of decontamination: planted leaks are counted by kind, cached, and decided again by thresholds."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
import small

from tilth.builders import build as building
from tilth.builders import self_test
from tilth.core.batch import Batch
from tilth.core.steps import Context
from tilth.filters import planting
from tilth.filters.decontaminate import Decontaminate

QUESTION = "Which vessel number {k} carries the blood of organ {k} back to chamber {k} of the heart after a long walk?"
EXAM = [{"question": QUESTION.format(k=f"{k}{k}"), "options": [f"vein {k}", f"artery {k}", f"duct {k}"]} for k in range(40)]
ITEMS = {"benchmark": pl.String, "item": pl.String, "question": pl.String, "options": pl.List(pl.String), "answer": pl.String}
BENCHMARK = pl.DataFrame([{"benchmark": "exam", "item": str(k), **one, "answer": ""} for k, one in enumerate(EXAM)], schema=ITEMS)
HOSTS = [f"Notes of day {k}, written in the garden.\nThe tomatoes are {k} days old and the water is cold." for k in range(50)]


def test_a_build_says_what_it_found_of_planted_leaks(tmp_path: Path) -> None:
    benchmarks = "benchmarks:\n  exam: {path: exam.jsonl, license: MIT, shape: {item: {options: options}}}\ncorpora:"
    recipe = small.make(tmp_path, small.RECIPE.replace("corpora:", benchmarks).replace("steps:", "steps:\n      - decontaminate: {}", 1))
    small.write_jsonl(tmp_path / "exam.jsonl", [{**row, "answer": "A"} for row in EXAM])
    building.lock_recipe(str(recipe))
    entry = building.build(str(recipe)).record.self_tests[0]
    assert entry.planted == 40 == sum(kind.planted for kind in entry.kinds)
    assert entry.found >= 38 and entry.recall_low > 0.8 and entry.flagged_wrongly == 0
    assert {kind.kind for kind in entry.kinds} == {kind for kind, *_ in self_test.KINDS}


def measured(step: Decontaminate, items: pl.DataFrame = BENCHMARK) -> pl.DataFrame:
    plants = self_test.plants(step, items, HOSTS, seed=3)
    return pl.concat([plants.drop("text"), step.measure(Batch(plants.select("text"), "cpt"), Context("cpt", 3, items))], how="horizontal")


def test_thresholds_decide_the_same_plants_again() -> None:
    found = measured(Decontaminate())
    assert self_test.entry("cpt", Decontaminate(), found).found >= 38
    strict = self_test.entry("cpt", Decontaminate(min_coverage=1.0), found)
    whole = {kind.kind: kind.found for kind in strict.kinds if "dropped" not in kind.kind}
    dropped = {kind.kind: kind.found for kind in strict.kinds if "dropped" in kind.kind}
    assert sum(whole.values()) >= 27 and sum(dropped.values()) < 6, "a word dropped is not the whole question"
    assert self_test.entry("cpt", Decontaminate(allow={"exam": "by construction"}), found).found >= 38, "allowed leaks are found too"


def test_a_row_flagged_for_something_else_is_counted_as_wrong() -> None:
    leaks = self_test.plants(Decontaminate(), BENCHMARK, [f"{host} {EXAM[0]['question']}" for host in HOSTS], seed=3)
    step = Decontaminate()
    found = pl.concat(
        [leaks.drop("text"), step.measure(Batch(leaks.select("text"), "cpt"), Context("cpt", 3, BENCHMARK))], how="horizontal"
    )
    entry = self_test.entry("cpt", step, found)
    assert entry.rows_without == 25 and 25 <= entry.flagged_wrongly <= 28 and entry.precision_high < 0.8


@pytest.mark.parametrize(("items", "hosts"), [(BENCHMARK.clear(), HOSTS), (BENCHMARK, []), (BENCHMARK, [""]), (BENCHMARK, ["一"])])
def test_empty_sides(items: pl.DataFrame, hosts: list[str]) -> None:
    plants = self_test.plants(Decontaminate(), items, hosts, seed=0)
    assert plants.height == (0 if items.is_empty() or not hosts else 40)


def test_the_same_seed_plants_the_same() -> None:
    first, second, other = (self_test.plants(Decontaminate(), BENCHMARK, HOSTS, seed=s) for s in (1, 1, 2))
    assert first.equals(second) and not first.equals(other)


@pytest.mark.parametrize("place", planting.PLACES)
@pytest.mark.parametrize("edit", planting.EDITS)
def test_a_leak_stands_where_it_says(place: str, edit: str) -> None:
    for text in ("", "a", "one two three, four five\nsix", "一段中文没有空格也能插入", "\n\n"):
        draw = random.Random(5)
        body = planting.leak("Which vein, of 2?", ["left", "right"], edit, draw)
        planted = planting.PLACES[place](text, body, draw)
        assert planted.text[planted.start : planted.end] == body
        rest = planted.text[: planted.start] + planted.text[planted.end :]
        assert "".join(rest.split()) == "".join(text.split()), "nothing of the row is lost"
