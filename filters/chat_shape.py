"""Shape of conversations: roles alternate, a user opens, the assistant has the last word, nothing is empty.

The form that chat templates and TRL's conversational trainers expect; our own rules, no published source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import polars as pl

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold

_LETTERS = {"system": "s", "user": "u", "assistant": "a"}


class ChatShape(Step, name="chat_shape", version=1):
    """Drop conversations that a chat template cannot render as they are."""

    corpora: ClassVar[tuple[Kind, ...]] = ("sft",)

    starts_with_user: bool = threshold(True, "the first message, a system message aside, is the user's")
    alternates: bool = threshold(True, "user and assistant take turns; one system message, first, is allowed")
    ends_with_assistant: bool = threshold(True, "the last message is the assistant's")
    no_empty_message: bool = threshold(True, "no message is empty or blank")
    min_turns: int = threshold(1, "fewest user messages", ge=0)
    max_turns: int | None = threshold(None, "most user messages; none: no limit")

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals roles (`suaua`: system, user, assistant, `?` for others), num_turns (user messages),
        num_empty_messages and the three verdicts on the roles."""
        messages = batch.frame.select(pl.col("messages").fill_null([]))
        role = pl.element().struct.field("role").replace_strict(_LETTERS, default="?", return_dtype=pl.String)
        blank = pl.element().struct.field("content").fill_null("").str.strip_chars() == ""
        return messages.select(
            pl.col("messages").list.eval(role).list.join("").alias("roles"),
            pl.col("messages").list.eval(blank).list.sum().cast(pl.Int64).alias("num_empty_messages"),
        ).select(
            "roles",
            pl.col("roles").str.count_matches("u").cast(pl.Int64).alias("num_turns"),
            "num_empty_messages",
            pl.col("roles").str.contains("^s?u").alias("starts_with_user"),
            pl.col("roles").str.contains("^s?(?:(?:ua)*u?|(?:au)*a?)$").alias("alternates"),
            pl.col("roles").str.contains("a$").alias("ends_with_assistant"),
        )

    def rules(self) -> Sequence[Rule]:
        """Who opens, whether turns alternate, who closes, blanks, length."""
        rules = [
            Rule(f"not_{name}", "roles", ~pl.col(name))
            for name in ("starts_with_user", "alternates", "ends_with_assistant")
            if getattr(self, name)
        ]
        if self.no_empty_message:
            rules.append(Rule("empty_message", "num_empty_messages", pl.col("num_empty_messages") > 0))
        rules.append(Rule("few_turns", "num_turns", pl.col("num_turns") < self.min_turns))
        if self.max_turns is not None:
            rules.append(Rule("many_turns", "num_turns", pl.col("num_turns") > self.max_turns))
        return rules
