"""JSON as datasets are published in it: one array of objects, plain or compressed, however large; or JSON Lines under this name."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tilth.builders.encoded_file import HINT, codec_of
from tilth.builders.encodings import DISTRIBUTIONS
from tilth.builders.formats.jsonl import Jsonl
from tilth.builders.open_file import chunks
from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError

MAX_CHARS = 64 << 20
"""Of one record: one that is longer, or that never ends, would fill memory."""
BLANK = " \t\r\n"


class Json(Format, name="json", version=1):
    """A JSON array, one object a record, read piece by piece; a file that does not begin with `[` is read as JSON Lines.

    `NaN`, which is no JSON but what pandas writes, is null. An array that is damaged or cut off fails as a whole: where its next
    record begins cannot be told.
    """

    suffixes = (".json",)
    distributions = DISTRIBUTIONS

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        text = _Text(path, shown, codec_of(path, shown, self.encoding))
        if text.blank() or text.here() != "[":
            yield from Jsonl(encoding=self.encoding).records(path, shown)
            return
        for number, record in enumerate(_items(text), start=1):
            yield number, record if isinstance(record, dict) else BadRecord(f"a JSON {type(record).__name__}, not an object")


class _Text:
    """A window over a file's text that moves forward."""

    def __init__(self, path: Path, shown: str, codec: str) -> None:
        self.shown = shown
        self._chunks = chunks(path, shown)
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._codec = codec
        self.window, self.place, self.records = "", 0, 0
        self.more()
        self.window = self.window.removeprefix("\ufeff")

    def more(self) -> bool:
        """Read on, at least as much as waits; whether there was any."""
        parts = [self.window[self.place :]]
        wanted, grown = max(1, len(parts[0])), 0
        while grown < wanted:
            chunk = next(self._chunks, None)
            try:
                part = self._decoder.decode(chunk or b"", chunk is None)
            except UnicodeError as error:
                reason = getattr(error, "reason", error)
                raise SourceError(f"{self.shown}: after record {self.records}: not {self._codec}: {reason}", hint=HINT) from None
            parts.append(part)
            grown += len(part)
            if chunk is None:
                break
        self.window, self.place = "".join(parts), 0
        return grown > 0

    def blank(self) -> bool:
        """Go to the next character that is no white space; whether there is none."""
        while True:
            while self.place < len(self.window) and self.window[self.place] in BLANK:
                self.place += 1
            if self.place < len(self.window):
                return False
            if not self.more():
                return True

    def here(self) -> str:
        return self.window[self.place]


def _items(text: _Text) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    text.place += 1
    if not text.blank() and text.here() == "]":
        text.place += 1
    else:
        while True:
            yield _value(text, decoder)
            text.records += 1
            mark = "" if text.blank() else text.here()
            text.place += 1
            if mark == "]":
                break
            if mark != ",":
                raise _damage(text, "no comma or ] behind it" if mark else "the array is cut off")
    if not text.blank():
        raise _damage(text, "something stands behind the array")


def _value(text: _Text, decoder: json.JSONDecoder) -> Any:
    while not text.blank():
        try:
            value, end = decoder.raw_decode(text.window, text.place)
        except RecursionError:
            raise _damage(text, "values nested without end") from None
        except ValueError as error:  # not JSON, or not yet all of it
            if len(text.window) - text.place > MAX_CHARS:
                raise _damage(text, f"a record that is no JSON, or of more than {MAX_CHARS >> 20} Mi characters") from None
            if not text.more():
                raise _damage(text, str(error).partition(":")[0]) from None
            continue
        if end == len(text.window) and text.more():  # a number may go on
            continue
        text.place = end
        return value
    raise _damage(text, "the array is cut off")


def _damage(text: _Text, what: str) -> SourceError:
    return SourceError(f"{text.shown}: after record {text.records}: {what}", hint="fetch the file again, or mend it")
