"""Gathering: so many different texts for each row from a model that writes several at once; what is missing is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tilth.annotators.calls import Message
from tilth.annotators.drafts import plain, same_language
from tilth.annotators.generator import BrokenReply, Generator
from tilth.annotators.pen import Pen, Turn
from tilth.builders.model_step import Worked
from tilth.builders.pending import Row, child, language_of
from tilth.core.rows import conversation


class Lists(Protocol):
    """A generator that writes lists of texts."""

    def written(self, raw: str) -> list[str | BrokenReply]:
        """The texts, and what is wrong with those that are none."""
        ...


Ask = Callable[[int, list[str], int, str], tuple[Message, ...]]
"""(row, texts known, how many more, what names the request) → what is sent."""


@dataclass
class Gathering:
    """What is wanted of each row, and what there is.

    Args:
        count, per_call, again: texts wanted of a row, at most asked for at once, times that what is missing is asked for again.
        once: a text counts once among all rows, not only among those of its own row.
    """

    maker: str
    generator: Generator
    lists: Lists
    count: int
    per_call: int
    again: int
    once: bool
    ask: Ask

    def gather(self, rows: list[Row], about: Mapping[int, str], pen: Pen, facts: Callable[[int], dict[str, str]]) -> Worked:
        """Rows made of the texts in the place of the rows `about` which they are; a row that nothing was written about goes.

        Args:
            about: position of a row → its text.
            facts: position of a row → what is written down of the rows made from it.
        """
        found: dict[int, dict[str, tuple[str, Turn]]] = {index: {} for index in about}
        everywhere: set[str] = set()
        for time in range(-(-self.count // self.per_call) + self.again):
            missing = {index: min(self.per_call, self.count - len(texts)) for index, texts in found.items() if len(texts) < self.count}
            if not missing:
                break
            asked = {
                rows[index]["id"]: self.ask(index, [text for text, _ in found[index].values()], count, f"{rows[index]['id']}/{time}")
                for index, count in missing.items()
            }
            turn = pen.write(self.generator.again(time), asked, f"call {time + 1}" if time else "")
            for index, count in missing.items():
                self._take(rows[index], about[index], turn, found[index], everywhere if self.once else set(found[index]), count)
        return self._worked(rows, about, found, pen, facts)

    def _take(self, row: Row, about: str, turn: Turn, found: dict[str, tuple[str, Turn]], taken: set[str], count: int) -> None:
        """What is new and sound in one reply; everything else is noted by its rule."""
        try:
            raw = turn.raw(row["id"])
            said = self.lists.written(raw) if raw is not None else [f"{row['id']}/{len(found) + number}" for number in range(count)]
        except BrokenReply as error:
            turn.note(row["id"], error.rule)
            return
        for number, text in enumerate(said):
            outcome = text.rule if isinstance(text, BrokenReply) else self._outcome(text, about, taken, len(found), language_of(row) if raw else None)
            turn.note(row["id"], outcome, str(number))
            if outcome == "ok":
                assert isinstance(text, str)
                found[plain(text)] = (text, turn)
                taken.add(plain(text))

    def _outcome(self, text: str, about: str, taken: set[str], known: int, language: str | None) -> str:
        if plain(text) in taken or plain(text) == plain(about):
            return "duplicate"
        if known >= self.count:
            return "surplus"
        try:
            if language is not None:
                same_language(text, "zh" if language == "zh" else "en")
        except BrokenReply as error:
            return error.rule
        return "ok"

    def _worked(
        self, rows: list[Row], about: Mapping[int, str], found: dict[int, dict[str, tuple[str, Turn]]], pen: Pen, facts: Callable[[int], dict[str, str]]
    ) -> Worked:
        worked = Worked()
        for index, texts in found.items():
            row = rows[index]
            for number in range(len(texts), self.count):
                pen.turns[-1].note(row["id"], "not_written", f"missing {number + 1}")
            made = []
            for plainly, (text, turn) in texts.items():
                said = {**facts(index), "model": turn.model, "call": turn.call(row["id"])}
                made.append(child(row, self.maker, plainly, said, conversation([("user", text)])))
            if made:
                worked.keep(index, *made)
            else:
                worked.lose(index, "failed", "nothing_written", about[index][:200])
        return worked
