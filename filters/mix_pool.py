"""The rows that a mix draws from, as arrays: some twenty bytes a row are held, however long the texts are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl

from tilth.filters import words
from tilth.filters.mix_stages import MixStage
from tilth.filters.mixing import Drawn


@dataclass(frozen=True)
class Taken:
    """Of one shard: how often each stage takes each row, uint16 [stages, rows]; the rows' cells, int16 [stages, rows]; what is told of all."""

    times: np.ndarray
    cells: np.ndarray
    entry: dict[str, Any]


@dataclass(frozen=True)
class Pool:
    """All rows, in order."""

    keys: np.ndarray
    """uint64 [rows]: hash of the id."""
    sizes: np.ndarray
    """int64 [rows]: tokens, or 1."""
    languages: np.ndarray
    """int16 [rows], places in `names`."""
    names: list[str]
    cells: np.ndarray
    """int16 [stages, rows]."""
    starts: np.ndarray
    """int64 [shards + 1]: first row of each shard."""

    @classmethod
    def of(cls, stages: Sequence[MixStage], signals: Iterable[pl.DataFrame]) -> Self:
        """From the signals of all shards: id, size, source, base_language, task, scores."""
        keys, sizes, languages, cells = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int16)], [np.zeros((len(stages), 0), np.int16)]
        names: dict[str, int] = {}
        for part in signals:
            keys.append(words.whole(part["id"]).hashes)
            sizes.append(part["size"].to_numpy())
            cells.append(np.stack([stage.cells_of(part).to_numpy() for stage in stages]))
            for name in part["base_language"].unique(maintain_order=True):
                names.setdefault(name, len(names))
            languages.append(part["base_language"].replace_strict(names, return_dtype=pl.Int16).to_numpy() if part.height else languages[0])
        starts = np.cumsum([len(one) for one in keys])
        return cls(np.concatenate(keys), np.concatenate(sizes), np.concatenate(languages), list(names), np.concatenate(cells, axis=1), starts)

    def by_shard(self, times: np.ndarray, entry: dict[str, Any]) -> list[Taken]:
        """What each shard is to know."""
        return [Taken(times[:, begin:end], self.cells[:, begin:end], entry) for begin, end in pairwise(self.starts)]

    def told(self, stages: Sequence[MixStage], drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
        """Fields of `core.builds.MixStageEntry`: what was asked of each stage and what it got."""
        return [self._stage(stage, one, cells) for stage, one, cells in zip(stages, drawn, self.cells, strict=True)]

    def _stage(self, stage: MixStage, drawn: Drawn, cells: np.ndarray) -> dict[str, Any]:
        units, whole = int(drawn.got.sum()), sum(share for *_, share in stage.cells)
        taken = np.flatnonzero(drawn.times)
        times, own, size = drawn.times[taken].astype(np.int64), cells[taken], self.sizes[taken]
        rows, copies = (np.bincount(own, weights=one, minlength=len(stage.cells)).astype(int) for one in (np.ones(len(taken)), times - 1))
        spoken = np.bincount(self.languages[taken], weights=(size * times).astype(np.float64), minlength=len(self.names))
        parts = [
            {"part": part.name, "language": language, "asked": share / whole, "share": int(drawn.got[cell]) / units if units else 0.0,
             "had": int(drawn.had[cell]), "units": int(drawn.got[cell]), "rows": int(rows[cell]), "copies": int(copies[cell])}
            for cell, (part, language, share) in enumerate(stage.cells)
        ]  # fmt: skip
        return {
            "stage": stage.name, "budget": stage.budget, "units": units, "rows": len(taken), "copies": int((times - 1).sum()),
            "short": stage.called(drawn.short) if drawn.short is not None else None, "parts": parts,
            "languages": {name: int(found) for name, found in sorted(zip(self.names, spoken, strict=True)) if found},
        }  # fmt: skip
