"""Training a fastText classifier of texts from a few thousand labelled ones.

Joulin et al. 2017, as Aquila-Med (arXiv 2406.12182) distils its domain classifier from labels of a language model, there a BERT.
Documents are cut into pieces of `piece_words` words, and every label gets as many pieces: a classifier of pieces judges a whole
document by the mean of its words, and long documents of one source do not teach it that source. Measured on sources that it has
not seen (`tests/test_fasttext_training.py`).

fastText's training reads memory that it did not write, and with more than one thread is another at each run: it runs in a fresh
process, on one thread, with memory that is zeroed, and the same texts give the same file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import polars as pl
from pydantic import ConfigDict

from tilth.core.errors import RecipeError, SourceError
from tilth.filters.plain_words import plain_words

_ZEROED = {"MALLOC_PERTURB_": "255", "MALLOC_MMAP_THRESHOLD_": "65536"}
"""glibc then fills what it allocates with zeros; elsewhere, matrices of some size lie on fresh pages."""
_CHILD = """
import json, sys
import fasttext
source, target, said = sys.argv[1:]
fasttext.train_supervised(source, thread=1, verbose=0, **json.loads(said)).save_model(target)
"""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a classifier is trained; the defaults are ours."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    piece_words: int = 20
    pieces: int = 20
    """Most pieces of one document, spread over it."""
    dim: int = 16
    epoch: int = 5
    lr: float = 0.2
    minCount: int = 2
    wordNgrams: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.piece_words < 2 or min(self.pieces, self.dim, self.epoch, self.minCount, self.wordNgrams) < 1 or not 0 < self.lr <= 10 or self.seed < 0:
            raise ValueError("piece_words is at least 2, pieces, dim, epoch, minCount and wordNgrams 1, lr above 0 and at most 10, seed 0 or more")
        if self.dim > 1000 or self.wordNgrams > 5:
            raise ValueError("dim is at most 1000, wordNgrams 5")


def train(texts: Sequence[str], labels: Sequence[str], path: Path, training: Training = Training(), *, balance: bool = True) -> None:
    """Train on texts and their labels, and write the model to `path`; read it with `fasttext_label: {text: words}`.

    Args:
        balance: give every label as many pieces. Without, labels are as likely as they are frequent, so that the probabilities
            mean something; a label of a few documents is then hardly ever the likeliest.

    Raises:
        RecipeError: fewer than two labels, or a label with a blank.
        SourceError: fastText cannot train, or a label has no words to learn from.
    """
    if len(wanted := sorted(set(labels))) < 2 or any(not label or label.split() != [label] for label in wanted):
        raise RecipeError(f"labels {', '.join(map(repr, wanted[:5]))}: a classifier needs two or more, without blanks")
    pieces: dict[str, list[str]] = {label: [] for label in wanted}
    for text, label in zip(plain_words(pl.Series(texts, dtype=pl.String)).to_list(), labels, strict=True):
        pieces[label] += _pieces(text.split(), training)
    for label, found in pieces.items():
        if not found:
            raise SourceError(f"label {label!r}: none of its texts has words", hint="give it some, or leave it out")
    most = max(map(len, pieces.values())) if balance else 0
    lines = [f"__label__{label} {piece}" for label, found in pieces.items() for piece in ((found * (most // len(found) + 1))[:most] if balance else found)]
    said = {name: value for name, value in asdict(training).items() if name not in ("piece_words", "pieces")}
    with tempfile.TemporaryDirectory(prefix="tilth-fasttext-") as folder:
        source = Path(folder) / "train.txt"
        source.write_text("\n".join(_shuffled(lines, training.seed)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(source), str(path), orjson.dumps(said).decode()], check=False, capture_output=True, text=True,
            env={**os.environ, **_ZEROED},
        )  # fmt: skip
    if done.returncode:
        raise SourceError(f"fastText cannot train: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")


def _pieces(words: list[str], training: Training) -> Iterator[str]:
    """Up to so many pieces of a document, evenly spread."""
    starts = range(0, max(1, len(words) - training.piece_words // 2), training.piece_words) if words else range(0)
    step = max(1, len(starts) / training.pieces)
    for place in range(min(len(starts), training.pieces)):
        start = starts[int(place * step)]
        yield " ".join(words[start : start + training.piece_words])


def _shuffled(lines: list[str], seed: int) -> list[str]:
    return [line for _, line in sorted((hashlib.sha256(f"{seed}/{place}/{line}".encode()).digest(), line) for place, line in enumerate(lines))]
