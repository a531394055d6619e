"""Personal data: precision and recall by kind and language, and speed on text with and without it.

    python -m benchmarks.pii --json [--data DIR] [--labelled FILE]

`labelled` is scored on `tests/pii_labelled.jsonl` or any file of {lang, text, spans: [[start, end, kind]]}: `exact` asks for
the very characters, `overlap` for one character in common and the same kind. With `--data`, `real` counts what is found for
each MB of real dialogues, papers, laws and articles, and `speed` gives MB/s of one process there, CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import zstandard

from tilth.filters.pii_find import found
from tilth.filters.pii_spans import PRIORITY

KINDS = [kind for kind in PRIORITY if kind != "url"]
LABELLED = Path(__file__).parents[1] / "tests" / "pii_labelled.jsonl"
REAL = {
    "zh dialogue (toyhom)": "sft_zh_toyhom_sample/internal_medicine_5000_6000.jsonl.zst",
    "zh questions (huatuo_llama)": "sft_zh_huatuo_llama/llama_data.jsonl.zst",
    "zh counselling (smile)": "sft_zh_smile/smile.jsonl.zst",
    "en dialogue (mts)": "sft_en_mts_dialog/train.jsonl.zst",
    "en questions (chatdoctor)": "sft_en_chatdoctor5k/chatdoctor5k.jsonl.zst",
    "en papers (pmc)": "cpt_raw_mix/evidence_inference_pmc-00.jsonl.zst",
    "zh laws": "cpt_raw_mix/cn_laws-00.jsonl.zst",
    "zh old medical books": "cpt_raw_mix/tcm_ancient_books-01.jsonl.zst",
    "zh articles (lctt)": "cpt_raw_mix/lctt_published-00.jsonl.zst",
    "en mail (spam_assassin)": "cpt_raw_mix/spam_assassin-00.jsonl.zst",
}
MAX_MB = 8.0


def score(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """{language: {kind: {precision, recall, overlap_precision, overlap_recall, labelled, found}}}, `all` among the kinds."""
    spans = found(pl.Series([row["text"] for row in rows]), np.arange(len(rows)), KINDS)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for i, row in enumerate(rows):
        truth = {tuple(span) for span in row["spans"]}
        ours = {(span.start, span.end, span.kind) for span in spans.get(i, [])}
        for given, other, side in ((truth, ours, "recall"), (ours, truth, "precision")):
            for start, end, kind in given:
                touched = any(kind == k and start < e and s < end for s, e, k in other)
                for name in (kind, "all"):
                    tally = counts.setdefault((row["lang"], name), Counter())
                    tally[f"{side} of"] += 1
                    tally[f"{side} exact"] += (start, end, kind) in other
                    tally[f"{side} overlap"] += touched
    result: dict[str, Any] = {}
    for (language, kind), tally in sorted(counts.items()):
        result.setdefault(language, {})[kind] = {
            "precision": _ratio(tally, "precision", "exact"),
            "recall": _ratio(tally, "recall", "exact"),
            "overlap_precision": _ratio(tally, "precision", "overlap"),
            "overlap_recall": _ratio(tally, "recall", "overlap"),
            "labelled": tally["recall of"],
            "found": tally["precision of"],
        }
    for language, figures in result.items():
        clean = [i for i, row in enumerate(rows) if row["lang"] == language and not row["spans"]]
        figures["texts"] = sum(row["lang"] == language for row in rows)
        figures["clean_texts"] = len(clean)
        figures["clean_texts_flagged"] = sum(i in spans for i in clean)
    return result


def _ratio(tally: Counter[str], side: str, how: str) -> float | None:
    return round(tally[f"{side} {how}"] / tally[f"{side} of"], 4) if tally[f"{side} of"] else None


def real(folder: Path) -> dict[str, Any]:
    """{set: {megabytes, found {kind: number}, share_of_rows, mb_per_second}}; sets that are not there are left out."""
    result = {}
    for name, path in REAL.items():
        if not (folder / path).is_file():
            continue
        texts = pl.Series(list(_texts(folder / path)), dtype=pl.String)
        megabytes = texts.str.len_bytes().sum() / 1e6
        begin = time.process_time()
        spans = found(texts, np.arange(len(texts)), KINDS)
        seconds = time.process_time() - begin
        kinds = Counter(span.kind for every in spans.values() for span in every)
        result[name] = {
            "megabytes": round(megabytes, 2),
            "found": dict(kinds.most_common()),
            "share_of_rows": round(len(spans) / len(texts), 4),
            "mb_per_second": round(megabytes / seconds, 1),
        }
    return result


def _texts(path: Path) -> Iterator[str]:
    size = 0
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = row["text"] if isinstance(row.get("text"), str) else "\n".join(_strings(row))
            size += len(text.encode())
            yield text
            if size > MAX_MB * 1e6:
                return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pii", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--data", type=Path, default=os.environ.get("TILTH_DATA"), help="folder of real data")
    parser.add_argument("--labelled", type=Path, default=LABELLED, help="labelled texts, jsonl")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.labelled.read_text(encoding="utf-8").splitlines() if line.strip()]
    result = {"labelled": score(rows), "real": real(Path(options.data)) if options.data else {}}
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return 0
    for language, kinds in result["labelled"].items():
        for kind, figures in kinds.items():
            print(language, kind, figures)
    for name, figures in result["real"].items():
        print(name, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
