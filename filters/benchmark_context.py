"""How a match stands in its row: as a line, as a sentence, closed as the question is, written as nothing natural is, or with
the item's options about it. A few words that a textbook says too are a leak where they stand like this, and only there.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from tilth.filters.benchmark_hits import Match
from tilth.filters.benchmark_index import CHARACTERS_PER_WORD, pairs_of
from tilth.filters.folding import Folded

Context = Literal["listed", "options", "line", "sentence", "text"]
"""`listed`: most of the options follow, with little between them; `options`: most of what they say follows; `line`: it is a whole line or message, but for a label; `sentence`: it begins and
ends as a sentence, or ends with the question's own mark, or begins with its capital where no sentence begins."""

OPTIONS_SHARE = 0.6
"""Share of the neighbouring pairs of tokens of all options that must follow the question: one word in ten may be missing."""
CAPITAL_TOKENS = 4
"""Tokens from which a capital in the middle of a sentence tells: two or three words are written like this as a name."""
OPTION_WORDS = 3
"""Words that the options found must have beside those of the question."""
NAME_TOKENS = 2
"""Tokens up to which a line is a question only if it closes as the question does: it may be a heading."""
LABEL_TOKENS = 3
"""Tokens before a question on its line that may be a label ("Q 12.", "Question:", "（1）")."""
_OPENING = frozenset(".?!;:|。…、")
_ENDING = frozenset(".?!。")
_PAUSES = frozenset("\"'()[]{}<>*#•·“”‘’「」『』【】《》—–-/") | _OPENING
_MARKS = frozenset("?:_-")


def place_of(match: Match, folded: Folded, text: str) -> Context:
    """How `match` stands in its row, whose text is `text`, its options apart; the strongest of what applies."""
    begin, end = int(folded.offsets[match.row]), int(folded.offsets[match.row + 1])
    first, last = match.first, match.last
    before = text[int(folded.ends[first - 1]) if first > begin else 0 : int(folded.starts[first])]
    after = text[int(folded.ends[last - 1]) : int(folded.starts[last]) if last < end else len(text)]
    opens, closes = _boundary(before, first == begin, _OPENING), _boundary(after, last == end, _ENDING)
    if opens == 1 and _only_a_label(folded, first, begin):
        opens = 2
    if opens == closes == 2 and (len(match.matched) > NAME_TOKENS or _closed_alike(match, after, or_open=True)):
        return "line"
    if (opens and closes) or _closed_alike(match, after):
        return "sentence"
    if len(match.matched) >= CAPITAL_TOKENS and not _boundary(before, first == begin, _PAUSES) and _capital(match, folded, text):
        return "sentence"
    return "text"


def _boundary(gap: str, edge: bool, stops: frozenset[str]) -> int:
    """2 for the end of a line or of the row, 1 for a stop, 0 for neither."""
    if edge or "\n" in gap:
        return 2
    return int(any(unicodedata.normalize("NFKC", char)[:1] in stops for char in gap))


def _only_a_label(folded: Folded, first: int, begin: int) -> bool:
    """Whether at most `LABEL_TOKENS` tokens stand between the start of the line and token `first`."""
    return bool(folded.breaks[max(begin, first - LABEL_TOKENS) : first].any()) or first - begin <= LABEL_TOKENS


def _closed_alike(match: Match, after: str, or_open: bool = False) -> bool:
    """Whether the question's own closing mark (`?`, `:`, a blank to fill) stands after its last token in the row too.

    With `or_open`, also where the question has no such mark.
    """
    if match.matched[-1] < 0:
        return False
    mark = _first_mark(match.item.question[int(match.item.ends[-1]) :])
    if or_open and mark not in _MARKS:
        return True
    return mark in _MARKS and _first_mark(after) == mark


def _first_mark(text: str) -> str:
    return unicodedata.normalize("NFKC", text.lstrip()[:1])[:1]


def _capital(match: Match, folded: Folded, text: str) -> bool:
    """Whether the question stands here letter for letter, its capital in the middle of a sentence, as an insertion leaves it."""
    item = match.item
    asked = item.question[int(item.starts[0]) : int(item.ends[0])]
    if (match.matched < 0).any() or not asked[:1].isupper() or asked[1:2].isupper() or len(asked) < 2:
        return False
    written = text[int(folded.starts[match.first]) : int(folded.ends[match.last - 1])]
    return "".join(written.split()) == "".join(item.question[int(item.starts[0]) : int(item.ends[-1])].split())


def options_follow(match: Match, folded: Folded) -> Literal["listed", "options"] | None:
    """Whether most of what the item's options say stands after its question, in any order, and as a list, with any labels."""
    options = match.item.option_pairs
    if len(options) < 2:
        return None
    room = sum(size + 4 for size, _ in options) + 12
    stretch = folded.hashes[match.last : min(match.last + room, int(folded.offsets[match.row + 1]))]
    there = {*stretch.tolist(), *pairs_of(stretch).tolist()}
    said = spoken = met = 0
    for _, pairs in options:
        found = [pair for pair in pairs if pair in there]
        spoken += len(pairs)
        said += len(found)
        met += bool(found and not match.item.says.issuperset(found))
    words = OPTION_WORDS * (CHARACTERS_PER_WORD if match.item.chinese else 1.0)
    if met < 2 or said < words or said < OPTIONS_SHARE * spoken - 1e-9:
        return None
    return "listed" if match.listed else "options"
