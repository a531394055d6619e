"""Identify the language of each text, offline; state it where it is not known; keep the languages that are wanted.

The model is py3langid's (Barbaresi, a fork of Lui and Baldwin 2012, *langid.py*, probabilities normalised), or any
fastText file of labels (lid.176, GlotLID) given by path. It sees the first `sample_chars` characters. Chinese is
decided by script: Han letters are at least 30 % of all letters and there is hardly any Kana or Hangul. On 5,070 Chinese
texts (laws, articles, manuals, old medical books) py3langid says the same of all such, but for 321 old texts that it
takes for Wu. Which Chinese it is (`chinese_variants`) is a signal, and with `variants` the row's language too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import model_validator

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import char_classes, chinese, fasttext_models
from tilth.filters.char_classes import HAN, KANA, LATIN, LETTER
from tilth.filters.chinese_variants import variants
from tilth.filters.language_models import Classify, code, py3langid


@dataclass(frozen=True)
class Identified:
    """The best label of each row and its probability, and how many letters it was judged by."""

    codes: pl.Series
    scores: pl.Series
    num_letters: pl.Series
    variants: pl.Series
    """Of rows in Chinese: zh-Hans, zh-Hant, yue or lzh."""


class Language(Step, name="language", version=2):
    """Identify languages, fill in the rows' `language`, keep the wanted ones."""

    distributions: ClassVar[tuple[str, ...]] = ("py3langid",)

    model: Literal["py3langid", "fasttext"] = "py3langid"
    """What identifies: the model that py3langid brings, or the fastText file at `path`."""
    pins: ClassVar[dict[str, str]] = {"path": "sha256"}
    path: str | None = None
    """The fastText file (lid.176.bin, lid.176.ftz, GlotLID's model.bin), wherever it lies here; nothing is downloaded."""
    sha256: str | None = None
    """sha256 of that file, 64 hex digits; another file is refused. Left out: as locked."""
    sample_chars: int = 2000
    """How much of a text, from its beginning, the model reads."""
    overwrite: bool = False
    """Whether a confident identification replaces the language that the source states."""
    confident_score: float = 0.5
    """Probability from which an identification counts."""
    confident_letters: int = 20
    """Letters from which an identification counts (a letter of Han, Kana or Hangul counts as three): short texts are guesses."""
    variants: bool = False
    """Whether `zh` is told apart in the rows' language: zh-Hans, zh-Hant, yue (Cantonese), lzh (classical)."""
    keep: tuple[str, ...] | None = threshold(None, "languages to keep, by their first subtag (`en`; `zh` keeps yue and lzh too); none: all")
    min_score: float | None = threshold(None, "smallest probability of a text long enough to judge; FineWeb takes 0.65")

    @model_validator(mode="after")
    def _path_belongs(self) -> Self:
        if (self.path is not None) != (self.model == "fasttext") or (self.path is None and self.sha256 is not None):
            raise ValueError("`path`, and `sha256` of that file, belong to `model: fasttext`")
        return self

    def parameters(self) -> dict[str, Any]:
        """As for every step, but the model's file by its content only."""
        # Recipe digest and stage keys are made of these: a path is a machine's, and says nothing of what the file holds.
        return {name: value for name, value in super().parameters().items() if name != "path"}

    def edit(self, batch: Batch) -> Batch:
        """`language` of the rows that have none, and with `overwrite` of all that are identified with confidence."""
        stated = batch.frame["language"]
        unknown = stated.is_null() | (stated == "und")
        refinable = self.variants & (stated == "zh").fill_null(False)
        if not self.overwrite and not unknown.any() and not refinable.any():
            return batch
        found = self._identified(batch)
        decided = self._decided(stated, found)
        language = decided if self.overwrite else self._refined(stated, found).zip_with(~unknown, decided)
        after = batch.with_columns(language.rename("language"))
        after.memo(self._memo_key(), lambda: found)  # the text is the same
        return after

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals language (the identified one where that is confident, else the stated one), code and score (as
        identified; null where there is no letter), variant (of Chinese; null where nothing tells), num_letters, and
        han_share, kana_share, latin_share of all letters."""
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
                "variant": found.variants,
                "num_letters": found.num_letters,
                **shares,
            }
        )

    def rules(self) -> Sequence[Rule]:
        """Language first, then probability."""
        rules = []
        if self.keep is not None:
            wanted = [*self.keep, *(chinese.SUBTAGS if "zh" in self.keep else ())]
            first = pl.col("language").str.to_lowercase().str.extract("^([a-z]+)")
            rules.append(Rule("other_language", "language", ~first.is_in(wanted)))
        if self.min_score is not None:
            judged = pl.col("num_letters") >= self.confident_letters
            rules.append(Rule("uncertain", "score", judged & (pl.col("score") < self.min_score)))
        return rules

    def _decided(self, stated: pl.Series, found: Identified) -> pl.Series:
        """The identified language where it is confident, else the stated one, else `und`."""
        confident = (found.scores >= self.confident_score) & (found.num_letters >= self.confident_letters)
        decided = found.codes.zip_with(confident.fill_null(False), stated.fill_null("und")).rename("language")
        return self._refined(decided, found)

    def _refined(self, language: pl.Series, found: Identified) -> pl.Series:
        """With `variants`, what is plain `zh` by its variant; a code that says more is the source's to say."""
        if not self.variants:
            return language
        plain = (language == "zh").fill_null(False) & found.variants.is_not_null()
        return found.variants.zip_with(plain, language).rename("language")

    def _memo_key(self) -> str:
        return f"language:{self.model}:{self.sha256}:{self.sample_chars}"

    def _identified(self, batch: Batch) -> Identified:
        classify = fasttext_models.pinned(self.path, self.sha256).best if self.path is not None else py3langid()
        return batch.memo(self._memo_key(), lambda: identify(batch.texts.str.slice(0, self.sample_chars), classify))


def identify(samples: pl.Series, classify: Classify) -> Identified:
    """Language of each sample: Chinese by script, the rest by `classify`."""
    counted = chinese.counts(samples)
    is_chinese, letters = counted["is_chinese"], counted["letters"]
    codes: list[str | None] = ["zh" if found else None for found in is_chinese]
    scores: list[float | None] = [1.0 if found else None for found in is_chinese]
    places = (~is_chinese & (letters > 0)).arg_true()
    for place, label, score in zip(places, *classify(samples.gather(places)), strict=True):
        # Rounded, so that the last bits of a matrix product on another machine change no signal.
        codes[place], scores[place] = code(label), round(min(1.0, score), 4)
    variant = pl.Series("variant", [None] * len(samples), dtype=pl.String)
    if is_chinese.any():
        places = is_chinese.arg_true()
        variant = variant.scatter(places, variants(samples.gather(places)))
    return Identified(
        pl.Series("code", codes, dtype=pl.String),
        pl.Series("score", scores, dtype=pl.Float64),
        (letters + 2 * (counted["han"] + counted["other"])).cast(pl.Int64).rename("num_letters"),
        variant,
    )
