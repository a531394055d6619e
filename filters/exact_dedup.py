"""Exact duplicates: of rows with the same content, the same text or the same prompt, the first read stays.

Content is compared, never ids. By default it is folded first (NFKC, casefold, white space collapsed), so that two copies
that differ in width, case or line ends are one; punctuation counts. Keys are 128-bit BLAKE2b.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.rows import CONTENT
from tilth.core.steps import FATES, Context, Step
from tilth.core.units import threshold
from tilth.filters.keeping import PREFER, best_rows, source_ranks

PART, ITEM, COLUMN = "\x1f", "\x1e", "\x1d"
"""Separators between the fields of a message, messages, and columns: ("a", "bc") is not ("ab", "c")."""


class ExactDedup(Step, name="exact_dedup", version=1):
    """Of rows that are the same, keeps one: of a preferred source, or the first."""

    of: Literal["content", "text", "prompt"] = Field(
        "content",
        description="what is compared: all content columns, roles and models included; the text alone (`Batch.texts`); "
        "or the prompt (a pair's prompt, a conversation up to its first answer)",
    )
    fold: bool = Field(True, description="compare after NFKC, casefold and collapsing of white space")
    prefer: tuple[str, ...] = threshold((), PREFER + "; the first read among rows of one rank")

    def sources_named(self) -> tuple[str, ...]:
        return self.prefer

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`key`: 32 hex digits, the same in every process.

        Raises:
            RecipeError: `of: prompt` on documents, which have none.
        """
        texts = {"content": _contents, "text": lambda b: b.texts, "prompt": _prompts}[self.of](batch)
        return pl.DataFrame({"key": pl.Series([_key(text, self.fold) for text in texts.to_list()], dtype=pl.String)})

    def decide(self, signals: pl.DataFrame, alive: np.ndarray, edges: pl.DataFrame | None) -> pl.DataFrame:
        """Drops every row alive whose key another row alive has that stays; value is the id of that row."""
        keyed = signals.with_row_index("index").filter(pl.Series(alive) & pl.col("key").is_not_null())
        rows = keyed.filter(pl.col("key").is_duplicated())
        ranks = [source_ranks(rows["source"], self.prefer)] if self.prefer else []
        keeper = best_rows(rows["key"].rank("dense").to_numpy(), np.ones(rows.height, bool), *ranks)
        gone = np.flatnonzero(keeper != np.arange(rows.height))
        return pl.DataFrame({"index": rows["index"].gather(gone), "value": rows["id"].gather(keeper[gone])}).select(
            pl.col("index").cast(FATES["index"]),
            pl.lit("dropped").alias("status"),
            pl.lit("exact_duplicate").alias("rule"),
            pl.col("value").cast(FATES["value"]),
            pl.lit(None, pl.String).alias("detail"),
        )  # fmt: skip


def _key(text: str, fold: bool) -> str:
    if fold:
        # Fields are folded one by one: split() would take the separators for white space.
        text = COLUMN.join(
            ITEM.join(PART.join(_folded(part) for part in item.split(PART)) for item in column.split(ITEM))
            for column in text.split(COLUMN)
        )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _folded(text: str) -> str:
    # Casefold can undo a composition, so that NFKC goes last too (Unicode 3.13, toNFKC_Casefold).
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _joined(column: str, dtype: pl.DataType) -> pl.Expr:
    """One string a row for a content column, null where the row has none."""
    if not isinstance(dtype, pl.List):
        return pl.col(column).cast(pl.String)
    assert isinstance(dtype.inner, pl.Struct)
    fields = [pl.element().struct.field(field.name).fill_null("") for field in dtype.inner.fields]
    return pl.col(column).list.eval(pl.concat_str(fields, separator=PART)).list.join(ITEM)


def _contents(batch: Batch) -> pl.Series:
    columns = [_joined(name, dtype).fill_null("") for name, dtype in CONTENT[batch.kind].items()]
    return batch.frame.select(pl.concat_str(columns, separator=COLUMN).alias("content"))["content"]


def _prompts(batch: Batch) -> pl.Series:
    match batch.kind:
        case "preference":
            return batch.frame.select(_joined("prompt", CONTENT["preference"]["prompt"]).fill_null("").alias("prompt"))["prompt"]
        case "sft":
            roles = pl.col("messages").list.eval(pl.element().struct.field("role") == "assistant")
            answer = roles.list.arg_max()
            has_answer = roles.list.any()
            length = pl.when(has_answer).then(answer).otherwise(pl.col("messages").list.len())
            cut = batch.frame.select(pl.col("messages").list.head(length).alias("messages"))
            return cut.select(_joined("messages", CONTENT["sft"]["messages"]).fill_null("").alias("prompt"))["prompt"]
        case "cpt":
            raise RecipeError("exact_dedup: of: prompt: documents have no prompt", hint="of: text")
