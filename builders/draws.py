"""The draw that decides a row's split: a hash of seed and prompt. A question that was rewritten from another goes where that one goes.

Its words differ from those of the one it came from, and its answer hardly does: apart, one would give the other away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from tilth.core.fingerprints import canonical

WRITTEN = "written"
"""Field of the metadata that says how a row was written: maker → {model, call …}."""
DRAW = "draw"
"""What a maker that rewrites says there: the draw of the row that it began with."""


def draw(group: str, seed: int) -> str:
    """16 hex digits: a number between 0 and 2^64 for all rows of a group."""
    return hashlib.sha256(canonical([seed, group])).hexdigest()[:16]


def inherited(row: Mapping[str, Any]) -> str | None:
    """The draw of the row that this one was rewritten from; None where it was not."""
    if not row["metadata"] or f'"{DRAW}"' not in row["metadata"]:
        return None
    said = [facts.get(DRAW) for facts in written_of(row).values() if isinstance(facts, dict)]
    return next((one for one in said if isinstance(one, str) and len(one) == 16 and all(char in "0123456789abcdef" for char in one)), None)


def written_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Maker → what it says of the row."""
    found = metadata_of(row).get(WRITTEN)
    return found if isinstance(found, dict) else {}


def metadata_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's metadata; what is no mapping stands under `source`."""
    if not row["metadata"]:
        return {}
    try:
        known = orjson.loads(row["metadata"])
    except orjson.JSONDecodeError:
        known = row["metadata"]
    return known if isinstance(known, dict) else {"source": known}
