"""Classes of characters: bits that say what a code point is, and how many characters of each class a row has."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

import numpy as np

from tilth.core.batch import Batch
from tilth.filters import _kernels, scripts, text_buffer

SPACE, WORD, JOINER, LETTER, NUMBER, HAN, KANA, LATIN = (1 << bit for bit in range(8))
"""WORD marks what forms runs, so Han and Kana letters lack it."""
PLAIN = 1 << 8
"""No punctuation mark or control character of datatrove's `PUNCTUATION_SET`."""
BLANK = 1 << 9
"""White space to Python (`str.isspace`, `str.split`): SPACE and four separators of the control block."""
HASH = 1 << 10
"""`#` or `…`."""

_JOINERS = "'’\u200c\u200d"

_TERMINAL_POINTS = """
589 61d 61e 61f 6d4 700 701 702 7f9 837 839 83d 83e 964 965 104a 104b 1362 1367 1368 166e 1735 1736 17d4 17d5 17d6
17d9 17da 1803 1809 1944 1945 1aa8 1aa9 1aaa 1aab 1b5a 1b5b 1b5e 1b5f 1b7d 1b7e 1c3b 1c3c 1c7e 1c7f 203c 203d 2047
2048 2049 2e2e 2e3c 2e53 2e54 a4ff a60e a60f a6f3 a6f7 a876 a877 a8ce a8cf a92f a9c8 a9c9 aa5d aa5e aa5f aaf0 aaf1
abeb fe52 fe56 fe57 ff61 10a56 10a57 10f55 10f56 10f57 10f58 10f59 10f86 10f87 10f88 10f89 11047 11048 110be 110bf
110c0 110c1 11141 11142 11143 111c5 111c6 111cd 111de 111df 11238 11239 1123b 1123c 112a9 1144b 1144c 115c2 115c3
115c9 115ca 115cb 115cc 115cd 115ce 115cf 115d0 115d1 115d2 115d3 115d4 115d5 115d6 115d7 11641 11642 1173c 1173d
1173e 11944 11946 11a42 11a43 11a9b 11a9c 11c41 11c42 11ef7 11ef8 11f43 11f44 16a6e 16a6f 16af5 16b37 16b38 16b44
16e98 1bc9f 1da88
"""
TERMINAL = "".join(chr(int(point, 16)) for point in _TERMINAL_POINTS.split()) + "!.?。．！？｡"
"""Sentence-final punctuation of all scripts: datatrove's `TERMINAL_PUNCTUATION` (Unicode's Sentence_Terminal)."""

PUNCTUATION = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»" + "".join(
    map(chr, (*range(9), *range(11, 13), *range(13, 32), *range(127, 160)))
)
"""datatrove's `PUNCTUATION`, character for character (a full-width 1 among them)."""
SYMBOLS = PUNCTUATION + TERMINAL
"""datatrove's `PUNCTUATION_SET`, character for character."""


@functools.cache
def classes() -> np.ndarray:
    """Code point → its class bits, uint16 [scripts.CODES]; 0.2 s, made once for a process."""
    table = np.zeros(scripts.CODES, np.uint16)
    for point in (*range(0x20000), *range(0x2F800, 0x2FA20)):
        match unicodedata.category(chr(point))[0]:
            case "L":
                table[point] = WORD | LETTER
            case "N":
                table[point] = WORD | NUMBER
            case "M":
                table[point] = WORD
    table[0xE0100:0xE01F0] = WORD  # variation selectors are marks
    table[scripts.members(scripts.LATIN) & ((table & LETTER) > 0)] |= LATIN
    table[0x20000:0x323B0] = LETTER  # the supplementary ideographic planes
    for ranges, bit in ((scripts.HAN, HAN), (scripts.KANA, KANA)):
        inside = scripts.members(ranges)
        table[inside] = (table[inside] | bit) & ~np.uint16(WORD)
    for char in _JOINERS:
        table[ord(char)] = JOINER
    for point in (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000):
        table[point] = SPACE
    table |= PLAIN
    table[[ord(char) for char in SYMBOLS]] &= ~np.uint16(PLAIN)
    for char in "#…":
        table[ord(char)] |= HASH
    table[(table & SPACE) > 0] |= BLANK
    table[0x1C:0x20] |= BLANK
    return table


@functools.cache
def _low_classes() -> np.ndarray:
    return classes().astype(np.uint8)


@dataclass(frozen=True)
class Counts:
    """How many characters of each row have each combination of the eight low class bits."""

    by_class: np.ndarray
    """int64 [rows, 256]."""

    def having(self, every: int = 0, none: int = 0) -> np.ndarray:
        """int64 [rows]: characters with all the bits `every` and none of the bits `none`."""
        values = np.arange(256)
        chosen = ((values & every) == every) & ((values & none) == 0)
        total: np.ndarray = self.by_class[:, chosen].sum(axis=1)
        return total


def counts(batch: Batch) -> Counts:
    """Class counts of `batch.texts`, made once for the batch."""
    return batch.memo("class_counts", lambda: counts_of(text_buffer.of_batch(batch)))


def counts_of(text: text_buffer.Text) -> Counts:
    """Class counts of some texts."""
    by_class = np.zeros((text.rows, 256), np.int64)
    _kernels.class_counts(text.data, text.offsets, _low_classes(), by_class)
    return Counts(by_class)
