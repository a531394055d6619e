"""Repeated n-grams of the words of a batch, counted as Gopher and those after it count them, over hashes.

What is asked of each row, for some n, in characters of its words:

- top: all occurrences of its most frequent n-gram, of equally frequent ones the first (times: how many; place: its first word);
- repeated: n-grams met before, from left to right, a repeat being stepped over whole. Equal means equal text, wherever the
  words end: `in to` and `into` read the same;
- covered: words in n-grams met before, each word once, and a space between two of them;
- shared: n-grams that occur more than once, every occurrence, overlapping; and all: every n-gram.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tilth.filters import _kernels
from tilth.filters.words import Words

Sizes = Sequence[int]


def count(
    found: Words, chosen: np.ndarray | None = None, *, top: Sizes = (), repeated: Sizes = (), covered: Sizes = (), shared: Sizes = ()
) -> dict[tuple[str, int], np.ndarray]:
    """Counts for each row, for the n asked (ascending).

    Only the tokens where `chosen` (bool, one a token) is true are looked at, as if the others were not there.

    Returns:
        ("place", "times", "top", "repeated", "covered", "shared" or "all", n) → int64 [rows]; zero where a row has fewer
        than n tokens.
    """
    columns = found.lengths, found.polynomials, found.hashes
    offsets = found.offsets
    if chosen is not None and not chosen.all():
        columns = tuple(column[chosen] for column in columns)
        offsets = np.concatenate(([0], np.cumsum(found.per_row(chosen))))
    names = [(kind, n) for n in top for kind in ("place", "times", "top")]
    names += [("repeated", n) for n in repeated] + [("covered", n) for n in covered]
    names += [(kind, n) for n in shared for kind in ("shared", "all")]
    counts = np.empty((len(offsets) - 1, len(names)), np.int64)
    tops, repeats, covers, shares = (np.array(n, np.int64) for n in (top, repeated, covered, shared))
    _kernels.ngram_characters(offsets, *columns, tops, repeats, covers, shares, counts)
    return {name: counts[:, i] for i, name in enumerate(names)}
