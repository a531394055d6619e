"""Evidence of contamination: which benchmark item stood in which row, the words that they share, and what judges said of both.

Read from the release's own `drops`, where decontamination wrote item (`value`), span and verdicts (`detail`, JSON).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tilth.core.manifest import Manifest

MOST = 100
"""Hits that the page shows; `tilth drops NAME@V --step decontaminate` lists them all."""


@dataclass(frozen=True)
class Hit:
    """One dropped row: its best matching item (`benchmark/item`), the share of the question found, the shared words.

    Where judges were asked, the share is theirs that say `same`, and the words are the passage that they saw beside the question.
    """

    corpus: str
    row: str
    source: str
    item: str
    coverage: float
    span: str
    question: str = ""
    verdicts: tuple[tuple[str, str, str], ...] = ()
    """(judge, verdict, reason) of each judge asked."""


def read(folder: Path, manifest: Manifest) -> tuple[Hit, ...]:
    """The first `MOST` hits of a release, in the order of its rows; none where it publishes no drops."""
    import pyarrow.parquet as pq

    found: list[Hit] = []
    for entry in (entry for entries in manifest.configs.get("drops", {}).values() for entry in entries):
        table = pq.read_table(folder / entry.path, filters=[("rule", "==", "contaminated")])
        for line in table.to_pylist():
            detail = json.loads(line["detail"] or "{}")
            if len(found) < MOST and detail.get("span"):
                share = float(detail["same"] if "verdicts" in detail else detail["coverage"])
                verdicts = tuple((one["judge"], one["verdict"], one.get("reason", "")) for one in detail.get("verdicts", ()))
                question = str(detail.get("question", ""))
                found.append(Hit(line["corpus"], line["id"], line["source"], line["value"], share, str(detail["span"]), question, verdicts))
    return tuple(found)
