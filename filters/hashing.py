"""Hashes of tokens and of their n-grams, in 64 bits, the same on every machine and for ever.

The hash of a sequence v is sum(v[i] * BASE**i) modulo 2**64. With the running sum of all v[k] * BASE**k, that of any
part costs one subtraction and one multiplication, however long the part is; `mix` scatters what comes out.
"""

from __future__ import annotations

import numpy as np

BASE = 0xD1342543DE82EF95
"""Odd, so that it has an inverse modulo 2**64."""
_SMALLEST = 1 << 18
"""Powers kept at least; 4 MiB with the inverses."""
_GOLDEN, _M1, _M2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_POWERS: tuple[np.ndarray, np.ndarray] = (np.ones(1, np.uint64), np.ones(1, np.uint64))


def mix(values: np.ndarray) -> np.ndarray:
    """splitmix64: a fixed bijection of 64-bit values."""
    mixed = values + _GOLDEN
    mixed ^= mixed >> np.uint64(30)
    mixed *= _M1
    mixed ^= mixed >> np.uint64(27)
    mixed *= _M2
    mixed ^= mixed >> np.uint64(31)
    return mixed


def power_tables(size: int) -> tuple[np.ndarray, np.ndarray]:
    """BASE**i and BASE**-i modulo 2**64 for i < size, at least."""
    global _POWERS
    if len(_POWERS[0]) < size:
        made = []
        for base in (BASE, pow(BASE, -1, 1 << 64)):
            table = np.full(max(size, _SMALLEST), base, np.uint64)
            table[0] = 1
            made.append(np.multiply.accumulate(table))
        _POWERS = made[0], made[1]
    return _POWERS


def owners(values: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(values that differ, sorted; which of them each one is; how many owners each has), of values that owners (int64) hold."""
    distinct, number = np.unique(values, return_inverse=True)
    tall = int(owner.max(initial=0)) + 1
    pairs = np.sort(number * tall + owner)  # np.unique without counts would hash, which is slower
    first = np.diff(pairs, prepend=-1) != 0
    return distinct, number, np.bincount(pairs[first] // tall, minlength=len(distinct))


class Rolling:
    """Hashes of parts of a sequence (uint64 [size]): of n-grams of token hashes, or of tokens in characters."""

    def __init__(self, values: np.ndarray) -> None:
        self.size = len(values)
        powers, self._inverses = power_tables(self.size + 1)
        self._sums = np.zeros(self.size + 1, np.uint64)
        np.cumsum(values * powers[: self.size], out=self._sums[1:])

    def grams(self, n: int) -> np.ndarray:
        """uint64 [max(size - n + 1, 0)]: the hash of the n values from each place on."""
        places = max(self.size - n + 1, 0)
        hashes: np.ndarray = (self._sums[n : n + places] - self._sums[:places]) * self._inverses[:places]
        return hashes

    def spans(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """uint64: the hash of the values of each span."""
        hashes: np.ndarray = (self._sums[ends] - self._sums[starts]) * self._inverses[starts]
        return hashes
