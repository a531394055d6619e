"""Pieces of texts: lines, paragraphs and sentences, by the character at which each begins; and what each of them says.

The pieces of a text are all of it: one ends where the next begins. Two pieces say the same when their folded tokens do
(`folding`): case, width, accents, punctuation and spaces do not count.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from tilth.filters.folding import Folded
from tilth.filters.hashing import Rolling, mix

Kind = Literal["line", "paragraph", "sentence"]

_ENDS = {
    "line": re.compile(r"\n"),
    "paragraph": re.compile(r"\n[^\S\n]*\n\s*"),
    # A mark that ends a sentence, what closes behind it, and a blank; Chinese marks need no blank.
    "sentence": re.compile(r"(?:[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[”’」』）]*\s*|\n)"),
}


def begins(text: str, kind: Kind) -> list[int]:
    """Where the pieces of a text begin, ascending, the first at 0; none in an empty text.

    >>> begins("One. Two!\\nThree", "sentence"), begins("a\\n\\nb\\nc", "paragraph"), begins("", "line")
    ([0, 5, 10], [0, 3], [])
    """
    found = [0, *(match.end() for match in _ENDS[kind].finditer(text))]
    return [begin for begin in found if begin < len(text)]


def keys(folded: Folded, places: list[list[int]], together: int, min_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """uint64 [pieces]: for every piece the key of what it and the `together` - 1 behind it say; int64 offsets [rows + 1].

    0 where they have fewer than `min_tokens` tokens, or the row ends before so many pieces; otherwise the same for the
    same tokens, in every process.

    Args:
        folded: of the texts.
        places: for every text where its pieces begin (`begins`).
    """
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in places], dtype=np.int64)))
    row = np.repeat(np.arange(len(places), dtype=np.int64), np.diff(offsets))
    token_row = np.repeat(np.arange(len(places), dtype=np.int64), np.diff(folded.offsets))
    begin = np.concatenate([np.zeros(0, np.int64), *(np.array(one, np.int64) for one in places)])
    # Row and character in one number, so that one search finds the first token of every piece.
    first = np.searchsorted(token_row << 32 | folded.starts.astype(np.int64), row << 32 | begin)
    behind = np.append(first, np.full(together, len(folded.hashes)))[together:]
    last = np.minimum(behind, folded.offsets[row + 1])
    whole = np.arange(len(first)) + together <= offsets[row + 1]
    hashes = mix(Rolling(folded.hashes).spans(first, np.maximum(last, first)))
    hashes[hashes == 0] = 1
    return np.where(whole & (last - first >= max(1, min_tokens)), hashes, np.uint64(0)), offsets
