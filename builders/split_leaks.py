"""Leaks between splits: prompts that stand in two of them, counted as the sources published them and as they are released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import polars as pl

from tilth.builders.corpus_files import shards
from tilth.core.prompts import prompt_keys
from tilth.core.rows import Kind
from tilth.core.stages import Stage, read_table

PLACES = {"prompt": pl.UInt64, "split": pl.String}
"""Where prompts stand: key of the prompt, name of the split."""


def places(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Where the prompts of some rows stand (`PLACES`), each place once; rows without a prompt or a split stand nowhere."""
    return pl.DataFrame([prompt_keys(frame, kind), frame["split"]]).drop_nulls().unique(maintain_order=True)


def published(inputs: Sequence[Stage], kind: Kind) -> pl.DataFrame:
    """Where the sources say that their prompts stand; nothing where no source says its split."""
    return together(_read(inputs, kind))


def _read(inputs: Sequence[Stage], kind: Kind) -> Iterator[pl.DataFrame]:
    turns = {"cpt": [], "sft": ["messages"], "preference": ["prompt"]}[kind]
    for shard in shards(inputs):
        path = shard.stage.folder / shard.file
        if read_table(path, ["split"])["split"].null_count() < shard.rows:
            yield places(read_table(path, ["split", *turns]), kind)


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Places of several parts, each once, in order."""
    return pl.concat([pl.DataFrame(schema=PLACES), *parts]).unique(maintain_order=True)


def leaks(found: pl.DataFrame) -> Counter[tuple[str, str]]:
    """(split, split), by name → prompts that stand in both."""
    several = found.group_by("prompt").agg(pl.col("split").sort()).filter(pl.col("split").list.len() > 1)
    counts: Counter[tuple[str, str]] = Counter()
    for names, prompts in several.group_by("split").len().iter_rows():
        for pair in combinations(names, 2):
            counts[pair] += prompts
    return counts
