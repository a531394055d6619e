"""Personal data in English and Chinese text: found by pattern, checksum and context, then replaced, masked, or the row dropped.

What is found, and what guards it:

| kind       | form                                                                   | guard                                      |
|------------|------------------------------------------------------------------------|--------------------------------------------|
| email      | RFC 5322's common part                                                 | no image names, no `git@`                  |
| cn_id      | resident id, 18 characters (GB 11643-1999); after its label 15 too     | division, date of birth, checksum          |
| card       | payment and bank cards, 13 to 19 digits; after 银行卡号 any            | issuer, Luhn's checksum                    |
| ssn        | `078-05-1120`; after `SSN` nine digits                                 | areas and groups never issued              |
| document   | passport, driving licence, permit: after their names                   | the label                                  |
| record     | MRN, account, policy, NHS …; 住院号, 病历号, 医保卡号 …: after the label | four digits, no year                       |
| account    | QQ, WeChat, Skype …: after their names; `user:password@` of a URL      | the label                                  |
| ip         | IPv4 and IPv6                                                          | public addresses, no versions              |
| birth_date | a full date after `DOB`, `born`, 出生日期 …, or before 出生            | 1900 or later; no year alone               |
| phone      | China, North America, Britain, `+` international; after `Tel:` …       | numbering plan, no dose, date or id        |
| plate      | 京A·12345; after `license plate`                                       | province, letters                          |
| address    | number and street; Chinese down to number, building or group; 住址：   | no bed, line or chromosome                 |
| name       | by context only: `Patient name:`, `Mrs.`, `Dr.`, 患者, 姓名：, 王医生  | common words, eponyms, herbs, history      |
| url        | http and https (off by default)                                        |                                            |

A number next to Chinese characters is found (there is no word border to look for); one that touches a letter, a digit
or a decimal point is not: `NCT01234567`, `rs13812345678`, `0.13812345678`. `docs/pii.md` has figures and limits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.core.rows import CONTENT
from tilth.core.steps import Context, Rule, Step
from tilth.filters.pii_find import found, matches
from tilth.filters.pii_spans import PRIORITY, Span

PiiKind = Literal[
    "email", "cn_id", "card", "ssn", "document", "record", "account", "ip", "birth_date", "phone", "plate", "address", "name", "url",
]  # fmt: skip

MASKS: dict[str, str] = {
    "email": "███@███",
    "cn_id": "██████████████████",
    "card": "████ ████ ████ ████",
    "ssn": "███-██-████",
    "document": "█-████████",
    "record": "██/██████",
    "account": "@██████",
    "ip": "███.███.███.███",
    "birth_date": "████/██/██",
    "phone": "███-████-████",
    "plate": "██·█████",
    "address": "██, ██, ██",
    "name": "███",
    "url": "http://███",
}
"""One shape for each kind, however long the original: the length of a number tells whose it may be. No two are alike."""
_MAX_PASSES = 4
"""What a replacement uncovers is looked at again, so that doing it twice changes nothing; two passes are rare, three unseen."""


class Pii(Step, name="pii", version=2):
    """Replace, mask or drop names, addresses, birth dates, phone, identity, record and card numbers, e-mail and IP addresses."""

    action: Literal["replace", "mask", "drop"] = "replace"
    """`<EMAIL>` in place of an address, or `███@███`, or the whole row goes."""
    kinds: tuple[PiiKind, ...] = (
        "email", "cn_id", "card", "ssn", "document", "record", "account", "ip", "birth_date", "phone", "plate", "address", "name",
    )  # fmt: skip
    """What is looked for."""
    numbered: bool = False
    """With `replace`: `<NAME_1>`, `<NAME_2>` …, the same number for the same datum throughout a row, all its messages included."""

    def edit(self, batch: Batch) -> Batch:
        """What was found, replaced or masked."""
        if self.action == "drop" or not len(batch):
            return batch
        pieces, owners = _pieces(batch)
        texts = replaced(pieces, owners, kinds=self.kinds, masks=MASKS if self.action == "mask" else None, numbered=self.numbered)
        cursor = 0

        def next_texts(column: pl.Series) -> pl.Series:
            nonlocal cursor
            cursor += len(column)
            return texts[cursor - len(column) : cursor]

        return batch.map_text(next_texts)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """Signals num_<kind> and num_found. A signal is a function of the text as it stands, so after an edit it
        counts the placeholders, those that the source brought among them; 0 for kinds that are not looked for."""
        none = pl.Series([0], dtype=pl.Int64).new_from_index(0, len(batch))
        counts = self._spans(batch) if self.action == "drop" else self._marks(batch.texts)
        frame = pl.DataFrame({f"num_{kind}": counts.get(kind, none).cast(pl.Int64) for kind in PRIORITY})
        return frame.with_columns(num_found=pl.sum_horizontal(pl.all()))

    def rules(self) -> Sequence[Rule]:
        """With `action: drop`, a row in which anything is found goes."""
        return [Rule("personal_data", "num_found", pl.col("num_found") > 0)] if self.action == "drop" else []

    def _spans(self, batch: Batch) -> dict[str, pl.Series]:
        """How many spans of each kind a row holds."""
        pieces, owners = _pieces(batch)
        counts = {kind: np.zeros(len(batch), np.int64) for kind in self.kinds}
        for place, spans in found(pieces, owners, self.kinds).items():
            for span in spans:
                counts[span.kind][owners[place]] += 1  # type: ignore[index]
        return {kind: pl.Series(values) for kind, values in counts.items()}

    def _marks(self, texts: pl.Series) -> dict[str, pl.Series]:
        """How many marks of each kind a row holds."""
        if self.action == "mask":
            held = texts.str.extract_all("|".join(map(re.escape, sorted(MASKS.values(), key=len, reverse=True))))
            return {kind: held.list.count_matches(MASKS[kind]) for kind in self.kinds}
        counts = {kind: np.zeros(len(texts), np.int64) for kind in self.kinds}
        (marks,) = matches(texts, [f"<(?:{'|'.join(map(str.upper, self.kinds))})(?:_[0-9]+)?>"])
        for place, some in marks:
            for mark in some:
                counts[re.sub("_[0-9]+$", "", mark[1:-1]).lower()][place] += 1  # type: ignore[index]
        return {kind: pl.Series(values) for kind, values in counts.items()}


def replaced(
    texts: pl.Series, owners: np.ndarray, *, kinds: Sequence[str], masks: dict[str, str] | None = None, numbered: bool = False
) -> pl.Series:
    """The texts with placeholders (or masks) for what is found; `owners[i]` is the row of text i, rows share numbers.

    >>> texts = pl.Series(["电话13812345678，邮箱a.b@c.org", "Dear Mrs. Moss, call Mrs. Moss."])
    >>> replaced(texts, np.array([0, 0]), kinds=["email", "phone", "name"], numbered=True).to_list()
    ['电话<PHONE_1>，邮箱<EMAIL_1>', 'Dear Mrs. <NAME_1>, call Mrs. <NAME_1>.']
    """
    numbers = _Numbers() if numbered else None
    places = pl.Series(np.arange(len(texts)))
    for _ in range(_MAX_PASSES):
        here = texts.gather(places)
        spans = found(here, owners[places.to_numpy()], kinds)
        if not spans:
            break
        if numbers is not None:
            numbers.begin(here, owners[places.to_numpy()], spans)
        at = places.gather(list(spans))
        # ! `scatter` writes into its series: a clone, lest the batch's own text change.
        texts = texts.clone().scatter(
            at, [_written(texts[place], some, int(owners[place]), masks, numbers) for place, some in zip(at, spans.values(), strict=True)]
        )
        places = pl.Series(np.flatnonzero(np.isin(owners, owners[at.to_numpy()])))
    return texts


class _Numbers:
    """Which number a datum has within its row; a source's own placeholders keep theirs."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], dict[str, int]] = {}
        self._first: dict[tuple[int, str], int] = {}

    def begin(self, texts: pl.Series, owners: np.ndarray, spans: dict[int, list[Span]]) -> None:
        """Look at what the rows hold already."""
        rows = {int(owners[place]) for place in spans}
        for text, owner in zip(texts, owners.tolist(), strict=True):
            for match in re.finditer(r"<([A-Z_]+)_([0-9]+)>", text or "") if owner in rows else ():
                key = (owner, match[1].lower())
                self._first[key] = max(self._first.get(key, 0), int(match[2]))

    def of(self, owner: int, kind: str, datum: str) -> int:
        """1 for the first of a kind in a row; case and spacing do not tell data apart."""
        known = self._known.setdefault((owner, kind), {})
        key = re.sub(r"[\s\-]+", "", datum).casefold()
        if key not in known:
            known[key] = max(self._first.get((owner, kind), 0), max(known.values(), default=0)) + 1
        return known[key]


def _written(text: str, spans: list[Span], owner: int, masks: dict[str, str] | None, numbers: _Numbers | None) -> str:
    parts, at = [], 0
    for span in spans:
        number = f"_{numbers.of(owner, span.kind, text[span.start : span.end])}" if numbers is not None else ""
        parts += [text[at : span.start], masks[span.kind] if masks else f"<{span.kind.upper()}{number}>"]
        at = span.end
    return "".join([*parts, text[at:]])


def _pieces(batch: Batch) -> tuple[pl.Series, np.ndarray]:
    """Every piece of text in the order of `Batch.map_text`, and int64 [pieces]: the row of each."""
    columns: list[pl.Series] = []

    def collect(column: pl.Series) -> pl.Series:
        columns.append(column)
        return column

    batch.map_text(collect)
    owners = []
    names = [name for name, dtype in CONTENT[batch.kind].items() if name == "text" or isinstance(dtype, pl.List)]
    for name, column in zip(names, columns, strict=True):
        held = batch.frame[name]
        lengths = held.list.len().fill_null(0).to_numpy() if isinstance(held.dtype, pl.List) else np.ones(len(batch), np.int64)
        assert int(lengths.sum()) == len(column), f"{name}: pieces of text that belong to no row"
        owners.append(np.repeat(np.arange(len(batch)), lengths))
    return pl.concat([column.rename("text") for column in columns]), np.concatenate(owners)
