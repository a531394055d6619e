"""Items of the benchmarks in a folder of real data, whatever the fields of each are called.

A folder `bench_*` holds JSON lines (`*.jsonl.zst`); a record with a question is an item. Files of another kind are passed over.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

from tilth.builders.benchmark_items import ITEMS

QUESTIONS = ("question", "Question", "QUESTION", "query", "prompt")
IDS = ("id", "PMID", "idx", "qid")
LETTERS = tuple("ABCDEFGH")


def records(path: Path, rows: int | None = None) -> list[dict[str, Any]]:
    """The first records of a `.jsonl.zst` file; all of them by default."""
    stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(path.open("rb")), encoding="utf-8")
    return [json.loads(line) for _, line in zip(range(rows or 1 << 60), stream, strict=False)]


def items(data: Path) -> pl.DataFrame:
    """All items of all `bench_*` folders: columns `ITEMS`. Keys are unique within a benchmark."""
    found = []
    for folder in sorted(data.glob("bench_*")):
        seen: dict[str, int] = {}
        for path in sorted(folder.glob("*.jsonl.zst")):
            for key, question, options in _items(records(path)):
                seen[key] = seen.get(key, 0) + 1
                unique = key if seen[key] == 1 else f"{key}-{seen[key]}"
                found.append((folder.name.removeprefix("bench_"), unique, question, options, None))
    return pl.DataFrame(found, schema=ITEMS, orient="row")


def _items(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, list[str]]]:
    for number, row in enumerate(rows):
        question = next((row[name] for name in QUESTIONS if isinstance(row.get(name), str)), "")
        if not question.strip():
            continue
        parts = [str(row[name]) for name in ("subject", "split", *IDS) if isinstance(row.get(name), str | int)]
        yield "-".join(parts) or str(number), question, _options(row)


def _options(row: dict[str, Any]) -> list[str]:
    options = row.get("options") or row.get("choices")
    if isinstance(options, dict):
        options = list(options.values())
    if not isinstance(options, list):
        options = [row.get(name) for name in LETTERS if name in row] or [row.get(f"op{name.lower()}") for name in LETTERS]
    return [str(option) for option in options if isinstance(option, str | int | float) and str(option).strip()]
