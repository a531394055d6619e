"""The items of benchmarks as they are looked for: their tokens, what each token tells, and seeds that find them fast.

A seed is the hash of a few neighbouring tokens of a question: three words, or four Han or Kana characters. Questions of
moderate length have seeds with one word (one or two characters) left out as well, so that a row from which a word was
dropped still holds a run of neighbours that is a seed. Seeds only point: `alignment` and `benchmark_hits` decide.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from tilth.filters.alignment import STOCK_WEIGHT, TELLING_WEIGHT, Lists
from tilth.filters.common_phrases import telling
from tilth.filters.folding import Folded, fold
from tilth.filters.hashing import BASE, owners

WORD_SEEDS: tuple[tuple[int, ...], ...] = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (0, 1, 4), (0, 2, 4), (0, 3, 4))
CHARACTER_SEEDS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 3), (0, 1, 2, 4), (0, 1, 3, 4), (0, 2, 3, 4), (0, 1, 2, 5), (0, 1, 4, 5), (0, 3, 4, 5),
)  # fmt: skip
"""Which neighbours make a seed; the first of each is the run as it stands, the others leave out what a reader may drop."""
WIDE = 2
"""Tokens left out from which a seed must hold as many that tell."""
GAPS_UP_TO = 32
"""Tokens of a question up to which the seeds with gaps are made: of a longer one, runs enough stay whole."""
FEW_CHARACTERS = 9
"""Characters of a question up to which its seeds have three of them."""
MANY_ITEMS = 24
"""Items that may share a seed; one that more share is kept only where a question has fewer than `FEWEST` others."""
FEWEST = 3
LEAST = 0.5
"""The coverage under which no item is a leak."""
WORDS_LONG = 13
"""Words from which a question is long."""
CHARACTERS_PER_WORD = 1.6
"""Han or Kana characters that count as one word."""
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True, eq=False)
class Item:
    """One item as it is looked for."""

    benchmark: str
    item: str
    question: str
    chinese: bool
    """Whether at least half of the question's tokens are Han or Kana."""
    tokens: np.ndarray
    """uint64 [n]: hashes of the question's tokens."""
    starts: np.ndarray
    """int32 [n]: first character of each in `question`; `ends` one past its last."""
    ends: np.ndarray
    tells: np.ndarray
    """bool [n]: whether the token says which question this is (`common_phrases`)."""
    numbers: np.ndarray
    """bool [n]: whether the token holds a digit."""
    options: tuple[np.ndarray, ...]
    """uint64: token hashes of each option, no two alike."""

    @property
    def long(self) -> bool:
        """13 words or more, 21 characters."""
        return self.words >= WORDS_LONG

    @property
    def words(self) -> float:
        """Length of the question; of Chinese, in characters over `CHARACTERS_PER_WORD`."""
        return len(self.tokens) / (CHARACTERS_PER_WORD if self.chinese else 1.0)

    @property
    def alone(self) -> float:
        """The coverage under which the item is a leak nowhere but where its options follow as a list (`benchmark_rule`)."""
        return 0.6 if self.words >= 8 else 0.66 if self.chinese else 0.62

    @functools.cached_property
    def weights(self) -> np.ndarray:
        """float32 [n]: what each token counts in an alignment."""
        counted: np.ndarray = np.where(self.tells, TELLING_WEIGHT, STOCK_WEIGHT).astype(np.float32)
        return counted

    @functools.cached_property
    def weight(self) -> float:
        """What the whole question counts."""
        return float(self.weights.sum())

    @functools.cached_property
    def num_telling(self) -> int:
        """Tokens that tell."""
        return int(self.tells.sum())

    @functools.cached_property
    def says(self) -> frozenset[int]:
        """Hashes of the question's tokens and of its neighbouring pairs."""
        return frozenset((*self.tokens.tolist(), *pairs_of(self.tokens).tolist()))

    @functools.cached_property
    def option_pairs(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Of each option its tokens' number and the hashes of its neighbouring pairs; of one token, its own."""
        return tuple((len(option), tuple((pairs_of(option) if len(option) > 1 else option).tolist())) for option in self.options)


@dataclass(frozen=True)
class Seeds:
    """Seeds of one length → (item, ordinal). Postings of `grams[g]` are `start[g]:start[g + 1]`."""

    length: int
    grams: np.ndarray
    """uint64, sorted."""
    start: np.ndarray
    item: np.ndarray
    ordinal: np.ndarray
    """int32: place of the seed's first token in its question."""
    sieve: np.ndarray
    """uint8: a bit for each value of the leading bits, set where a seed has them; 16 for each seed, so 6 % of the others pass."""
    shift: np.uint64
    heads: np.ndarray
    """int32: for each value of the leading bits but four, the first gram that has them or more."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """Items, and their seeds by length."""

    items: tuple[Item, ...]
    seeds: tuple[Seeds, ...]
    sizes: np.ndarray
    """int64 [items]: tokens of each question."""
    lengths: np.ndarray
    """int64 [items]: tokens of its seeds."""
    reach: np.ndarray
    """int64 [items]: tokens of each question that lie in one of its seeds."""
    questions: Lists
    weights: np.ndarray
    """float32: what each token of `questions` counts; `weight` float64 [items]: what the whole question does."""
    weight: np.ndarray
    options: Lists
    """The tokens of all options of each item."""
    num_options: np.ndarray
    """int64 [items]."""
    alone: np.ndarray
    """float64 [items]: coverage under which each is a leak nowhere but with its options."""


def pairs_of(tokens: np.ndarray) -> np.ndarray:
    """uint64: hashes of neighbouring pairs."""
    pairs: np.ndarray = tokens[:-1] * np.uint64(BASE) + tokens[1:]
    return pairs


def describe(items: pl.DataFrame, phrases: tuple[str, ...] = ()) -> list[Item | None]:
    """Each item (columns benchmark, item, question, options) as it is looked for; None for those that cannot be.

    A question needs one token that tells, or options that do.
    """
    questions = fold(items["question"])
    lists = items["options"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    options = fold(lists.explode(empty_as_null=False))
    option_at = np.concatenate(([0], np.cumsum(lists.list.len().to_numpy().astype(np.int64))))
    tells = telling(questions, phrases)
    described: list[Item | None] = []
    for row, (benchmark, item, question) in enumerate(items.select("benchmark", "item", "question").iter_rows()):
        here = slice(questions.offsets[row], questions.offsets[row + 1])
        texts = {options.hashes[options.offsets[k] : options.offsets[k + 1]].tobytes() for k in range(option_at[row], option_at[row + 1])}
        chosen = tuple(np.frombuffer(one, np.uint64) for one in sorted(texts - {b""}))
        if here.start == here.stop or not (tells[here].any() or len(chosen) >= 2):
            described.append(None)
            continue
        described.append(_item(benchmark, item, question, questions, here, tells[here], chosen, bool(questions.chinese[row])))
    return described


def _item(
    benchmark: str, item: str, question: str, folded: Folded, here: slice, tells: np.ndarray, options: tuple[np.ndarray, ...], chinese: bool
) -> Item:
    starts, ends = folded.starts[here], folded.ends[here]
    places = (found.start() for found in _DIGIT.finditer(question)) if question.isascii() else (k for k, char in enumerate(question) if char.isdigit())
    digits = np.fromiter(places, np.int32)
    numbers = np.searchsorted(digits, starts) < np.searchsorted(digits, ends)
    return Item(benchmark, item, question, chinese, folded.hashes[here], starts, ends, tells, numbers, options)


def build(items: pl.DataFrame, phrases: tuple[str, ...] = ()) -> BenchmarkIndex:
    """The index of these items (columns benchmark, item, question, options); made once in a process."""
    global _LAST
    if _LAST is None or _LAST[0] is not items or _LAST[1] != phrases:  # batch after batch brings the same frame
        _LAST = items, phrases, _build(_frame(items), phrases)
    return _LAST[2]


_LAST: tuple[pl.DataFrame, tuple[str, ...], BenchmarkIndex] | None = None


def _frame(items: pl.DataFrame) -> _Frame:
    buffer = io.BytesIO()
    items.select("benchmark", "item", "question", "options").write_ipc(buffer, compression="uncompressed")
    return _Frame(items, hashlib.blake2b(buffer.getvalue(), digest_size=16).hexdigest())


class _Frame:
    """A frame that is equal to another with the same content, so that it can be the key of a cache."""

    def __init__(self, frame: pl.DataFrame, digest: str) -> None:
        self.frame, self.digest = frame, digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frame) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=4)
def _build(frame: _Frame, phrases: tuple[str, ...]) -> BenchmarkIndex:
    items = tuple(item for item in describe(frame.frame, phrases) if item is not None)
    sizes = np.array([len(item.tokens) for item in items], np.int64)
    reach, lengths = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
    seeds: list[Seeds] = []
    for length, parts in _by_length(items).items():
        gram, item, ordinal, span = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = _rare(gram, item)
        gram, item, ordinal, span = gram[kept], item[kept], ordinal[kept], span[kept]
        lengths[item] = length
        np.add.at(reach, *_reached(item, ordinal, span))
        seeds.append(_seeds(length, gram, item, ordinal))
    return BenchmarkIndex(
        items, tuple(seeds), sizes, lengths, reach,
        questions=Lists.of([item.tokens for item in items]),
        weights=np.concatenate([np.zeros(0, np.float32), *(item.weights for item in items)]),
        weight=np.array([item.weight for item in items]),
        options=Lists.of([np.concatenate([np.zeros(0, np.uint64), *item.options]) for item in items]),
        num_options=np.array([len(item.options) for item in items], np.int64),
        alone=np.array([item.alone for item in items]),
    )  # fmt: skip


def _by_length(items: tuple[Item, ...]) -> dict[int, list[tuple[np.ndarray, ...]]]:
    """Tokens in a seed → (hash, item, ordinal, tokens spanned) of all such seeds, in parts."""
    kinds: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for number, item in enumerate(items):
        size = len(item.tokens)
        patterns = CHARACTER_SEEDS if item.chinese and size > FEW_CHARACTERS else WORD_SEEDS
        if size < len(patterns[0]):
            patterns = (tuple(range(size)),)
        kinds.setdefault(patterns[:1] if size > GAPS_UP_TO else patterns, []).append(number)
    found: dict[int, list[tuple[np.ndarray, ...]]] = {}
    for patterns, numbers in kinds.items():
        tokens, tells = (np.concatenate(column) for column in zip(*((items[n].tokens, items[n].tells) for n in numbers), strict=True))
        sizes = np.array([len(items[n].tokens) for n in numbers], np.int64)
        owner, least = (np.repeat(column, sizes) for column in (numbers, [int(items[n].tells.any()) for n in numbers]))
        ordinal = np.arange(len(tokens)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        after = np.repeat(sizes, sizes) - ordinal
        for pattern in patterns:
            at = np.flatnonzero(after > pattern[-1])
            gram = sum((tokens[at + offset] * np.uint64(pow(BASE, k, 1 << 64)) for k, offset in enumerate(pattern)), np.zeros(len(at), np.uint64))
            says = sum((tells[at + offset].astype(np.int64) for offset in pattern), np.zeros(len(at), np.int64))
            kept = says >= (WIDE if pattern[-1] + 1 - len(pattern) >= WIDE else least[at])
            gram, at = gram[kept], at[kept]
            found.setdefault(len(pattern), []).append((gram, owner[at], ordinal[at], np.full(len(at), pattern[-1] + 1)))
    return dict(sorted(found.items()))


def _rare(gram: np.ndarray, item: np.ndarray) -> np.ndarray:
    """bool: seeds that few items share, and of each item the `FEWEST` rarest whatever they are."""
    _, number, counts = owners(gram, item)
    shared = counts[number]
    order = np.lexsort((np.arange(len(gram)), shared, item))
    begins = np.flatnonzero(np.diff(item[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    kept: np.ndarray = shared <= MANY_ITEMS
    kept[order[rank < FEWEST]] = True
    return kept


def _reached(item: np.ndarray, ordinal: np.ndarray, span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(items, how many of their tokens lie in seeds)."""
    order = np.lexsort((ordinal, item))
    item, end = item[order], (ordinal + span)[order]
    tall = int(end.max(initial=0)) + 1
    reached = np.maximum.accumulate(end + item * tall)  # ends only grow within an item, and items are apart
    before = np.concatenate(([0], reached[:-1]))
    begin = np.maximum(ordinal[order] + item * tall, before)
    return item, np.maximum(end + item * tall - begin, 0)


def _seeds(length: int, gram: np.ndarray, item: np.ndarray, ordinal: np.ndarray) -> Seeds:
    order = np.argsort(gram, kind="stable")
    grams, counts = np.unique(gram, return_counts=True)
    bits = max(12, int(np.ceil(np.log2(16 * len(grams) + 1))))
    shift = np.uint64(64 - bits)
    slots = np.zeros(1 << bits, bool)
    slots[grams >> shift] = True
    sieve = np.packbits(slots, bitorder="little")
    heads = np.searchsorted(grams >> (shift + np.uint64(4)), np.arange((1 << (bits - 4)) + 1, dtype=np.uint64)).astype(np.int32)
    start = np.concatenate(([0], np.cumsum(counts)))
    return Seeds(length, grams, start, item[order].astype(np.int32), ordinal[order].astype(np.int32), sieve, shift, heads)
