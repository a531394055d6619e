"""Models that identify a language: py3langid's own, or a fastText file (`fasttext_models`). Many texts in, labels and scores out."""

from __future__ import annotations

import functools
from collections.abc import Callable

import polars as pl

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
