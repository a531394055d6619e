"""Dialogues written as one text: `问：… 答：…`, `Human: … Assistant: …`, `<user>: … <bot>: …`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from tilth.builders.two_way import Unfit
from tilth.core.rows import ROLES, message

Speakers = Annotated[
    dict[str, str], Field(description="words that begin a turn, colon included → system, user or assistant, as in {问：: user, 答：: assistant}")
]


def turns(text: str, speakers: Mapping[str, str], first: str) -> list[dict[str, str]]:
    """The messages of a text; `first` says what stands before the first speaker.

    A speaker's words begin a turn at the start of a line; where no line but the first begins so, also behind white
    space or the end of a sentence. `我想问：` begins none. Turns without words are left out.

    >>> turns("问：头痛怎么办？\\n答：多休息。", {"问：": "user", "答：": "assistant"}, "user")
    [{'role': 'user', 'content': '头痛怎么办？'}, {'role': 'assistant', 'content': '多休息。'}]
    """
    lines, inside = _patterns(tuple(speakers))
    found = list(lines.finditer(text))
    if len(found) <= (bool(found) and not text[: found[0].start()].strip()):
        found = list(inside.finditer(text))
    if not found:
        return [message(first, text)]
    ends = [*(match.start() for match in found[1:]), len(text)]
    said = [(first, text[: found[0].start()])]
    said += [(speakers[match[1]], text[match.end() : end]) for match, end in zip(found, ends, strict=True)]
    return [message(role, words.strip()) for role, words in said if words.strip()]


def check(speakers: Mapping[str, str]) -> None:
    """
    Raises:
        ValueError: a role that there is not, or words that are none.
    """
    for words, role in speakers.items():
        if role not in ROLES:
            raise ValueError(f"speaker {words!r} is {role!r}, must be one of {', '.join(ROLES)}")
        if not words.strip():
            raise ValueError("a speaker needs words")


def written(messages: list[dict[str, str]], speakers: Mapping[str, str]) -> str:
    """Messages as one text, a speaker a line; the first words of each role.

    >>> written([message("user", "hello")], {"Patient:": "user"})
    'Patient: hello'

    Raises:
        Unfit: a role without a speaker.
    """
    words = {role: word for word, role in reversed(list(speakers.items()))}
    if nameless := {turn["role"] for turn in messages} - set(words):
        raise Unfit(f"no speaker is {min(nameless)}")
    return "\n".join(words[turn["role"]] + (" " if words[turn["role"]].isascii() else "") + turn["content"] for turn in messages)


@lru_cache(64)
def _patterns(words: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    any_of = "(" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"
    return re.compile(rf"^[^\S\n]*{any_of}", re.MULTILINE), re.compile(rf"(?<![^\s。！？!?；;]){any_of}")
