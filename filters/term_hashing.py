"""Vectors of texts without a model: the set of a text's words and pairs of neighbouring words, hashed to few dimensions.

The hashing trick with signs (Weinberger et al. 2009, arXiv:0902.2206): the cosine of two vectors is about that of the two sets,
|A ∩ B| / √(|A| |B|), give or take 1 / √width. It knows shared words (of Han and Kana, characters) and no synonyms.
"""

from __future__ import annotations

import numpy as np

from tilth.filters.folding import Folded
from tilth.filters.hashing import mix

WIDTH = 512


def term_vectors(folded: Folded) -> np.ndarray:
    """float32 [texts, WIDTH], unit length; zeros for a text without words."""
    count = len(folded.offsets) - 1
    rows = np.repeat(np.arange(count, dtype=np.uint64), np.diff(folded.offsets))
    together = rows[1:] == rows[:-1]
    pairs = mix(folded.hashes[:-1] * np.uint64(3) + folded.hashes[1:])[together]
    terms = np.concatenate([mix(folded.hashes), pairs])
    found = np.unique(np.stack([np.concatenate([rows, rows[1:][together]]), terms]), axis=1)
    place = found[0].astype(np.int64) * WIDTH + (found[1] % np.uint64(WIDTH)).astype(np.int64)
    sign = np.where(found[1] >> np.uint64(63), 1.0, -1.0)
    made = np.bincount(place, sign, count * WIDTH).reshape(count, WIDTH)
    norms = np.linalg.norm(made, axis=1, keepdims=True)
    unit: np.ndarray = (made / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit
