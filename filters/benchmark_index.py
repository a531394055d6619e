"""Index of benchmark items by the n-gram hashes of their questions, for look-ups over millions of tokens a second.

How an item can be found (`docs/decontamination.md` gives the reasons and the figures):

- `ngrams`   its question has n tokens or more: by the share of its tokens that lie in n-grams standing together in a row;
- `whole`    a shorter question, of at least `min_tokens`: as one m-gram of its own length;
- `careful`  a question that is very short or made of exam phrases only ("下列说法正确的是"): where it is a whole line,
             or where most of its options follow it.
"""

from __future__ import annotations

import functools
import hashlib
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tilth.filters.folding import Folded, fold
from tilth.filters.hashing import Rolling

How = Literal["ngrams", "whole", "careful"]

STOCK_WORDS = """a an the of in on for to with and or is are was were be by as at from that this these those it its i which
what who whom when where why how following true false not correct incorrect right wrong except all any none both one
statement statements option options answer answers question choose select best most least likely about regarding
concerning related associated seen found used can may could should would will does do did has have had given below above
patient"""
STOCK_CHARACTERS = (
    "下列以上述关于有对中的说法叙述描述正确错误不是非否哪那些项个种为者属于最及其与和在无包括选择题答案请问什么何一"
)
MIN_CONTENT = 2
"""Words or characters beside the stock ones that a question needs to be looked for anywhere in a text."""
LINE_TOKENS = 2
"""Words or characters that a question needs to be found where it is a whole line: of one word, headings are full."""
LONG_ENOUGH = 7
"""Tokens from which one such word or character will do ("Which of the following is true about atropine")."""


@dataclass(frozen=True)
class Lengths:
    """Parameters of the index; the `zh_` ones count characters, for questions that are mostly Han or Kana."""

    ngram: int
    zh_ngram: int
    min_tokens: int
    zh_min_tokens: int


@dataclass(frozen=True)
class Item:
    """One item as it is looked for."""

    benchmark: str
    item: str
    how: How
    num_tokens: int
    n: int
    line: bool
    """Whether standing as a whole line is enough (`careful` only)."""
    options: tuple[bytes, ...]
    """Token hashes of each option (`careful` only)."""
    window: int
    """Tokens within which the parts of the item must stand together."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """n-gram hash → items. Postings of `grams[g]` are `posting_start[g]:posting_start[g + 1]`."""

    items: tuple[Item, ...]
    lengths: tuple[int, ...]
    grams: np.ndarray
    """uint64, sorted."""
    posting_start: np.ndarray
    posting_item: np.ndarray
    posting_ordinal: np.ndarray
    """int32: place of the n-gram in its question."""
    least: np.ndarray
    """float64 [items]: n-grams that cover a whole question at best, num_tokens / n."""
    sieve: np.ndarray
    """bool: whether any n-gram has these leading bits; 16 slots for each n-gram, so 6 % of the others pass."""
    shift: np.uint64


def describe(items: pl.DataFrame, lengths: Lengths) -> list[Item | None]:
    """How each item (columns benchmark, item, question, options) can be found; None for those that cannot."""
    questions = fold(items["question"])
    lists = items["options"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    options = fold(lists.explode(empty_as_null=False))
    option_at = np.concatenate(([0], np.cumsum(lists.list.len().to_numpy().astype(np.int64))))
    stock = np.sort(np.concatenate([fold(pl.Series([STOCK_WORDS])).hashes, fold(pl.Series([STOCK_CHARACTERS])).hashes]))
    described: list[Item | None] = []
    for row, (benchmark, item) in enumerate(items.select("benchmark", "item").iter_rows()):
        tokens = questions.hashes[questions.offsets[row] : questions.offsets[row + 1]]
        chinese = bool(questions.chinese[row])
        texts = {_option(options, i).tobytes() for i in range(option_at[row], option_at[row + 1])} - {b""}
        content = len(np.setdiff1d(tokens, stock))
        described.append(_describe(benchmark, item, tokens, content, chinese, tuple(sorted(texts)), lengths))
    return described


def _option(options: Folded, i: int) -> np.ndarray:
    return options.hashes[options.offsets[i] : options.offsets[i + 1]]


def _describe(
    benchmark: str, item: str, tokens: np.ndarray, content: int, chinese: bool, options: tuple[bytes, ...], lengths: Lengths
) -> Item | None:
    size = len(tokens)
    n, least = (lengths.zh_ngram, lengths.zh_min_tokens) if chinese else (lengths.ngram, lengths.min_tokens)
    telling = content >= MIN_CONTENT or (content == 1 and size >= LONG_ENOUGH)
    if size >= n and telling:
        return Item(benchmark, item, "ngrams", size, n, False, (), 2 * size + 32)
    if size >= least and telling:
        return Item(benchmark, item, "whole", size, size, False, (), size)
    line = size >= LINE_TOKENS and content >= 1
    if len(options) < 2 or (content == 0 and size < least):
        options = ()
    if size == 0 or not (line or options):
        return None
    room = sum(len(option) // 8 + 4 for option in options) + 12
    return Item(benchmark, item, "careful", size, size, line, options, room)


def build(items: pl.DataFrame, lengths: Lengths) -> BenchmarkIndex:
    """The index of these items (columns benchmark, item, question, options); made once in a process."""
    buffer = io.BytesIO()
    items.select("benchmark", "item", "question", "options").write_ipc(buffer, compression="uncompressed")
    return _build(_Frame(items, hashlib.blake2b(buffer.getvalue(), digest_size=16).hexdigest()), lengths)


class _Frame:
    """A frame that is equal to another with the same content, so that it can be the key of a cache."""

    def __init__(self, frame: pl.DataFrame, digest: str) -> None:
        self.frame, self.digest = frame, digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frame) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=4)
def _build(frame: _Frame, lengths: Lengths) -> BenchmarkIndex:
    questions = fold(frame.frame["question"])
    items: list[Item] = []
    hashes, owners, ordinals = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for row, item in enumerate(describe(frame.frame, lengths)):
        if item is None:
            continue
        grams = Rolling(questions.hashes[questions.offsets[row] : questions.offsets[row + 1]]).grams(item.n)
        hashes.append(grams)
        owners.append(np.full(len(grams), len(items), np.int32))
        ordinals.append(np.arange(len(grams), dtype=np.int32))
        items.append(item)
    every, owner, ordinal = np.concatenate(hashes), np.concatenate(owners), np.concatenate(ordinals)
    order = np.argsort(every, kind="stable")
    grams, counts = np.unique(every, return_counts=True)
    bits = max(12, int(np.ceil(np.log2(16 * len(grams) + 1))))
    shift = np.uint64(64 - bits)
    sieve = np.zeros(1 << bits, bool)
    sieve[grams >> shift] = True
    return BenchmarkIndex(
        items=tuple(items),
        lengths=tuple(sorted({item.n for item in items})),
        grams=grams,
        posting_start=np.concatenate(([0], np.cumsum(counts))),
        posting_item=owner[order],
        posting_ordinal=ordinal[order],
        least=np.array([item.num_tokens / item.n for item in items]),
        sieve=sieve,
        shift=shift,
    )
