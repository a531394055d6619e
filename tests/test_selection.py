"""Selection by a score: thresholds for each source, the diverse walk, baselines beside it, and nothing chosen without a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from test_diversity import gathered, one_by_one

from tilth.builders import build as building
from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.home import home
from tilth.core.rows import frame
from tilth.core.steps import Context
from tilth.filters.diverse_selection import DiverseSelection
from tilth.filters.score_filter import ScoreFilter
from tilth.registry.releases import cut

CONTEXT = Context("cpt", 0, pl.DataFrame())


def scored(scores: list[float | None], texts: list[str] | None = None, languages: list[str] | None = None, sources: list[str] | None = None) -> pl.DataFrame:
    texts = texts or [f"w{i}a w{i}b w{i}c" for i in range(len(scores))]
    said = [[] if value is None else [{"name": "other", "value": 9.0}, {"name": "q", "value": float(value)}] for value in scores]
    ids = [f"r{i}" for i in range(len(scores))]
    return frame("cpt", id=ids, text=texts, scores=said, source=sources or ["x"] * len(scores), language=languages or ["en"] * len(scores))


def fates(step: DiverseSelection | ScoreFilter, rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    signals = step.measure(Batch(rows, "cpt"), CONTEXT).with_columns(rows["id"], rows["source"])
    return step.decide(signals, np.ones(rows.height, bool), None).select("index", "status", "rule", "value", "detail").rows()


def test_the_best_rows_that_are_not_alike_are_kept() -> None:
    rows = scored([3, 5, None, 4, 4, 1, float("nan")], ["a b c d e f", "g h i j k", "x", "g h i j k", "l m n o", "p q r", "s"])
    step = DiverseSelection(score="q", count=3)
    assert fates(step, rows) == [
        (2, "dropped", "no_score", None, None), (3, "dropped", "similar", "1.0000", "r1"), (5, "dropped", "beyond_count", "1", None),
        (6, "dropped", "no_score", None, None),
    ]  # fmt: skip
    assert [fate[:3] for fate in fates(DiverseSelection(score="q"), rows.head(5))] == [(2, "dropped", "no_score"), (3, "dropped", "similar")]
    assert [fate[2] for fate in fates(DiverseSelection(score="absent"), rows)] == ["no_score"] * 7, "another score is no stand-in"
    assert fates(DiverseSelection(score="q", count=1), rows.clear()) == []


def test_of_two_rows_with_one_score_the_first_id_is_kept_wherever_it_stands() -> None:
    rows = scored([2, 2], ["same words here", "same words here"])
    for turned in (rows, rows.reverse()):
        [(index, _, rule, _, better)] = fates(DiverseSelection(score="q"), turned)
        assert (turned["id"][index], rule, better) == ("r1", "similar", "r0")


def test_so_many_of_each_language() -> None:
    rows = scored([9, 8, 7, 6, 5], ["a b c", "a b c", "d e f", "发烧头痛", "g h"], ["en", "zh", "en", "zh", "fr"])
    kept = {0, 1, 2, 3, 4} - {fate[0] for fate in fates(DiverseSelection(score="q", by_language={"en": 1, "zh": 2}), rows)}
    assert kept == {0, 1, 3}, "rows of two languages are not held against each other"


@pytest.mark.parametrize(("tau", "count"), [(0.9, 300), (0.9, None), (0.5, 50)])
def test_a_step_chooses_what_a_walk_one_by_one_chooses(tau: float, count: int | None, tmp_path: Path) -> None:
    """Vectors and scores out of files; ids in another order than the rows."""
    vectors = gathered(2000, 700, 32, 0.3, 3).astype(np.float16)
    value = np.random.default_rng(4).integers(0, 40, 2000) / 4
    ids = [f"{7919 * i % 2000:04d}" for i in range(2000)]
    unit = vectors.astype(np.float32) / np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    pl.DataFrame({"id": ids, "vector": unit}, schema={"id": pl.String, "vector": pl.Array(pl.Float32, 32)}).write_parquet(tmp_path / "v.parquet")
    pl.DataFrame({"row_id": ids, "score": value}).write_parquet(tmp_path / "s.parquet")
    named = {"encoder": tmp_path / "v.parquet", "scores": tmp_path / "s.parquet"}
    step = DiverseSelection(tau=tau, count=count, sha256=file_digest(named["encoder"]), scores_sha256=file_digest(named["scores"]),
                            **{name: str(path) for name, path in named.items()})  # type: ignore[arg-type]  # fmt: skip
    rows = frame("cpt", id=ids, text=["x"] * 2000, source=["x"] * 2000)
    order = np.array(sorted(range(2000), key=lambda row: (-value[row], ids[row])))
    expected = one_by_one(unit.astype(np.float16), order, tau, count)
    assert sorted(set(range(2000)) - {fate[0] for fate in fates(step, rows)}) == sorted(expected)
    assert "scores" not in step.parameters() and "encoder" not in step.parameters()
    unknown = rows.with_columns(id=pl.lit("other"))
    assert {fate[2] for fate in fates(step, unknown)} == {"no_score"}


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    for content, match in [({"row_id": ["a", "a"], "score": [1.0, 2.0]}, "stands there twice"), ({"row_id": ["a"], "points": [1]}, "score")]:
        path = tmp_path / "s.parquet"
        pl.DataFrame(content).write_parquet(path)
        with pytest.raises(SourceError, match=match):
            fates(DiverseSelection(scores=str(path), scores_sha256=file_digest(path)), scored([1]))
    with pytest.raises(SourceError, match="its sha256 is"):
        fates(DiverseSelection(scores=str(path), scores_sha256="0" * 64), scored([1]))
    with pytest.raises(SourceError, match="which file is meant"):
        fates(DiverseSelection(scores=str(path)), scored([1]))
    with pytest.raises(ValueError, match="not both"):
        DiverseSelection(count=1, by_language={"en": 1})


def test_thresholds_of_each_source() -> None:
    rows = scored([7, 6, 6, None, 2, 9], sources=["a", "a", "b", "b", "c", "c"])
    step = ScoreFilter(score="q", min_score=7, max_score=8.5, min_by_source={"b": 5, "c": None})
    assert fates(step, rows) == [(1, "dropped", "low_score", "6.0", None), (3, "dropped", "no_score", None, None), (5, "dropped", "high_score", "9.0", None)]
    assert [fate[0] for fate in fates(step.model_copy(update={"unscored": "keep"}), rows)] == [1, 5]
    with pytest.raises(ValueError, match="name one"):
        ScoreFilter(score="q")


RECIPE = """\
name: chosen
license: cc0-1.0
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, key: id, shape: {qa: {}}}
  notes: {path: notes.jsonl, license: CC0-1.0, language: en, key: id, shape: {qa: {}}}
corpora:
  sft:
    from: [talks, notes]
    steps:
      - diverse_selection: {scores: scores.parquet, count: 6, tau: 0.8}
"""


def test_a_release_says_what_was_chosen_beside_its_baselines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [{"id": f"n{i}", "question": f"Question {i} about topic {i * i}?", "answer": "word " * (i + 1)} for i in range(12)]
    small.write_jsonl(tmp_path / "notes.jsonl", notes)
    small.write_jsonl(tmp_path / "talks.jsonl", [{"id": f"t{i}", "question": "头痛怎么办？", "answer": "多休息。"} for i in range(3)])
    from tilth.core.rows import row_id

    lines = [(row_id("notes", f"n{i}"), 1.0 + i % 5) for i in range(11)] + [(row_id("talks", f"t{i}"), 9.0) for i in range(3)]
    pl.DataFrame(lines, schema={"row_id": pl.String, "score": pl.Float64}, orient="row").write_parquet(tmp_path / "scores.parquet")
    path = tmp_path / "chosen.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    building.lock_recipe(str(path))
    build = building.build(str(path))
    [entry] = build.record.selections
    assert (entry.corpus, entry.step, entry.score, entry.rule) == ("sft", "diverse_selection", "file of scores", "tau 0.8, count 6")
    came, chosen, random, longest = entry.arms
    assert (came.rows, came.scored, came.sources) == (15, 14, {"notes": 12, "talks": 3})
    assert chosen.rows == random.rows == longest.rows == 6 and chosen.sources["talks"] == 1, "the three talks say the same"
    assert chosen.mean_score is not None and random.mean_score is not None and chosen.mean_score > random.mean_score
    assert longest.mean_characters is not None and chosen.mean_characters is not None and longest.mean_characters > chosen.mean_characters
    assert came.mean_nearest is not None and chosen.mean_nearest is not None and chosen.mean_nearest <= 0.8 < came.mean_nearest + 0.5
    assert build.record.drops["sft"] == {"diverse_selection/beyond_count": 6, "diverse_selection/similar": 2, "diverse_selection/no_score": 1}
    released = cut(build.path, "1.0.0", home=home()).path
    card = (released / "README.md").read_text(encoding="utf-8")
    assert "## Selection" in card and "as many at random" in card and f"{chosen.mean_score:.2f}" in card
    assert "as many at random" in (released / "report.html").read_text(encoding="utf-8")
    assert len(json.loads((released / "manifest.json").read_text())["selections"]) == 1
