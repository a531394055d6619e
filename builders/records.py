"""Records and how they become content: the two kinds of unit that a source is read with."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tilth.core.rows import Kind
from tilth.core.units import Unit

Record = dict[str, Any]


class BadRecord(ValueError):
    """A record that cannot become a row; the text says why. It is counted as failed and listed."""


class MissingField(BadRecord):
    """A record that lacks a field which the recipe names: when every record does, the recipe is wrong."""

    def __init__(self, field: str, record: Record) -> None:
        there = ", ".join(sorted(map(str, record))[:12])
        super().__init__(f"no field {field!r}; it has {there or 'none'}")
        self.field = field


class Blank(BadRecord):
    """A record that is whole but has nothing where the row's content should be: dropped, not failed."""


class TooLarge(BadRecord):
    """A record put aside for its size (quarantined): no document is so large, and reading one fills memory or takes minutes."""


class Format(Unit):
    """How a file's bytes become records."""

    kind: ClassVar[str] = "format"
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Names that end so are of this format, after `.zst` or `.gz` is taken off."""

    encoding: str = Field("utf-8", description="of text: a name such as gb18030, or `auto`: as the file says, else detected")

    @abstractmethod
    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        """(line or record number from 1, record), or what is wrong with it.

        Args:
            path: where the bytes are.
            shown: the file's name in messages.

        Raises:
            SourceError: the file as a whole cannot be read.
        """


class Shape(Unit):
    """How a record becomes the content of a row."""

    kind: ClassVar[str] = "shape"
    makes: ClassVar[Kind | Literal["item"]]

    @abstractmethod
    def content(self, record: Record) -> dict[str, Any]:
        """Content columns (`core.rows.CONTENT`) of the row, with `scores` and `metadata` where it keeps them, or the fields of a benchmark item.

        Raises:
            BadRecord: the record has no such content.
        """

    def contents(self, record: Record) -> Iterator[dict[str, Any]]:
        """The contents of a record that may hold several; one, unless a shape says otherwise."""
        yield self.content(record)

    def read(self, record: Record) -> Iterator[tuple[Record, dict[str, Any]]]:
        """The contents, each with the record they came from.

        A shape that finds more in a record than its content (an article's licence, a page's address) puts it into the
        record that it yields, where the source's `key`, `license` and `language` may name it.
        """
        for content in self.contents(record):
            yield record, content


def take(record: Record, field: str) -> Any:
    """The value of a field; dots go into mappings, and into lists by number from 0.

    >>> take({"a": {"b": 1}}, "a.b"), take({"turns": [{"value": "hello"}]}, "turns.0.value")
    (1, 'hello')
    """
    if field in record:
        return record[field]
    value: Any = record
    for part in field.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part[:9]) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise MissingField(field, record)
    return value


def put(record: Record, field: str, value: Any) -> None:
    """Set a field, so that `take` finds it there; mappings and lists on the way are made.

    >>> record = {}
    >>> put(record, "turns.0.value", "hello"); put(record, "turns.0.from", "human"); record
    {'turns': [{'value': 'hello', 'from': 'human'}]}
    """
    parts = field.split(".")
    place: Any = record
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        made = value if after is None else [] if after.isdecimal() else {}
        if isinstance(place, list):
            number = int(part)
            place += [{} for _ in range(number + 1 - len(place))]
            place[number] = made if after is None or not place[number] else place[number]
            place = place[number]
        elif after is None:
            place[part] = made
        else:
            place = place.setdefault(part, made)


def take_text(record: Record, field: str) -> str:
    """The value of a field as text: a string, a number, or a list of one string. Never blank.

    Raises:
        Blank: it is null or blank.
        BadRecord: it is something else.
    """
    value = take(record, field)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "" or value == []:
        raise Blank(f"field {field!r} is empty")
    if not isinstance(value, str):
        raise BadRecord(f"field {field!r} is a {type(value).__name__}, not text")
    if not value.strip():
        raise Blank(f"field {field!r} is blank")
    return value


def as_number(value: Any) -> float | None:
    """A number, or a text that is one; None where it is neither, for what is no score is no default either.

    >>> as_number("7.5"), as_number(3), as_number("7 or 8"), as_number(True)
    (7.5, 3.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
