"""Identify the language of each text, offline; state it where it is not known; keep the languages that are wanted.

The model is py3langid's (Barbaresi, a fork of Lui and Baldwin 2012, *langid.py*, probabilities normalised), or any
fastText file of labels (lid.176, GlotLID) given by path. It sees the first `sample_chars` characters. Chinese is
decided by script: Han letters are at least 30 % of all letters and there is hardly any Kana or Hangul. On 5,070 Chinese
texts (laws, articles, manuals, old medical books) py3langid says the same of all such, but for 321 old texts that it
takes for Wu.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import model_validator

from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import char_classes
from tilth.filters.char_classes import HAN, KANA, LATIN, LETTER

MIN_HAN_SHARE = 0.3
MAX_KANA_SHARE = 0.02
"""Of Han, Kana and Hangul together: the の of a brand name does not make a text Japanese."""

_CODES = {
    "arb": "ar", "ben": "bn", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "fas": "fa",
    "fin": "fi", "fra": "fr", "heb": "he", "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko",
    "nld": "nl", "nob": "nb", "pes": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "srp": "sr",
    "swe": "sv", "tam": "ta", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "wuu": "zh", "zho": "zh",
    "zsm": "ms",
}  # fmt: skip
"""ISO 639-3 → BCP-47, where a model says the longer one; other codes stay as they are."""


@dataclass(frozen=True)
class Identified:
    """The best label of each row and its probability, and how many letters it was judged by."""

    codes: pl.Series
    scores: pl.Series
    num_letters: pl.Series


class Language(Step, name="language", version=1):
    """Identify languages, fill in the rows' `language`, keep the wanted ones."""

    distributions: ClassVar[tuple[str, ...]] = ("py3langid", "fasttext-numpy2-wheel")

    model: Literal["py3langid", "fasttext"] = "py3langid"
    """What identifies: the model that py3langid brings, or the fastText file at `path`."""
    path: str | None = None
    """The fastText file (lid.176.bin, lid.176.ftz, GlotLID's model.bin), wherever it lies here; nothing is downloaded."""
    sha256: str | None = None
    """sha256 of that file, 64 hex digits; another file is refused."""
    sample_chars: int = 2000
    """How much of a text, from its beginning, the model reads."""
    overwrite: bool = False
    """Whether a confident identification replaces the language that the source states."""
    confident_score: float = 0.5
    """Probability from which an identification counts."""
    confident_letters: int = 20
    """Letters from which an identification counts (a letter of Han, Kana or Hangul counts as three): short texts are guesses."""
    keep: tuple[str, ...] | None = threshold(None, "languages to keep, by their first subtag (`en`, `zh`); none: all")
    min_score: float | None = threshold(None, "smallest probability of a text long enough to judge; FineWeb takes 0.65")

    @model_validator(mode="after")
    def _path_belongs(self) -> Self:
        if {self.path is not None, self.sha256 is not None} != {self.model == "fasttext"}:
            raise ValueError("`path` and `sha256` (`sha256sum FILE`) are of `model: fasttext`: give both or neither")
        return self

    def parameters(self) -> dict[str, Any]:
        """As for every step, but the model's file by its content only."""
        # Recipe digest and stage keys are made of these: a path is a machine's, and says nothing of what the file holds.
        return {name: value for name, value in super().parameters().items() if name != "path"}

    def edit(self, batch: Batch) -> Batch:
        """`language` of the rows that have none, and with `overwrite` of all that are identified with confidence."""
        stated = batch.frame["language"]
        unknown = stated.is_null() | (stated == "und")
        if not self.overwrite and not unknown.any():
            return batch
        found = self._identified(batch)
        decided = self._decided(stated, found)
        language = decided if self.overwrite else stated.zip_with(~unknown, decided)
        after = batch.with_columns(language.rename("language"))
        after.memo(self._memo_key(), lambda: found)  # the text is the same
        return after

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals language (the identified one where that is confident, else the stated one), code and score (as
        identified; null where there is no letter), num_letters, and han_share, kana_share, latin_share of all letters."""
        found, counts = self._identified(batch), char_classes.counts(batch)
        letters = counts.having(LETTER)
        shares = {
            f"{name}_share": counts.having(LETTER | bit) / np.maximum(letters, 1)
            for name, bit in (("han", HAN), ("kana", KANA), ("latin", LATIN))
        }
        return pl.DataFrame(
            {
                "language": self._decided(batch.frame["language"], found),
                "code": found.codes,
                "score": found.scores,
                "num_letters": found.num_letters,
                **shares,
            }
        )

    def rules(self) -> Sequence[Rule]:
        """Language first, then probability."""
        rules = []
        if self.keep is not None:
            first = pl.col("language").str.to_lowercase().str.extract("^([a-z]+)")
            rules.append(Rule("other_language", "language", ~first.is_in(list(self.keep))))
        if self.min_score is not None:
            judged = pl.col("num_letters") >= self.confident_letters
            rules.append(Rule("uncertain", "score", judged & (pl.col("score") < self.min_score)))
        return rules

    def _decided(self, stated: pl.Series, found: Identified) -> pl.Series:
        """The identified language where it is confident, else the stated one, else `und`."""
        confident = (found.scores >= self.confident_score) & (found.num_letters >= self.confident_letters)
        return found.codes.zip_with(confident.fill_null(False), stated.fill_null("und")).rename("language")

    def _memo_key(self) -> str:
        return f"language:{self.model}:{self.sha256}:{self.sample_chars}"

    def _identified(self, batch: Batch) -> Identified:
        classify = _fasttext(self.path, self.sha256) if self.path is not None and self.sha256 is not None else _py3langid()
        return batch.memo(self._memo_key(), lambda: identify(batch.texts.str.slice(0, self.sample_chars), classify))


def identify(samples: pl.Series, classify: Callable[[str], tuple[str, float]]) -> Identified:
    """Language of each sample: Chinese by script, the rest by `classify` (text → label, probability)."""
    counted = pl.DataFrame({"text": samples.rename("text")}).select(
        han=pl.col("text").str.count_matches(r"\p{Han}"),
        other=pl.col("text").str.count_matches(r"[\p{Hiragana}\p{Katakana}\p{Hangul}]"),
        letters=pl.col("text").str.count_matches(r"\p{L}"),
    )
    han, letters = counted["han"], counted["letters"]
    is_chinese = (han >= letters * MIN_HAN_SHARE) & (counted["other"] <= (han + counted["other"]) * MAX_KANA_SHARE) & (han > 0)
    codes: list[str | None] = ["zh" if chinese else None for chinese in is_chinese]
    scores: list[float | None] = [1.0 if chinese else None for chinese in is_chinese]
    for place in (~is_chinese & (letters > 0)).arg_true():
        label, score = classify(samples[place])
        # Rounded, so that the last bits of a matrix product on another machine change no signal.
        codes[place], scores[place] = _CODES.get(label, label), round(score, 4)
    return Identified(
        pl.Series("code", codes, dtype=pl.String),
        pl.Series("score", scores, dtype=pl.Float64),
        (letters + 2 * (han + counted["other"])).cast(pl.Int64).rename("num_letters"),
    )


@functools.cache
def _py3langid() -> Callable[[str], tuple[str, float]]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify  # type: ignore[no-any-return]


@functools.cache
def _fasttext(path: str, sha256: str) -> Callable[[str], tuple[str, float]]:
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
    import fasttext

    try:
        model = fasttext.load_model(str(file))
    except ValueError as error:
        raise SourceError(f"{path}: no fastText model: {error}", hint="lid.176.bin, lid.176.ftz or GlotLID's model.bin") from None

    def classify(text: str) -> tuple[str, float]:
        labels, scores = model.predict(text.replace("\n", " "), k=1)
        if not labels:
            return "und", 0.0
        return labels[0].removeprefix("__label__").split("_")[0], min(1.0, float(scores[0]))

    return classify
