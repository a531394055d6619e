"""What the strategies of a preference corpus made of it, for card and page."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, median

import polars as pl

from tilth.builders.layout import Layout
from tilth.builders.record import corpus_files
from tilth.builders.strategy import longer_share
from tilth.core.builds import PairsEntry

GIVEN = "given"
"""Strategy of pairs that their source gave as pairs."""


def pairs_made(layout: Layout) -> list[PairsEntry]:
    """What the strategies of the preference corpus made, as it is written; nothing where there are no pairs."""
    corpora = [corpus for corpus in layout.corpora if corpus.kind == "preference"]
    shards = [corpus.write.folder / Path(file.path).name for corpus in corpora for files in corpus_files(corpus).values() for file in files]
    if not shards:
        return []
    chosen, rejected = (pl.col(side).list.last().struct.field("content").str.len_chars().cast(pl.Int64) for side in ("chosen", "rejected"))
    gap = chosen - rejected
    asked = pl.col("prompt").list.last().struct.field("content").hash()
    frame = pl.scan_parquet(shards, glob=False).select(pl.col("strategy").fill_null(GIVEN), asked.alias("prompt"), gap.alias("gap"), "margin", "label").collect()
    entries = []
    for (strategy,), part in frame.sort("strategy").group_by("strategy", maintain_order=True):
        gaps, margin = part["gap"].to_list(), part["margin"].drop_nulls().to_list()
        labels = {str(label): number for label, number in part["label"].drop_nulls().value_counts().sort("label").iter_rows()}
        entries.append(
            PairsEntry(
                strategy=str(strategy), pairs=part.height, prompts=part["prompt"].n_unique(), chosen_longer=round(longer_share(gaps), 6),
                mean_length_gap=round(fmean(gaps), 3), median_length_gap=median(gaps), median_margin=round(median(margin), 6) if margin else None,
                labels=labels,
            )
        )  # fmt: skip
    return entries
