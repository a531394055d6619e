"""What differs between two texts that are nearly the same, word by word and cut short: what the cluster browser shows.

A word is a run of letters and digits, one Han or Kana character, or one sign, with the blank behind it; blanks are not
compared. Words shared at both ends are set aside first, so that the cost grows with what differs, and at most
`MOST_WORDS` of what is left of each text are compared (Ratcliff and Obershelp, by `difflib`).
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Literal

Op = Literal["=", "-", "+", "~", "~-", "~+"]
"""Shared; only in the one that stays; only in the one that went; so many words left out of these (empty: all the rest)."""
Pieces = list[tuple[Op, str]]

MOST_WORDS = 4000
CONTEXT_WORDS = 12
"""Shared words shown at each side of a difference."""
CHANGED_WORDS = 25
"""Words shown at each end of a difference."""
MOST_PIECES, MOST_BYTES = 40, 2400
"""Of a whole difference; it ends where one is passed."""
_LONG_WORD = 60
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"([{_SINGLE}]|[^\W{_SINGLE}]{{1,{_LONG_WORD}}}|[^\w\s])(\s*)")
_LEFT_OUT: dict[Op, Op] = {"=": "~", "-": "~-", "+": "~+"}


def diff(kept: str, dropped: str) -> Pieces:
    """The pieces of both texts in order, about `MOST_PIECES`.

    >>> diff("Take 5 mg daily.", "Take 50 mg daily.")
    [('=', 'Take '), ('-', '5 '), ('+', '50 '), ('=', 'mg daily.')]
    """
    one, two = _WORD.findall(kept), _WORD.findall(dropped)
    a, b = [word for word, _ in one], [word for word, _ in two]
    head = _shared(a, b)
    tail = min(_shared(a[::-1], b[::-1]), len(a) - head, len(b) - head)
    end, other_end = len(a) - tail, len(b) - tail
    far, other_far = min(end, head + MOST_WORDS), min(other_end, head + MOST_WORDS)
    runs: list[tuple[Op, list[tuple[str, str]]]] = [("=", _both(one[:head], two[:head]))]
    for same, i, j, k, m in SequenceMatcher(None, a[head:far], b[head:other_far]).get_opcodes():
        left, right = one[head + i : head + j], two[head + k : head + m]
        runs += [("=", _both(left, right))] if same == "equal" else [("-", left), ("+", right)]
    runs += [("-", one[far:end]), ("+", two[other_far:other_end]), ("=", _both(one[end:], two[other_end:]))]
    runs = [(op, words) for op, words in runs if words]
    pieces = [piece for place, run in enumerate(runs) for piece in _shown(*run, place == 0, place == len(runs) - 1)]
    sizes = list(accumulate(len(text.encode("utf-8", "replace")) for _, text in pieces))
    most = next((place for place, size in enumerate(sizes) if size > MOST_BYTES or place >= MOST_PIECES), len(pieces))
    return pieces if most == len(pieces) else [*pieces[:most], ("~", "")]


def _both(one: list[tuple[str, str]], two: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same words, parted where either text parts them."""
    return [(word, blank or other) for (word, blank), (_, other) in zip(one, two, strict=True)]


def _shared(one: list[str], two: list[str]) -> int:
    """Words that both begin with."""
    same = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        same += 1
    return same


def _shown(op: Op, words: list[tuple[str, str]], first: bool, last: bool) -> Pieces:
    """One run, its middle (at an end of the text: its far end) left out where it is long."""
    most = CONTEXT_WORDS if op == "=" else CHANGED_WORDS
    before = 0 if op == "=" and first and not last else most
    after = 0 if op == "=" and last and not first else most
    out = len(words) - before - after
    if out <= 3:
        return [(op, _joined(words))]
    pieces: Pieces = [(op, _joined(words[:before])), (_LEFT_OUT[op], str(out)), (op, _joined(words[len(words) - after :]) if after else "")]
    return [piece for piece in pieces if piece[1]]


def _joined(words: list[tuple[str, str]]) -> str:
    return "".join(word + " " * bool(blank) for word, blank in words)
