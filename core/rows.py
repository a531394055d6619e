"""Rows: what a corpus is made of, as columns of an Arrow table or a polars frame.

Every row has an `id`, given once at reading and never changed by an edit, and a `content_hash` beside it, which
an edit changes. A corpus is of one of three kinds:

| kind       | columns that hold its content                                                         |
|------------|---------------------------------------------------------------------------------------|
| cpt        | `text`                                                                                |
| sft        | `messages` = list of {role, content}; of an exam question the `options` and the       |
|            | `answer` key; before it is answered it ends with the user                             |
| preference | `prompt`, `chosen`, `rejected` = lists of {role, content}; before pairs are made, the |
|            | `candidates` = list of {model, text}, with `options` and the `answer` key, a           |
|            | `reference` answer, or the `group` (`benchmark/item`) that they are completions of     |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from tilth.core.fingerprints import canonical

Kind = Literal["cpt", "sft", "preference"]
Language = str
"""BCP-47: `en`, `zh`, … and `und` where it is not known."""

ROLES = ("system", "user", "assistant")

SCORES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
OPTIONS = pl.List(pl.Struct({"label": pl.String, "text": pl.String}))
CANDIDATES = pl.List(pl.Struct({"model": pl.String, "text": pl.String}))

COMMON: dict[str, Any] = {
    "id": pl.String,
    "content_hash": pl.String,
    "source": pl.String,
    "revision": pl.String,
    "license": pl.String,
    "language": pl.String,
    "parents": pl.List(pl.String),
    "scores": SCORES,
    "stage": pl.String,
    "metadata": pl.String,
    "split": pl.String,
}
"""Columns of every row, of every kind. An edit of the last four is no edit of the content:

- `scores`: what models said of the row (`difficulty` 8), each name once; one that could not be told is absent, never a default.
- `stage`: the part of a curriculum that the row was put into by a mix.
- `metadata`: canonical JSON of what the source said beside the content, where a shape keeps it.
- `split`: the split that the source says the row is of; it travels with the row and becomes the split of the release.
"""

CONTENT: dict[Kind, dict[str, Any]] = {
    "cpt": {"text": pl.String},
    "sft": {"messages": MESSAGES, "options": OPTIONS, "answer": pl.String},
    "preference": {
        "prompt": MESSAGES,
        "chosen": MESSAGES,
        "rejected": MESSAGES,
        "options": OPTIONS,
        "answer": pl.String,
        "candidates": CANDIDATES,
        "reference": pl.String,
        "group": pl.String,
        "strategy": pl.String,
        "margin": pl.Float64,
        "chosen_model": pl.String,
        "rejected_model": pl.String,
        "label": pl.String,
    },
}
"""Columns that hold the content, by kind, while rows travel."""

RELEASED: dict[Kind, tuple[str, ...]] = {
    "cpt": ("text",),
    "sft": ("messages", "options", "answer"),
    "preference": ("prompt", "chosen", "rejected", "strategy", "margin", "chosen_model", "rejected_model", "label"),
}
"""Content columns that a release publishes. `label` of a pair is easy, hard, length or human (the step `label_pairs`), null without one."""


def schema(kind: Kind) -> dict[str, Any]:
    """Column → polars type of the rows of a kind while they travel."""
    return {**COMMON, **CONTENT[kind]}


def frame(kind: Kind, **columns: object) -> pl.DataFrame:
    """Rows of a kind from some of its columns, by name; the others are null.

    >>> frame("cpt", id=["a"], text=["Rest."])["language"].to_list()
    [None]
    """
    given = pl.DataFrame(columns)
    return given.select((pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema(kind).items())


def row_id(source: str, key: object, ordinal: int = 0) -> str:
    """32 hex digits: hash of the source's name, the row's own key there, and how often that key came before.

    Where a source has no key of its own, `key` is the content hash: two equal rows keep two ids.

    >>> row_id("notes", "a1") == row_id("notes", "a1"), row_id("notes", "a1") == row_id("notes", "a1", 1)
    (True, False)
    """
    return hashlib.sha256(canonical([source, key, ordinal])).hexdigest()[:32]


def content_hash(content: Mapping[str, object]) -> str:
    """32 hex digits: hash of the content columns of one row, None left out (a new column changes no old hash)."""
    return hashlib.sha256(canonical({k: v for k, v in content.items() if v is not None})).hexdigest()[:32]


def content_hashes(frame: pl.DataFrame, kind: Kind) -> pl.Series:
    """`content_hash` of every row of a frame."""
    rows = frame.select(list(CONTENT[kind])).iter_rows(named=True)
    return pl.Series("content_hash", [content_hash(row) for row in rows], dtype=pl.String)


def message(role: str, content: str) -> dict[str, str]:
    """One message of a conversation."""
    assert role in ROLES, role
    return {"role": role, "content": content}


def conversation(turns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Messages from (role, content) pairs."""
    return [message(role, content) for role, content in turns]
