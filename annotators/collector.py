"""The table of judgements as it grows: tuples for a moment, then columns, so that a verdict takes about a hundred bytes."""

from __future__ import annotations

from typing import Any

import polars as pl

JUDGEMENTS: dict[str, Any] = {
    "row_id": pl.String,
    "question": pl.String,
    "judge": pl.String,
    "is_llm": pl.Boolean,
    "order": pl.String,
    "candidate": pl.String,
    "value": pl.Float64,
    "label": pl.String,
    "rank": pl.Int64,
    "status": pl.String,
    "call": pl.String,
}
"""Columns of a table of judgements. `question` is `name@version`, and `name@version/aspect` where a question is asked about several;
`candidate` is the model that wrote it, null where the question shows none; `label` is the category where the question asks for
one, null elsewhere; `rank` is 1 for the best where it asks for a ranking; `status` is ok, refused, truncated, unparsed,
out_of_range, missing or failed; `call` is the key in the call store."""

KEY = ["row_id", "question", "judge", "order", "candidate"]

FEW = ("question", "judge", "order", "candidate", "label", "status")
"""Columns of few different texts."""
CHUNK = 4096


class JudgementTable:
    """Judgements in the order of their arrival; `frame` gives them sorted."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Any, ...]] = []
        self._chunks: list[pl.DataFrame] = []

    def add(self, *judgement: Any) -> None:
        """One judgement, its values in the order of `JUDGEMENTS`."""
        self._waiting.append(judgement)
        if len(self._waiting) == CHUNK:
            self._pack()

    def _pack(self) -> None:
        frame = pl.DataFrame(self._waiting, schema=JUDGEMENTS, orient="row")
        self._chunks.append(
            frame.with_columns(pl.col(FEW).cast(pl.Categorical), pl.col("call").str.decode("hex"), pl.col("rank").cast(pl.Int32))
        )
        self._waiting = []

    def frame(self) -> pl.DataFrame:
        """Columns `JUDGEMENTS`, sorted by row, question, judge, order and candidate."""
        self._pack()
        whole = pl.concat(self._chunks, rechunk=True)
        self._chunks = []
        texts = whole.with_columns(pl.col(FEW).cast(pl.String), pl.col("call").bin.encode("hex"), pl.col("rank").cast(pl.Int64))
        return texts.sort(KEY, nulls_last=True)
