"""Chinese thresholds on real text: what each step and rule keeps of good prose, and what it drops of bad.

    .venv/bin/python -m benchmarks.chinese --data DIR [--json] [--at-most 2000] [--skip 0] [--stock]

`DIR` holds folders `cpt_*` (documents: `text`, `lang` zh, `source`) and `sft_zh_*` (records whose texts are joined by line
ends), each with `*.jsonl` or `*.jsonl.zst`. Of every source the documents of 20 characters or more are ordered by the
hash of their ids; `--skip` and `--at-most` take a part of that order: the thresholds were chosen on the first 2,000 of
each source, so `--skip 2000` is what their choice did not see. Bad text is made from the good (`benchmarks.chinese_bad`).
`--stock` adds what the English thresholds keep with jieba's words, which are datatrove's own steps in `cmn_Hani`.
Prints {sources, bad, groups, missed}; exit 1 where a target is missed. Shares kept have a 95 % Wilson interval.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import chinese_bad, corpus
from tilth.core.batch import Batch
from tilth.core.rows import frame
from tilth.core.steps import Context, Step
from tilth.filters.c4 import C4
from tilth.filters.chinese_quality import ChineseQuality
from tilth.filters.fineweb_quality import FineWebQuality
from tilth.filters.gopher_quality import GopherQuality
from tilth.filters.gopher_repetition import GopherRepetition

FIELDS = ("instruction", "input", "title", "ask", "question", "output", "answer", "text", "dialog", "messages", "conversations")
MIN_CHARS, BATCH_ROWS, BAD_DOCUMENTS, GOOD_FOR_BAD, STOCK_DOCUMENTS = 20, 500, 400, 200, 300
MIN_KEPT, MIN_DROPPED = 0.95, 0.9
CHAIN = ("chinese_quality", "gopher_repetition", "fineweb_quality", "c4_any_line")
STEPS: dict[str, Step] = {
    "chinese_quality": ChineseQuality(),
    "gopher_repetition": GopherRepetition(),
    "fineweb_quality": FineWebQuality(),
    "c4_any_line": C4(require_terminal=False),
    "c4": C4(),
}
STOCK: dict[str, Step] = {
    "gopher_quality": GopherQuality(words="jieba", alpha_share_of="tokens"),
    "gopher_repetition": GopherRepetition(words="jieba"),
    "fineweb_quality": FineWebQuality(words="jieba"),
    "c4": C4(sentences="jieba"),
}


@dataclass(frozen=True)
class Measured:
    """What one step made of some documents."""

    kept: np.ndarray
    """bool [documents]."""
    size: np.ndarray
    """int64 [documents]: characters of the edited text."""
    rules: dict[str, np.ndarray]
    """Rule → bool [documents]: whether it alone keeps each."""
    signals: pl.DataFrame


def main() -> None:
    """Measure a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--at-most", type=int, default=2000, help="documents of each source")
    parser.add_argument("--skip", type=int, default=0, help="documents of each source to leave out first")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    found = measure(said.data, said.skip, said.at_most, said.stock)
    if not found["sources"]:
        sys.exit(f"error: no Chinese documents in cpt_* or sft_zh_* of {said.data} after the first {said.skip} of each source")
    print(json.dumps(found, ensure_ascii=False, indent=2) if said.json else table(found))
    sys.exit(1 if found["missed"] else 0)


def measure(data: Path, skip: int = 0, at_most: int = 2000, stock: bool = False) -> dict[str, Any]:
    """Figures of every source and of every kind of bad text."""
    good = read(data, skip, at_most)
    sources = {source: _good_figures(texts, stock) for source, texts in good.items()}
    some = [text for texts in good.values() for text in texts[:GOOD_FOR_BAD] if len(text) >= 100]
    bad = {
        group: {kind: _dropped(chinese_bad.make(kind, BAD_DOCUMENTS, some)) for kind in makers}
        for group, makers in chinese_bad.MAKERS.items()
        if some
    }
    groups = {group: round(float(np.mean([kind["chain"] for kind in kinds.values()])), 4) for group, kinds in bad.items()}
    missed = [
        f"{source}: {step} keeps {figures['kept'][step]['share']}"
        for source, figures in sources.items()
        for step in (*CHAIN, "chain")
        if figures["kept"][step]["share"] < MIN_KEPT
    ]
    missed += [f"{group}: the chain drops {groups[group]}" for group in ("spam", "fragments") if group in groups and groups[group] < MIN_DROPPED]
    return {"skip": skip, "at_most": at_most, "sources": sources, "bad": bad, "groups": groups, "missed": missed}


def read(data: Path, skip: int, at_most: int) -> dict[str, list[str]]:
    """Source → its texts, in the order of the hashes of their ids."""
    found: dict[str, list[tuple[int, str]]] = {}
    for folder in sorted([*data.glob("cpt_*"), *data.glob("sft_zh_*")]):
        for path in sorted(path for path in folder.glob("*.jsonl*") if path.suffix in (".jsonl", ".zst")):
            for place, record in enumerate(corpus.records(path)):
                if folder.name.startswith("cpt_"):
                    if not str(record.get("lang")).startswith("zh"):
                        continue
                    source, name = str(record.get("source") or folder.name), str(record.get("id") or f"{path.name}:{place}")
                    text = "\n".join(_texts(record.get("text")))
                else:
                    source, name = path.name.split(".")[0], f"{path.name}:{place}"
                    text = "\n".join(piece for field in FIELDS for piece in _texts(record.get(field)) if piece.strip())
                if len(text.strip()) >= MIN_CHARS:
                    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
                    found.setdefault(source, []).append((int.from_bytes(digest, "big"), text))
    ordered = {source: sorted(rows)[skip : skip + at_most] for source, rows in found.items()}
    return {source: [text.encode("utf-8", "replace").decode() for _, text in rows] for source, rows in ordered.items() if rows}


def _texts(value: object) -> list[str]:
    """The texts of a field: one, a list of them, or turns of a dialogue."""
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in _texts(item)]
        case dict():
            return _texts(value.get("content", value.get("value")))
    return []


def run(step: Step, texts: Sequence[str], language: str = "zh") -> Measured:
    """One step over documents of one language, batch by batch."""
    sizes, signals = [], []
    for start in range(0, len(texts), BATCH_ROWS):
        batch = step.edit(_batch(texts[start : start + BATCH_ROWS], language))
        sizes.append(batch.texts.str.len_chars().to_numpy())
        signals.append(step.measure(batch, Context("cpt", 0, pl.DataFrame())))
    every = pl.concat(signals)
    rules = {rule.name: ~every.select(rule.drop.fill_null(False)).to_series().to_numpy() for rule in step.rules()}
    kept = np.logical_and.reduce([np.ones(len(texts), bool), *rules.values()])
    return Measured(kept, np.concatenate(sizes).astype(np.int64), rules, every)


def _batch(texts: Sequence[str], language: str) -> Batch:
    same = {name: ["x"] * len(texts) for name in ("id", "content_hash", "source", "revision", "license")}
    return Batch(frame("cpt", **same, language=[language] * len(texts), text=list(texts)), "cpt")


def _good_figures(texts: Sequence[str], stock: bool) -> dict[str, Any]:
    done = {name: run(step, texts) for name, step in STEPS.items()}
    size = np.array([len(text) for text in texts])
    chain = np.logical_and.reduce([done[name].kept for name in CHAIN])
    kept = {name: kept_share(one.kept) | {"characters": _round(one.size[one.kept].sum() / size.sum())} for name, one in done.items()}
    kept["chain"] = kept_share(chain) | {"characters": _round(done[CHAIN[-1]].size[chain].sum() / size.sum())}
    figures: dict[str, Any] = {
        "documents": len(texts),
        "kept": kept,
        "rules": {f"{name}.{rule}": kept_share(stays) for name, one in done.items() for rule, stays in one.rules.items()},
        "signals": {f"{name}.{signal}": shown for name, one in done.items() for signal, shown in _percentiles(one.signals).items()},
    }
    if stock:
        some = texts[:STOCK_DOCUMENTS]
        # Rows that are not said to be Chinese get the rules of languages with spaces; the words are jieba's all the same.
        plain = {name: run(step, some, "und").kept for name, step in STOCK.items()}
        figures["stock"] = {name: kept_share(one) for name, one in {**plain, "chain": np.logical_and.reduce(list(plain.values()))}.items()}
    return figures


def _dropped(texts: Sequence[str]) -> dict[str, float]:
    """Share of bad documents that each step drops, and all of the chain."""
    kept = {name: run(STEPS[name], texts).kept for name in CHAIN}
    kept["chain"] = np.logical_and.reduce(list(kept.values()))
    return {name: _round(1 - stays.mean()) for name, stays in kept.items()}


def kept_share(kept: np.ndarray) -> dict[str, float]:
    """{share, low, high}: Wilson, "Probable inference" (JASA 1927), 95 %.

    >>> kept_share(np.array([True] * 95 + [False] * 5))
    {'share': 0.95, 'low': 0.8882, 'high': 0.9785}
    """
    n, share, z = len(kept), float(kept.mean()), 1.959964
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return {"share": _round(share), "low": _round((middle - half) / scale), "high": _round((middle + half) / scale)}


def _percentiles(signals: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Signal → {p1, p5, p95, p99} of its values that are not null."""
    found = {}
    for name in signals.columns:
        values = signals[name].drop_nulls()
        if signals.schema[name].is_numeric() and len(values):
            shares = zip(("p1", "p5", "p95", "p99"), np.quantile(values.to_numpy(), (0.01, 0.05, 0.95, 0.99)), strict=True)
            found[name] = {percentile: _round(value) for percentile, value in shares}
    return found


def _round(value: float) -> float:
    return round(float(value), 4)


def table(found: dict[str, Any]) -> str:
    """Markdown tables: per cent of documents kept of each source, and dropped of each bad kind."""
    names = (*STEPS, "chain")
    rows = [["source", "documents", *names], ["---"] + ["---:"] * (len(names) + 1)]
    rows += [
        [source, f"{one['documents']:,}", *(f"{100 * one['kept'][name]['share']:.1f}" for name in names)]
        for source, one in found["sources"].items()
    ]
    stocked = {source: one["stock"] for source, one in found["sources"].items() if "stock" in one}
    if stocked:
        rows += [[], ["stock", *STOCK, "chain"], ["---"] + ["---:"] * (len(STOCK) + 1)]
        rows += [[source, *(f"{100 * one[name]['share']:.1f}" for name in (*STOCK, "chain"))] for source, one in stocked.items()]
    rows += [[], ["bad", *CHAIN, "chain"], ["---"] + ["---:"] * (len(CHAIN) + 1)]
    for group, kinds in found["bad"].items():
        rows += [[f"{group}: {kind}", *(f"{100 * one[name]:.1f}" for name in (*CHAIN, "chain"))] for kind, one in kinds.items()]
        rows += [[f"{group}, mean", *[""] * len(CHAIN), f"{100 * found['groups'][group]:.1f}"]]
    shown = [f"| {' | '.join(row)} |" if row else "" for row in rows]
    return "\n".join([*shown, "", *(f"missed: {one}" for one in found["missed"])])


if __name__ == "__main__":
    main()
