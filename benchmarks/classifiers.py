"""A fastText domain classifier on sources that it has not seen: medical or not, English and Chinese, trained on 2,000 documents.

    .venv/bin/python -m benchmarks.classifiers --data DIR [--json]

Prints swap → {trained, macro_f1, sources: {source: {medical, documents, recall, low, high, f1}}, mb_per_s}. Labels are the sources'. `recall` is the
share of a source's documents that get its label, with Wilson's 95 % interval; `f1` that of its label among this source and all test
sources of the other label, every source weighing the same; `macro_f1` the mean over both labels. `mb_per_s` is the whole
filter on one core, from lines of JSON to the rows kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import corpus
from tilth.core.batch import Batch
from tilth.core.fingerprints import file_digest
from tilth.core.intervals import wilson
from tilth.core.steps import Context
from tilth.filters import fasttext_training
from tilth.filters.fasttext_label import FastTextLabel

ROOT = Path(__file__).parents[1]
TRAIN_DOCUMENTS = 2000
TEST_DOCUMENTS = 2000
"""Documents of one source that are tested, chosen by hash."""


@dataclass(frozen=True)
class Source:
    """Documents of one label: the files, and which of two halves of their groups (books, laws)."""

    glob: str
    medical: bool
    text: Callable[[Mapping[str, Any]], str]
    group: str | None = None
    half: int | None = None


def _text(record: Mapping[str, Any]) -> str:
    return str(record["text"])


def _smile(record: Mapping[str, Any]) -> str:
    return "\n".join(turn["content"] for turn in record["dialog"])


SOURCES = {
    "evidence_inference_pmc": Source("cpt_raw_mix/evidence_inference_pmc-*", True, _text),
    "medquad_documents": Source("cpt_raw_mix/medquad_documents-*", True, _text),
    "ethereum_eips": Source("cpt_raw_mix/ethereum_eips-*", False, _text),
    "openstax": Source("cpt_raw_mix/openstax_anatomy_physiology-*", True, _text),
    "spam_assassin": Source("cpt_raw_mix/spam_assassin-*", False, _text),
    "tcm_books, one half": Source("cpt_raw_mix/tcm_ancient_books-*", True, _text, "book", 0),
    "tcm_books, the other": Source("cpt_raw_mix/tcm_ancient_books-*", True, _text, "book", 1),
    "toyhom": Source("sft_zh_toyhom_sample/internal_medicine*", True, lambda row: f"{row['title']}\n{row['ask']}\n{row['answer']}"),
    "huatuo26m": Source("sft_zh_huatuo26m_test/*.jsonl*", True, lambda row: "\n".join([*row["instruction"], *row["output"]])),
    "smile": Source("sft_zh_smile/*.jsonl*", True, _smile),
    "lctt_published": Source("cpt_raw_mix/lctt_published-*", False, _text),
    "cn_laws, one half": Source("cpt_raw_mix/cn_laws-*", False, _text, "title_base", 0),
    "cn_laws, the other": Source("cpt_raw_mix/cn_laws-*", False, _text, "title_base", 1),
    "pingcap_docs_cn": Source("cpt_raw_mix/pingcap_docs_cn-*", False, _text),
}
_A, _B = ("evidence_inference_pmc", "medquad_documents", "ethereum_eips"), ("openstax", "spam_assassin")
_C = ("tcm_books, one half", "toyhom", "lctt_published", "cn_laws, one half")
_D = ("tcm_books, the other", "huatuo26m", "smile", "pingcap_docs_cn", "cn_laws, the other")
SWAPS = {"english": (_A, _B), "english, swapped": (_B, _A), "chinese": (_C, _D), "chinese, swapped": (_D, _C)}


def documents(data: Path, source: Source, most: int) -> list[str]:
    """Texts of a source, the first by the hash of what they say."""
    found = {}
    for path in sorted(data.glob(source.glob)):
        if path.name.endswith((".jsonl", ".jsonl.zst")):
            for record in corpus.records(path):
                # 'borderline' documents (laws on medicine) have neither label.
                if record.get("domain") == "borderline" or not _half(record, source):
                    continue
                text = source.text(record)
                if text.strip():
                    found[hashlib.sha256(text.encode()).digest()] = text
    return [found[key] for key in sorted(found)[:most]]


def _half(record: Mapping[str, Any], source: Source) -> bool:
    if source.group is None:
        return True
    return hashlib.sha256(str(record.get(source.group)).encode()).digest()[0] % 2 == source.half


def measure(data: Path, train: tuple[str, ...], test: tuple[str, ...]) -> dict[str, Any]:
    """Train on some sources and look at others."""
    left, texts, labels = TRAIN_DOCUMENTS, [], []
    given = {name: documents(data, SOURCES[name], TRAIN_DOCUMENTS) for name in train}
    for place, name in enumerate(sorted(train, key=lambda name: len(given[name]))):  # small sources whole, the others by equal numbers
        taken = given[name][: left // (len(train) - place)]
        left -= len(taken)
        texts += taken
        labels += ["medical" if SOURCES[name].medical else "other"] * len(taken)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "domain.bin"
        fasttext_training.train(texts, labels, path)
        step = FastTextLabel(path=str(path), sha256=file_digest(path), text="words", keep=("medical",))
        held = {name: documents(data, SOURCES[name], TEST_DOCUMENTS) for name in test}
        right = {name: _right(step, found, SOURCES[name].medical) for name, found in held.items()}
        speed = _speed(step, [text for found in held.values() for text in found])
    recall = {name: float(one.mean()) for name, one in right.items()}
    sides = {side: [name for name in test if SOURCES[name].medical == side] for side in (True, False)}

    def f1(side: bool, names: list[str]) -> float:
        hit = float(np.mean([recall[name] for name in names]))
        wrong = float(np.mean([1 - recall[name] for name in sides[not side]]))
        return 2 * hit / (1 + hit + wrong) if hit + wrong else 0.0

    return {
        "trained": len(texts),
        "macro_f1": round(float(np.mean([f1(side, sides[side]) for side in sides])), 4),
        "mb_per_s": speed,
        "sources": {
            name: {"medical": SOURCES[name].medical, "documents": len(one), "recall": round(recall[name], 4), **_bounds(one),
                   "f1": round(f1(SOURCES[name].medical, [name]), 4)}
            for name, one in right.items()
        },
    }  # fmt: skip


def _right(step: FastTextLabel, texts: list[str], medical: bool) -> np.ndarray:
    signals = step.measure(Batch(pl.DataFrame({"text": texts}), "cpt"), Context("cpt", 0, pl.DataFrame()))
    return ((signals["label"] == "medical").fill_null(False) == medical).to_numpy()


def _bounds(right: np.ndarray) -> dict[str, float]:
    low, high = wilson(int(right.sum()), len(right))
    return {"low": round(low, 4), "high": round(high, 4)}


def _speed(step: FastTextLabel, texts: list[str]) -> float:
    """MB of text a CPU second, from lines of JSON to the rows that stay."""
    lines = "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts).encode()
    size = sum(len(text.encode()) for text in texts)
    context = Context("cpt", 0, pl.DataFrame())
    seconds = []
    for _ in range(3):
        started = time.process_time()
        frame = pl.read_ndjson(lines).with_columns(id=pl.lit(""), source=pl.lit(""))
        signals = step.measure(Batch(frame, "cpt"), context)
        step.decide(signals.with_columns(frame["id"], frame["source"]), np.ones(frame.height, bool), None)
        seconds.append(time.process_time() - started)
    return round(size / 1e6 / sorted(seconds)[1], 1)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with cpt_raw_mix and sft_zh_*")
    parser.add_argument("--json", action="store_true", help="one line")
    said = parser.parse_args()
    if not (said.data / "cpt_raw_mix").is_dir():
        parser.error(f"{said.data}: no cpt_raw_mix there")
    print(json.dumps({name: measure(said.data, *swap) for name, swap in SWAPS.items()}, ensure_ascii=False, indent=None if said.json else 2))


if __name__ == "__main__":
    main()
