"""A sample of documents: languages in the proportions asked for, as many of each source, no text twice, drawn by seeded hash.

One pass over the input; what is held is about the sample, however many documents there are: of each stratum (language and source) the
documents of the least hashes, no more than its quota could still be. Quotas only fall as more strata come.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from tilth.builders.distil.job import SampleFields
from tilth.core.errors import RecipeError
from tilth.filters import mixing, words
from tilth.filters.chinese import base_language

Stratum = tuple[str, str]
"""Language (its first subtag, Chinese `zh`) and source; an empty word where the sample does not tell them apart."""


@dataclass(frozen=True)
class Sample:
    """`rows`: key (32 hex digits, of the text), text, language, source, labels; sorted by key. `had`: documents of each language and
    source that there were, texts that come twice counted twice."""

    rows: pl.DataFrame
    had: dict[tuple[str, str], int]


def draw(frames: Iterable[pl.DataFrame], said: SampleFields, seed: int, labelled: bool = False) -> Sample:
    """Draw the sample of documents.

    Args:
        frames: columns `documents.DOCUMENTS`.
        labelled: leave out what has no label.

    Raises:
        RecipeError: a language that is asked for does not come.
    """
    kept: pl.DataFrame | None = None
    had: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        frame = _ordered(frame.with_columns(pl.col("text").str.head(said.chars)), seed).filter(pl.col("text").str.strip_chars() != "")
        frame = frame.filter(pl.col("labels").list.len() > 0) if labelled else frame
        for language, source, number in frame.group_by("language", "source").len().iter_rows():
            had[language, source] += number
        frame = frame.filter(pl.col("language").is_in(list(said.languages))) if said.languages else frame
        kept = frame if kept is None else pl.concat([kept, frame])
        if kept.height > 3 * said.documents:
            kept = _cut(kept, said)
    if kept is None or not kept.height:
        there = Counter[str]()
        for (language, _), number in had.items():
            there[language] += number
        spoken = ", ".join(f"{name} {number:,}" for name, number in there.most_common(5)) or "nothing with a text" + (" and a label" if labelled else "")
        raise RecipeError(f"no document to sample: the input has {spoken}", hint="a field may have another name, as in `fields: {text: body, language: lang}`")
    rows = _cut(kept, said)
    if missing := [name for name in said.languages or () if name not in set(rows["language"])]:
        raise RecipeError(f"sample: no document in {missing[0]}", hint="the field may have another name, as in `fields: {language: lang}`")
    keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in rows["text"]]
    return Sample(rows.select(pl.Series("key", keys, dtype=pl.String), pl.exclude("order")).sort("key"), dict(sorted(had.items())))


def _ordered(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """With the base language, and in what order texts are drawn: equal ones have one place."""
    order = mixing.keys(words.whole(frame["text"]).hashes, seed, "distil")
    return frame.with_columns(base_language(pl.col("language")), pl.Series("order", order, dtype=pl.UInt64))


def _cut(rows: pl.DataFrame, said: SampleFields) -> pl.DataFrame:
    """The rows within the quotas as they stand now."""
    rows = rows.unique("order", keep="first", maintain_order=True).sort("order")
    weights = said.languages or {"": 1.0}
    parts = []
    for language, weight in sorted(weights.items()):
        own = rows.filter(pl.col("language") == language) if said.languages else rows
        quota = int(said.documents * weight / sum(weights.values()))
        if not said.by_source:
            parts.append(own.head(quota))
            continue
        sizes = dict(sorted(own["source"].value_counts().iter_rows()))
        parts += [own.filter(pl.col("source") == source).head(number) for source, number in shared(sizes, quota).items()]
    return pl.concat(parts)


def shared(sizes: dict[str, int], quota: int) -> dict[str, int]:
    """How many to take of each so that the small ones come whole and the others alike.

    >>> shared({"a": 2, "b": 50, "c": 9}, 20)
    {'a': 2, 'c': 9, 'b': 9}
    """
    found, left = {}, quota
    order = sorted(sizes, key=lambda name: (sizes[name], name))
    for place, name in enumerate(order):
        found[name] = min(sizes[name], left // (len(order) - place))
        left -= found[name]
    return found
