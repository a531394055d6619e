"""Step: one line of a corpus in a recipe. Signals first, then rules.

A step may do any of these, in this order; what it does not override, it does not do:

- `edit`     change the content of rows: a pure function of (row, parameters)
- `measure`  compute signals, one row of columns for each row, once for ever (cached under the stage key)
- `link`     find relations between rows (near-duplicates), from the signals of the whole corpus
- `decide`   say which of the rows still alive go, by which rule and value: cheap, made again at every build
- `make`     turn surviving rows into new ones (pairs, questions), with its own signals of them if it measures any, or, shard by shard where memory must not hold them all,
             `survey` the signals of all and `revise` the rows of each (lines that many rows share)

Fields declared with `units.threshold` enter `decide` only: changing one recomputes no signal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.fingerprints import file_digest
from tilth.core.rows import Kind
from tilth.core.units import Unit, is_threshold

FATES: dict[str, Any] = {
    "index": pl.UInt32,
    "status": pl.String,
    "rule": pl.String,
    "value": pl.String,
    "detail": pl.String,
}
"""Columns of a decision: position of the row in the corpus, status (dropped, failed, quarantined), why."""

ON_HUB = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$")
"""A model on the Hub, pinned by its commit: `org/name@<40 hex digits>`."""

LEAKS: dict[str, Any] = {
    "index": pl.UInt32, "benchmark": pl.String, "item": pl.String, "question": pl.String, "similarity": pl.Float64, "span": pl.String,
    "same": pl.Float64, "needed": pl.Float64, "fate": pl.String, "verdicts": pl.String,
}  # fmt: skip
"""A benchmark item and a row that judges call the same, or that not enough of them judged. index: position of the row in what the maker
was given; similarity: what brought them together; same: share of the judges that say so; needed: share from which the row goes; fate:
dropped, allowed or unjudged; verdicts: JSON, a list of {judge, verdict, reason}, the verdict being a status where there is none."""

Texts = Callable[[np.ndarray], list[str]]
"""Row positions (ascending) → their texts as they stand at this step."""


@dataclass(frozen=True)
class Rule:
    """One threshold: drops the rows where `drop` is true, and reports `signal` as the value.

    `drop` looks at one row at a time, and must be null-safe in this sense: null means that the signal does not apply,
    and keeps the row.
    """

    name: str
    signal: str
    drop: pl.Expr
    status: str = "dropped"


def limits(*asked: tuple[str, str, Literal["<", ">"], float | None]) -> list[Rule]:
    """Rules of (name, signal, side, limit): rows go whose signal is on that side of the limit; None is no limit."""
    return [
        Rule(name, signal, pl.col(signal) < limit if side == "<" else pl.col(signal) > limit)
        for name, signal, side, limit in asked
        if limit is not None
    ]


@dataclass(frozen=True)
class Context:
    """What a step may know beside the rows: kind of corpus, seed, and the benchmark items of the recipe."""

    kind: Kind
    seed: int
    benchmarks: pl.DataFrame
    """Columns benchmark, item, question, options (list of strings), answer; empty where the recipe names none."""


@dataclass(frozen=True)
class MakeContext(Context):
    """What a maker may know beside: where calls are stored, what may be spent, whom to tell."""

    calls: Path
    max_usd: float | None
    on_progress: Callable[[int, int, float], None] | None = None
    """Called with (calls done, calls in all, USD so far)."""
    signals: pl.DataFrame | None = None
    """What the maker itself measured of the rows that it is given, one row for each; None where it measures nothing, or has not yet."""


@dataclass(frozen=True)
class Made:
    """What a maker gives back.

    `rows` has the columns of the corpus's kind; `fates` (columns `FATES`, `index` = position in the rows given)
    names the rows that went; `made` rows are more than one for one, `merged` rows went into another:
    rows.height = (rows given - fates.height) + made - merged.
    """

    rows: pl.DataFrame
    fates: pl.DataFrame
    made: int = 0
    merged: int = 0
    judgements: pl.DataFrame | None = None
    judges: tuple[dict[str, Any], ...] = ()
    """Fields of `core.builds.JudgeEntry`, but the corpus, for each judge asked."""
    panels: tuple[dict[str, Any], ...] = ()
    """Fields of `core.builds.PanelEntry`, but the corpus, for each question that a panel was asked."""
    writers: tuple[dict[str, Any], ...] = ()
    """Fields of `core.builds.WriterEntry`, but corpus and step, for each turn of a model that wrote."""
    usd: float = 0.0
    """Spent by this run."""
    contamination: tuple[dict[str, Any], ...] = ()
    """Fields of `core.builds.ContaminationEntry`, but the corpus, for each benchmark whose items it looked for."""
    hits: pl.DataFrame | None = None
    """The evidence of it, columns `LEAKS`."""


@dataclass(frozen=True)
class Revised:
    """What `Step.revise` gives back: `rows` (those given without those that went, ids and order as they were, then `made` new
    ones), `fates` (columns `FATES`, `index` = position in the rows given), and of the rows that changed `index` and what is
    written down of the change, for `tilth trace`."""

    rows: pl.DataFrame
    fates: pl.DataFrame
    changed: pl.DataFrame
    made: int = 0


class Step(Unit):
    """One step of a corpus; see the module's words for what it may override."""

    kind: ClassVar[str] = "step"
    corpora: ClassVar[tuple[Kind, ...]] = ("cpt", "sft", "preference")
    """Kinds of corpus that it works on."""
    reads_benchmarks: ClassVar[bool] = False
    """Whether `measure` or `make` looks at the benchmark items (they then enter its stage key)."""
    reads_earlier: ClassVar[bool] = False
    """Whether `link` looks at rows of earlier releases: see there."""
    budgets: ClassVar[tuple[str, ...]] = ()
    """Rules that take what is over a number which the recipe gives: no loss of a source or a language, and no alarm."""
    link_only: ClassVar[tuple[str, ...]] = ()
    """Signals that only `link` reads (signatures): `decide` is spared loading them."""

    pins: ClassVar[dict[str, str]] = {}
    """Fields that name a file or folder which the step reads (a model) → the field with its sha256. A recipe may leave the
    latter out: then `tilth lock` writes it down."""

    def edit(self, batch: Batch) -> Batch:
        """A new batch, rows and order as they were."""
        return batch

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals: one row for each row of the (edited) batch, in order. Struct and list columns are welcome."""
        raise NotImplementedError

    def link(self, signals: pl.DataFrame, texts: Texts) -> pl.DataFrame:
        """Edges {left: u32, right: u32, similarity: f32}, left < right, sorted, for all rows of the corpus.

        Of a step that `reads_earlier` the signals have a column `earlier`, true for the rows of earlier releases, which
        stand before those of the corpus, their `id` being `name@version/config/id`. Its edges name rows of the corpus by
        their place in the corpus, and may have other columns.
        """
        raise NotImplementedError

    def rules(self) -> Sequence[Rule]:
        """The thresholds, in the order in which they are asked; the first that drops a row is its reason."""
        return ()

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Fates (columns `FATES`) of the rows that go; rows not named are kept.

        `signals` holds the rows of the whole corpus in order, with `id` and `source`; `alive` (bool, one a row) those
        that no earlier step took.
        """
        rules = self.rules()
        marked = signals.filter(pl.Series(alive)) if rules else signals
        marked = marked.with_columns(rule.drop.fill_null(False).alias(f"_drop{place}") for place, rule in enumerate(rules))
        index, open_rows = np.flatnonzero(alive), np.ones(marked.height, bool)
        fates = []
        for place, rule in enumerate(rules):
            gone = np.flatnonzero(open_rows & marked[f"_drop{place}"].to_numpy())
            open_rows[gone] = False
            taken = pl.DataFrame({"index": pl.Series(index[gone], dtype=pl.UInt32), "value": marked[rule.signal].gather(gone).cast(pl.String)})
            fates.append(
                taken.select(
                    "index",
                    pl.lit(rule.status).alias("status"),
                    pl.lit(rule.name).alias("rule"),
                    "value",
                    pl.lit(None, pl.String).alias("detail"),
                )
            )
        return pl.concat(fates).sort("index") if fates else pl.DataFrame(schema=FATES)

    def describe(self, benchmarks: pl.DataFrame) -> pl.DataFrame:
        """What this step knows of the benchmark items alone, whatever the thresholds: computed once for them."""
        raise NotImplementedError

    def account(
        self, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame, benchmarks: pl.DataFrame
    ) -> list[dict[str, Any]]:
        """What the card says of this step beside the ledger: `core.builds.ContaminationEntry` fields, or nothing.

        `alive` is as it was before this step, `benchmarks` the items, or of a step that describes them what it said.
        """
        return []

    def selected(self, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame) -> dict[str, Any] | None:
        """Of a step that chooses by a score: `core.builds.SelectionEntry` fields, but corpus and step. `alive` as in `account`."""
        return None

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        """New rows from all the rows still alive (edits applied), in order."""
        raise NotImplementedError

    def survey(self, signals: Iterable[pl.DataFrame]) -> list[Any]:
        """Of a step that revises: the signals of all rows still alive, shard by shard → what `revise` is told of each shard."""
        raise NotImplementedError

    def told(self, known: Sequence[Any]) -> dict[str, Any] | None:
        """Of a step that mixes, what the record says of what `survey` found: `core.builds.MixEntry` fields, but the corpus."""
        return None

    def revise(self, rows: pl.DataFrame, signals: pl.DataFrame, known: Any, context: Context) -> Revised:
        """The rows of one shard still alive (edits applied), their signals and what `survey` said of them → the rows after it.

        Like a maker it ends a segment: the steps behind it measure the new rows. Such a step may `measure` too.
        """
        raise NotImplementedError

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        """What `make` would spend on those rows (None: not known yet), calls already stored not counted; None: not known."""
        return 0.0

    def sources_named(self) -> Sequence[str]:
        """Sources that its parameters name: they must be among those of the corpus."""
        return ()

    def earlier_named(self) -> Sequence[str]:
        """Earlier releases of the recipe that its parameters name; none of them: all, where it `reads_earlier`."""
        return ()

    def files_here(self) -> dict[str, str]:
        """Field → the file or folder that it names on this machine; none of a model that the Hub pins by its commit."""
        said = {field: getattr(self, field) for field in self.pins}
        return {field: value for field, value in said.items() if isinstance(value, str) and not ON_HUB.match(value)}

    def digest_of(self, path: Path) -> str:
        """The sha256 of what a field of `pins` names.

        Raises:
            OSError: it cannot be read.
            SourceError: it is no such model.
        """
        return file_digest(path)

    def parameters(self) -> dict[str, Any]:
        """Every parameter, without the paths of what a sha256 names: where a file lies decides nothing."""
        held = {field for field, sha256 in self.pins.items() if getattr(self, sha256) is not None}
        return {name: value for name, value in super().parameters().items() if name not in held}

    def measured_parameters(self) -> dict[str, Any]:
        """The parameters that enter the signals: all but the thresholds."""
        return {k: v for k, v in self.parameters().items() if not is_threshold(type(self), k)}

    @classmethod
    def ends_segment(cls) -> bool:
        """Whether the steps behind it work on new rows: it makes or revises."""
        return cls.does("make") or cls.does("revise")

    @classmethod
    def does(cls, hook: str) -> bool:
        """Whether this step overrides `edit`, `measure`, `link`, `make`, `revise` …"""
        return getattr(cls, hook, None) is not getattr(Step, hook, None)
