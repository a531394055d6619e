"""What all exams share: words and phrases that say nothing of which question they stand in, in English and in Chinese.

Decontamination counts a token of these as a small part of one that tells (`alignment.STOCK_WEIGHT`). Beside what is written
here, words and phrases that many of a recipe's own items share are found in the items (`shared_tokens`), and a recipe may
name more (`common_phrases`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tilth.filters.folding import Folded, fold
from tilth.filters.hashing import Rolling, owners

WORDS = """a an the of in on for to with and or but is are was were be been by as at from into that this these those there it
its i he she his her him they them their you your we our which what who whom whose when where why how following true false
not no never correct incorrect right wrong except all any none both one two each every other another same such more most less
least than then if so only also very much many some statement statements option options answer answers question questions
choose select best likely unlikely about regarding concerning related relating associated association seen found used use
using uses can could may might should would will shall must does do did has have had having given give below above patient
patients example called known refers refer describes describe described best-known mentioned listed pick chosen regarding
between among during after before because due type types"""
"""Function words of English and the words that exams ask with."""
CHARACTERS = (
    "下列以上述关于有对中的说法叙述描述正确错误不是非否哪那些项个种为者属于最及其与和在无包括选择题答案请问什么何一"
    "可能应该会所由于之而则或被把将了吗呢如此这该等您你我他它们"
)
"""Characters of Chinese with which exams ask, and the commonest particles."""
PHRASES: tuple[str, ...] = (
    "comes to the physician because of", "comes to the office because of", "comes to the clinic because of",
    "comes to the emergency department because of", "is brought to the emergency department", "is brought to the physician",
    "is brought to the office by his", "is brought to the office by her", "presents to the emergency department with",
    "presents to the clinic with", "presents to the office", "presents to his primary care physician",
    "presents to her primary care physician", "year old man", "year old woman", "year old boy", "year old girl", "year old male",
    "year old female", "month old", "week history of", "day history of", "month history of", "year history of",
    "past medical history is significant for", "his past medical history", "her past medical history", "past medical history",
    "his vital signs are", "her vital signs are", "vital signs are within normal limits", "his temperature is",
    "her temperature is", "temperature is", "blood pressure is", "pulse is", "respirations are", "respiratory rate is",
    "oxygen saturation is", "mm hg", "physical examination shows", "physical exam is notable for", "on physical examination",
    "laboratory studies show", "laboratory values are", "appears to be in no acute distress", "which of the following",
    "most appropriate next step in management", "next best step in management", "best next step",
    "most likely diagnosis in this patient", "most likely cause of this patient's", "most likely explanation for",
    "most likely to be", "best describes the", "would be expected to", "is most likely responsible for",
    "all of the following are true", "all of the following", "not true about", "true statement about",
    "choose the correct option", "select the best answer", "answer the following question",
    "下列关于", "下列说法", "以下关于", "说法正确的是", "说法错误的是", "叙述正确的是", "叙述错误的是", "描述正确的是",
    "描述错误的是", "不正确的是", "正确的一项是", "最可能的诊断是", "首先考虑", "首选的治疗", "应首先采取", "最适宜的处理",
    "患者男", "患者女", "岁男性", "岁女性", "因为", "入院", "体格检查", "实验室检查", "不属于", "不包括",
)  # fmt: skip
"""Phrases that questions of unrelated exams have in common; their words count little where they stand together."""

MANY_ITEMS = 200
"""Items from which their own number says which tokens and phrases they share."""
SHARED_TOKENS, SHARED_PHRASES = 0.03, 0.005
"""Share of the items from which a token, or a run of `RUN` words or `CHINESE_RUN` characters, says nothing of which it is."""
RUN, CHINESE_RUN = 4, 6


def stock_hashes() -> np.ndarray:
    """uint64, sorted: hashes of the words and characters that do not tell."""
    hashes: np.ndarray = np.unique(fold(pl.Series([WORDS, CHARACTERS])).hashes)
    return hashes


def telling(items: Folded, phrases: Sequence[str] = ()) -> np.ndarray:
    """bool [tokens]: which tokens of the questions say which question it is.

    Those do not that are stock words, stand in a stock phrase (`PHRASES` and `phrases`), or are shared by many of the items.
    """
    rows = np.repeat(np.arange(len(items.offsets) - 1), np.diff(items.offsets))
    tells: np.ndarray = ~np.isin(items.hashes, stock_hashes())
    for phrase_of in _by_length((*PHRASES, *phrases)):
        size, hashes = phrase_of
        tells &= ~_covered(_grams(items, rows, size), hashes, size, len(rows))
    if len(items.offsets) - 1 >= MANY_ITEMS:
        tells &= ~np.isin(items.hashes, _shared(items.hashes, rows, SHARED_TOKENS))
        for size, chinese in ((RUN, False), (CHINESE_RUN, True)):
            grams = _grams(items, rows, size)
            mine = items.chinese[rows[: len(grams)]] == chinese
            often = _shared(grams[mine], rows[: len(grams)][mine], SHARED_PHRASES)
            tells &= ~_covered(np.where(mine, grams, np.uint64(0)), often, size, len(rows))
    return tells


def _by_length(phrases: Sequence[str]) -> list[tuple[int, np.ndarray]]:
    folded = fold(pl.Series(phrases, dtype=pl.String))
    sizes = np.diff(folded.offsets)
    rolling = Rolling(folded.hashes)
    hashes = rolling.spans(folded.offsets[:-1], folded.offsets[1:])
    return [(int(size), np.unique(hashes[sizes == size])) for size in np.unique(sizes) if size]


def _grams(items: Folded, rows: np.ndarray, size: int) -> np.ndarray:
    """uint64: the hash of every run of `size` tokens, 0 where it crosses the end of an item."""
    grams = Rolling(items.hashes).grams(size)
    grams[rows[: len(grams)] != rows[size - 1 :][: len(grams)]] = 0
    return grams


def _covered(grams: np.ndarray, wanted: np.ndarray, size: int, tokens: int) -> np.ndarray:
    """bool [tokens]: tokens that lie in one of the wanted runs."""
    at = np.flatnonzero(np.isin(grams, wanted) & (grams != 0))
    edges = np.zeros(tokens + 1, np.int64)
    np.add.at(edges, at, 1)
    np.add.at(edges, at + size, -1)
    covered: np.ndarray = np.cumsum(edges)[:tokens] > 0
    return covered


def _shared(hashes: np.ndarray, rows: np.ndarray, share: float) -> np.ndarray:
    """Hashes that at least that share of the items (and five of them) have."""
    values, _, counts = owners(hashes, rows)
    often: np.ndarray = values[(counts >= max(5, share * (int(rows.max(initial=0)) + 1))) & (values != 0)]
    return often
