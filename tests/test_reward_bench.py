"""The reward bench: UltraMedical's own table out of counts, ties, gaps, and the verb on a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import small
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.annotators.reward_bench import SCORES, bench
from tilth.builders import build as building
from tilth.cli.main import tilth
from tilth.core.errors import SourceError, TilthError
from tilth.core.home import home
from tilth.registry.releases import cut

COUNTS = {"easy": 238, "hard": 196, "human": 163, "length": 180}
"""Pairs of the Medical RewardBench (arXiv 2406.03949), 777 in all."""


def tables(right: dict[str, int], counts: dict[str, int] = COUNTS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs of each label, and scores that are right on so many of them."""
    pairs, scores = [], []
    for label, number in counts.items():
        for place in range(number):
            pairs.append({"id": f"{label} {place}", "label": label})
            scores.append((f"{label} {place}", float(place < right[label]), 0.5))
    return pl.DataFrame(pairs), pl.DataFrame(scores, schema=SCORES, orient="row").sample(fraction=1.0, shuffle=True, seed=1)


@pytest.mark.parametrize(
    ("model", "right", "wanted", "macro"),
    [
        ("UltraRM-13b", (215, 145, 113, 120), (90.34, 73.98, 69.33, 66.67), 75.08),
        ("Eurus-RM-7B", (213, 143, 119, 123), (89.50, 72.96, 73.01, 68.33), 75.95),
        ("FsfairX-LLaMA3-RM", (221, 138, 120, 121), (92.86, 70.41, 73.62, 67.22), 76.03),
        ("UltraMedRM-8B", (224, 144, 126, 139), (94.12, 73.47, 77.30, 77.22), 80.53),
    ],
)
def test_the_papers_table_out_of_counts(model: str, right: tuple[int, ...], wanted: tuple[float, ...], macro: float) -> None:
    """Each share is possible with that subset's size only, and the published average is the mean of the four."""
    found = bench(*tables(dict(zip(COUNTS, right, strict=True))))
    assert [one.name for one in found.subsets] == list(COUNTS) and [one.pairs for one in found.subsets] == [238, 196, 163, 180]
    assert [round(100 * one.accuracy, 2) for one in found.subsets] == list(wanted), model
    assert found.macro is not None and round(100 * found.macro, 2) == macro
    assert (found.overall.pairs, found.overall.right) == (777, sum(right))
    assert all(one.low < one.accuracy < one.high for one in found.subsets)


def test_the_published_pairrm_row_counts_a_tie_half() -> None:
    """95.80, 72.70, 74.85, 70.56 → 78.48. Nothing of 196 is 72.70 (142 are 72.45, 143 are 72.96), but 142 and a half are."""
    pairs, scores = tables({"easy": 228, "hard": 142, "human": 122, "length": 127})
    scores = scores.with_columns(pl.when(pl.col("id") == "hard 142").then(0.5).otherwise("chosen_score").alias("chosen_score"))
    half, wrong = bench(pairs, scores, ties="half"), bench(pairs, scores)
    assert [round(100 * one.accuracy, 2) for one in half.subsets] == [95.80, 72.70, 74.85, 70.56]
    assert half.macro is not None and round(100 * half.macro, 2) == 78.48 and half.overall.ties == 1
    assert wrong.macro is not None and round(100 * wrong.macro, 2) == 78.41


def test_ties_are_wrong_or_half_right() -> None:
    pairs = pl.DataFrame({"id": ["a", "b", "c", "d"], "label": ["easy", "easy", "hard", None]})
    scores = pl.DataFrame({"id": ["d", "c", "b", "a", "of another split"], "chosen_score": [2, 1, 1, 1, 9], "rejected_score": [1, 2, 1, 0, 1]})
    wrong, half = bench(pairs, scores), bench(pairs, scores, ties="half")
    assert [(one.name, one.right, one.ties, one.accuracy) for one in wrong.subsets] == [("easy", 1, 1, 0.5), ("hard", 0, 0, 0.0), (None, 1, 0, 1.0)]
    assert (wrong.macro, wrong.overall.accuracy, half.macro, half.overall.accuracy) == (0.25, 0.5, 0.375, 0.625)
    assert bench(pairs.with_columns(pl.lit(None, pl.String).alias("label")), scores).macro is None


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=30), st.sampled_from(["wrong", "half"]))
def test_a_model_and_its_opposite_share_the_pairs(lines: list[tuple[str, float, float]], ties: Any) -> None:
    pairs = pl.DataFrame({"id": [str(place) for place in range(len(lines))], "label": [line[0] for line in lines]})
    scores = pl.DataFrame([(str(place), one, other) for place, (_, one, other) in enumerate(lines)], schema=SCORES, orient="row")
    found = bench(pairs, scores, ties=ties)
    turned = bench(pairs, scores.rename({"chosen_score": "rejected_score", "rejected_score": "chosen_score"}), ties=ties)
    both = found.overall.accuracy + turned.overall.accuracy
    assert both == pytest.approx(1 if ties == "half" else 1 - found.overall.ties / len(lines))
    assert sum(one.pairs for one in found.subsets) == len(lines) and 0 <= (found.macro or 0) <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pairs, scores: (pairs, scores.head(770)), r"and 2 more of 777 pairs without two scores"),
        (lambda pairs, scores: (pairs, scores.with_columns(pl.when(pl.col("id") == "easy 0").then(float("nan")).otherwise("chosen_score").alias("chosen_score"))), "easy 0 of 777"),
        (lambda pairs, scores: (pairs, scores.with_columns(pl.lit(float("inf")).alias("rejected_score"))), "and 772 more"),
        (lambda pairs, scores: (pairs, scores.with_columns(pl.lit("high").alias("chosen_score"))), "scores are not numbers"),
        (lambda pairs, scores: (pairs, scores.drop("rejected_score")), "no column 'rejected_score'"),
        (lambda pairs, scores: (pairs.drop("label"), scores), "no column 'label'"),
        (lambda pairs, scores: (pairs, pl.concat([scores, scores.filter(pl.col("id") == "hard 1")])), "hard 1 in the scores more than once"),
        (lambda pairs, scores: (pl.concat([pairs, pairs.head(9)]), scores), "and 4 more in the pairs more than once"),
        (lambda pairs, scores: (pairs.clear(), scores), "no pairs"),
    ],
)  # fmt: skip
def test_nothing_is_left_out_in_silence(change: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        bench(*change(*tables(dict.fromkeys(COUNTS, 1))))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(tilth, ["bench", *map(str, arguments)])


def test_the_verb_on_a_release(tmp_path: Path) -> None:
    recipe = small.EMPTIED.replace("      - exact_dedup: {}\n", "      - label_pairs: {length_ratio: 1.5}\n    splits: {test: 0.5}\n")
    path = small.make(tmp_path, recipe)
    exams = [small.exam("A", "B") | {"question": f"Which, the {place}th?"} for place in range(12)]
    for exam in exams[::2]:
        exam["completions"][0]["text"] = "After all that was said, the answer is A."
    small.write_jsonl(tmp_path / "exams.jsonl", exams)
    building.lock_recipe(str(path))
    released = cut(building.build(str(path)).path, "1.0.0", home=home())
    rows = pl.read_parquet(released.files("preference")["test"])
    lengths = [rows[side].list.last().struct.field("content").str.len_chars() for side in ("chosen", "rejected")]
    rows.select("id", chosen_score=lengths[0], rejected_score=lengths[1]).write_ndjson(tmp_path / "scores.jsonl")
    told = json.loads(run("emptied@1.0.0", tmp_path / "scores.jsonl", "--json").stdout)
    by = {one["name"]: (one["accuracy"], one["ties"] == one["pairs"]) for one in told["subsets"]}
    assert by == {"length": (1.0, False), None: (0.0, True)} and told["overall"]["pairs"] == rows.height and told["macro"] == 1.0
    shown = run("emptied@1.0.0", tmp_path / "scores.jsonl", "--by", "source", "--ties", "half")
    assert shown.exit_code == 0 and "exams" in shown.stdout and "count as half right" in shown.stderr
    (tmp_path / "bad.jsonl").write_bytes(orjson.dumps({"id": rows["id"][0]}) + b"\n\xff\x00{")
    for arguments in ((tmp_path / "bad.jsonl",), (tmp_path / "nowhere.parquet",), (tmp_path / "scores.jsonl", "--split", "dev")):
        assert isinstance(run("emptied@1.0.0", *arguments).exception, TilthError)
