"""Duplicates to look at: the largest clusters of a build and a sample by similarity, each pair with what differs.

Texts of rows that went are shown only where the row that stays is in the release, after every edit of the corpus, and
only of rows that no later rule would have taken: nothing is shown that the release would not say as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from tilth.builders.corpus_files import columns, shards
from tilth.builders.decide import alive
from tilth.builders.layout import CorpusLayout, Layout, Segment
from tilth.builders.sweep import edited
from tilth.cards.word_diff import diff
from tilth.core.batch import Batch
from tilth.core.builds import DuplicatePair, DuplicatesEntry
from tilth.core.stages import Stage, read_table

RULES = ("near_duplicate", "semantic_duplicate")
"""Rules of which the value is the id of the row that stays, the detail `similarity 0.9312` where the two are similar."""
FEW, MANY = (5, 2, 3), (3, 1, 1)
"""Clusters shown, rows of each (the least similar), and rows of each band: where one or two steps took rows, and where
more did. With what a pair may take (`word_diff.MOST_BYTES`) the page stays under 300 kB more."""
JOINED = "joined"
BANDS = (("1", 1.0), ("0.95–1", 0.95), ("0.9–0.95", 0.9), ("0.8–0.9", 0.8), ("under 0.8", 0.0), (JOINED, -1.0))
_SIMILARITY = re.compile(r"^similarity (\d\.\d+)$")


def duplicates(layout: Layout) -> list[DuplicatesEntry]:
    """One entry for each step that took near-duplicates; its pairs depend on nothing but the rows and the seed."""
    took: list[tuple[CorpusLayout, Segment, pl.DataFrame]] = []
    for corpus in layout.corpora:
        for segment in corpus.segments:
            took += [(corpus, segment, mine) for mine in _gone(segment).partition_by("step", maintain_order=True)]
    return [_entry(*one, layout.recipe.recipe.seed, FEW if len(took) <= 2 else MANY) for one in took]


def _entry(corpus: CorpusLayout, segment: Segment, gone: pl.DataFrame, seed: int, sizes: tuple[int, int, int]) -> DuplicatesEntry:
    bands = [(band, gone.filter(pl.col("band") == band).height) for band, _ in BANDS]
    chosen = _chosen(gone.filter(pl.col("value").is_in(_released(corpus).implode())), seed, *sizes)
    return DuplicatesEntry(
        corpus=corpus.kind, step=gone["step"][0], clusters=gone["value"].n_unique(), rows_dropped=gone.height,
        bands=[one for one in bands if one[1]], pairs=_pairs(corpus, segment, gone["step"][0], chosen),
    )  # fmt: skip


def _gone(segment: Segment) -> pl.DataFrame:
    """The rows that went as near-duplicates, with `similarity`, `band` and the size of their cluster."""
    fates = read_table(segment.decide.folder / "fates.parquet").filter(pl.col("rule").is_in(RULES))
    said = [_SIMILARITY.match(detail or "") for detail in fates["detail"].to_list()]
    values = [float(match[1]) if match else None for match in said]
    bands = [next(band for band, least in BANDS if (-1.0 if value is None else value) >= least) for value in values]
    return fates.with_columns(
        pl.Series("similarity", values, dtype=pl.Float64), pl.Series("band", bands, dtype=pl.String),
        (pl.len().over("step", "value") + 1).alias("cluster_rows"),
    )  # fmt: skip


def _released(corpus: CorpusLayout) -> pl.Series:
    """Ids of the rows that the release holds."""
    last = corpus.segments[-1]
    return columns(last.inputs, last.edited, ["id"]).filter(pl.Series(alive(last)))["id"]


def _chosen(gone: pl.DataFrame, seed: int, largest: int, of_a_cluster: int, of_a_band: int) -> pl.DataFrame:
    """The rows to show, with `shown_as`: each once."""
    drawn = [hashlib.blake2b(f"{seed} {one}".encode(), digest_size=8).digest() for one in gone["id"].to_list()]
    gone = gone.with_columns(pl.Series("drawn", drawn, dtype=pl.Binary))
    heads = gone.unique("value").sort("cluster_rows", "value", descending=[True, False]).head(largest).select("value", rank=pl.int_range(pl.len()))
    large = gone.join(heads, on="value").sort("rank", pl.col("similarity").fill_null(-1.0), "drawn").group_by("rank", maintain_order=True).head(of_a_cluster)
    rest = gone.join(large.select("id"), on="id", how="anti").sort("drawn").group_by("band", maintain_order=True).head(of_a_band)
    order = {band: place for place, (band, _) in enumerate(BANDS)}
    rest = rest.sort(pl.col("band").replace_strict(order, return_dtype=pl.Int64), "drawn")
    shown = [large.with_columns(pl.lit("largest").alias("shown_as")), rest.with_columns(pl.col("band").alias("shown_as"))]
    return pl.concat([one.select(*gone.columns, "shown_as") for one in shown])


def _pairs(corpus: CorpusLayout, segment: Segment, step: str, chosen: pl.DataFrame) -> list[DuplicatePair]:
    ids = columns(segment.inputs, segment.edited, ["id"]).with_row_index("index")
    keepers = ids.filter(pl.col("id").is_in(chosen["value"].implode()))
    kept_at = dict(keepers.select("id", "index").iter_rows())
    chosen = chosen.filter(~pl.col("index").is_in(_taken_later(segment, step, chosen["index"].to_numpy()).tolist()))
    wanted = np.unique(np.concatenate([chosen["index"].to_numpy(), keepers["index"].to_numpy()]).astype(np.int64))
    sources, texts = _texts(corpus, segment, wanted)
    place = {index: at for at, index in enumerate(wanted.tolist())}
    found = []
    for row in chosen.iter_rows(named=True):
        kept, dropped = place[kept_at[row["value"]]], place[row["index"]]
        found.append(DuplicatePair(
            shown_as=row["shown_as"], cluster_rows=row["cluster_rows"], similarity=row["similarity"],
            kept_id=row["value"], kept_source=sources[kept], dropped_id=row["id"], dropped_source=sources[dropped],
            pieces=list(diff(texts[kept], texts[dropped])),
        ))  # fmt: skip
    return found


def _texts(corpus: CorpusLayout, segment: Segment, rows: np.ndarray) -> tuple[list[str], list[str]]:
    """Sources and texts of some rows of a segment (ascending), after its edits and those of all segments behind it."""
    if not len(rows):
        return [], []
    batch = Batch(_rows_at(segment, segment.edited, rows), corpus.kind)
    for later in corpus.segments[corpus.segments.index(segment) + 1 :]:
        for step in later.steps:
            batch = edited(step, batch)
    return batch.frame["source"].to_list(), batch.texts.to_list()


def _taken_later(segment: Segment, step: str, rows: np.ndarray) -> np.ndarray:
    """Which of the rows a step behind this one would take, had they come so far; steps that relate rows are not asked."""
    rows = np.sort(rows)
    names = [one.name for one in segment.steps]
    taken = [np.zeros(0, np.int64)]
    for position, later in enumerate(segment.steps):
        if position > names.index(step) and not later.does("link") and len(rows):
            signals = _rows_at(segment, segment.measures[position], rows)
            sources = _rows_at(segment, segment.edited, rows, ["source"])["source"]
            gone = later.decide(signals.with_columns(sources), np.ones(len(rows), bool), None)
            taken.append(rows[gone["index"].to_numpy()])
    return np.concatenate(taken)


def _rows_at(segment: Segment, found: dict[str, Stage], rows: np.ndarray, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Rows of the segment at ascending positions, out of the files of one of its stages."""
    frames, start = [], 0
    for shard in shards(segment.inputs):
        mine = rows[(rows >= start) & (rows < start + shard.rows)] - start
        start += shard.rows
        if len(mine):
            part: pl.DataFrame = read_table(found[shard.stage.key].folder / shard.file, names)[mine.tolist()]
            frames.append(part)
    return pl.concat(frames)
