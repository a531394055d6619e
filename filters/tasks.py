"""What a conversation asks for: one turn, several turns, or the choice of an option. The tasks of Aquila-Med's mix (arXiv 2406.12182, figure 3)."""

from __future__ import annotations

from typing import Literal

import polars as pl

Task = Literal["single_turn", "multi_turn", "multiple_choice"]

_AFTER = r"\s*[)）\].．、:：]\s*"  # what stands between a label and its text
_TEXT = r"(?:[^\sA-ZＡ-Ｚ]|[A-ZＡ-Ｚ][^、,，/.．)）])"  # "A、B、C三项" lists labels and has no texts
_INLINE = r"(?:^|[\s()（）\[。；;，,？?：:])"


def _option(label: str, before: str) -> str:
    return rf"{before}[(（\[]?[{label}{chr(ord(label) + 0xFEE0)}]{_AFTER}{_TEXT}"


_OPTIONS = (
    "(?s)" + ".*?".join(_option(label, _INLINE) for label in "ABC"),
    "(?s)" + ".*?".join(_option(label, r"(?m:^)[ \t　]*") for label in "AB"),
)
"""Three labelled options anywhere (`A. … B. … C. …`, `（A）…`, `A、…`), or two that begin lines."""


def shows_options(text: pl.Expr) -> pl.Expr:
    """bool: whether a text lists labelled options.

    >>> texts = ["哪种药？\\nA、头孢\\nB、青霉素", "Which? (A) zinc (B) iron (C) salt", "Are vitamins A, B and C enough?", "A、B、C三种方案哪个好？"]
    >>> pl.DataFrame({"text": texts}).select(shows_options(pl.col("text")))["text"].to_list()
    [True, True, False, False]
    """
    found = [text.str.contains(pattern) for pattern in _OPTIONS]
    return found[0] | found[1]


def tasks(frame: pl.DataFrame) -> pl.Series:
    """The task of each row of an SFT or preference corpus, by its `messages` or `prompt`: `multi_turn` with more than one message of the user; else `multiple_choice` where
    the row has two `options` or more, or its question lists them; else `single_turn`; null without a message of the user."""
    asked = pl.col("messages" if "messages" in frame.columns else "prompt").list.eval(pl.element().filter(pl.element().struct.field("role") == "user").struct.field("content").fill_null(""))
    turns = asked.list.len().fill_null(0)
    own = pl.col("options").list.len().fill_null(0) >= 2 if "options" in frame.columns else pl.lit(False)
    choice = own | shows_options(asked.list.first()).fill_null(False)
    task = pl.when(turns > 1).then(pl.lit("multi_turn")).when(turns == 0).then(None).when(choice).then(pl.lit("multiple_choice"))
    return frame.select(task.otherwise(pl.lit("single_turn")).alias("task"))["task"]
