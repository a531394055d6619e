"""Pairs of vectors that point the same way: all of them in a small set, those within clusters in a large one.

SemDeDup (Abbas et al., arXiv:2303.09540, section 3): k-means first, cosine similarity within clusters after. Every row
is put into its `probes` nearest clusters, which finds most of the pairs that a border would part. Blocks are compared in
single precision, and what comes near the floor is computed again in double: the same pairs on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

ROUNDS = 10
SAMPLE = 100
"""Rows a cluster that k-means learns from."""
SLACK = 1e-3
"""More than single precision and blocks can move a similarity."""
TILE = 2048
NO_PAIRS = np.zeros(0, np.uint64)


def pairs(vectors: np.ndarray, floor: float, cluster_rows: int, probes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(left, right, cosine similarity float64) of pairs at `floor` or above, left < right, sorted.

    Args:
        vectors: float [rows, width], none of them zero.
        cluster_rows: rows of a cluster, about; no more rows than this are compared all with all.
    """
    found = [NO_PAIRS]
    for members in _clusters(vectors, -(-len(vectors) // cluster_rows), probes, seed):
        found.append(_near(vectors, members, floor))
    packed = np.unique(np.concatenate(found))
    left, right = (packed >> np.uint64(32)).astype(np.int64), (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    similarity = np.zeros(len(left))
    for i in range(0, len(left), 1 << 13):
        some = slice(i, i + (1 << 13))
        a, b = vectors[left[some]].astype(np.float64), vectors[right[some]].astype(np.float64)
        similarity[some] = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    near = similarity >= floor
    return left[near], right[near], similarity[near]


def _near(vectors: np.ndarray, members: np.ndarray, floor: float) -> np.ndarray:
    """Candidate pairs among the rows `members` (ascending), as left << 32 | right."""
    block = vectors[members].astype(np.float32)
    block /= np.linalg.norm(block, axis=1, keepdims=True)
    found = [NO_PAIRS]
    for i in range(0, len(block), TILE):
        for j in range(i, len(block), TILE):
            one, two = np.nonzero(block[i : i + TILE] @ block[j : j + TILE].T >= floor - SLACK)
            one, two = one + i, two + j
            ahead = one < two
            found.append(members[one[ahead]].astype(np.uint64) << np.uint64(32) | members[two[ahead]].astype(np.uint64))
    return np.concatenate(found)


def _clusters(vectors: np.ndarray, count: int, probes: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of each cluster, ascending; all rows where there is one cluster."""
    if count <= 1:
        yield np.arange(len(vectors))
        return
    draw = np.random.default_rng(seed)
    sample = np.sort(draw.choice(len(vectors), min(len(vectors), SAMPLE * count), replace=False))
    learnt = unit(vectors[sample])
    centres = learnt[np.sort(draw.choice(len(learnt), count, replace=False))]
    for _ in range(ROUNDS):
        nearest = (learnt @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, learnt)
        filled = np.bincount(nearest, minlength=count) > 0
        centres[filled] = unit(sums[filled])
    # In double precision, like the centres: nothing but an exact tie could part two machines.
    probes = min(probes, count)
    chosen = np.empty((len(vectors), probes), np.int32)
    for i in range(0, len(vectors), TILE):
        towards = unit(vectors[i : i + TILE]) @ centres.T
        chosen[i : i + TILE] = np.argpartition(-towards, probes - 1, axis=1)[:, :probes]
    for cluster in range(count):
        yield np.flatnonzero((chosen == cluster).any(axis=1))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Float64 [rows, width]: the vectors at length 1; zeros stay zeros."""
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    made: np.ndarray = wide / np.where(norms > 0, norms, 1)
    return made
