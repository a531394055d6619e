"""Convert Chinese between traditional and simplified writing with OpenCC, phrases and not only characters (頭髮 → 头发, 皇后 → 皇后).

Only rows in Chinese (their language says so, or without one their script does) in which a character stands that the
target does not write are converted, and these whole: OpenCC takes what it reads for the source's writing, and would turn
the simplified 打坏 into 打坯. A character betrays its writing when OpenCC changes it and the target's own standard
lacks it: GB 2312-1980 for simplified, Big5 for traditional. So 乾 of 乾隆, 里 and 后, which both write, do not count, but
a row whose language says the script needs no such proof.

The language follows the writing: zh-Hant, zh-TW and zh-HK become zh-Hans, and the other way round; plain `zh` stays.
OpenCC's own wheel: the dictionaries' upstream, in C++, 35 MB/s; its pure Python rewrite was last released with
dictionaries of 2022.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Literal

import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Step
from tilth.filters import chinese, scripts

Conversion = Literal[
    "t2s", "tw2s", "tw2sp", "hk2s", "hk2sp", "s2t", "s2tw", "s2twp", "s2hk", "s2hkp",
]  # fmt: skip


class Simplify(Step, name="simplify", version=1):
    """Turn traditional Chinese into simplified, or simplified into traditional."""

    distributions: ClassVar[tuple[str, ...]] = ("opencc",)

    conversion: Conversion = "t2s"
    """OpenCC's name: t traditional, s simplified, tw and hk as written in Taiwan and Hong Kong, a final p with their
    vocabulary (滑鼠 → 鼠标)."""

    def edit(self, batch: Batch) -> Batch:
        """Text and language of the rows that are written otherwise; the rest untouched."""
        language = batch.frame["language"]
        is_chinese = chinese.rows(batch)
        says_so = is_chinese & (chinese.script(language) == self._source).fill_null(False)
        betrayed = is_chinese & batch.texts.str.contains(_telling(self.conversion))
        places = (says_so | betrayed).arg_true()
        if not len(places):
            return batch
        converted = Batch(batch.frame[places], batch.kind).map_text(
            functools.partial(converted_texts, conversion=self.conversion)
        )
        relabelled = converted.with_columns(chinese.with_script(converted.frame["language"], self._target)).frame
        rest = batch.frame.with_row_index("_place").filter(~(says_so | betrayed))
        together = pl.concat([rest, relabelled.insert_column(0, pl.Series("_place", places, rest.schema["_place"]))])
        return Batch(together.sort("_place").drop("_place"), batch.kind)

    @property
    def _source(self) -> str:
        return "Hans" if self.conversion.startswith("s") else "Hant"

    @property
    def _target(self) -> str:
        return "Hant" if self.conversion.startswith("s") else "Hans"


def converted_texts(texts: pl.Series, *, conversion: str) -> pl.Series:
    """The texts as OpenCC writes them; nulls stay.

    >>> converted_texts(pl.Series(["頭髮乾燥", None, "BRCA1"]), conversion="t2s").to_list()
    ['头发干燥', None, 'BRCA1']
    """
    places = texts.str.contains(r"\p{Han}").fill_null(False).arg_true()
    if not len(places):
        return texts
    convert = _opencc(conversion).convert
    # ! `scatter` writes into its series: a clone, lest the batch's own text change.
    return texts.clone().scatter(places, [convert(text) for text in texts.gather(places)])


@functools.cache
def _opencc(conversion: str) -> Any:
    import opencc

    return opencc.OpenCC(conversion)


@functools.cache
def _telling(conversion: str) -> str:
    """A character class: what this conversion changes and its target's standard cannot write. 0.1 s, once a process."""
    standard = "big5" if conversion.startswith("s") else "gb2312"
    every = [chr(code) for first, last in scripts.HAN for code in range(first, last + 1)]
    changed = _opencc(conversion).convert("\n".join(every)).split("\n")
    return "[" + "".join(a for a, b in zip(every, changed, strict=True) if a != b and not chinese.writes(standard, a)) + "]"
