"""The words that our own classifiers read: lower case, letters only, Han characters one by one."""

from __future__ import annotations

import polars as pl


def plain_words(texts: pl.Series) -> pl.Series:
    """Texts → their words, a blank between two. Numbers, signs and line ends part words and are left out.

    >>> plain_words(pl.Series(["2 mg of Timolol, twice.", "每日COVID-19检测"])).to_list()
    [' mg of timolol twice ', ' 每  日 covid  检  测 ']
    """
    return texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}]+", " ").str.replace_all(r"\p{Han}", " $0 ")
