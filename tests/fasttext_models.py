"""Small fastText models of every kind, trained in a fresh process.

fastText's training reads memory that it did not write: with matrices of more than 64 KiB and `MALLOC_MMAP_THRESHOLD_` they lie on
fresh, zeroed pages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENGLISH = "The patient was admitted to the ward with a fever that would not go down, and the team looked for the cause of it."
FRENCH = "La patiente présente une fièvre depuis trois jours et ne mange plus; elle est fatiguée et ne dort pas."
SIMPLIFIED = "患者因发热三天入院，体温最高达三十九度，伴有咳嗽和乏力。 入院后完善相关检查，医生建议继续口服药物。"
CANTONESE = "我哋啱啱食完飯，佢話唔舒服，想返屋企瞓覺， 你哋有冇藥俾佢食㗎？醫生話冇咩事嘅，飲多啲水就得。"
LABELLED = {"eng_Latn": ENGLISH, "fra_Latn": FRENCH, "cmn_Hani": SIMPLIFIED, "yue_Hant": CANTONESE}

KINDS: dict[str, tuple[dict[str, object], dict[str, object] | None]] = {
    "hierarchical": ({"loss": "hs", "dim": 16, "minn": 2, "maxn": 4}, None),
    "words": ({"loss": "softmax", "dim": 30, "minn": 0, "maxn": 0, "wordNgrams": 3}, None),
    "plain": ({"loss": "softmax", "dim": 600, "minn": 0, "maxn": 0}, None),
    "sampled": ({"loss": "ns", "dim": 32, "minn": 3, "maxn": 6}, None),
    "each": ({"loss": "ova", "dim": 19, "minn": 1, "maxn": 2, "wordNgrams": 2}, None),
    "pruned": ({"loss": "hs", "dim": 16, "minn": 2, "maxn": 4}, {"qnorm": True, "cutoff": 400, "retrain": True}),
    "quantised": ({"loss": "softmax", "dim": 19, "minn": 1, "maxn": 3, "wordNgrams": 2}, {"dsub": 3}),
    "many": ({"loss": "hs", "dim": 16, "minn": 2, "maxn": 3, "label": "many"}, {"qout": True, "qnorm": True}),
    "many-each": ({"loss": "ova", "dim": 17, "minn": 2, "maxn": 3, "label": "many"}, {"qout": True, "cutoff": 900}),
}
"""Kind → training, quantising. Those whose output is quantised need 256 labels (`label: many`)."""

TRAIN = """
import sys, fasttext
said, quantise, name = eval(sys.argv[1])
source = said.pop("label", "few") + ".txt"
model = fasttext.train_supervised(source, lr=1, epoch=40, bucket=3000, thread=1, verbose=0, **said)
if quantise:
    model.quantize(input=source, thread=1, lr=1, epoch=20, verbose=0, **quantise)
model.save_model(name + ".bin")
"""


def train(folder: Path, *kinds: str) -> dict[str, Path]:
    """The files of these kinds of models."""
    few = [f"__label__{label} {text}" for label, text in LABELLED.items() for _ in range(30)]
    words = [word for text in LABELLED.values() for word in text.split()]
    many = [f"__label__{i} {words[i % len(words)]} {i * i} {words[i * 7 % len(words)]}" for i in range(300)]
    (folder / "few.txt").write_text("\n".join(few), encoding="utf-8")
    (folder / "many.txt").write_text("\n".join(many), encoding="utf-8")
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    for kind in kinds:
        said = repr((*KINDS[kind], kind))
        subprocess.run([sys.executable, "-c", TRAIN, said], cwd=folder, env=environment, check=True, capture_output=True)
    return {kind: folder / f"{kind}.bin" for kind in kinds}
