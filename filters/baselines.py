"""What a selection is held against: as many rows at random, and as many of the longest.

Random selection is the baseline of Deita (arXiv:2312.15685, tables 2 to 4), the longest rows one that much selection does not beat
(Zhao et al. 2024, arXiv:2402.04833).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tilth.filters.nearest import unit

LOOKED_AT = 1000
"""Rows of which the nearest other row is looked for, at most."""
CHUNK = 1 << 14


def arms(rows: pl.DataFrame, came: np.ndarray, chosen: np.ndarray, seed: int, vectors: np.ndarray | None = None) -> list[dict[str, Any]]:
    """Fields of `core.builds.SelectionArm`: the rows that came, those chosen, as many at random, and as many of the longest.

    Args:
        rows: columns score (null where there is none), characters, source, language; the corpus in order.
        came: bool, one a row: those that could be chosen.
        chosen: bool, one a row.
        seed: of the rows drawn.
        vectors: float [rows, width]; None where nobody made any.
    """
    index, size = np.flatnonzero(came), int(chosen.sum())
    draw = np.random.default_rng(seed)
    longest = np.argsort(-rows["characters"].fill_null(0).to_numpy().astype(np.int64)[index], kind="stable")[:size]
    taken = {
        "came": index, "chosen": np.flatnonzero(chosen), "random": np.sort(draw.choice(index, size, replace=False)), "longest": np.sort(index[longest]),
    }  # fmt: skip
    return [{"name": name, **_said(rows[some], None if vectors is None else _nearest(vectors, some, seed))} for name, some in taken.items()]


def _said(rows: pl.DataFrame, nearest: float | None) -> dict[str, Any]:
    def mean(column: str) -> float | None:
        found: Any = rows[column].mean()
        return None if found is None else round(float(found), 4)

    def counts(column: str) -> dict[str, int]:
        return dict(rows[column].fill_null("und").value_counts().sort("count", column, descending=[True, False]).iter_rows())

    return {
        "rows": rows.height, "scored": rows["score"].count(), "mean_score": mean("score"), "mean_characters": mean("characters"),
        "mean_nearest": nearest, "sources": counts("source"), "languages": counts("language"),
    }  # fmt: skip


def _nearest(vectors: np.ndarray, rows: np.ndarray, seed: int) -> float | None:
    """Mean cosine similarity of a row to the row most like it among the others; of a sample of them, to all."""
    if len(rows) < 2:
        return None
    some = np.random.default_rng(seed).choice(len(rows), min(LOOKED_AT, len(rows)), replace=False)
    ours = unit(vectors[rows[some]]).astype(np.float32)
    best = np.full(len(some), -1, np.float32)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        similar = ours @ unit(vectors[part]).astype(np.float32).T
        itself = np.flatnonzero((some >= start) & (some < start + len(part)))
        similar[itself, some[itself] - start] = -1
        np.maximum(best, similar.max(axis=1), out=best)
    return round(float(best.mean(dtype=np.float64)), 4)
