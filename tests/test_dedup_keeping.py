"""Which row of a cluster stays: preferred sources, then the longest, then the first; re-decided without measuring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build
from tilth.core import recipe
from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.home import home
from tilth.core.steps import Context
from tilth.filters.exact_dedup import ExactDedup
from tilth.filters.keeping import best_rows, source_ranks
from tilth.filters.near_dedup import NearDedup

CONTEXT = Context("cpt", 0, pl.DataFrame())
STORY = "the farmer of the valley keeps the seeds dry and sows them with care when the frost is over and the days are long"


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.data())
def test_the_best_row_is_the_least_by_all_ranks(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 12))
    numbers = st.lists(st.integers(0, 3), min_size=size, max_size=size).map(lambda drawn: np.array(drawn, np.int64))
    cluster, first, second = data.draw(numbers), data.draw(numbers), data.draw(numbers)
    alive = data.draw(numbers) > 0
    found = best_rows(cluster, alive, first, second)
    for row in range(size):
        members = [other for other in range(size) if alive[other] and cluster[other] == cluster[row]]
        assert found[row] == (min(members, key=lambda i: (first[i], second[i], i)) if alive[row] else row)


def decided(step: NearDedup | ExactDedup, texts: list[str], sources: list[str], alive: list[bool] | None = None) -> dict[int, str]:
    """Row that goes → id of the row that stays."""
    frame = pl.DataFrame({"text": texts})
    signals = step.measure(Batch(frame, "cpt"), CONTEXT)
    edges = step.link(signals, lambda positions: [texts[i] for i in positions.tolist()]) if isinstance(step, NearDedup) else None
    signals = signals.with_columns(id=pl.Series([f"r{i}" for i in range(len(texts))]), source=pl.Series(sources))
    fates = step.decide(signals, np.array(alive or [True] * len(texts)), edges)
    return dict(fates.select("index", "value").iter_rows())


def test_a_row_of_a_preferred_source_stays() -> None:
    texts = [STORY, STORY + " now", STORY + " indeed", "something else"]
    sources = ["web", "book", "book", "web"]
    assert decided(NearDedup(), texts, sources) == {1: "r0", 2: "r0"}
    assert decided(NearDedup(prefer=("book",)), texts, sources) == {0: "r1", 2: "r1"}
    assert decided(NearDedup(prefer=("book",), keep="longest"), texts, sources) == {0: "r2", 1: "r2"}
    assert decided(NearDedup(prefer=("web", "book"), keep="longest"), texts, sources) == {1: "r0", 2: "r0"}
    assert decided(NearDedup(prefer=("book",)), texts, sources, [True, False, False, True]) == {}


def test_an_exact_copy_of_a_preferred_source_stays() -> None:
    texts, sources = ["a b", "A  b", "c", "a b"], ["web", "book", "web", "book"]
    assert decided(ExactDedup(), texts, sources) == {1: "r0", 3: "r0"}
    assert decided(ExactDedup(prefer=("book",)), texts, sources) == {0: "r1", 3: "r1"}


def test_sources_that_are_not_named_come_last() -> None:
    assert source_ranks(pl.Series(["x", "b", "a", "y"]), ["a", "b"]).tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize("step", [NearDedup, ExactDedup])
def test_the_rule_is_a_threshold(step: type[NearDedup | ExactDedup]) -> None:
    assert step(prefer=("a",)).measured_parameters() == step().measured_parameters()


def test_a_source_that_the_corpus_does_not_have_is_refused(tmp_path: Path) -> None:
    path = small.make(tmp_path, small.RECIPE.replace("- gopher_quality: {min_words: 8}", "- exact_dedup: {prefer: [talks]}"))
    with pytest.raises(RecipeError, match=r"small.yaml:11: corpora.cpt.steps.1.exact_dedup: names the source 'talks'") as caught:
        recipe.load(str(path))
    assert caught.value.hint == "it is made from notes"


def test_a_build_prefers_and_decides_again_without_measuring(tmp_path: Path) -> None:
    """Two sources with one text: the recipe says whose copy stays; only the decision and what follows it runs again."""
    said = small.RECIPE.replace("sources:\n", "sources:\n  copies: {path: copies.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}\n")
    said = said.replace("from: [notes]", "from: [copies, notes]").replace("- gopher_quality: {min_words: 8}", "- near_dedup: {}")
    path = small.make(tmp_path, said)
    small.write_jsonl(tmp_path / "copies.jsonl", [{**small.notes()[0], "id": "c0"}])
    build.lock_recipe(str(path))
    before = sources_of(build.build(str(path)))
    path.write_text(said.replace("near_dedup: {}", "near_dedup: {prefer: [notes]}"))
    again = build.build(str(path))
    assert (before["copies"], before["notes"]) == (1, 4)
    assert sources_of(again) == {"notes": 5}
    assert again.stages_run <= 4, "decide, write, tables"
    drops = pl.read_parquet(again.path / "drops" / "*.parquet")
    assert drops.select("source", "step", "rule").rows() == [("copies", "near_dedup", "near_duplicate")]
    assert home().builds in again.path.parents


def sources_of(made: build.Build) -> dict[str, int]:
    return {entry.name: entry.rows_released["cpt"] for entry in made.record.sources if entry.rows_released.get("cpt")}
