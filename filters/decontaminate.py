"""Decontamination: rows that hold benchmark items go, with the item, the overlapping text and its share as evidence.

n-gram overlap after GPT-3 (arXiv:2005.14165, appendix C: 13 words), made strict by a coverage rule, so that a phrase all
exams share flags nothing, and complete by whole matches, so that items shorter than n are found. Answers are never
looked for. `docs/decontamination.md` has the definition and the figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.steps import Context, Step
from tilth.filters import benchmark_hits, benchmark_index
from tilth.filters.benchmark_index import Lengths
from tilth.filters.folding import batch_tokens

HIT = pl.Struct(
    {
        "benchmark": pl.String,
        "item": pl.String,
        "coverage": pl.Float64,
        "start": pl.UInt32,
        "end": pl.UInt32,
        "span": pl.String,
        "how": pl.String,
    }
)
"""start and end: characters of the row's text (`Batch.texts`); span: that text, cut; how: ngrams, whole, line, options."""
SPAN = 300
SUMMARY: dict[str, Any] = {
    "benchmark": pl.String,
    "items": pl.Int64,
    "items_unmatchable": pl.Int64,
    "items_found": pl.Int64,
    "rows_dropped": pl.Int64,
    "rows_allowed": pl.Int64,
    "reason": pl.String,
}


class Decontaminate(Step, name="decontaminate", version=1):
    """Drops rows that hold an item of a benchmark."""

    reads_benchmarks = True

    against: list[str] | None = Field(None, description="names of benchmarks of the recipe; left out: all of them")
    ngram: int = Field(13, ge=3, le=64, description="words in an n-gram")
    zh_ngram: int = Field(10, ge=3, le=64, description="characters in an n-gram of a question that is mostly Han or Kana")
    min_tokens: int = Field(4, ge=1, description="shorter questions (words) are found only as a line or with their options")
    zh_min_tokens: int = Field(5, ge=1, description="the same for Chinese, in characters")
    floor: float = Field(0.3, gt=0, le=1, description="least coverage of the hits that are kept for later decisions")
    min_coverage: float = units.threshold(
        0.5, "share of a question's tokens, in n-grams that stand together, that drops a row", gt=0, le=1
    )
    allow: dict[str, str] = units.threshold({}, "benchmark → reason why rows that match it stay")

    @model_validator(mode="after")
    def _holds_together(self) -> Decontaminate:
        if self.min_coverage < self.floor:
            raise ValueError(f"min_coverage {self.min_coverage} is under floor {self.floor}; lower floor too")
        for benchmark, reason in self.allow.items():
            if not reason.strip():
                raise ValueError(f"allow.{benchmark} gives no reason")
            if self.against is not None and benchmark not in self.against:
                raise ValueError(f"allow names {benchmark!r}, which is not in against")
        return self

    @property
    def lengths(self) -> Lengths:
        """The parameters that decide how an item is looked for."""
        return Lengths(self.ngram, self.zh_ngram, self.min_tokens, self.zh_min_tokens)

    def items(self, benchmarks: pl.DataFrame) -> pl.DataFrame:
        """The items that this step looks for.

        Raises:
            RecipeError: `against` or `allow` names a benchmark that the recipe does not have.
        """
        known = benchmarks["benchmark"].unique().sort().to_list() if benchmarks.height else []
        if missing := sorted({*(self.against or ()), *self.allow} - set(known)):
            raise RecipeError(f"decontaminate: no benchmark {missing[0]!r}", hint=f"known: {', '.join(known) or 'none'}")
        return benchmarks if self.against is None else benchmarks.filter(pl.col("benchmark").is_in(self.against))

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`coverage` (of the best hit, 0 without), `item` (`benchmark/item` of it), `hits` (list of `HIT`, best first)."""
        hits: list[dict[str, Any]] = []
        rows: list[int] = []
        items = self.items(context.benchmarks)
        if items.height:
            folded, texts = batch_tokens(batch), batch.texts
            for hit in benchmark_hits.find(folded, benchmark_index.build(items, self.lengths), self.floor):
                start, end = int(folded.starts[hit.first]), int(folded.ends[hit.last - 1])
                rows.append(hit.row)
                hits.append(
                    {
                        "benchmark": hit.item.benchmark,
                        "item": hit.item.item,
                        "coverage": hit.coverage,
                        "start": start,
                        "end": end,
                        "span": texts[hit.row][start : min(end, start + SPAN)],
                        "how": hit.how,
                    }
                )
        offsets = np.searchsorted(np.array(rows, np.int64), np.arange(len(batch) + 1))
        column = pl.Series("hits", pl.from_arrow(_lists(offsets, pl.Series(hits, dtype=HIT))), dtype=pl.List(HIT))
        best = pl.col("hits").list.first().struct
        return pl.DataFrame({"hits": column}).select(
            best.field("coverage").fill_null(0.0).alias("coverage"),
            pl.concat_str(best.field("benchmark"), best.field("item"), separator="/").alias("item"),
            "hits",
        )

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops rows with a hit >= `min_coverage` of a benchmark that is not allowed for."""
        hits = self._counted(signals, alive).filter(~pl.col("benchmark").is_in(list(self.allow)))
        best = hits.unique("index", keep="first", maintain_order=True)
        return best.select(
            pl.col("index").cast(pl.UInt32),
            pl.lit("dropped").alias("status"),
            pl.lit("contaminated").alias("rule"),
            pl.concat_str("benchmark", "item", separator="/").alias("value"),
            pl.struct("coverage", "how", "start", "end", "span").struct.json_encode().alias("detail"),
        ).sort("index")

    def _counted(self, signals: pl.DataFrame, alive: np.ndarray) -> pl.DataFrame:
        """The hits that count, of rows alive: columns index and those of `HIT`, a row's hits best first."""
        rows = signals.select(pl.col("hits").cast(pl.List(HIT))).with_row_index("index")
        rows = rows.filter(pl.Series(alive) & (pl.col("hits").list.len() > 0)).explode("hits").unnest("hits")
        return rows.filter(pl.col("coverage") >= self.min_coverage)

    def account(
        self, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame, benchmarks: pl.DataFrame
    ) -> list[dict[str, Any]]:
        """One entry a benchmark; see `summary`."""
        return self.summary(benchmarks, signals, alive, fates).to_dicts()

    def summary(self, benchmarks: pl.DataFrame, signals: pl.DataFrame, alive: np.ndarray, fates: pl.DataFrame) -> pl.DataFrame:
        """What the items of each benchmark met: columns `SUMMARY`, one row a benchmark, in the order of `benchmarks`.

        `alive` and `fates` are what `decide` was given and returned. A row counts for every benchmark that it matches,
        so the columns may add up to more than the rows dropped.
        """
        items = self.items(benchmarks)
        if not items.height:
            return pl.DataFrame(schema=SUMMARY)
        gone = fates["index"].to_list()
        counted = self._counted(signals, alive).with_columns(pl.col("index").is_in(gone).alias("gone"))
        met = counted.group_by("benchmark").agg(
            items_found=pl.col("item").n_unique(),
            rows_dropped=pl.col("index").filter("gone").n_unique(),
            rows_allowed=pl.col("index").filter(~pl.col("gone")).n_unique(),
        )
        found = pl.Series([item is None for item in benchmark_index.describe(items, self.lengths)], dtype=pl.Boolean)
        totals = items.with_columns(found.alias("unmatchable")).group_by("benchmark", maintain_order=True)
        table = totals.agg(items=pl.len(), items_unmatchable=pl.col("unmatchable").sum()).join(
            met, "benchmark", "left", maintain_order="left"
        )
        reasons = pl.Series([self.allow.get(name) for name in table["benchmark"]], dtype=pl.String)
        numbers = [name for name in SUMMARY if name not in ("benchmark", "reason")]
        return table.with_columns(pl.col(numbers).fill_null(0).cast(pl.Int64), reasons.alias("reason")).select(list(SUMMARY))


def _lists(offsets: np.ndarray, values: pl.Series) -> pa.LargeListArray:
    """One list a row: polars makes such a column from Python lists three times slower than all the matching takes."""
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values.to_arrow())
