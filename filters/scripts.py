"""Han, Kana and Latin: which code points belong to them. Every table of characters in this room is made from these.

>>> [bool(members(HAN, KANA)[ord(char)]) for char in "胃々〇ーｶ\U00030000・䷀a"]
[True, True, True, True, True, True, False, False, False]
"""

from __future__ import annotations

import numpy as np

CODES = 0x110000
Ranges = tuple[tuple[int, int], ...]
"""(first, last) code points, both inside."""

HAN: Ranges = (
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303B),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # the hexagrams before it, 4DC0 to 4DFF, are symbols
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFD),  # planes 2 and 3 whole: what is not yet assigned there is kept for Han
)
KANA: Ranges = ((0x3041, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F))
LATIN: Ranges = (
    (0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F),
    (0xA722, 0xA7FF), (0xFB00, 0xFB06), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
)  # fmt: skip
"""With the signs between its letters, such as ×."""


def members(*scripts: Ranges) -> np.ndarray:
    """bool [CODES]: whether a code point is in one of these."""
    table = np.zeros(CODES, bool)
    for ranges in scripts:
        for first, last in ranges:
            table[first : last + 1] = True
    return table
