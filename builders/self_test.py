"""Self-test of decontamination: leaks planted into rows of the corpus itself, and what the step makes of them.

`LEAKS` benchmark items, drawn by the recipe's seed, are set into copies of rows of the corpus as items leak (`filters.planting`),
each kind of leak in turn; as many rows stay as they are. The step's own measure and rule say which go. Measured once for a
step, its input and its benchmarks; thresholds decide again in milliseconds. Nothing of it enters the corpus or the digest.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tilth.builders.benchmark_items import items
from tilth.builders.corpus_files import TextsAt, shards
from tilth.builders.layout import Layout, Segment
from tilth.core.batch import Batch
from tilth.core.builds import LeakKind, SelfTestEntry
from tilth.core.durable import writing
from tilth.core.fingerprints import code_digests
from tilth.core.intervals import wilson
from tilth.core.stages import Stage, read_table, stage, unit_parts
from tilth.core.steps import Context
from tilth.filters import planting
from tilth.filters.benchmark_index import describe
from tilth.filters.decontaminate import Decontaminate

LEAKS = 200
"""Planted leaks; a share of 0.95 is then known to within 0.03."""
HOST = 4000
"""Characters of a row that a leak is planted into."""
KINDS: tuple[tuple[str, str, str, bool], ...] = (
    ("question and options", "verbatim", "line", True),
    ("question on a line", "verbatim", "line", False),
    ("question in a sentence", "verbatim", "sentence", False),
    ("options in another order", "options_shuffled", "line", True),
    ("case, width or punctuation changed", "", "line", False),
    ("one word in ten dropped, with options", "words_dropped", "line", True),
    ("one word in ten dropped", "words_dropped", "line", False),
)
"""What it is called, edit ("": one of `LIGHT` in turn), place, whether the options come along."""
LIGHT = ("upper_case", "lower_case", "full_width", "without_punctuation", "other_punctuation")
PLANTS = {"text": pl.String, "planted": pl.String, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}
TABLE = "signals.parquet"


def self_tests(layout: Layout) -> list[SelfTestEntry]:
    """One entry for each step that decontaminates; none where the corpus or the benchmarks are empty."""
    entries = []
    for corpus in layout.corpora:
        for segment in corpus.segments:
            for position, step in enumerate(segment.steps):
                if isinstance(step, Decontaminate) and layout.benchmarks is not None:
                    measured = _measured(layout, segment, position, step, layout.benchmarks)
                    if measured.height:
                        entries.append(entry(corpus.kind, step, measured))
    return entries


def _measured(layout: Layout, segment: Segment, position: int, step: Decontaminate, benchmarks: Stage) -> pl.DataFrame:
    """Plants and their signals: from the stage where it is done."""
    kept = stage(layout.home, "self_test", f"{segment.corpus}/{step.name} self-test", {
        **unit_parts(step, step.measured_parameters()), "measures": [one.key for one in segment.measures[position].values()],
        "benchmarks": benchmarks.key, "seed": layout.recipe.recipe.seed, "self_test": code_digests("tilth.builders.self_test"),
    })  # fmt: skip
    if not kept.done:
        seed = layout.recipe.recipe.seed
        wanted = items(benchmarks)
        texts = _hosts(segment, position, seed)
        made = plants(step, wanted, texts, seed)
        measured = step.measure(Batch(made.select("text"), "cpt"), Context("cpt", seed, wanted)) if made.height else None
        with writing(kept.path(TABLE)) as path:
            (made.drop("text") if measured is None else pl.concat([made.drop("text"), measured], how="horizontal")).write_parquet(path)
        kept.finish(rows=made.height)
    return read_table(kept.folder / TABLE)


def _hosts(segment: Segment, position: int, seed: int) -> list[str]:
    """Texts of rows of the corpus as this step sees them, drawn by the seed; long ones cut."""
    rows = sum(shard.rows for shard in shards(segment.inputs))
    drawn = np.sort(np.random.default_rng(seed).choice(rows, min(rows, 2 * LEAKS), replace=False)) if rows else np.zeros(0, np.int64)
    texts = TextsAt(segment.inputs, segment.steps[: position + 1], segment.corpus)(drawn)
    random.Random(seed).shuffle(texts)
    return [text[:HOST] for text in texts]


def plants(step: Decontaminate, wanted: pl.DataFrame, texts: Sequence[str], seed: int) -> pl.DataFrame:
    """Columns `PLANTS`: rows with a leak, then rows without (their `planted`, `benchmark/item`, is null). Half of the texts are used for each."""
    found = step.items(wanted)
    looked_for = pl.Series([one is not None for one in describe(found, tuple(step.common_phrases))], dtype=pl.Boolean)
    found = found.filter(looked_for)
    if not found.height or not texts:
        return pl.DataFrame(schema=PLANTS)
    draw = random.Random(seed)
    hosts, controls = texts[: max(1, len(texts) // 2)], texts[max(1, len(texts) // 2) :]
    chosen = found.sample(min(LEAKS, found.height), seed=seed, shuffle=True)
    rows: list[tuple[Any, ...]] = []
    for number, row in enumerate(chosen.iter_rows(named=True)):
        kind, edit, place, with_options = KINDS[number % len(KINDS)]
        options = (row["options"] or []) if with_options else []
        edit = edit or LIGHT[number % len(LIGHT)]
        body = planting.leak(row["question"], options, edit, draw, "\n" if place == "line" else " ")
        planted = planting.PLACES[place](draw.choice(hosts), body, draw)
        rows.append((planted.text, f"{row['benchmark']}/{row['item']}", kind, planted.start, planted.end))
    rows += [(text, None, None, None, None) for text in controls[:LEAKS]]
    return pl.DataFrame(rows, schema=PLANTS, orient="row")


def entry(corpus: str, step: Decontaminate, measured: pl.DataFrame) -> SelfTestEntry:
    """What the step's rule makes of planted rows (columns `PLANTS` and signals): recall by kind, precision.

    A leak is found where a hit lies in what was planted, for two benchmarks may share a question. A row is flagged wrongly
    where every hit lies outside what was planted; a row without a leak always is, whatever it holds: it was not read.
    """
    bare = step.model_copy(update={"allow": {}, "allow_items": {}, "common_from": None})
    hits = bare.counted(measured, np.ones(measured.height, bool)).filter("drops")
    where = measured.select("start", "end").with_row_index("index")
    joined = hits.join(where, on="index", suffix="_planted")
    inside = (pl.col("start") < pl.col("end_planted")) & (pl.col("end") > pl.col("start_planted"))
    found = set(joined.filter(inside.fill_null(False))["index"].to_list())
    flagged = set(hits["index"].to_list())
    leaks = measured.with_row_index("index").filter(pl.col("planted").is_not_null())
    right = [index in found for index in leaks["index"].to_list()]
    kinds = []
    for kind in dict.fromkeys(leaks["kind"].to_list()):
        mine = [good for good, name in zip(right, leaks["kind"].to_list(), strict=True) if name == kind]
        kinds.append(LeakKind(kind=kind, planted=len(mine), found=sum(mine)))
    low, high = interval(sum(right), len(right))
    precise = interval(len(found), len(flagged))
    return SelfTestEntry(
        corpus=corpus, step=step.name, planted=len(right), found=sum(right), recall_low=low, recall_high=high,
        rows_without=measured.height - len(right), flagged_wrongly=len(flagged - found), precision_low=precise[0],
        precision_high=precise[1], kinds=kinds,
    )  # fmt: skip


def interval(good: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, to four places."""
    low, high = wilson(good, count)
    return round(low, 4), round(high, 4)
