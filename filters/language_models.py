"""Models that identify a language: py3langid's own, or a fastText file of labels. Many texts in, labels and scores out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.filters import fasttext_models

Labels = tuple[list[str], list[float]]
"""One label and its probability for each text."""
Classify = Callable[[pl.Series], Labels]

CODES = {
    "arb": "ar", "ben": "bn", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "fas": "fa",
    "fin": "fi", "fra": "fr", "heb": "he", "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko",
    "nld": "nl", "nob": "nb", "pes": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "srp": "sr",
    "swe": "sv", "tam": "ta", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "wuu": "zh", "zho": "zh",
    "zsm": "ms",
}  # fmt: skip
"""ISO 639-3 → BCP-47, where a model says the longer one; other codes stay as they are."""


def code(label: str) -> str:
    """The language of a label: of lid.176 (`en`), GlotLID (`eng_Latn`, `cmn_Hani`) or NLLB (`zho_Hant`).

    >>> code("cmn_Hani"), code("eng_Latn"), code("pt"), code("sco_Latn")
    ('zh', 'en', 'pt', 'sco')
    """
    language = label.split("_")[0]
    return CODES.get(language, language)


@functools.cache
def py3langid() -> Classify:
    """`classify` over the model that py3langid brings."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def classify(texts: pl.Series) -> Labels:
        found = [identifier.classify(text) for text in texts]
        return [str(label) for label, _ in found], [float(score) for _, score in found]

    return classify


@functools.cache
def fasttext_file(path: str, sha256: str) -> Classify:
    """`classify` over a fastText file.

    Raises:
        SourceError: the file cannot be read, or is not the one that `sha256` names.
    """
    file = Path(path).expanduser()
    try:
        found = file_digest(file)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", hint="path of a fastText language model on this machine") from None
    if found != sha256:
        raise SourceError(f"{path}: sha256 {found[:12]}…, the recipe says {sha256[:12]}…", hint="mend `sha256` or the file")
    return fasttext_models.load(path).best
