"""Chinese rows, and what their language code says of the script: `zh`, `zh-Hant`, `zh-TW`, `yue`, `lzh` …"""

from __future__ import annotations

import polars as pl

from tilth.core.batch import Batch

SUBTAGS = ("zh", "cmn", "yue", "lzh", "wuu", "nan", "hak", "gan", "hsn")
"""First subtags of the languages written in Han characters that `zho` comprises."""

MIN_HAN_SHARE = 0.3
MAX_KANA_SHARE = 0.02
"""Of Han, Kana and Hangul together: the の of a brand name does not make a text Japanese."""

_SCRIPTED = rf"(?i)^({'|'.join(SUBTAGS)})(?:-Han[st])?(?:-(?:CN|SG|MY|TW|HK|MO))?$"


def known(language: pl.Series) -> pl.Series:
    """bool: a language is stated."""
    return (language.is_not_null() & (language != "und")).fill_null(False)


def stated(language: pl.Series) -> pl.Series:
    """bool: the language is Chinese.

    >>> stated(pl.Series(["zh", "ZH-Hant-TW", "yue", "en", "zhx", None])).to_list()
    [True, True, True, False, False, False]
    """
    return language.str.to_lowercase().str.extract("^([a-z]+)").is_in(SUBTAGS).fill_null(False)


def base_language(language: pl.Expr) -> pl.Expr:
    """The first subtag in lower case, that of every Chinese `zh`; `und` where none is stated.

    >>> pl.DataFrame({"language": ["zh-Hant", "yue", "EN-gb", None]}).select(base_language(pl.col("language")))["language"].to_list()
    ['zh', 'zh', 'en', 'und']
    """
    base = language.str.to_lowercase().str.extract("^([a-z]+)")
    return pl.when(base.is_in(list(SUBTAGS))).then(pl.lit("zh")).otherwise(base).fill_null("und").alias("language")


def rows(batch: Batch) -> pl.Series:
    """bool: the language is Chinese, or none is stated and the script says so."""
    language = batch.frame["language"]
    unknown = ~known(language)
    found = stated(language)
    if not unknown.any():
        return found
    places = unknown.arg_true()
    return found.clone().scatter(places, by_script(batch.texts.gather(places)))


def script(language: pl.Series) -> pl.Series:
    """Hans or Hant as the code says, by script or by region; null where it says neither.

    >>> script(pl.Series(["zh-Hant", "zh-TW", "zh-CN", "zh", None])).to_list()
    ['Hant', 'Hant', 'Hans', None, None]
    """
    low = language.str.to_lowercase()
    traditional = low.str.contains("-hant") | (~low.str.contains("-hans") & low.str.contains("-(?:tw|hk|mo)$"))
    simplified = low.str.contains("-hans") | (~low.str.contains("-hant") & low.str.contains("-(?:cn|sg|my)$"))
    found = pl.select(pl.when(traditional).then(pl.lit("Hant")).when(simplified).then(pl.lit("Hans")).otherwise(None))
    return found.to_series().rename(language.name)


def with_script(language: pl.Series, new: str) -> pl.Series:
    """Codes that say a script or a region, saying the new script; the others as they are.

    >>> with_script(pl.Series(["zh-TW", "zh", "yue-Hant", "en"]), "Hans").to_list()
    ['zh-Hans', 'zh', 'yue-Hans', 'en']
    """
    renamed = language.str.replace(_SCRIPTED, f"${{1}}-{new}")
    return renamed.zip_with(script(language).is_not_null(), language)


def by_script(texts: pl.Series) -> pl.Series:
    """bool: Han letters are at least 30 % of all letters and there is hardly any Kana or Hangul."""
    return counts(texts)["is_chinese"]


def counts(texts: pl.Series) -> pl.DataFrame:
    """Columns han, other (Kana and Hangul), letters, is_chinese."""
    han, other, letters = pl.col("han"), pl.col("other"), pl.col("letters")
    return (
        pl.DataFrame({"text": texts.rename("text")})
        .select(
            han=pl.col("text").str.count_matches(r"\p{Han}"),
            other=pl.col("text").str.count_matches(r"[\p{Hiragana}\p{Katakana}\p{Hangul}]"),
            letters=pl.col("text").str.count_matches(r"\p{L}"),
        )
        .with_columns(
            is_chinese=(han >= letters * MIN_HAN_SHARE) & (other <= (han + other) * MAX_KANA_SHARE) & (han > 0),
        )
    )


def writes(standard: str, character: str) -> bool:
    """Whether a character set that Python knows (`gb2312`, `big5`) holds the character."""
    try:
        character.encode(standard)
    except UnicodeEncodeError:
        return False
    return True
