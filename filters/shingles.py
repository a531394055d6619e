"""Sets of shingles: the n-grams of folded tokens that a row has, which tell how much of it another row shares."""

from __future__ import annotations

import numpy as np

from tilth.filters import _kernels
from tilth.filters.folding import Folded


def shingle_sets(folded: Folded, n: int, chinese_n: int) -> tuple[np.ndarray, np.ndarray]:
    """The set of shingles of every row, as (uint64 hashes, int64 offsets [rows + 1]), sorted within a row.

    A shingle is n words; in a row that is mostly Han or Kana it is `chinese_n` characters. A row with fewer tokens is
    one shingle, a row without tokens has none.
    """
    lengths = np.where(folded.chinese, chinese_n, n).astype(np.int64)
    values, offsets = np.empty(len(folded.hashes), np.uint64), np.empty(len(folded.offsets), np.int64)
    count = _kernels.shingle_sets(folded.hashes, folded.offsets, lengths, values, offsets)
    return values[:count], offsets
