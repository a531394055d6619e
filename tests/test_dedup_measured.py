"""The reference that near-duplicates are measured against misses no pair; the figures of the labelled sets hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.filters.folding import fold
from tilth.filters.shingles import shingle_sets

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import dedup


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef胃肝"), max_size=7).map(" ".join), max_size=12), st.sampled_from([0.3, 0.5, 0.75, 0.8, 1.0]))
def test_the_reference_is_every_pair(texts: list[str], least: float) -> None:
    values, offsets = shingle_sets(fold(pl.Series(texts, dtype=pl.String)), 2, 2)
    sets = [set(values[offsets[i] : offsets[i + 1]].tolist()) for i in range(len(texts))]
    pairs = [
        (i, j)
        for i in range(len(sets))
        for j in range(i + 1, len(sets))
        if sets[i] and sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= least
    ]
    found = dedup.true_pairs(values, offsets, least)
    assert [(int(pair >> np.uint64(32)), int(pair & np.uint64(0xFFFFFFFF))) for pair in found] == pairs


def test_a_folder_is_measured_by_language(tmp_path: Path) -> None:
    story = "the farmer of the valley keeps the seeds dry and sows them with care when the frost is over"
    chinese = "病人应该多休息并且多喝水，如果三天以后仍然发烧，就要再去医院检查。"
    texts = [story, story + " now", story.upper(), "nothing like it", chinese, chinese + "好", ""]
    folder = tmp_path / "dup_mine"
    folder.mkdir()
    lines = [{"text": text} for text in texts] + [{"text": None}, {}]
    (folder / "docs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = dedup.measure(tmp_path)
    assert {name: (one.pairs, one.found, one.both) for name, one in found.items()} == {
        "near_duplicates/dup_mine/en": (3, 3, 3), "near_duplicates/dup_mine/zh": (1, 1, 1),
    }  # fmt: skip
    assert all(one.passed for one in found.values())
    assert dedup.measure(tmp_path / "dup_mine") == {}


def test_a_target_that_is_missed_does_not_pass() -> None:
    missed = dedup.Figures(rows=10, pairs=100, found=90, both=90, similarity=0.8)
    assert (missed.precision, missed.recall, missed.passed) == (1.0, 0.9, False)
    assert not dedup.Figures(rows=10, pairs=100, found=120, both=100, similarity=0.8).passed
    assert dedup.Figures(rows=10, pairs=0, found=0, both=0, similarity=0.8).passed


@pytest.mark.data
@pytest.mark.slow
def test_real_sets(data: Path) -> None:
    """21 November 2026: precision 1 everywhere; recall 1, but 0.9999 (17,133 of 17,134) on dup_clusters_extractors/en."""
    found = dedup.measure(data)
    assert {name.split("/")[1] for name in found} >= {"dup_revisions", "dup_clusters_extractors"}
    for name, one in found.items():
        assert one.passed, (name, one.shown())
