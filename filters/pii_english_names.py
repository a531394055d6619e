"""What an English name looks like, and which of the words after a context are one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from tilth.filters.pii_common_words import COMMON_WORDS
from tilth.filters.pii_given_names import GIVEN_NAMES, SURNAMES

Strength = Literal["strong", "two", "given"]
"""What a context asks of a name: nothing but words that are not common; two of them or a known given name; a known one."""

_EXTENDED = [chr(code) for code in range(0x100, 0x250)]
_U = "A-ZÀ-ÖØ-Þ" + "".join(char for char in _EXTENDED if char.isupper())
_L = "a-zß-öø-ÿ" + "".join(char for char in _EXTENDED if char.islower())
# ! Upper and lower case are disjoint, and each part after the first begins with a sign or a capital: no backtracking.
_WORD = rf"(?:[{_U}](?:[{_L}]+|['’][{_U}][{_L}]+)(?:[\-'’][{_U}]?[{_L}]+|[{_U}][{_L}]+)*)"
_PARTICLE = r"(?:van|von|de|der|den|del|della|di|da|dos|la|le|bin|binti|ibn|al|el|ter|Van|Von|De|Der|Del|Al|El|La|Le)"
_PART = rf"(?:{_PARTICLE}[ \-]{_WORD}|{_PARTICLE} (?:der|den|la) {_WORD}|{_WORD}|[{_U}]\.?(?![A-Za-z]))"
NAME = rf"(?P<name>{_PART}(?:[ \u00a0]{_PART}){{0,3}})"
SURNAME_FIRST = rf"(?P<name>[{_U}][{_U}{_L}'’\-]+, ?[{_U}][{_U}{_L}'’\-]+(?: [{_U}]\.?(?![A-Za-z{_L}]))?)"
CAPITALS = rf"(?P<name>[{_U}][{_U}'’\-]+(?: [{_U}]\.?)?(?: [{_U}][{_U}'’\-]+){{1,2}})(?![{_L}])"
EPONYM = re.compile(
    r"(?:['’]s)? (?:disease|syndrome|sign|test|scale|score|law|method|procedure|nodules?|areas?|cells?"
    r"|nucleus|nuclei|criteria|classification|phenomenon|effect|index"
    r"|maneuver|manoeuvre|theorem)\b"
)


def accepted(text: str, start: int, end: int, strength: Strength) -> Iterator[tuple[int, int]]:
    """The name in `text[start:end]`, without the common words at its end; nothing where it is no name."""
    comma = "," in text[start:end]
    whole = end
    start, end = _trimmed(text, start, end)
    if start >= end or (comma and end < whole - 2) or EPONYM.match(text, end):
        return
    words = re.findall(rf"[{_U}{_L}'’\-]+", text[start:end])
    full = [word for word in words if len(word) > 1]
    if not full:
        return
    first = full[1] if "," in text[start:end] and len(full) > 1 else full[0]
    given = first.lower().split("-")[0] in GIVEN_NAMES or full[0].lower() in GIVEN_NAMES
    if strength == "strong" or given or (strength == "two" and (len(full) > 1 or (len(words) > 1 and len(words[0]) == 1))):
        yield start, end


def is_word(word: str) -> bool:
    """Whether a capitalised word is a common one and neither a given name nor a surname.

    >>> is_word("Denies"), is_word("White"), is_word("April"), is_word("Ellison")
    (True, False, False, False)
    """
    low = word.lower()
    return low in COMMON_WORDS and low not in GIVEN_NAMES and low not in SURNAMES


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Up to the first common word (`John Smith Age`), without a possessive; an initial keeps its point."""
    last = start
    for match in re.finditer(rf"[{_U}{_L}'’\-]+", text[start:end]):
        word = re.sub(r"['’]s?$", "", match[0])
        initial = len(word) == 1 and last > start
        if not initial and (is_word(word) or (last == start and word.lower() in COMMON_WORDS and word.lower() not in SURNAMES)):
            break
        last = start + match.start() + len(word)
    last_initial = re.search(r"(?:^|[ ,])\w$", text[start:last])
    if last_initial and text[last : last + 1] == "." and last < end:
        last += 1
    return start, last
