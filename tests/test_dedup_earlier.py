"""Rows that an earlier release holds: found as by every pair, dropped with both ids, locked, and read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small
from hub_server import HubServer
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.core import lock
from tilth.core.batch import Batch
from tilth.core.errors import LockError, RecipeError, SourceError
from tilth.core.home import home
from tilth.core.steps import Context
from tilth.filters.against_release import AgainstRelease
from tilth.filters.folding import fold
from tilth.filters.shingles import shingle_sets
from tilth.registry import releases

CONTEXT = Context("cpt", 0, pl.DataFrame())


def linked(step: AgainstRelease, earlier: list[str], texts: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(signals of the corpus, edges)."""
    both = [*earlier, *texts]
    names = [f"old@1.0.0/cpt/{i}" for i in range(len(earlier))] + [f"r{i}" for i in range(len(texts))]
    signals = step.measure(Batch(pl.DataFrame({"text": both}, schema={"text": pl.String}), "cpt"), CONTEXT)
    marks = pl.Series([i < len(earlier) for i in range(len(both))], dtype=pl.Boolean)
    signals = signals.with_columns(id=pl.Series(names, dtype=pl.String), earlier=marks)
    return signals[len(earlier) :], step.link(signals, lambda positions: [both[i] for i in positions.tolist()])


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.data())
def test_every_row_has_its_best_earlier_row(data: st.DataObject) -> None:
    text = st.lists(st.sampled_from(["a", "b", "c", "d", "胃", "肝"]), max_size=6).map(" ".join)
    earlier, texts = data.draw(st.lists(text, max_size=8)), data.draw(st.lists(text, max_size=8))
    step = AgainstRelease(shingle=2, zh_shingle=2, bands=96, rows=1, floor=0.3, min_similarity=0.3)
    signals, edges = linked(step, earlier, texts)
    sets = [set(one.tolist()) for t in (*earlier, *texts) for one in [shingle_sets(fold(pl.Series([t])), 2, 2)[0]]]
    best = {}
    for place, own in enumerate(sets[len(earlier) :]):
        alike = [len(own & other) / len(own | other) if own and other else 0.0 for other in sets[: len(earlier)]]
        if alike and max(alike) >= 0.3:
            best[place] = (alike.index(max(alike)), max(alike))
    found = {right: (left, value) for left, right, value in edges.select("left", "right", "similarity").iter_rows()}
    assert {row: value for row, (_, value) in found.items()} == {row: pytest.approx(value) for row, (_, value) in best.items()}
    assert all(sets[left] == sets[best[row][0]] or value < 1 for row, (left, value) in found.items())
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=bool)
    least = data.draw(st.sampled_from([0.3, 0.5, 0.75, 1.0]))
    fates = step.model_copy(update={"min_similarity": least}).decide(signals, alive, edges)
    assert fates["index"].to_list() == sorted(row for row, (_, value) in best.items() if value >= least and alive[row])


def test_threshold_under_the_floor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"min_similarity 0.6 is under floor 0.7"):
        AgainstRelease(min_similarity=0.6)


NEXT = """\
name: next
license: cc0-1.0
sources:
  more: {path: more.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
earlier:
  old: {path: "release://small@1.0.0"}
corpora:
  cpt:
    from: [more]
    steps:
      - against_release: {}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe `next`, and in this home the release small@1.0.0, of which it repeats two rows, one of them changed a little."""
    first = small.make(tmp_path / "small", small.RECIPE.replace("gopher_quality: {min_words: 8}", "exact_dedup: {}"))
    building.lock_recipe(str(first))
    releases.cut(building.build(str(first)).path, "1.0.0", home=home())
    path = tmp_path / "next.yaml"
    path.write_text(NEXT)
    old = small.notes()
    rows = [{"id": "m0", "text": old[0]["text"].upper()}, {"id": "m1", "text": old[1]["text"] + " Indeed"}, {"id": "m2", "text": "A new text of a few words."}]
    small.write_jsonl(tmp_path / "more.jsonl", rows)
    building.lock_recipe(str(path))
    return path


def test_both_ids_stand_in_the_drops(recipe: Path) -> None:
    built = building.build(str(recipe))
    drops = pl.read_parquet(built.path / "drops" / "*.parquet")
    kept = pl.read_parquet(home().registry / "snapshots" / "small" / "1.0.0" / "cpt" / "*.parquet")
    names = [f"small@1.0.0/cpt/{identity}" for identity in kept["id"].to_list()]
    assert drops.select("step", "rule", "value", "detail").rows() == [
        ("against_release", "in_earlier_release", names[0], "similarity 1.0000"),
        ("against_release", "in_earlier_release", names[1], drops["detail"][1]),
    ]  # fmt: skip
    assert 0.8 <= float(drops["detail"][1].split()[1]) < 1
    assert built.record.sources[0].rows_released == {"cpt": 1}
    fate = trace(home(), "next", drops["id"][0])["fates"][0]
    assert (fate["rule"], fate["value"]) == ("in_earlier_release", names[0])


def test_what_is_there_is_not_made_again(recipe: Path) -> None:
    before = building.build(str(recipe))
    assert building.build(str(recipe)).stages_run == 0
    assert [line.work for line in plan(building.layout(str(recipe))) if line.to_run] == []
    recipe.write_text(NEXT.replace("{}\n", "{min_similarity: 1.0}\n"))
    waiting = [line.work for line in plan(building.layout(str(recipe))) if line.to_run]
    assert waiting == ["cpt decide", "cpt write"]
    again = building.build(str(recipe))
    assert again.record.sources[0].rows_released == {"cpt": 2}
    assert before.record.lock["sources"]["old"]["files"][0]["name"] == "cpt/train-00000-of-00001.parquet"


def test_another_release_is_another_lock(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(NEXT.replace("small@1.0.0", "small@1.1.0"))
    with pytest.raises(LockError, match=r"source old: the recipe says release://small@1.1.0, the lock release://small@1.0.0"):
        building.build(str(recipe))
    with pytest.raises(SourceError, match=r"earlier release old: no small@1.1.0 in ") as caught:
        building.lock_recipe(str(recipe))
    assert "tilth show small@1.1.0" in str(caught.value.hint)
    recipe.write_text(NEXT.replace("release://small@1.0.0", "release://small"))
    with pytest.raises(SourceError, match=r"earlier release old: release://small$") as caught:
        building.lock_recipe(str(recipe))
    assert "release://name@1.0.0" in str(caught.value.hint)


def test_a_glob_of_parquet_files_is_called_by_its_name(recipe: Path, tmp_path: Path) -> None:
    folder = home().registry / "snapshots" / "small" / "1.0.0"
    recipe.write_text(NEXT.replace("release://small@1.0.0", f"{folder}/cpt/*.parquet"))
    building.lock_recipe(str(recipe))
    drops = pl.read_parquet(building.build(str(recipe)).path / "drops" / "*.parquet")
    assert [value.rsplit("/", 1)[0] for value in drops["value"].to_list()] == ["old/cpt"] * 2
    recipe.write_text(NEXT.replace("release://small@1.0.0", f"{folder}/sft/*.parquet"))
    building.lock_recipe(str(recipe))
    with pytest.raises(SourceError, match="earlier release old: old has no cpt rows"):
        building.build(str(recipe))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("against_release: {}", "against_release: {releases: [older]}"), "names the earlier release 'older'"),
        (lambda text: text.replace('earlier:\n  old: {path: "release://small@1.0.0"}\n', ""), "the recipe names no earlier release"),
        (lambda text: text.replace("  old: {path", "  more: {path"), "are both earlier releases and sources"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(recipe: Path, change: object, said: str) -> None:
    assert callable(change)
    recipe.write_text(change(NEXT))
    with pytest.raises(RecipeError, match=said):
        building.build(str(recipe))


def test_a_release_on_the_hub_is_pinned_to_its_commit(recipe: Path, tmp_path: Path) -> None:
    with HubServer() as hub:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=hub.endpoint, token=hub.TOKEN)
        api.create_repo("org/small", repo_type="dataset")
        file = "cpt/train-00000-of-00001.parquet"
        api.upload_file(path_or_fileobj=home().registry / "snapshots" / "small" / "1.0.0" / file, path_in_repo=file, repo_id="org/small", repo_type="dataset")
        api.create_tag("org/small", repo_type="dataset", tag="v1.0.0")
        recipe.write_text(NEXT.replace("release://small@1.0.0", "hf://datasets/org/small@v1.0.0/cpt/*.parquet"))
        env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.TOKEN, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        for verb in ("lock", "build"):
            done = subprocess.run([sys.executable, "-m", "tilth.cli.main", verb, str(recipe)], capture_output=True, text=True, check=False, env=env)
            assert done.returncode == 0, done.stderr
        commit = hub.repositories["org/small"].tags["v1.0.0"]
    assert lock.read(recipe.with_suffix(".lock")).sources["old"].revision == commit
    folder = building.last(home(), "next")
    assert folder is not None
    values = pl.read_parquet(folder / "drops" / "*.parquet")["value"].to_list()
    assert [value.rsplit("/", 1)[0] for value in values] == ["org/small@v1.0.0/cpt"] * 2
