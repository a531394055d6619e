"""Decide: rules over cached signals, step by step on the rows still alive. Seconds, however long measuring took.

`verdicts` is the pure part, that `tilth whatif` shares: signals → who goes, by which step and rule. `decide` writes it down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tilth.builders import wipeouts
from tilth.builders.corpus_files import columns
from tilth.builders.layout import Segment
from tilth.core.durable import writing
from tilth.core.errors import StorageError
from tilth.core.ledger import LedgerLine
from tilth.core.stages import read_table
from tilth.core.steps import FATES, Step

STATUSES = ("dropped", "failed", "quarantined")
NOT_SIGNALS = ("id", "content_hash", "source")
ROWS = ("id", "content_hash", "source", "language")
"""Columns of the rows, as they stand after the segment's edits, that a decision is about."""


@dataclass(frozen=True)
class Verdict:
    """What one step decides: `alive` (bool, one a row) as it was before, `gone` (columns `FATES`) the rows that it takes."""

    step: Step
    signals: pl.DataFrame
    alive: np.ndarray
    gone: pl.DataFrame

    @property
    def fates(self) -> pl.DataFrame:
        """`gone` with the name of the step."""
        return self.gone.with_columns(pl.lit(self.step.name).alias("step"))


def rows_of(segment: Segment) -> pl.DataFrame:
    """The rows of a swept segment, in order: columns `ROWS`."""
    return columns(segment.inputs, segment.edited, ROWS)


def verdicts(segment: Segment, rows: pl.DataFrame, alive: np.ndarray, first: int = 0) -> Iterator[Verdict]:
    """The verdict of every step from `first` on, `alive` being the rows that the steps before it left. Writes nothing.

    `rows` are those of `rows_of`; signals and edges are read from their stages, which must be done.
    """
    for position, step in enumerate(segment.steps[first:], first):
        signals = columns(segment.inputs, segment.measures[position], but=step.link_only)
        assert signals["id"].equals(rows["id"]), f"{step.name}: sidecars are not in the order of the rows"
        signals = signals.with_columns(rows["source"])
        edges = read_table(segment.links[position].folder / "edges.parquet") if position in segment.links else None
        gone = step.decide(signals, alive, edges)
        _check(step, gone, alive)
        yield Verdict(step, signals, alive, gone)
        alive = alive.copy()
        alive[gone["index"].to_numpy()] = False


def decide(segment: Segment, benchmarks: pl.DataFrame) -> None:
    """Decide one segment; writes `fates.parquet` and `alive.npy` into its stage and finishes it.

    The facts of the stage: `ledger` (lines), `contamination` and `selections` (entries), `signals` (quantiles), `taken` (see `wipeouts`).
    """
    rows = rows_of(segment)
    groups = wipeouts.Groups.of(rows)
    lines: list[dict[str, Any]] = []
    fates: list[pl.DataFrame] = []
    contamination: list[dict[str, Any]] = []
    selections: list[dict[str, Any]] = []
    distributions: dict[str, dict[str, float]] = {}
    taken: list[dict[str, Any]] = []
    for position, one in enumerate(verdicts(segment, rows, np.ones(rows.height, bool))):
        step, gone = one.step, one.gone
        described = segment.described.get(position)
        known = read_table(described.folder / "items.parquet") if described else benchmarks
        met = step.account(one.signals, one.alive, gone, known)
        contamination += [{"corpus": segment.corpus, **entry} for entry in met]
        if selected := step.selected(one.signals, one.alive, gone):
            selections.append({"corpus": segment.corpus, "step": step.name, **selected})
        lines.append(line(segment.corpus, step.name, int(one.alive.sum()), gone).model_dump())
        fates.append(one.fates)
        distributions |= _distributions(f"{segment.corpus}/{step.name}", one.signals)
        taken += wipeouts.taken(step, groups, one.alive, gone)
    every = pl.concat([*fates, pl.DataFrame(schema={**FATES, "step": pl.String})])
    alive = np.ones(rows.height, bool)
    alive[every["index"].to_numpy()] = False
    named = every.join(rows.drop("language").with_row_index("index"), on="index", how="left", maintain_order="left")
    with writing(segment.decide.path("fates.parquet")) as path:
        named.write_parquet(path)
    with writing(segment.decide.path("alive.npy")) as path, path.open("wb") as file:
        np.save(file, alive)
    entries = {"contamination": contamination, "selections": selections}
    segment.decide.finish(ledger=lines, **entries, signals=distributions, taken=taken, rows=int(alive.sum()))


def alive(segment: Segment) -> np.ndarray:
    """Which rows of a decided segment are still there (bool, one a row)."""
    path = segment.decide.folder / "alive.npy"
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StorageError(f"{path}: {error}", hint=f"remove {path.parent} and build again") from None
    return found


def line(corpus: str, step: str, rows_in: int, gone: pl.DataFrame, made: int = 0, merged: int = 0) -> LedgerLine:
    """The ledger line of a step over `rows_in` rows, `gone` being the fates of those that went."""
    counts = {status: gone.filter(pl.col("status") == status).height for status in STATUSES}
    kept = rows_in - gone.height
    return LedgerLine(corpus=corpus, step=step, rows_in=rows_in, kept=kept, **counts, made=made, merged=merged, rows_out=kept + made - merged)


def _check(step: Step, gone: pl.DataFrame, alive: np.ndarray) -> None:
    index = gone["index"].to_numpy()
    assert gone.columns == list(FATES), f"{step.name}: fates with columns {gone.columns}"
    assert len(np.unique(index)) == len(index), f"{step.name}: a row has two fates"
    assert alive[index].all(), f"{step.name}: a row that was gone has a fate"
    assert set(gone["status"].unique()) <= set(STATUSES), f"{step.name}: unknown status"


def _distributions(prefix: str, signals: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Mean and quantiles of every number among the signals."""
    found = {}
    for name, dtype in signals.schema.items():
        column = signals[name].drop_nulls()
        if name in NOT_SIGNALS or not dtype.is_numeric() or not len(column):
            continue
        column = column.cast(pl.Float64).drop_nans()
        quantiles = {f"p{int(q * 100)}": column.quantile(q, "nearest") or 0.0 for q in (0.05, 0.5, 0.95)}
        found[f"{prefix}.{name}"] = {"mean": float(column.mean() or 0.0), **quantiles}  # type: ignore[arg-type]
    return found
