"""Write: survivors → the Parquet shards of a config, in the order of the sources, each in its split: that of its source, or of
the source's rows with the same prompt; else by hash of its group.

Shards are zstd Parquet with content-defined chunking and a page index, so that the Hub stores what did not change
once (hub.md, section 3). The same rows and the same pyarrow give the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tilth.builders import draws, split_leaks
from tilth.builders.corpus_files import shards
from tilth.builders.decide import alive
from tilth.builders.layout import CorpusLayout
from tilth.core.builds import FileEntry
from tilth.core.durable import writing
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import file_digest
from tilth.core.prompts import folded, prompt_keys
from tilth.core.rows import COMMON, RELEASED, Kind
from tilth.core.stages import Stage, read_table

SHARD_BYTES = 256 << 20
"""Uncompressed bytes in one shard, about (`datasets` splits at 500 MB)."""
_WAITS = pl.col("messages").list.last().struct.field("role") == "user"
CHUNKING = {"min_chunk_size": 256 << 10, "max_chunk_size": 1 << 20, "norm_level": 0}


def write(corpus: CorpusLayout, splits: dict[str, float], seed: int) -> None:
    """Write the shards of a corpus; the stage's facts hold `files` (split → entries), `groups` (counts by source) and `leaks`
    (two splits, prompts in both as published and as written)."""
    writer = _Splits(corpus.write)
    counts: dict[tuple[str, str, str], int] = {}
    published = split_leaks.published(corpus.segments[0].inputs, corpus.kind)
    said, written = published.clear(), [published.clear()]
    if not published.is_empty():
        said = split_leaks.together(split_leaks.places(frame, corpus.kind) for frame in _survivors(corpus))
        said = said.unique("prompt", keep="first", maintain_order=True)
    for frame in _survivors(corpus):
        named = frame.with_columns(_split_of(frame, corpus.kind, splits, seed, said))
        for *key, number in named.group_by("source", "license", "language").len().iter_rows():
            counts[tuple(key)] = counts.get(tuple(key), 0) + number
        if splits or not published.is_empty():
            written.append(split_leaks.places(named, corpus.kind))
        for split in sorted(named["split"].unique()):
            writer.add(split, named.filter(pl.col("split") == split).drop("split"))
    files = writer.close(corpus.kind)
    groups = [[*key, number] for key, number in sorted(counts.items())]
    before, after = split_leaks.leaks(published), split_leaks.leaks(split_leaks.together(written))
    found = [[*pair, before[pair], after[pair]] for pair in sorted(before | after)]
    corpus.write.finish(files={k: [f.model_dump() for f in v] for k, v in files.items()}, groups=groups, leaks=found)


def write_table(stage: Stage, config: str, frame: pl.DataFrame) -> list[FileEntry]:
    """One table of the release that is no corpus (`judgements`, `drops`): a single split `train`."""
    writer = _Splits(stage)
    writer.add("train", frame)
    return writer.close(config)["train"]


def _survivors(corpus: CorpusLayout) -> Iterator[pl.DataFrame]:
    last = corpus.segments[-1]
    wanted = [*COMMON, *RELEASED[corpus.kind]]
    keep = alive(last)
    start = 0
    for shard in shards(last.inputs):
        mine = keep[start : start + shard.rows]
        start += shard.rows
        if mine.any():
            frame = read_table(last.edited[shard.stage.key].folder / shard.file, wanted)
            if corpus.kind == "preference" and (unpaired := frame.filter(pl.Series(mine))["chosen"].null_count()):
                raise RecipeError(
                    f"corpora.preference: at least {unpaired} rows of this recipe end without a pair",
                    hint="add judged_pairs as the last maker, or objective_pairs: {without_key: drop}",
                )
            if corpus.kind == "sft" and (waiting := frame.filter(pl.Series(mine)).select(_WAITS.sum()).item()):
                raise RecipeError(
                    f"corpora.sft: at least {waiting} rows of this recipe end without an answer",
                    hint="add `answers` as the last maker, or drop them with `chat_shape: {}`",
                )
            yield frame.filter(pl.Series(mine)).with_columns(pl.col("language").fill_null("und"))


def _split_of(frame: pl.DataFrame, kind: Kind, splits: dict[str, float], seed: int, said: pl.DataFrame) -> pl.Series:
    """The split of every row: its source's, or what is `said` (`split_leaks.PLACES`) of its prompt; rows of one group share theirs else."""
    drawn = _drawn(frame, kind, splits, seed)
    if said.is_empty():
        return frame["split"].fill_null(drawn)
    same = pl.DataFrame([prompt_keys(frame, kind)]).join(said, on="prompt", how="left", maintain_order="left")["split"]
    return frame["split"].fill_null(same).fill_null(drawn)


def _drawn(frame: pl.DataFrame, kind: Kind, splits: dict[str, float], seed: int) -> pl.Series:
    """The split of every row by hash of its group."""
    if not splits:
        return pl.Series("split", ["train"] * frame.height, dtype=pl.String)
    names = sorted(splits)  # the order in which a recipe names them decides nothing
    limits = np.cumsum([splits[name] for name in names])
    found = []
    for row in frame.iter_rows(named=True):
        drawn = draws.inherited(row) or draws.draw(_group(row, kind), seed)
        place = int(np.searchsorted(limits, int(drawn, 16) / 2**64, side="right"))
        found.append(names[place] if place < len(names) else "train")
    return pl.Series("split", found, dtype=pl.String)


def _group(row: dict[str, Any], kind: Kind) -> str:
    if kind == "cpt":
        return str((row["parents"] or [row["id"]])[0])  # a copy stands with what it is a copy of
    turns = row["messages" if kind == "sft" else "prompt"]
    return folded(next((turn["content"] for turn in turns if turn["role"] == "user"), ""))


def _common_types(schema: Any) -> Any:
    """The schema with `string` and `list` for polars' large ones: what every reader of the Hub expects."""
    import pyarrow as pa

    def common(kind: Any) -> Any:
        if pa.types.is_large_string(kind):
            return pa.string()
        if pa.types.is_large_list(kind):
            return pa.list_(common(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(one.name, common(one.type)) for one in kind])
        return kind

    return pa.schema([pa.field(one.name, common(one.type)) for one in schema])


class _Splits:
    """Parquet writers of the splits of one config, rolling over at `SHARD_BYTES`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.parts: dict[str, list[tuple[Path, int]]] = {}
        self.open: dict[str, tuple[Any, int]] = {}

    def add(self, split: str, frame: pl.DataFrame) -> None:
        import pyarrow.parquet as pq

        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        table = table.cast(_common_types(table.schema))
        if split not in self.open:
            parts = self.parts.setdefault(split, [])
            path = self.stage.path(f".{split}.{len(parts):05d}.{os.getpid()}.part")
            parts.append((path, 0))
            made = pq.ParquetWriter(path, table.schema, compression="zstd", use_content_defined_chunking=CHUNKING, write_page_index=True)
            self.open[split] = (made, 0)
        writer, size = self.open[split]
        writer.write_table(table)
        path, rows = self.parts[split][-1]
        self.parts[split][-1] = (path, rows + table.num_rows)
        self.open[split] = (writer, size + table.nbytes)
        if size + table.nbytes >= SHARD_BYTES:
            self.open.pop(split)[0].close()

    def close(self, config: str) -> dict[str, list[FileEntry]]:
        for writer, _ in self.open.values():
            writer.close()
        found: dict[str, list[FileEntry]] = {}
        for split, parts in sorted(self.parts.items()):
            found[split] = []
            for number, (part, rows) in enumerate(parts):
                name = f"{split}-{number:05d}-of-{len(parts):05d}.parquet"
                with writing(self.stage.path(name)) as path:
                    part.replace(path)
                whole = self.stage.folder / name
                entry = FileEntry(path=f"{config}/{name}", sha256=file_digest(whole), bytes=whole.stat().st_size, rows=rows)
                found[split].append(entry)
        return found
