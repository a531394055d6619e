"""Pairing: a row and the scores of its completions → its pairs by a strategy, or why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import fmean
from typing import Any

import polars as pl

from tilth.annotators.question import Item
from tilth.builders.strategy import NoPair, Pair, Rules, Scored, Strategy
from tilth.core.rows import conversation, schema

CHUNK = 4096


class NewRows:
    """Preference rows as a maker makes them: mappings for a moment, then columns, so that a million pairs take their text and little more."""

    def __init__(self) -> None:
        self._waiting: list[Mapping[str, Any]] = []
        self._chunks: list[pl.DataFrame] = []

    def add(self, *rows: Mapping[str, Any]) -> None:
        """Rows, after those that were added before."""
        self._waiting += rows
        if len(self._waiting) >= CHUNK:
            self._pack()

    def _pack(self) -> None:
        self._chunks.append(pl.DataFrame(self._waiting, schema=schema("preference")))
        self._waiting = []

    def frame(self) -> pl.DataFrame:
        """All of them."""
        self._pack()
        return pl.concat(self._chunks)


def to_judge(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that a panel is asked about: no pair yet, and two completions or more."""
    return rows.filter(pl.col("chosen").is_null(), pl.col("candidates").list.len() >= 2)


def scored_of(row: Mapping[str, Any], scores: Iterable[Mapping[str, Any]]) -> list[Scored]:
    """The completions of a row that have a score, best first; several of one text are one, with the mean of their scores.

    Args:
        scores: the row's lines of `tilth.annotators.panel.SCORES`.
    """
    item = Item.of(row)
    texts = dict(zip(item.models, item.texts, strict=True))
    found = [
        Scored(one["candidate"], texts[one["candidate"]], one["score"], one["rank"] or 0.0, one["agreement"])
        for one in scores
        if one["score"] is not None and one["candidate"] in texts
    ]
    found.sort(key=lambda one: (one.text.split(), one.place))
    merged = []
    for _, group in groupby(found, key=lambda one: one.text.split()):
        alike = list(group)
        merged.append(replace(alike[0], score=fmean(one.score for one in alike)) if len(alike) > 1 else alike[0])
    return sorted(merged, key=lambda one: one.place)


def choose(row: Mapping[str, Any], ranked: Sequence[Scored], strategy: Strategy, rules: Rules, seed: int) -> list[Pair] | NoPair:
    """What the strategy makes of a row's completions, those given by `scored_of`."""
    if len(ranked) < 2:
        return NoPair("not_judged", f"{len(ranked)} of {len(row['candidates'])} completions have a score, texts that are equal counted once")
    return strategy.choose(ranked, rules, lambda some: drawn(some, row["id"], seed, "rejected", name=lambda one: one.model))


def drawn(some: Iterable[Any], identity: str, seed: int, side: str, *, name: Callable[[Any], str]) -> list[Any]:
    """Things in an order drawn by hash of seed, row and their name: none stands first more often than chance."""
    return sorted(some, key=lambda one: hashlib.sha256(f"{seed}/{identity}/{side}/{name(one)}".encode()).digest())


def paired(
    row: Mapping[str, Any], chosen: tuple[str | None, str], rejected: tuple[str | None, str], strategy: str, margin: float | None, number: int
) -> dict[str, Any]:  # fmt: skip
    """The row as a pair: the first keeps the row's id, a further one has its own and names its parent.

    Args:
        chosen, rejected: the model that wrote it, if any, and the text.
    """
    identity = row["id"] if not number else hashlib.sha256(f"{row['id']}/{strategy}/{number}".encode()).hexdigest()[:32]
    return {
        **row, "id": identity, "parents": row["parents"] if not number else [row["id"]],
        "chosen": conversation([("assistant", chosen[1])]), "rejected": conversation([("assistant", rejected[1])]),
        "strategy": strategy, "margin": margin, "chosen_model": chosen[0], "rejected_model": rejected[0],
        "options": None, "answer": None, "candidates": None, "reference": None, "group": None,
    }  # fmt: skip
