"""The ledger: every row that came in went out, was dropped, failed, or was put aside; or the build fails.

A line holds  rows_in = kept + dropped + failed + quarantined  and  rows_out = kept + made - merged;
a corpus's first line reads the sources, each next line takes in what the one before put out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tilth.core.errors import LedgerError


class LedgerLine(BaseModel):
    """Counts of one step of one corpus, in rows."""

    model_config = ConfigDict(frozen=True)

    corpus: str
    step: str
    rows_in: int
    kept: int
    dropped: int = 0
    failed: int = 0
    quarantined: int = 0
    made: int = 0
    merged: int = 0
    rows_out: int


def check(lines: Sequence[LedgerLine], held: dict[str, int]) -> None:
    """Check every line and the whole chain of each corpus.

    Args:
        lines: all lines, each corpus's in order.
        held: corpus → rows that its config holds.

    Raises:
        LedgerError: naming the line and both sums.
    """
    last: dict[str, LedgerLine] = {}
    for line in lines:
        where = f"{line.corpus}/{line.step}"
        gone = line.kept + line.dropped + line.failed + line.quarantined
        if line.rows_in != gone:
            raise LedgerError(f"{where}: {line.rows_in} rows in, {gone} accounted for")
        if line.rows_out != line.kept + line.made - line.merged:
            raise LedgerError(f"{where}: {line.rows_out} rows out, {line.kept} kept + {line.made} made - {line.merged} merged")
        if min(line.model_dump(exclude={"corpus", "step"}).values()) < 0:
            raise LedgerError(f"{where}: a negative count")
        before = last.get(line.corpus)
        if before is not None and before.rows_out != line.rows_in:
            raise LedgerError(f"{where}: {line.rows_in} rows in, but {before.step} put out {before.rows_out}")
        last[line.corpus] = line
    if set(last) != set(held):
        raise LedgerError(f"ledger has the corpora {sorted(last)}, the build {sorted(held)}")
    for corpus, rows in held.items():
        if last[corpus].rows_out != rows:
            raise LedgerError(f"{corpus}: {last[corpus].step} put out {last[corpus].rows_out} rows, the config holds {rows}")
