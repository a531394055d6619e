"""Evidence of contamination: which benchmark item stood in which row, and the words that they share.

Read from the release's own `drops`, where decontamination wrote item (`value`) and span (`detail`, JSON).
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
    """One dropped row: its best matching item (`benchmark/item`), the share of the question found, the shared words."""

    corpus: str
    row: str
    source: str
    item: str
    coverage: float
    span: str


def read(folder: Path, manifest: Manifest) -> tuple[Hit, ...]:
    """The first `MOST` hits of a release, in the order of its rows; none where it publishes no drops."""
    import pyarrow.parquet as pq

    found: list[Hit] = []
    for entry in (entry for entries in manifest.configs.get("drops", {}).values() for entry in entries):
        table = pq.read_table(folder / entry.path, filters=[("rule", "==", "contaminated")])
        for line in table.to_pylist():
            detail = json.loads(line["detail"] or "{}")
            if len(found) < MOST and detail.get("span"):
                hit = (line["corpus"], line["id"], line["source"], line["value"], float(detail["coverage"]), str(detail["span"]))
                found.append(Hit(*hit))
    return tuple(found)
