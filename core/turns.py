"""Turns of a conversation: what was asked, and what was answered to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Turn:
    """The user's messages up to the answers, and the answers up to the user's next message; several of one kind by lines."""

    asked: str
    answered: str | None
    """None: nobody answered."""


def turns(messages: Iterable[Mapping[str, Any]]) -> list[Turn]:
    """The turns of a conversation. System messages, and answers before any question, belong to none.

    >>> turns([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"}])
    [Turn(asked='Hi', answered='Hello'), Turn(asked='Bye', answered=None)]
    """
    found: list[Turn] = []
    for message in messages:
        text = message["content"] or ""
        if message["role"] == "user":
            if found and found[-1].answered is None:
                found[-1] = Turn(f"{found[-1].asked}\n{text}", None)
            else:
                found.append(Turn(text, None))
        elif message["role"] == "assistant" and found:
            before = found[-1].answered
            found[-1] = Turn(found[-1].asked, text if before is None else f"{before}\n{text}")
    return found
