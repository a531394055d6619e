"""Domains → subfields: the first step from a list of domains to instructions (`instructions` is the second).

UltraMedical (arXiv 2406.03949, WikiInstruct): 20 domains, 20 subfields each, 20 instructions each. A row that is one user's message is a
domain, of any subject; each of its subfields becomes a row of that form, with the domain as its parent.
"""

from __future__ import annotations

from pydantic import Field

from tilth.annotators.generators.subfields import Subfields
from tilth.annotators.pen import Pen
from tilth.builders.gathering import Gathering
from tilth.builders.model_step import ModelStep, Worked
from tilth.builders.pending import Row, language_of, lone_text


class SubfieldsOf(ModelStep, name="subfields", version=1):
    """So many subfields of each domain; what cannot be had is counted as `not_written`."""

    ask: Subfields = Field(Subfields(), description="what is asked for: the generator `subfields`")
    again: int = Field(3, ge=0, le=20, description="times that what is missing is asked for again")

    def generator(self) -> Subfields:
        return self.ask

    def work(self, rows: list[Row], pen: Pen) -> Worked:
        domains = {index: text for index, row in enumerate(rows) if self.takes(row) and (text := lone_text(row)) is not None}
        gathering = Gathering(
            self.name, self.ask, self.ask, self.ask.count, self.ask.count, self.again, once=False,
            ask=lambda index, known, count, identity: self.ask.messages(
                domains[index], known, count, pen.seed, identity, language_of(rows[index])
            ),
        )  # fmt: skip
        return gathering.gather(rows, domains, pen, lambda index: {"domain": domains[index]})
