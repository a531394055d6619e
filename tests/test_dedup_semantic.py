"""Semantic duplicates: every pair above the floor, the greedy rule by brute force, encoders held by their digest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.plan import plan
from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.rows import row_id
from tilth.core.steps import Context
from tilth.filters import encoders, nearest
from tilth.filters.semantic_dedup import SemanticDedup

CONTEXT = Context("cpt", 0, pl.DataFrame())
ZEROS = "0" * 64


def brute(vectors: np.ndarray, floor: float) -> set[tuple[int, int]]:
    wide = vectors.astype(np.float64)
    cosines = (wide @ wide.T) / np.sqrt((wide * wide).sum(1)[:, None] * (wide * wide).sum(1)[None])
    return {(i, j) for i in range(len(wide)) for j in range(i + 1, len(wide)) if cosines[i, j] >= floor}


def clustered(rows: int, width: int, noise: float, seed: int = 0) -> np.ndarray:
    """float16 vectors, ten around each of some directions."""
    draw = np.random.default_rng(seed)
    made = np.repeat(draw.normal(size=(rows // 10, width)), 10, axis=0) + noise * draw.normal(size=(rows, width))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def test_all_pairs_of_a_small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered(300, 16, 0.2)
    monkeypatch.setattr(nearest, "TILE", 37)
    left, right, similarity = nearest.pairs(vectors, 0.9, 1000, 1, 0)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == brute(vectors, 0.9)
    assert len(left) > 500 and similarity.min() >= 0.9


def test_clusters_find_most_pairs_and_only_true_ones() -> None:
    """At cosine 0.9 in 16 dimensions, two probes: recall over 0.99; the same pairs for the same seed."""
    vectors = clustered(3000, 16, 0.25)
    true = brute(vectors, 0.9)
    found = [set(zip(*(a.tolist() for a in nearest.pairs(vectors, 0.9, 300, probes, 7)[:2]), strict=True)) for probes in (1, 2, 2)]
    assert all(one <= true for one in found) and found[1] == found[2]
    assert len(found[0]) < len(found[1]) > 0.99 * len(true)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.data())
def test_rows_go_for_a_row_that_stays(data: st.DataObject) -> None:
    """Best first: a row stays unless it is as near as the threshold to one that stays already."""
    size = data.draw(st.integers(1, 9))
    angles = data.draw(st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.45, 0.8, 3.0]), min_size=size, max_size=size))
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    characters = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    sources = data.draw(st.lists(st.sampled_from(["web", "book"]), min_size=size, max_size=size))
    vectors = np.array([[np.cos(a), np.sin(a)] for a in angles]).astype(np.float16)
    said = {"keep": data.draw(st.sampled_from(["first", "longest"])), "prefer": data.draw(st.sampled_from([(), ("book",)]))}
    step = SemanticDedup(encoder="x.parquet", sha256=ZEROS, floor=0.5, min_similarity=data.draw(st.sampled_from([0.5, 0.97, 1.0])), **said)
    signals = pl.DataFrame({
        "id": [f"r{i}" for i in range(size)], "source": sources, "characters": characters,
        "vector": pl.Series(vectors.astype(np.float32), dtype=pl.Array(pl.Float32, 2)).cast(pl.Array(pl.Float16, 2)),
    })  # fmt: skip
    wide = vectors.astype(np.float64)
    norms = np.sqrt((wide * wide).sum(1))
    order = sorted(np.flatnonzero(alive).tolist(), key=lambda i: (sources[i] != "book" if said["prefer"] else 0, -characters[i] if said["keep"] == "longest" else 0, i))
    stays: list[int] = []
    expected = {}
    for row in order:
        near = [k for k in stays if angles[k] == angles[row] or (np.float32(wide[k] @ wide[row] / norms[k] / norms[row]) >= np.float32(step.min_similarity)
                and step.min_similarity < 1)]  # fmt: skip
        if near:
            expected[row] = f"r{near[0]}"
        else:
            stays.append(row)
    fates = step.decide(signals, alive, step.link(signals, lambda positions: []))
    assert dict(fates.select("index", "value").iter_rows()) == expected


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.make(tmp_path_factory.mktemp("encoder"))


def test_an_encoder_is_held_by_its_digest(encoder: Path, tmp_path: Path) -> None:
    sha256 = encoders.digest(encoder)
    step = SemanticDedup(encoder=str(encoder), sha256=sha256)
    assert "encoder" not in step.parameters() and step.parameters()["sha256"] == sha256
    with pytest.raises(SourceError, match=rf"its sha256 is {sha256}, the recipe says 0000"):
        SemanticDedup(encoder=str(encoder), sha256=ZEROS).measure(Batch(pl.DataFrame({"text": ["a"]}), "cpt"), CONTEXT)
    with pytest.raises(SourceError, match=r"no \*\.safetensors there"):
        encoders.digest(tmp_path)
    with pytest.raises(SourceError, match=r"org/name@main: which is meant"):
        SemanticDedup(encoder="org/name@main").measure(Batch(pl.DataFrame({"text": ["a"]}), "cpt"), CONTEXT)
    with pytest.raises(ValueError, match=r"min_similarity 0.8 is under floor 0.9"):
        SemanticDedup(encoder="x", sha256=ZEROS, min_similarity=0.8)
    assert SemanticDedup(encoder=f"org/name@{'a' * 40}").parameters()["encoder"] == f"org/name@{'a' * 40}"


def test_vectors_are_of_unit_length_and_the_same_twice(encoder: Path) -> None:
    step = SemanticDedup(encoder=str(encoder), sha256=encoders.digest(encoder), pooling="mean", max_tokens=32)
    batch = Batch(pl.DataFrame({"text": [*tiny_model.CORPUS, "", " \n", "x" * 5000]}), "cpt")
    one, two = (step.measure(batch, CONTEXT) for _ in range(2))
    assert one.equals(two) and one["vector"].dtype == pl.Array(pl.Float16, 32)
    norms = np.linalg.norm(one["vector"].to_numpy().astype(np.float64), axis=1)
    assert norms[[6, 7]].tolist() == [0, 0] and np.abs(np.delete(norms, [6, 7]) - 1).max() < 2e-3
    assert step.measure(Batch(batch.frame.head(0), "cpt"), CONTEXT).height == 0


RECIPE = small.RECIPE.replace("- gopher_quality: {min_words: 8}", "- semantic_dedup: {encoder: ENCODER, sha256: SHA, floor: 0.5, min_similarity: 0.9}")


def built(folder: Path, where: Path, threshold: str = "0.9") -> Path:
    recipe = RECIPE.replace("ENCODER", str(where)).replace("SHA", encoders.digest(where)).replace("min_similarity: 0.9", f"min_similarity: {threshold}")
    if not (folder / "small.yaml").exists():
        building.lock_recipe(str(small.make(folder, recipe)))
    (folder / "small.yaml").write_text(recipe)
    return folder / "small.yaml"


def test_a_build_with_a_model(tmp_path: Path, encoder: Path) -> None:
    """A copy goes; a moved encoder makes nothing again; another threshold decides again from the vectors kept."""
    path = built(tmp_path, encoder)
    notes = small.notes()
    small.write_jsonl(tmp_path / "notes.jsonl", [*notes, {"id": "n9", "text": notes[0]["text"]}])
    building.lock_recipe(str(path))
    drops = pl.read_parquet(building.build(str(path)).path / "drops" / "*.parquet").filter(pl.col("step") == "semantic_dedup")
    copy = drops.filter(pl.col("id") == row_id("notes", "n9"))
    assert copy.select("rule", "value").rows() == [("semantic_duplicate", row_id("notes", "n0"))]
    moved = encoder.rename(tmp_path / "elsewhere")
    assert [line.work for line in plan(building.layout(str(built(tmp_path, moved)))) if line.to_run] == []
    again = [line.work for line in plan(building.layout(str(built(tmp_path, moved, "1.0")))) if line.to_run]
    assert again == ["cpt decide", "cpt write"]
    moved.rename(encoder)


def test_vectors_from_a_file(tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.parquet"
    ids = [row_id("notes", f"n{i}") for i in range(4)]
    pl.DataFrame({"id": ids, "vector": [[1.0, 0.0], [0.0, 2.0], [0.99, 0.1], [0.0, 0.0]]}).write_parquet(vectors)
    entry = building.build(str(built(tmp_path, vectors))).record
    assert entry.drops["cpt"] == {"semantic_dedup/semantic_duplicate": 1}
    [pair] = entry.duplicates[0].pairs
    assert (pair.kept_id, pair.dropped_id, pair.similarity) == (ids[0], ids[2], pytest.approx(0.9949, abs=1e-3))
    sha256 = encoders.digest(vectors)
    pl.DataFrame({"id": [ids[0]] * 2, "vector": [[1.0, 0.0]] * 2}).write_parquet(tmp_path / "twice.parquet")
    with pytest.raises(SourceError, match="stands there twice"):
        encoders.stored(str(tmp_path / "twice.parquet"), encoders.digest(tmp_path / "twice.parquet"), pl.Series(ids))
    pl.DataFrame({"id": ids[:2], "vector": [[1.0, 0.0], [1.0]]}).write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(SourceError, match="has 1 numbers, the first 2"):
        encoders.stored(str(tmp_path / "odd.parquet"), encoders.digest(tmp_path / "odd.parquet"), pl.Series(ids))
    with pytest.raises(SourceError, match="vectors "):
        encoders.stored(str(vectors), sha256, pl.Series([1]))
