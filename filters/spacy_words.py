"""Words and sentences as spaCy's blank English tokenizer and sentencizer give them, without spaCy.

This is what datatrove 0.10 calls words in `eng_Latn` (`SpaCyTokenizer("en")`): tokens stripped of white space, those of
white space alone left out. The rules are compiled (filters/kernels/spacy*.c), their tables are `spacy_english`'s, taken
from the spaCy version it names.

One thing differs: spaCy refuses the token `IS_ALPHA` from the second time on that a process meets it, whereupon datatrove
removes the string from that text. Here it is always a token, as it is the first time there.

>>> data = np.frombuffer("Don't pay $5 (e.g. now). OK?".encode(), np.uint8)
>>> begins, ends, rows = spans(data, np.array([0, len(data)]))
>>> [bytes(data[begin:end]).decode() for begin, end in zip(begins, ends)]
['Do', "n't", 'pay', '$', '5', '(', 'e.g.', 'now', ')', '.', 'OK', '?']
>>> sentences(data, np.array([0, len(data)])).tolist()
[2]
"""

from __future__ import annotations

import functools

import numpy as np

from tilth.filters import _kernels, spacy_english
from tilth.filters.scripts import CODES

_BITS = """
space alpha lower upper before_stop before_dot after_dot icon
prefix suffix word digit punctuation sentence_end infix unit_end
"""
"""In the order of the enumeration in filters/kernels/spacy.h."""
_INFIXES = ".+-*^,–—~:<>=/"
"""Beside icons, what an infix may begin with."""


def spans(data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First byte of each word, one past its last, first word of each row (int64), of the rows of a `text_buffer.Text`."""
    room = int(offsets[-1] - offsets[0])
    # A word for every byte at most; what is not written to takes no memory.
    begins, ends, rows = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(len(offsets), np.int64)
    count = _kernels.spacy_spans(_tables(), data, np.ascontiguousarray(offsets, np.int64), begins, ends, rows)
    return begins[:count], ends[:count], rows


def sentence_spans(
    data: np.ndarray, offsets: np.ndarray, begins: np.ndarray, ends: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of the sentences, from the words that `spans` found; white space around a sentence is no part of it."""
    found = np.empty(len(begins), np.int64), np.empty(len(begins), np.int64), np.empty(len(rows), np.int64)
    count = _kernels.spacy_sentences(_tables(), data, np.ascontiguousarray(offsets, np.int64), begins, ends, rows, *found)
    return found[0][:count], found[1][:count], found[2]


def sentences(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """int64 [rows]: how many sentences each row has."""
    counts: np.ndarray = np.diff(sentence_spans(data, offsets, *spans(data, offsets))[2])
    return counts


@functools.cache
def _tables() -> object:
    specials = "\n".join(spacy_english.SPECIALS.split()).replace(spacy_english.CUT, "\t")
    return _kernels.spacy_tables(_classes(), "\n".join(spacy_english.UNITS.split()).encode(), specials.encode())


def _classes() -> np.ndarray:
    """Code point → class bits, uint16 [CODES]."""
    table = np.zeros(CODES, np.uint16)
    bits = {name: np.uint16(1 << place) for place, name in enumerate(_BITS.split())}
    for name, ranges in spacy_english.CLASSES.items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            table[int(first, 16) : int(last or first, 16) + 1] |= bits[name]
    table[[ord(unit[-1]) for unit in spacy_english.UNITS.split()]] |= bits["unit_end"]
    table[[ord(char) for char in _INFIXES]] |= bits["infix"]
    table[(table & bits["icon"]) > 0] |= bits["infix"]
    return table
