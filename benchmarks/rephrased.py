"""Rephrased and translated benchmark items: what alignment finds of them, what the second stage finds, and what judges would be shown.

`python -m benchmarks.rephrased --data DIR [--encoder FOLDER] [--json]`

The items of `decon_llm_decontaminator` stand against their rephrased versions. The threshold of the second stage is chosen on
the even rows (the lowest with a precision of 0.95 there) and measured on the odd ones. Wrong are a passage flagged for
another item than its own, and a flagged document of `cpt_raw_mix`.

No judge is asked here. `candidates` says of how many versions `judged_leaks` would show judges the right item, alone as a row
and in the middle of a document: what a perfect judge would find. Beside it, how many pairs documents without leaks would cost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.decontamination import documents, dropped
from benchmarks.exam_items import items as exam_items
from benchmarks.exam_items import records
from tilth.builders.benchmark_items import ITEMS
from tilth.builders.makers.judged_leaks import JudgedLeaks
from tilth.core.batch import Batch
from tilth.core.steps import Context
from tilth.filters import encoders
from tilth.filters.decontaminate import Decontaminate
from tilth.filters.rephrased import Rephrased

PRECISION = 0.95
CONTROLS = 600
"""Documents of each language beside the rephrased items."""
NEAREST = (1, 3, 10)
FLOORS = (0.1, 0.15, 0.2, 0.3)
Pair = tuple[str, int, str]
"""(version, row of its item, text)."""


def pairs(data: Path) -> tuple[pl.DataFrame, list[Pair]]:
    """(items, rephrased versions) of MMLU's subjects and HumanEval."""
    by: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in records(data / "decon_llm_decontaminator/pairs.jsonl.zst"):
        by[Path(row["path"]).name][row["row"]] = row
    items, versions = [], []
    for name, rows in sorted(by.items()):
        if name.endswith("_test.csv"):
            subject = name.removesuffix(".csv")
            items += [(subject, str(k), row["csv"][0], row["csv"][1:5], None) for k, row in sorted(rows.items())]
        elif name == "HumanEval.jsonl":
            subject = "humaneval"
            items += [(subject, str(k), row["text"], [], None) for k, row in sorted(rows.items())]
        else:
            continue
        for other, others in sorted(by.items()):
            if other != name and other.startswith(subject.lower()) and other.endswith(".jsonl"):
                versions += [(other.removesuffix(".jsonl"), k, row["text"]) for k, row in sorted(others.items()) if k in rows and "text" in row]
    return pl.DataFrame(items, schema=ITEMS, orient="row"), versions


def measure(data: Path, encoder: str | None) -> dict[str, Any]:
    """{version: {items, aligned, second_stage}}, threshold, precision on the odd rows."""
    items, versions = pairs(data)
    texts = [text for _, _, text in versions]
    aligned = {(hit["index"], hit["item"]) for hit in dropped(Decontaminate(), texts, items)}
    step = Rephrased() if encoder is None else Rephrased(encoder=encoder, sha256=encoders.digest(Path(encoder)))
    controls: dict[str, list[str]] = defaultdict(list)
    for _, _, language, text in documents(data):
        if len(controls[language]) < CONTROLS and 200 < len(text) < 4000:
            controls[language].append(text)
    beside = [text for found in controls.values() for text in found]
    batch = Batch(pl.DataFrame({"text": [*texts, *beside]}), "cpt")
    signals = step.measure(batch, Context("cpt", 0, items))
    right = np.array([item == str(k) for (_, k, _), item in zip(versions, signals["item"].head(len(texts)), strict=True)] + [False] * len(beside))
    similarity = signals["similarity"].to_numpy()
    half = np.array([k % 2 for _, k, _ in versions] + [k % 2 for k in range(len(beside))])
    threshold = _threshold(similarity[half == 0], right[half == 0])
    odd = half == 1
    flagged = odd & (similarity >= threshold)
    rows: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(version for version, _, _ in versions):
        mine = [n for n, (version, k, _) in enumerate(versions) if version == name and k % 2]
        rows[name] = {
            "items": len(mine),
            "aligned": round(float(np.mean([(n, str(versions[n][1])) in aligned for n in mine])), 4),
            "second_stage": round(float(np.mean([flagged[n] and right[n] for n in mine])), 4),
        }
    where = {"encoder": step.encoder, "sha256": step.sha256}
    shown = candidates(items, versions, controls, exam_items(data), where)
    precise = float((flagged & right).sum() / flagged.sum()) if flagged.any() else None
    return {"encoder": encoder or "terms", "threshold": threshold, "precision": precise, "controls": int((odd[len(texts) :]).sum()), "versions": rows, "candidates": shown}


def candidates(
    items: pl.DataFrame, versions: list[Pair], controls: dict[str, list[str]], exams: pl.DataFrame, where: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """{found: {version: {alone, planted: {`k=3, from 0.1`: share of its rows whose own item is shown}}}, pairs_a_document}.

    Args:
        controls: language → documents without leaks, into which versions are planted.
        exams: items of another kind and number, for what documents cost.
        where: encoder and sha256.
    """
    step = JudgedLeaks(judges=[{"openai": {"model": "none is asked"}}], nearest=max(NEAREST), min_similarity=FLOORS[0], **where)

    def near(texts: list[str], known: pl.DataFrame) -> list[list[dict[str, Any]]]:
        return step.measure(Batch(pl.DataFrame({"text": texts}), "cpt"), Context("cpt", 0, known))["near"].to_list()

    def shown(found: list[dict[str, Any]], k: int, floor: float) -> set[tuple[str, str]]:
        return {(one["benchmark"], one["item"]) for one in found[:k] if one["similarity"] >= floor}

    subjects = items["benchmark"].unique().to_list()
    own = [(next(one for one in subjects if version.startswith(one.lower())), str(k)) for version, k, _ in versions]
    beside = controls["en"]
    planted = [f"{(host := beside[n % len(beside)])[: len(host) // 2]}\n{text}\n{host[len(host) // 2 :]}" for n, (_, _, text) in enumerate(versions)]
    rows: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for how, texts in (("alone", [text for _, _, text in versions]), ("planted", planted)):
        found = near(texts, items)
        for name in dict.fromkeys(version for version, _, _ in versions):
            mine = [n for n, (version, _, _) in enumerate(versions) if version == name]
            rows[name][how] = {
                f"k={k}, from {floor}": round(float(np.mean([own[n] in shown(found[n], k, floor) for n in mine])), 4)
                for k, floor in [*((k, FLOORS[0]) for k in NEAREST), *((3, floor) for floor in FLOORS[1:])]
            }
    cost = {
        f"{language}, {known.height} items": {
            f"k={k}, from {floor}": round(float(np.mean([len(shown(one, k, floor)) for one in near(texts, known)])), 3)
            for k, floor in ((1, 0.1), (3, 0.1), (3, 0.15), (3, 0.2), (3, 0.3))
        }
        for language, texts in controls.items() for known in (items, exams)
    }  # fmt: skip
    return {"found": rows, "pairs_a_document": cost}


def _threshold(similarity: np.ndarray, right: np.ndarray) -> float:
    """The lowest similarity from which the share of right ones is `PRECISION`; 1 where there is none."""
    order = np.argsort(-similarity, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= PRECISION)
    return round(float(similarity[order][good[-1]]), 4) if len(good) else 1.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.rephrased")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", help="folder of a transformers encoder; left out: terms")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    figures = measure(said.data, said.encoder)
    if said.json:
        json.dump(figures, sys.stdout, indent=1)
        print()
        return
    print({key: value for key, value in figures.items() if key not in ("versions", "candidates")})
    for name, row in figures["versions"].items():
        print(f"{name:62} {row}")
    for name, found in figures["candidates"]["found"].items():
        for how, row in found.items():
            print(f"{name:62} {how:7} {row}")
    for name, row in figures["candidates"]["pairs_a_document"].items():
        print(f"pairs a document, {name:44} {row}")


if __name__ == "__main__":
    main()
