"""MinHash: signatures whose share of equal values estimates the Jaccard similarity of two shingle sets.

Broder, "On the resemblance and containment of documents", 1997; bands of rows after Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3: two sets of similarity s share a band with probability 1 - (1 - s**rows)**bands.
The k-th permutation of the shingle hashes h (uniform, 32 bits) is h * odd_k modulo 2**32, a bijection.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import polars as pl

from tilth.core import threads
from tilth.filters import _kernels
from tilth.filters.hashing import mix

EMPTY = np.uint32(0xFFFFFFFF)
MERSENNE = (1 << 61) - 1
PAIRS = 1 << 20
"""Pairs of a band looked at together."""
BLOCK = 1 << 16
"""Rows whose signatures are copied together."""


def multipliers(num_perm: int) -> np.ndarray:
    """uint32 [num_perm]: odd numbers, fixed for ever."""
    drawn = mix(np.arange(1, num_perm + 1, dtype=np.uint64) << np.uint64(20))
    return (drawn >> np.uint64(32)).astype(np.uint32) | np.uint32(1)


def signatures(shingles: np.ndarray, offsets: np.ndarray, num_perm: int) -> np.ndarray:
    """uint32 [rows, num_perm] from uint64 shingle hashes and int64 offsets [rows + 1]; EMPTY where a row has none."""
    result = np.empty((len(offsets) - 1, num_perm), np.uint32)
    _kernels.signatures(shingles, offsets, multipliers(num_perm), result)
    return result


def datatrove_signatures(shingles: np.ndarray, offsets: np.ndarray, num_perm: int, seed: int = 1) -> np.ndarray:
    """uint64 [rows, num_perm], bit for bit those of datatrove 0.10's `MinhashDedupSignature` with 64-bit xxHash.

    `shingles` are its own too: `simplified.ngram_hashes` of the words that it would find. A row without shingles, for
    which datatrove writes nothing, has the largest value throughout.
    """
    draw = np.random.RandomState(seed)
    a, b = (draw.randint(low, MERSENNE, dtype=np.uint64, size=num_perm) for low in (1, 0))
    result = np.empty((len(offsets) - 1, num_perm), np.uint64)
    _kernels.mersenne_signatures(shingles, offsets, a, b, result)
    return result


def stored(signatures: pl.Series, rows: np.ndarray) -> np.ndarray:
    """uint32 [rows, num_perm]: the signatures of some rows out of a column of lists of one length, copied once."""
    result = np.empty((len(rows), len(signatures[int(rows[0])]) if len(rows) else 1), np.uint32)
    for i in range(0, len(rows), BLOCK):
        result[i : i + BLOCK] = signatures.gather(rows[i : i + BLOCK]).explode().to_numpy().reshape(-1, result.shape[1])
    return result


def set_keys(shingles: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """uint64 [rows]: a key of the whole shingle set (and its size), equal for equal sets."""
    sums = np.zeros(len(shingles) + 1, np.uint64)
    np.cumsum(mix(shingles), out=sums[1:])
    return mix((sums[offsets[1:]] - sums[offsets[:-1]]) ^ mix(np.diff(offsets).astype(np.uint64)))


def candidates(signature: np.ndarray, sizes: np.ndarray, bands: int, floor: float) -> np.ndarray:
    """Pairs of rows that share a band and may be as similar as `floor`: uint64 [pairs], left << 32 | right, sorted.

    Two sets of sizes a < b are at most a / b similar (exact); and pairs whose estimate lies more than 4 standard errors
    under the floor are left out (1 in 30,000 at the floor itself). Large buckets are filtered piece by piece, and a pair
    counts in the first band that it shares only, so that memory grows with the pairs that remain: 8 bytes each.
    """
    least = floor - 4 * float(np.sqrt(floor * (1 - floor) / signature.shape[1]))
    found: deque[np.ndarray] = deque()
    for pairs in threads.each(lambda band: _in_band(signature, band, bands, sizes, floor, least), range(bands)):
        found += pairs
    every, end = np.empty(sum(map(len, found)), np.uint64), 0
    while found:  # one after the other: what is not yet written to takes no memory
        part = found.popleft()
        every[end : end + len(part)] = part
        end += len(part)
    every.sort()
    return every


def _in_band(signature: np.ndarray, band: int, bands: int, sizes: np.ndarray, floor: float, least: float) -> list[np.ndarray]:
    """The candidates that share this band and none before it, in parts."""
    rows, width = len(signature), signature.shape[1] // bands
    keys = band_key(signature, band, width)
    order = np.argsort(keys, kind="stable")  # stable: members of a bucket stay in the order of the rows
    ordered = keys[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    bucket_ends = np.repeat(np.append(begins[1:], rows), np.diff(np.append(begins, rows)))
    partners = bucket_ends - np.arange(rows) - 1  # for each place: members after it in its bucket
    found: list[np.ndarray] = []
    first = 0
    while first < rows:
        last = first + max(1, int(np.searchsorted(np.cumsum(partners[first:]), PAIRS, side="right")))
        counts = partners[first:last]
        place = np.repeat(np.arange(first, min(last, rows)), counts)
        after = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        left, right = order[place], order[place + after]
        small, large = np.minimum(sizes[left], sizes[right]), np.maximum(sizes[left], sizes[right])
        near = small >= floor * large
        found.append(_likely(signature, left[near], right[near], band * width, width, least))
        first = last
    return found


def band_key(signature: np.ndarray, band: int, width: int) -> np.ndarray:
    """uint64 [rows]: equal where the values of the band, `width` of them, are."""
    keys = np.full(len(signature), band, np.uint64)
    for column in signature[:, band * width : (band + 1) * width].T:
        keys = mix(keys ^ column)
    return keys


def _likely(signature: np.ndarray, left: np.ndarray, right: np.ndarray, begin: int, width: int, least: float) -> np.ndarray:
    """The pairs whose estimated similarity is at least `least` and that share no band before the value `begin`, as left << 32 | right."""
    kept = np.zeros(len(left), bool)
    for i in range(0, len(left), 1 << 12):
        piece = slice(i, i + (1 << 12))
        equal = signature[left[piece]] == signature[right[piece]]
        likely = np.flatnonzero(equal.mean(axis=1) >= least)
        before = equal[likely, :begin].reshape(len(likely), begin // width, width).all(axis=2).any(axis=1)
        kept[i + likely[~before]] = True
    return left[kept].astype(np.uint64) << np.uint64(32) | right[kept].astype(np.uint64)
