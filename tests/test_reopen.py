"""The answer goes, the question waits."""

from __future__ import annotations

from tilth.core.batch import Batch
from tilth.core.rows import conversation, frame
from tilth.filters.reopen import Reopen

TALKS = [
    conversation([("system", "s"), ("user", "头痛？"), ("assistant", "多休息。")]),
    conversation([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")]),
    conversation([("user", "q")]),
    conversation([("assistant", "a")]),
    [],
    None,
]


def roles(step: Reopen) -> list[list[str] | None]:
    rows = Batch(frame("sft", source=["x", "y", "x", "x", "x", "x"], messages=TALKS), "sft")
    return [None if one is None else [turn["role"] for turn in one] for one in step.edit(rows).frame["messages"].to_list()]


def test_only_the_last_answer_goes() -> None:
    assert roles(Reopen()) == [["system", "user"], ["user", "assistant", "user"], ["user"], ["assistant"], [], None]
    assert roles(Reopen(sources=("y",)))[:2] == [["system", "user", "assistant"], ["user", "assistant", "user"]]
