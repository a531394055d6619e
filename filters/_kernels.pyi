"""Compiled loops over text (filters/kernels/*.c). Buffers are C-contiguous numpy arrays or anything with their bytes.

`data` (uint8) and `offsets` (int64 [rows + 1]) are a `text_buffer.Text`. A segmenter fills `begins` and `ends` (int64, room
for every byte) and `rows` (int64 [rows + 1], first token of each row), and returns how many tokens it found.

Raises (all): ValueError: buffers that do not fit together; MemoryError.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Buffer: TypeAlias = np.ndarray[Any, Any] | bytes

DIGEST: str
"""sha256 (16 hex digits) of the C sources: what the extension's code is, in stage keys."""

def script_spans(data: Buffer, offsets: Buffer, classes: Buffer, begins: Buffer, ends: Buffer, rows: Buffer) -> int:
    """`script` words; `classes` as `char_classes.classes()`."""

def whitespace_spans(data: Buffer, offsets: Buffer, classes: Buffer, begins: Buffer, ends: Buffer, rows: Buffer) -> int:
    """What stands between white space; `classes` as above."""

def describe(
    data: Buffer, begins: Buffer, ends: Buffer, classes: Buffer, lengths: Buffer, flags: Buffer, polynomials: Buffer
) -> None:
    """Fills, for each span, int32 characters, uint16 class bits that any has, uint64 sum of point * BASE**position."""

def class_counts(data: Buffer, offsets: Buffer, classes: Buffer, counts: Buffer) -> None:
    """Fills int64 [rows, 256]: how many characters of each row have each class (`classes`: uint8)."""

def ngram_characters(
    offsets: Buffer, lengths: Buffer, polynomials: Buffer, hashes: Buffer, tops: Buffer, repeats: Buffer, covers: Buffer,
    shares: Buffer, counts: Buffer,
) -> None:  # fmt: skip
    """Fills int64 [rows, 3 * tops + repeats + covers + 2 * shares]; see `ngrams.count`. Sizes n are int64, ascending."""

def simplify(data: Buffer, offsets: Buffer, classes: Buffer, begins: Buffer, utf8: Buffer, out: Buffer, out_offsets: Buffer) -> int:
    """Fills `out` with the simplified texts, `out_offsets` with where each begins; returns the bytes; see `simplified`."""

def joined_ngrams(data: Buffer, begins: Buffer, ends: Buffer, rows: Buffer, n: int, hashes: Buffer, hash_rows: Buffer) -> int:
    """Fills xxHash64 (uint64, room for every token) of n tokens joined by a space, and the first of each row."""

def mersenne_signatures(hashes: Buffer, offsets: Buffer, a: Buffer, b: Buffer, least: Buffer) -> None:
    """Fills uint64 [rows, len(a)]: least (hash * a + b) mod 2**64 mod 2**61 - 1 of each row."""

def signatures(hashes: Buffer, offsets: Buffer, factors: Buffer, least: Buffer) -> None:
    """Fills uint32 [rows, len(factors)]: least (hash >> 32) * factor mod 2**32 of each row."""

def shingle_sets(tokens: Buffer, offsets: Buffer, sizes: Buffer, values: Buffer, counts: Buffer) -> int:
    """Fills the distinct n-gram hashes (uint64, room for every token) of each row, sorted, and the first of each row."""

def shared(
    values: Buffer, offsets: Buffer, other_values: Buffer, other_offsets: Buffer, left: Buffer, right: Buffer, counts: Buffer
) -> None:
    """Fills int64 [pairs]: values that row `left` of the one sets has in common with row `right` of the others; `shingle_sets`."""

def fold_tokens(
    data: Buffer, offsets: Buffer, lengths: Buffer, folded: Buffer, flat: Buffer, kinds: Buffer,
    hashes: Buffer, starts: Buffer, ends: Buffer, single: Buffer, breaks: Buffer, rows: Buffer,
) -> int:  # fmt: skip
    """Fills the columns of a `folding.Folded` (room for two tokens a byte) and the first token of each row; `folding.Table`."""

def jieba_table(dictionary: Buffer, log: Callable[[int], float], start: Buffer, trans: Buffer, emit: Buffer) -> object:
    """A capsule: jieba's dictionary and model (float64 [4], [4, 4], [codes, 4]); see `jieba_words.table_of`."""

def jieba_spans(table: object, data: Buffer, offsets: Buffer, begins: Buffer, ends: Buffer, rows: Buffer) -> int:
    """jieba's words."""

def jieba_sentences(data: Buffer, begins: Buffer, ends: Buffer, rows: Buffer, marks: Buffer, counts: Buffer) -> None:
    """Fills int64 [rows]: sentences of each row, from its words; see `jieba_words.sentences`."""

def spacy_tables(classes: Buffer, units: Buffer, specials: Buffer) -> object:
    """A capsule: spaCy's English rules (uint16 class bits of all code points, lines of UTF-8); see `spacy_words`."""

def spacy_spans(tables: object, data: Buffer, offsets: Buffer, begins: Buffer, ends: Buffer, rows: Buffer) -> int:
    """spaCy's English words."""

def spacy_sentences(
    tables: object, data: Buffer, offsets: Buffer, begins: Buffer, ends: Buffer, rows: Buffer,
    sentence_begins: Buffer, sentence_ends: Buffer, sentence_rows: Buffer,
) -> int:  # fmt: skip
    """Fills the sentences' spans (room for every word) and the first of each row, from the words; returns how many."""

def known_grams(
    hashes: Buffer, offsets: Buffer, n: int, grams: Buffer, sieve: Buffer, shift: int, heads: Buffer,
    rows: Buffer, places: Buffer, slots: Buffer,
) -> int:  # fmt: skip
    """Fills row, first token and slot in `grams` (int64, room for every token) of each n-gram that is there; returns how many."""

def alignments(
    questions: Buffer, weights: Buffer, rows: Buffer, text: Buffer, item: Buffer, begin: Buffer, end: Buffer, insertion: float,
    least: Buffer, scores: Buffer, matched: Buffer,
) -> None:  # fmt: skip
    """Fills the score (float32) of each pair, and, where it is `least` or more, the token that each of the question's is (int64)."""

def tokens_held(lists: Buffer, rows: Buffer, text: Buffer, item: Buffer, begin: Buffer, end: Buffer, counts: Buffer) -> None:
    """Fills how many tokens (int32) of list `item` the text holds from `begin` to `end`, each as often as it is listed."""

def fasttext_model(file: Any) -> tuple[object, list[bytes]]:
    """A capsule over a model's file (any buffer, which it keeps: an mmap), and its labels; see `fasttext_models`."""

def fasttext_best(model: object, data: Buffer, offsets: Buffer, labels: Buffer, scores: Buffer) -> None:
    """Fills the best label of each row (int32, -1: none) and its probability (float32)."""

def fasttext_all(model: object, data: Buffer, offsets: Buffer, scores: Buffer) -> None:
    """Fills the probability (float32) of every label of each row, 0 where fastText does not name it."""

def near(
    data: Buffer, offsets: Buffer, members: Buffer, least: int, within: int, around: int,
    rows: Buffer, begins: Buffer, out: Buffer, out_offsets: Buffer,
) -> int:  # fmt: skip
    """Fills the parts of texts around `least` bytes of a kind (uint8 [256]) within so many, and so many `around` them: row and
    characters before each, the parts one behind the other (room for all of data) and where each begins; returns how many."""
