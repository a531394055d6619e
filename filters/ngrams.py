"""Repeated n-grams of the words of a batch, counted as Gopher counts them, over hashes.

Two questions are asked of each row, for some n:

- top: characters in all occurrences of its most frequent n-gram, of equally frequent ones the first;
- repeated: characters in n-grams met before, from left to right, a repeat being stepped over whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tilth.filters import _kernels
from tilth.filters.words import Words


def characters(
    found: Words, chosen: np.ndarray, *, top: Sequence[int], repeated: Sequence[int], separator: int
) -> dict[tuple[str, int], np.ndarray]:
    """Characters in the top and in the repeated n-grams of each row, for the n asked (ascending).

    Only the tokens where `chosen` (bool, one a token) is true are looked at, as if the others were not there.
    `separator` characters stand between the tokens of a top n-gram, none between those of a repeated one: equal there
    means equal text, wherever its tokens end (`in to` and `into` read the same).

    Returns:
        ("top" or "repeated", n) → int64 [rows]; zero where a row has fewer than n tokens.
    """
    columns = found.lengths, found.polynomials, found.hashes
    offsets = found.offsets
    if not chosen.all():
        columns = tuple(column[chosen] for column in columns)  # type: ignore[assignment]
        offsets = np.concatenate(([0], np.cumsum(found.per_row(chosen))))
    counts = np.empty((len(offsets) - 1, len(top) + len(repeated)), np.int64)
    _kernels.ngram_characters(offsets, *columns, np.array(top, np.int64), np.array(repeated, np.int64), separator, counts)
    names = [*(("top", n) for n in top), *(("repeated", n) for n in repeated)]
    return {name: counts[:, i] for i, name in enumerate(names)}
