"""fastText's supervised models (Joulin et al. 2017, *Bag of Tricks for Efficient Text Classification*): lid.176, GlotLID, quality classifiers.

Read and asked by our own kernel (`filters/kernels/fasttext*.c`), for the best label of many texts or for all: labels and scores are those
of fastText 0.9.2's `predict` to the last bit, in a tenth of the time. Supervised models of versions 11 and 12 with any
loss, quantised or not, whose n-grams have at most 64 characters or words; another file is refused with the reason. The file is
mapped, not copied, so that workers share its memory.
"""

from __future__ import annotations

import functools
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.filters import _kernels, text_buffer

PREFIX = "__label__"
FILE = "model.bin"
"""What the model is called in a folder."""


@dataclass(frozen=True)
class FastTextModel:
    """A model as it lies in its file."""

    path: str
    model: object
    """The kernel's."""
    labels: tuple[str, ...]
    """Without `__label__`."""

    def best(self, texts: pl.Series) -> tuple[list[str], list[float]]:
        """The best label of each text, and its score as fastText gives it (a little over 1 at times).

        Line ends are blanks. A text for which the model has no label likelier than 1 in 100,000 is `und`, 0.

        Raises:
            SourceError: the file holds weights that are not numbers.
        """
        found, scores = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
        self._ask(_kernels.fasttext_best, texts, found, scores)
        return [self.labels[label] if label >= 0 else "und" for label in found.tolist()], scores.tolist()

    def scores(self, texts: pl.Series) -> np.ndarray:
        """float32 [texts, labels]: the score of every label, in the order of `labels`, as `predict(text, k=-1)` gives them.

        A label that fastText leaves out is 0: of a hierarchical softmax one less likely than 1 in 100,000, of a text without a word
        that the model knows every one.

        Raises:
            SourceError: the file holds weights that are not numbers.
        """
        found = np.empty((len(texts), len(self.labels)), np.float32)
        self._ask(_kernels.fasttext_all, texts, found)
        return found

    def _ask(self, kernel: Callable[..., None], texts: pl.Series, *found: np.ndarray) -> None:
        text = text_buffer.of(texts)
        try:
            kernel(self.model, text.data, text.offsets, *found)
        except ValueError as error:
            raise SourceError(f"{self.path}: {error}", hint="fetch the file again, and check its sha256") from None


def load(path: str | Path) -> FastTextModel:
    """The model of a file.

    Raises:
        SourceError: the file cannot be read, or holds no such model.
    """
    hint = "lid.176.bin, lid.176.ftz or GlotLID's model.bin"
    try:
        with Path(path).expanduser().open("rb") as file:
            model, labels = _kernels.fasttext_model(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", hint="path of a fastText model on this machine") from None
    except ValueError as error:  # an empty file cannot be mapped
        raise SourceError(f"{path}: no fastText model: {error}", hint=hint) from None
    except MemoryError:
        raise SourceError(f"{path}: no fastText model for this machine: too little memory", hint=hint) from None
    return FastTextModel(str(path), model, tuple(label.decode(errors="replace").removeprefix(PREFIX) for label in labels))


def file_of(path: Path) -> Path:
    """The model's file: the path, or `model.bin` in the folder."""
    return path / FILE if path.is_dir() else path


@functools.cache
def pinned(path: str, sha256: str | None) -> FastTextModel:
    """The model of a file, or of a folder that holds it as `model.bin`, that a recipe names, loaded once a process.

    Raises:
        SourceError: the file cannot be read, or is not the one that `sha256` names.
    """
    if sha256 is None:
        raise SourceError(f"{path}: which model is meant?", hint="give its sha256 (`sha256sum FILE`)")
    file = file_of(Path(path).expanduser())
    try:
        found = file_digest(file)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", hint="path of a fastText model on this machine") from None
    if found != sha256:
        raise SourceError(f"{path}: sha256 {found[:12]}…, the recipe says {sha256[:12]}…", hint="mend `sha256` or the file")
    return load(file)
