"""Decontamination: rows that hold benchmark items go, with the item, the words that they share and where they stand as evidence.

Seeds point to where an item may stand, alignment says how much of its question is there, and the rule asks for more the less
the question says (`benchmark_hits`, `alignment`, `benchmark_rule`). Answers are never looked for. After the n-gram overlap of
GPT-3 (arXiv:2005.14165, appendix C), which `ngram` gives as it is. `docs/decontamination.md` has the definition and the figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.steps import Context, Step
from tilth.filters import allowed, benchmark_evidence, benchmark_index
from tilth.filters.benchmark_evidence import Hit
from tilth.filters.benchmark_index import WORDS_LONG
from tilth.filters.benchmark_rule import LONG_COVERAGE, WHOLE
from tilth.filters.folding import Folded, batch_tokens

HIT = pl.Struct(
    {
        "benchmark": pl.String,
        "item": pl.String,
        "coverage": pl.Float64,
        "needed": pl.Float64,
        "how": pl.String,
        "start": pl.UInt32,
        "end": pl.UInt32,
        "span": pl.String,
        "words": pl.List(pl.UInt32),
        "size": pl.Float64,
        "around": pl.UInt64,
    }
)
"""start and end: characters of the row's text (`Batch.texts`); span: that text, cut; how: ngram, listed, options, line, sentence, text;
words: [start, end, start, end …] of the stretches of the span that are the question's, from its start; size: words of the
question; around: hash of the words beside the span."""
PHRASE_WORDS = 7
"""Words up to which a whole question can be a common phrase; of a longer one, under `WORDS_LONG`, a part can."""
SPAN = 300
SUMMARY: dict[str, Any] = {
    "benchmark": pl.String,
    "items": pl.Int64,
    "items_unmatchable": pl.Int64,
    "items_found": pl.Int64,
    "rows_dropped": pl.Int64,
    "rows_allowed": pl.Int64,
    "rows_common": pl.Int64,
    "reason": pl.String,
}


class Decontaminate(Step, name="decontaminate", version=3):
    """Drops rows that hold an item of a benchmark."""

    reads_benchmarks = True

    against: list[str] | None = Field(None, description="names of benchmarks of the recipe; left out: all of them")
    ngram: int | None = Field(
        None, ge=5, le=64, description="also counts any run of this many words (characters of Chinese) of a question, as GPT-3's 13 or Tülu 3's 8"
    )
    common_phrases: list[str] = Field([], description="phrases of questions that say nothing here, beside those of all exams")
    floor: float = Field(0.5, gt=0, le=1, description="least coverage of long questions that is kept for later decisions")
    min_coverage: float = units.threshold(
        LONG_COVERAGE, "share of a long question, in order, that drops a row; what a short one needs beyond it moves along", gt=0, le=1
    )
    common_from: int | None = units.threshold(
        5, "places of a source where a few words of running text are a question, from which they are a common phrase there; null: never", ge=2
    )
    allow: dict[str, str] = units.threshold({}, "benchmark → reason why rows that match it stay")
    allow_items: dict[str, str] = units.threshold({}, "benchmark/item → reason why rows that match it stay")

    @model_validator(mode="after")
    def _holds_together(self) -> Decontaminate:
        if self.min_coverage < self.floor:
            raise ValueError(f"min_coverage {self.min_coverage} is under floor {self.floor}; lower floor too")
        allowed.check_reasons(self.allow, self.allow_items)
        for benchmark in self.allow:
            if self.against is not None and benchmark not in self.against:
                raise ValueError(f"allow names {benchmark!r}, which is not in against")
        return self

    def items(self, benchmarks: pl.DataFrame) -> pl.DataFrame:
        """The items that this step looks for.

        Raises:
            RecipeError: `against`, `allow` or `allow_items` names a benchmark or an item that the recipe does not have.
        """
        return allowed.wanted(self.name, benchmarks, self.against, self.allow, self.allow_items)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`coverage` (of the best hit, 0 without), `item` (`benchmark/item` of it), `hits` (list of `HIT`, best first)."""
        rows: list[int] = []
        hits: list[dict[str, Any]] = []
        items = self.items(context.benchmarks)
        if items.height:
            folded, texts = batch_tokens(batch), batch.texts.to_list()
            index = benchmark_index.build(items, tuple(self.common_phrases))
            for hit in benchmark_evidence.find(folded, texts, index, self.floor, self.ngram):
                rows.append(hit.row)
                hits.append(_said(hit, folded, texts[hit.row]))
        offsets = np.searchsorted(np.array(rows, np.int64), np.arange(len(batch) + 1))
        column = pl.Series("hits", pl.from_arrow(_lists(offsets, pl.Series(hits, dtype=HIT))), dtype=pl.List(HIT))
        best = pl.col("hits").list.first().struct
        return pl.DataFrame({"hits": column}).select(
            best.field("coverage").fill_null(0.0).alias("coverage"),
            pl.concat_str(best.field("benchmark"), best.field("item"), separator="/").alias("item"),
            "hits",
        )

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops rows with a hit that has the coverage it needs, is no common phrase and is not allowed for."""
        best = self.counted(signals, alive).filter("drops").unique("index", keep="first", maintain_order=True)
        return best.select(
            pl.col("index").cast(pl.UInt32),
            pl.lit("dropped").alias("status"),
            pl.lit("contaminated").alias("rule"),
            pl.concat_str("benchmark", "item", separator="/").alias("value"),
            pl.struct("coverage", "how", "start", "end", "span", "words").struct.json_encode().alias("detail"),
        ).sort("index")

    def counted(self, signals: pl.DataFrame, alive: np.ndarray) -> pl.DataFrame:
        """The hits with the coverage they need, of rows alive, a row's hits best first.

        Columns index, source and those of `HIT`; `common` (a phrase of the source), `allowed`, `drops` (neither).
        """
        source = pl.col("source") if "source" in signals.columns else pl.lit("").alias("source")
        rows = signals.select(source, pl.col("hits").cast(pl.List(HIT))).with_row_index("index")
        rows = rows.filter(pl.Series(alive) & (pl.col("hits").list.len() > 0)).explode("hits").unnest("hits")
        wanted = (pl.col("needed") + (self.min_coverage - LONG_COVERAGE)).clip(upper_bound=WHOLE)
        rows = rows.filter((pl.col("coverage") >= wanted - 1e-9) | (pl.col("how") == "ngram"))
        part = pl.col("how").is_in(["text", "sentence"]) & (pl.col("coverage") < WHOLE) & (pl.col("size") < WORDS_LONG)
        phrase = part | ((pl.col("how") == "text") & (pl.col("size") <= PHRASE_WORDS))
        places = pl.col("around").filter(phrase).n_unique().over("source", "benchmark", "item")
        common = phrase & (places >= self.common_from) if self.common_from else pl.lit(False)
        item = pl.concat_str("benchmark", "item", separator="/")
        stays = pl.col("benchmark").is_in(list(self.allow)) | item.is_in(list(self.allow_items))
        rows = rows.with_columns(common.alias("common"), stays.alias("allowed"))
        return rows.with_columns((~pl.col("common") & ~pl.col("allowed")).alias("drops"))

    def describe(self, benchmarks: pl.DataFrame) -> pl.DataFrame:
        """Columns benchmark, item and `unmatchable`: whether the question says too little to be looked for."""
        items = self.items(benchmarks)
        found = [item is None for item in benchmark_index.describe(items, tuple(self.common_phrases))] if items.height else []
        return items.select("benchmark", "item", pl.Series("unmatchable", found, dtype=pl.Boolean))

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
        items = self.items(benchmarks if "unmatchable" in benchmarks.columns else self.describe(benchmarks))
        if not items.height:
            return pl.DataFrame(schema=SUMMARY)
        gone = fates["index"].to_list()
        counted = self.counted(signals, alive).with_columns(pl.col("index").is_in(gone).alias("gone"))
        met = counted.group_by("benchmark").agg(
            items_found=pl.col("item").filter(~pl.col("common")).n_unique(),
            rows_dropped=pl.col("index").filter(pl.col("gone") & ~pl.col("common")).n_unique(),
            rows_allowed=pl.col("index").filter(~pl.col("gone") & pl.col("allowed")).n_unique(),
            rows_common=pl.col("index").filter(~pl.col("gone") & pl.col("common")).n_unique(),
        )
        totals = items.group_by("benchmark", maintain_order=True)
        table = totals.agg(items=pl.len(), items_unmatchable=pl.col("unmatchable").sum()).join(
            met, "benchmark", "left", maintain_order="left"
        )
        reasons = pl.Series([allowed.reason(name, self.allow, self.allow_items) for name in table["benchmark"]], dtype=pl.String)
        numbers = [name for name in SUMMARY if name not in ("benchmark", "reason")]
        return table.with_columns(pl.col(numbers).fill_null(0).cast(pl.Int64), reasons.alias("reason")).select(list(SUMMARY))


def _said(hit: Hit, folded: Folded, text: str) -> dict[str, Any]:
    """One hit as it is kept (`HIT`)."""
    start, end = int(folded.starts[hit.first]), int(folded.ends[hit.last - 1])
    runs = np.split(hit.matched, np.flatnonzero(np.diff(hit.matched) > 1) + 1)
    words = [edge - start for run in runs for edge in (int(folded.starts[run[0]]), int(folded.ends[run[-1]]))]
    return {
        "benchmark": hit.item.benchmark,
        "item": hit.item.item,
        "coverage": hit.coverage,
        "needed": hit.needed,
        "how": hit.how,
        "start": start,
        "end": end,
        "span": text[start : min(end, start + SPAN)],
        "words": words,
        "size": round(hit.item.words, 2),
        "around": hit.around,
    }


def _lists(offsets: np.ndarray, values: pl.Series) -> pa.LargeListArray:
    """One list a row: polars makes such a column from Python lists three times slower than all the matching takes."""
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values.to_arrow())
