"""Score-first selection: the same rows as walking them one by one, at any threshold, count and block size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.filters import diversity


def one_by_one(vectors: np.ndarray, order: np.ndarray, tau: float, count: int | None) -> list[int]:
    """Deita's walk as its paper words it, in double precision."""
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    wide = wide / np.where(norms > 0, norms, 1)
    kept: list[int] = []
    for row in order.tolist():
        if count is not None and len(kept) >= count:
            break
        if not kept or (wide[kept] @ wide[row]).max() <= tau:
            kept.append(row)
    return kept


def gathered(rows: int, groups: int, width: int, noise: float, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.normal(size=(groups, width))[draw.integers(0, groups, rows)] + noise * draw.normal(size=(rows, width))).astype(np.float32)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    rows=st.integers(0, 200), groups=st.integers(1, 60), width=st.sampled_from([1, 2, 3, 50]), noise=st.sampled_from([0.0, 0.2, 1.0]),
    tau=st.sampled_from([-0.5, 0.0, 0.5, 0.9, 0.999]), count=st.one_of(st.none(), st.integers(0, 60)), seed=st.integers(0, 5),
    kind=st.sampled_from([np.float16, np.float32]),
)  # fmt: skip
def test_equals_a_walk_one_by_one(rows, groups, width, noise, tau, count, seed, kind) -> None:
    vectors = gathered(rows, groups, width, noise, seed).astype(kind)
    vectors[::17] = 0  # near to nothing
    order = np.random.default_rng(seed).permutation(rows)[: rows - rows // 9]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diversity, "BLOCK", 16)
        patch.setattr(diversity, "CHUNK", 7)
        found = diversity.select(vectors, order, tau, count)
    assert found.kept.tolist() == one_by_one(vectors, order, tau, count)
    assert len(found.passed) == len(found.near) == len(found.similarity) and set(found.near.tolist()) <= set(found.kept.tolist())
    place = {row: i for i, row in enumerate(order.tolist())}
    assert all(place[a] > place[b] for a, b in zip(found.passed.tolist(), found.near.tolist(), strict=True))
    assert (found.similarity > tau).all() and np.allclose(found.similarity, diversity.cosines(vectors, found.passed, found.near))
    walked = place[found.kept[-1]] + 1 if count is not None and len(found.kept) == count > 0 else len(order) if count != 0 else 0
    assert sorted([*found.kept.tolist(), *found.passed.tolist()]) == sorted(order[:walked].tolist())


def test_rounding_at_the_threshold_is_decided_in_double_precision() -> None:
    """A row at 0.9 to within 1e-9 stays or goes by which side it is on; single precision cannot tell."""
    angle = np.arccos(0.9)
    for turn, kept in ((1e-9, [0, 1]), (-1e-9, [0])):
        vectors = np.array([[1.0, 0.0], [np.cos(angle + turn), np.sin(angle + turn)]])
        assert diversity.select(vectors, np.arange(2), 0.9).kept.tolist() == kept
    same = np.repeat(np.random.default_rng(0).normal(size=(1, 64)), 3, axis=0)
    assert diversity.select(same, np.arange(3), 1.0).kept.tolist() == [0, 1, 2], "a similarity of 1 is not above 1"


@pytest.mark.slow
def test_equals_a_walk_one_by_one_on_twenty_thousand() -> None:
    vectors = gathered(20_000, 9_000, 384, 0.3, 1)
    order = np.random.default_rng(2).permutation(20_000)
    found = diversity.select(vectors, order, 0.9)
    assert found.kept.tolist() == one_by_one(vectors, order, 0.9, None)
