"""Shapes that write records too: a record read and written again is the record, and a row written and read again is the row.

What a record says beside the content of its row is kept in the row's `metadata`: fields that the plain writing of the
row would not give. Where such a field holds texts of the content (in a list, with a prefix, split in two), the texts
stand there by number, so that an edited row is not written with its unedited words:

    {"$shape": "dialogue", "id": "MedQA,1", "dialogue": {"$text": ["问：", [0], "\\n答：", [1]]}}

Writing puts back whatever still reads as the row, and the plain writing of the rest: no edit is undone. Another shape
takes nothing from it.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from tilth.builders.draws import WRITTEN
from tilth.builders.records import BadRecord, Record, Shape, as_number, put, take
from tilth.core.fingerprints import canonical

HOLE, WITHOUT, SHAPE = "$text", "$without", "$shape"
"""Keys of our own in metadata: where texts of the content stand, the fields of the plain writing that the record lacks, who kept it."""

MIN_PIECE = 8
"""Characters from which a part of a text is looked for: shorter words (roles, labels) stand in texts by chance."""

MAX_TEXTS = 200
"""Texts of a content among which parts are looked for: a longer dialogue's own fields are kept as they are, but for whole texts."""

CORE = ("text", "messages", "prompt", "chosen", "rejected", "candidates")
"""Content that a written record must hold; other columns it holds where the shape has a place for them."""


class Unfit(BadRecord):
    """A row that the shape cannot express; the text says why. It is counted and listed."""


class TwoWay(Shape):
    """A shape that reads records and writes them."""

    keep: bool = Field(
        False, description="keep the record's other fields as `metadata`, unedited, so that it can be written again as it was"
    )

    scores: dict[str, str] = Field(
        default_factory=dict, description="score → field that holds it, a number: what a model said of the record; no number, no score"
    )

    @abstractmethod
    def parse(self, record: Record) -> dict[str, Any]:
        """What `content` gives, but the metadata.

        Raises:
            BadRecord: the record has no such content.
        """

    @abstractmethod
    def plain(self, row: Mapping[str, Any]) -> Record:
        """A record with the content of a row and nothing else; `parse` reads it back.

        Raises:
            Unfit: the shape has no place for it.
        """

    def content(self, record: Record) -> dict[str, Any]:
        content = self._read(record)
        return {**content, "metadata": self._kept(record, content)} if self.keep else content

    def _read(self, record: Record) -> dict[str, Any]:
        content = self.parse(record)
        told = [(name, as_number(take(record, field))) for name, field in self.scores.items()]
        said = [{"name": name, "value": value} for name, value in told if value is not None]
        return {**content, "scores": [*(content.get("scores") or ()), *said] or None} if self.scores else content

    def _kept(self, record: Record, content: dict[str, Any]) -> str | None:
        plain, _ = self._plain(content)
        texts = _Texts(list(_texts(content)))
        try:
            held = {
                name: _hollow(value, texts) if name in plain or not plain else value
                for name, value in record.items()
                if name not in plain or canonical(plain[name]) != canonical(value)
            }
            if any(_is_ours(value) for value in (record, *record.values())):
                raise BadRecord(f"a field is called {HOLE!r}, {WITHOUT!r} or {SHAPE!r}, which metadata needs")
            if lacking := sorted(set(plain) - set(record)):
                held[WITHOUT] = lacking
            return canonical({SHAPE: self.name, **held}).decode() if held else None
        except (TypeError, UnicodeEncodeError, RecursionError) as error:
            raise BadRecord(f"it cannot be kept as metadata: {error}") from None

    def record(self, row: Mapping[str, Any]) -> Record:
        """The record of a row, with what its metadata keeps wherever that still reads as the row.

        Raises:
            Unfit: the shape has no place for the row's content.
        """
        made, why_not = self._plain(row)
        held = _metadata(row, self.name)
        lacking = held.pop(WITHOUT, ())
        # A text of the content in a field that this shape does not write: other parameters kept it.
        held = {name: value for name, value in held.items() if name in made or not made or not _is_ours(value)}
        filled = dict(_filled(held, list(_texts(row))))
        whole = {name: value for name, value in {**made, **filled}.items() if name not in lacking}
        if len(filled) == len(held) and self._why_not(whole, row) is None:
            return whole
        if (reason := why_not or self._why_not(made, row)) is not None:
            raise Unfit(reason)
        for name, value in filled.items():
            trial = {**made, name: value}
            if self._why_not(trial, row) is None:
                made = trial
        return made

    def _plain(self, row: Mapping[str, Any]) -> tuple[Record, str | None]:
        try:
            made = self.plain(row)
            told = {one["name"]: one["value"] for one in row.get("scores") or ()}
            for name, field in self.scores.items():
                put(made, field, told.get(name))
            return made, None
        except Unfit as error:
            return {}, str(error)

    def _why_not(self, record: Record, row: Mapping[str, Any]) -> str | None:
        """Why a record does not read as the row; None where it does."""
        try:
            read = self._read(record)
        except BadRecord as error:
            return str(error)
        told = {one["name"]: one["value"] for one in row.get("scores") or ()}
        for name, value in read.items():
            if name == "scores":
                wrong = any(told.get(one["name"]) != one["value"] for one in value or ())
            else:
                wrong = value != row.get(name) and (name in CORE or value is not None)
            if wrong:
                return f"{name} would not be what it is"
        return None


def _metadata(row: Mapping[str, Any], shape: str) -> dict[str, Any]:
    """What a row keeps of its source's record by that shape; nothing where another hand wrote there something else."""
    try:
        found = json.loads(row.get("metadata") or "{}")  # orjson makes floats of long whole numbers
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.pop(SHAPE, None) != shape or not isinstance(found.get(WITHOUT, []), list):
        return {}
    if isinstance(makers := found.get(WRITTEN), dict) and all(isinstance(facts, dict) for facts in makers.values()):
        del found[WRITTEN]  # what makers of the row say, not its source
    return found


def _texts(content: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a content, in the order of its columns."""
    for column in (*CORE, "options"):
        value = content.get(column)
        for one in [value] if isinstance(value, str) else value or ():
            yield one if isinstance(one, str) else one.get("content", one.get("text")) or ""


def _is_ours(value: Any) -> bool:
    match value:
        case dict():
            return bool({HOLE, WITHOUT, SHAPE} & value.keys()) or any(map(_is_ours, value.values()))
        case list():
            return any(map(_is_ours, value))
    return False


class _Texts:
    """The texts of a content, and of each the number where it stands first."""

    def __init__(self, texts: list[str]) -> None:
        self.all = list(enumerate(texts))
        self.first = {text: number for number, text in reversed(self.all)}


def _hollow(value: Any, texts: _Texts) -> Any:
    """A value with the texts of the content cut out of it."""
    match value:
        case dict():
            return {name: _hollow(inner, texts) for name, inner in value.items()}
        case list():
            return [_hollow(inner, texts) for inner in value]
        case str() if value:
            pieces = _pieces(value, texts)
            return value if pieces is None else {HOLE: pieces}
    return value


def _pieces(value: str, texts: _Texts) -> list[Any] | None:
    """A string as literal parts and texts: [i] all of text i, [i, from, to, length of it] a part; None where it holds none."""
    if value in texts.first:
        return [[texts.first[value]]]
    if len(texts.all) > MAX_TEXTS:
        return None
    pieces: list[Any] = []
    place = 0
    for number, text in texts.all:
        found = value.find(text, place) if len(text) >= MIN_PIECE else -1
        if found >= 0:
            pieces += [value[place:found]] * (found > place) + [[number]]
            place = found + len(text)
    if pieces:
        return [*pieces, value[place:]] if place < len(value) else pieces
    if len(value) >= MIN_PIECE:
        for number, text in texts.all:
            if (found := text.find(value)) >= 0:
                return [[number, found, found + len(value), len(text)]]
    return None


class _ChangedError(Exception):
    """A text is no longer the one that a part was cut from."""


def _filled(held: dict[str, Any], texts: list[str]) -> Iterator[tuple[str, Any]]:
    """The kept fields with the row's texts in their places; without those whose texts changed or are gone."""
    for name, value in held.items():
        try:
            yield name, _fill(value, texts)
        except (_ChangedError, IndexError, TypeError, ValueError):
            continue


def _fill(value: Any, texts: list[str]) -> Any:
    match value:
        case {"$text": list(pieces)} if len(value) == 1:
            return "".join(piece if isinstance(piece, str) else _cut(texts, *piece) for piece in pieces)
        case {"$text": _}:
            raise _ChangedError
        case dict():
            return {name: _fill(inner, texts) for name, inner in value.items()}
        case list():
            return [_fill(inner, texts) for inner in value]
    return value


def _cut(texts: list[str], number: int, start: int | None = None, stop: int | None = None, length: int | None = None) -> str:
    text = texts[number]
    if length is not None and len(text) != length:
        raise _ChangedError
    return text[start:stop]
