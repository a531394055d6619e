"""Subfields → instructions: the second step from a list of domains to instructions, after `subfields`.

UltraMedical (arXiv 2406.03949, WikiInstruct). A row that is one user's message is a subfield; each instruction about it becomes a row that
waits for its answer, with the subfield as its parent and, through it, the domain. No instruction comes twice in the corpus.
"""

from __future__ import annotations

from pydantic import Field

from tilth.annotators.generators.instructions import Instructions
from tilth.annotators.pen import Pen
from tilth.builders.draws import written_of
from tilth.builders.gathering import Gathering
from tilth.builders.model_step import ModelStep, Worked
from tilth.builders.pending import Row, language_of, lone_text

SHOWN = 40
"""Instructions already written that are shown when more are asked for: the last ones."""


class InstructionsOf(ModelStep, name="instructions", version=1):
    """So many different instructions about each subfield; what cannot be had is counted as `not_written`."""

    ask: Instructions = Field(Instructions(), description="what is asked for: the generator `instructions`")
    again: int = Field(3, ge=0, le=20, description="times that what is missing is asked for again")

    def generator(self) -> Instructions:
        return self.ask

    def work(self, rows: list[Row], pen: Pen) -> Worked:
        subfields = {index: text for index, row in enumerate(rows) if self.takes(row) and (text := lone_text(row)) is not None}
        gathering = Gathering(
            self.name, self.ask, self.ask, self.ask.count, self.ask.per_call, self.again, once=True,
            ask=lambda index, known, count, identity: self.ask.messages(
                subfields[index], _domain(rows[index]), known[-SHOWN:], count, pen.seed, identity, language_of(rows[index])
            ),
        )  # fmt: skip
        return gathering.gather(rows, subfields, pen, lambda index: {"subfield": subfields[index]})


def _domain(row: Row) -> str | None:
    """The domain that a subfield was written from; None where it was not."""
    said = written_of(row).get("subfields")
    found = said.get("domain") if isinstance(said, dict) else None
    return found if isinstance(found, str) else None
