"""Personal data in English and Chinese text: found by pattern and checksum, then replaced, masked, or the row dropped.

What is found, and what guards it:

| kind  | form                                                                          | guard                            |
|-------|-------------------------------------------------------------------------------|----------------------------------|
| email | RFC 5322's common part                                                        | no image names, no `git@`        |
| cn_id | resident id, 18 characters (GB 11643-1999)                                    | date of birth, checksum          |
| card  | 13 to 19 digits that begin as a payment card does                             | Luhn's checksum                  |
| ssn   | `078-05-1120`                                                                 | areas and groups never issued    |
| ip    | IPv4 and IPv6                                                                 | public addresses, no versions    |
| phone | Chinese mobile and landline, North American, `+` international, after `Tel:` … | numbering plan, no dose, no id   |
| url   | http and https (off by default)                                               |                                  |

A number next to Chinese characters is found (there is no word border to look for); one that touches a letter, a digit
or a decimal point is not: `NCT01234567`, `rs13812345678`, `0.13812345678`. Names and addresses are not looked for.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule, Step
from tilth.filters import pii_patterns

PiiKind = Literal["email", "cn_id", "card", "ssn", "ip", "phone", "url"]

PLACEHOLDERS: dict[str, str] = {kind: f"<{kind.upper()}>" for kind in pii_patterns.KINDS}
MASKS: dict[str, str] = {
    "email": "███@███",
    "cn_id": "██████████████████",
    "card": "████ ████ ████ ████",
    "ssn": "███-██-████",
    "ip": "███.███.███.███",
    "phone": "███-████-████",
    "url": "http://███",
}
"""One shape for each kind, however long the original: the length of a number tells whose it may be."""


class Pii(Step, name="pii", version=1):
    """Replace, mask or drop e-mail addresses, phone and identity numbers, cards and IP addresses."""

    action: Literal["replace", "mask", "drop"] = "replace"
    """`<EMAIL>` in place of an address, or `███@███`, or the whole row goes."""
    kinds: tuple[PiiKind, ...] = ("email", "cn_id", "card", "ssn", "ip", "phone")
    """What is looked for."""

    def edit(self, batch: Batch) -> Batch:
        """What was found, replaced or masked."""
        if self.action == "drop":
            return batch
        return batch.map_text(functools.partial(changed, kinds=self.kinds, marks=self._marks()))

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_<kind> and num_found. A signal is a function of the text as it stands, so after an edit it
        counts the placeholders, those that the source brought among them; 0 for kinds that are not looked for."""
        texts = batch.texts
        if self.action == "drop":
            found = changed(texts, kinds=self.kinds, marks=PLACEHOLDERS)
            counts = {
                str(kind): found.str.count_matches(mark, literal=True) - texts.str.count_matches(mark, literal=True)
                for kind, mark in PLACEHOLDERS.items()
                if kind in self.kinds
            }
        else:
            counts = {str(kind): texts.str.count_matches(self._marks()[kind], literal=True) for kind in self.kinds}
        none = pl.Series([0], dtype=pl.Int64).new_from_index(0, len(batch))
        frame = pl.DataFrame({f"num_{kind}": counts.get(kind, none).cast(pl.Int64) for kind in pii_patterns.KINDS})
        return frame.with_columns(num_found=pl.sum_horizontal(pl.all()))

    def rules(self) -> Sequence[Rule]:
        """With `action: drop`, a row in which anything is found goes."""
        return [Rule("personal_data", "num_found", pl.col("num_found") > 0)] if self.action == "drop" else []

    def _marks(self) -> dict[str, str]:
        return PLACEHOLDERS if self.action == "replace" else MASKS


def changed(texts: pl.Series, *, kinds: Sequence[str], marks: dict[str, str]) -> pl.Series:
    """The texts with what is found of these kinds in place of their marks, in `pii_patterns.KINDS`' order.

    >>> changed(pl.Series(["电话13812345678，邮箱a.b@c.org"]), kinds=["email", "phone"], marks=PLACEHOLDERS).to_list()
    ['电话<PHONE>，邮箱<EMAIL>']
    """
    for kind in pii_patterns.KINDS:
        if kind in kinds:
            texts = _change_kind(texts, kind, marks[kind])
    return texts


def _change_kind(texts: pl.Series, kind: str, mark: str) -> pl.Series:
    """One kind; Python sees only the texts, one in ten or fewer, in which a compiled search finds that it may occur."""
    places = texts.str.contains(pii_patterns.PREFILTERS[kind]).fill_null(False).arg_true()
    if not len(places):
        return texts
    # ! `scatter` writes into its series: a clone, lest the batch's own text change.
    return texts.clone().scatter(places, [pii_patterns.replaced(kind, text, mark) for text in texts.gather(places)])
