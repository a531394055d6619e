"""Planted leaks: benchmark items set into rows as they leak in practice, so that what decontamination finds can be counted.

An item leaks as it is, or edited lightly: in another case or width, with other punctuation, its options in another order,
one word in ten gone. It stands on lines of its own, or in the middle of a sentence; with its options or without. Everything
is drawn from the generator that is given, so that the same seed plants the same leaks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tilth.filters.scripts import HAN, KANA

DROPPED = 0.1
"""Share of the words (of Chinese: of the characters) that an edit leaves out, each by itself."""
_CHARACTER = "".join(f"{chr(first)}-{chr(last)}" for first, last in (*HAN, *KANA))
_UNIT = re.compile(rf"[{_CHARACTER}]|[^\s{_CHARACTER}]+")
_LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_FULL_WIDTH = {**{code: code + 0xFEE0 for code in range(0x21, 0x7F)}, 0x20: 0x3000}
_SWAPPED = str.maketrans(",.;:?!()，。；：？！（）", ";。,-.;[]、.,；。.【】")


@dataclass(frozen=True)
class Planted:
    """A text with an item in it, and where: characters `start:end`."""

    text: str
    start: int
    end: int


def as_it_is(text: str, draw: random.Random) -> str:
    """The text."""
    return text


def upper_case(text: str, draw: random.Random) -> str:
    """All capitals."""
    return text.upper()


def lower_case(text: str, draw: random.Random) -> str:
    """No capitals."""
    return text.lower()


def full_width(text: str, draw: random.Random) -> str:
    """ASCII in its wide form, as Chinese typists leave it."""
    return text.translate(_FULL_WIDTH)


def without_punctuation(text: str, draw: random.Random) -> str:
    """Every mark replaced by a space."""
    return _PUNCTUATION.sub(" ", text)


def other_punctuation(text: str, draw: random.Random) -> str:
    """Commas, stops and brackets replaced by others."""
    return text.translate(_SWAPPED)


def words_dropped(text: str, draw: random.Random) -> str:
    """Each word (each Han or Kana character) gone with probability `DROPPED`, never all of them."""
    units = list(_UNIT.finditer(text))
    gone = [unit for unit in units if draw.random() < DROPPED]
    for unit in reversed(gone if len(gone) < len(units) else gone[1:]):
        text = text[: unit.start()] + text[unit.end() :]
    return text


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "verbatim": as_it_is,
    "upper_case": upper_case,
    "lower_case": lower_case,
    "full_width": full_width,
    "without_punctuation": without_punctuation,
    "other_punctuation": other_punctuation,
    "options_shuffled": as_it_is,
    "words_dropped": words_dropped,
}
"""Name of an edit → what it does to a piece of text; `options_shuffled` changes their order only."""


def leak(question: str, options: Sequence[str], edit: str, draw: random.Random, separator: str = "\n") -> str:
    """The item as it leaks: the edited question, and its options with labels where any are given."""
    change = EDITS[edit]
    chosen = list(options)
    if edit == "options_shuffled":
        draw.shuffle(chosen)
    labelled = [f"{label}. {change(option, draw)}" for label, option in zip(_LABELS, chosen, strict=False)]
    return separator.join([change(question, draw), *labelled])


def on_lines(text: str, body: str, draw: random.Random) -> Planted:
    """`body` on lines of its own, at a line break of `text` (its end where there is none after the place drawn)."""
    at = text.find("\n", draw.randrange(len(text) + 1))
    at = len(text) if at < 0 else at
    return Planted(f"{text[:at]}\n{body}\n{text[at:]}", at + 1, at + 1 + len(body))


def in_a_sentence(text: str, body: str, draw: random.Random) -> Planted:
    """`body` between two words of `text` (two characters, where it is Chinese), whatever they are."""
    gaps = [match.start() for match in re.finditer(r"(?<=[\w,，]) (?=\w)", text)] or list(range(1, len(text)))
    at = draw.choice(gaps) if gaps else len(text)
    joined = " " if at < len(text) and text[at] == " " else ""
    return Planted(f"{text[:at]}{joined}{body}{joined}{text[at + len(joined) :]}", at + len(joined), at + len(joined) + len(body))


PLACES: dict[str, Callable[[str, str, random.Random], Planted]] = {"line": on_lines, "sentence": in_a_sentence}
