"""Repeated lines: what stands in many rows of a corpus (menus, footers, licences, sharing buttons) goes out of all of them.

Llama 3 (arXiv:2407.21783, section 3.1.1) removes lines that come more than six times in 30 million documents, CCNet
(Wenzek et al. 2020, section 3.2) every paragraph that came before, C4 (Raffel et al. 2020, section 2.2) all but one of
any three sentences in a row that come twice: `unit: sentences3, max_rows: 1, keep: first`. Llama 3's authors note that
good text goes too; `min_tokens` spares headings and the short lines of code.

Counted are the rows still there at this step. Rows keep their ids; the steps behind it measure the text that is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import FATES, Context, Revised, Step
from tilth.filters import pieces
from tilth.filters.folding import batch_tokens, fold
from tilth.filters.repeats import repeated

REMOVED: dict[str, Any] = {"removed_pieces": pl.UInt32, "removed_characters": pl.UInt32, "removed_share": pl.Float32, "removed": pl.List(pl.String)}
"""What is written down of a row that changes: pieces and characters removed, their share, and the first of them."""
SHOWN_PIECES, SHOWN_CHARACTERS = 5, 200
_PIECES: dict[str, tuple[pieces.Kind, int]] = {"line": ("line", 1), "paragraph": ("paragraph", 1), "sentences3": ("sentence", 3)}


class LineDedup(Step, name="line_dedup", version=1):
    """Removes lines, paragraphs or runs of three sentences that stand in many rows; rows of which nothing is left go."""

    corpora: ClassVar[tuple[Kind, ...]] = ("cpt",)
    link_only = ("keys",)

    unit: Literal["line", "paragraph", "sentences3"] = Field("line", description="what is counted and removed")
    max_rows: int = Field(6, ge=1, description="rows that a piece may stand in; more, and it goes")
    keep: Literal["none", "first"] = Field("none", description="what stays of a piece that goes: nothing, or its first place in the corpus")
    min_tokens: int = Field(5, ge=1, description="words (characters of Han and Kana) of the shortest piece that is looked at")
    fold_digits: bool = Field(False, description="take all digits for one: `Page 3 of 9` and `Page 4 of 9` are the same")
    max_removed_share: float | None = Field(
        None, gt=0, le=1, description="drop rows that lose more of their characters than this; none: only those that lose all"
    )

    def measured_parameters(self) -> dict[str, Any]:
        """Those that make the keys."""
        return {name: self.parameters()[name] for name in ("unit", "min_tokens", "fold_digits")}

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`keys`: for every piece what it says, 0 where it is too short to count."""
        kind, together = _PIECES[self.unit]
        folded = fold(batch.texts.str.replace_all(r"\p{Nd}", "0")) if self.fold_digits else batch_tokens(batch)
        places = [pieces.begins(text, kind) for text in batch.texts.to_list()]
        keys, offsets = pieces.keys(folded, places, together, self.min_tokens)
        lists = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(keys))
        return pl.DataFrame({"keys": pl.Series(pl.from_arrow(lists), dtype=pl.List(pl.UInt64))})

    def survey(self, signals: Iterable[pl.DataFrame]) -> list[Any]:
        """For each shard whether a piece stands in more than `max_rows` rows: bool, all pieces of its rows in a line."""
        keys, sizes = [], []
        for part in signals:
            keys.append(part["keys"].explode(empty_as_null=False).to_numpy())
            sizes.append(part["keys"].list.len().to_numpy().astype(np.int64))
        return repeated(keys, sizes, self.max_rows, self.keep == "first")

    def revise(self, rows: pl.DataFrame, signals: pl.DataFrame, known: Any, context: Context) -> Revised:
        """The rows without what is repeated."""
        kind, together = _PIECES[self.unit]
        ends = np.cumsum(signals["keys"].list.len().to_numpy().astype(np.int64))
        marks = np.split(known, ends[:-1])
        texts = rows["text"].to_list()
        changed: list[dict[str, Any]] = []
        fates: list[tuple[int, str, str, str, str | None]] = []
        for index in [index for index, mark in enumerate(marks) if mark.any()]:
            going = marks[index].copy()
            for further in range(1, together):
                going[further:] |= marks[index][:-further]
            text, removed = _without(texts[index], pieces.begins(texts[index], kind), going)
            share = sum(map(len, removed)) / len(texts[index])
            changed.append({"index": index, "removed_pieces": len(removed), "removed_characters": sum(map(len, removed)), "removed_share": share,
                            "removed": [one.strip()[:SHOWN_CHARACTERS] for one in removed[:SHOWN_PIECES]]})  # fmt: skip
            texts[index] = text
            if not text:
                fates.append((index, "dropped", "nothing_left", str(len(removed)), None))
            elif self.max_removed_share is not None and share > self.max_removed_share:
                fates.append((index, "dropped", "mostly_repeated", f"{share:.4f}", None))
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        keep = np.ones(rows.height, bool)
        keep[gone["index"].to_numpy()] = False
        after = rows.with_columns(pl.Series("text", texts, dtype=pl.String)).filter(pl.Series(keep))
        return Revised(after, gone, pl.DataFrame(changed, schema={"index": pl.UInt32, **REMOVED}))


def _without(text: str, begins: list[int], going: np.ndarray) -> tuple[str, list[str]]:
    """The text without some of its pieces, gaps of blank lines closed, and those pieces."""
    parts = [text[begin:end] for begin, end in zip(begins, [*begins[1:], len(text)], strict=True)]
    left = "".join(part for part, goes in zip(parts, going.tolist(), strict=True) if not goes).strip()
    while "\n\n\n" in left:
        left = left.replace("\n\n\n", "\n\n")
    return left, [part for part, goes in zip(parts, going.tolist(), strict=True) if goes]
