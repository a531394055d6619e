"""Lines of a batch of texts, split as Python's `str.splitlines` does, in columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.filters.hashing import mix

BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Python's `str.strip` strips (Unicode's white space and four separators of the control block)."""
BLANK = r"[\s\x1f--\n]"
"""One of them as polars' regular expressions write it, within a line."""
_SEPARATORS = r"\r\n|[\r\x0b\x0c\x1c-\x1e\u0085\u2028\u2029]"


def unix(texts: pl.Series) -> pl.Series:
    """The texts with `\\n` for every line separator, and none at their very end: `"a\\r\\nb\\n"` is `"a\\nb"`."""
    return texts.str.replace_all(_SEPARATORS, "\n").str.replace(r"\n\z", "")


def of(batch: Batch) -> pl.Series:
    """`unix` of `batch.texts`, computed once for the batch."""
    return batch.memo("unix_lines", lambda: unix(batch.texts))


def explode(texts: pl.Series) -> pl.DataFrame:
    """One row for each `\\n`-separated line, in order: {row: u32, line: str}; an empty text has none."""
    frame = texts.rename("line").to_frame().with_row_index("row").filter(pl.col("line") != "")
    return frame.with_columns(pl.col("line").str.split("\n")).explode("line")


def pieces(texts: pl.Series, separator: str = "\n") -> pl.DataFrame:
    """{row: u32, piece: str}: what stands between the separators of each text, empty pieces too, in order."""
    return texts.rename("piece").to_frame().with_row_index("row").with_columns(pl.col("piece").str.split(separator)).explode("piece")


def keys(split: pl.DataFrame) -> np.ndarray:
    """uint64: equal for equal pieces of one row ({row, piece}); for use within one process."""
    return mix(split["piece"].hash().to_numpy() ^ mix(split["row"].to_numpy().astype(np.uint64)))
