"""Lines of text files in any encoding, as UTF-8 bytes or as text; which encoding, where the recipe says `auto`."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from tilth.builders.encodings import AUTO, HOLES, SAMPLE_BYTES, add_to_sample, detect, named, of_bom
from tilth.builders.open_file import chunks, lines
from tilth.core.errors import SourceError

HINT = "set the source's `encoding`, as in `encoding: gb18030` or `encoding: auto`"


def codec_of(path: Path, shown: str, encoding: str) -> str:
    """The codec of a file: the one named, or what its byte order mark says, UTF-8 where all of it is, else detected.

    Raises:
        SourceError: the name is none, or what the file is in cannot be told.
    """
    if encoding != AUTO:
        return named(encoding, shown)
    head = next(chunks(path, shown), b"")
    if marked := of_bom(head):
        return marked
    # Where NUL is, it is UTF-16 or none: lines are told after it.
    codec = detect(head[: SAMPLE_BYTES // 4 * 4]) if b"\0" in head else _of_lines(path, shown)
    if codec is None:
        raise SourceError(f"{shown}: its encoding cannot be told", hint="set the source's `encoding`, as in `encoding: gb18030`")
    return codec


def _of_lines(path: Path, shown: str) -> str | None:
    valid, sample = True, b""
    for line in lines(path, shown):
        if line.isascii():
            continue
        sample = add_to_sample(sample, line)
        try:
            line.decode()
        except UnicodeDecodeError:
            valid = False
        if not valid and len(sample) >= SAMPLE_BYTES:
            break
    return "utf-8" if valid else detect(sample)


def encoded_lines(path: Path, shown: str, codec: str) -> Iterator[bytes]:
    """Lines without their line feed, still in `codec`; of UTF-16 and UTF-32, whose line feed is no single byte, in UTF-8.

    Raises:
        SourceError: a file of the latter kind is damaged.
    """
    if not is_wide(codec):
        yield from lines(path, shown)
        return
    decoder = codecs.getincrementaldecoder(codec)()
    rest, number = "", 1
    try:
        for chunk in chunks(path, shown):
            parts = (rest + decoder.decode(chunk)).split("\n")
            rest = parts.pop()
            for part in parts:
                yield part.encode()
                number += 1
        rest += decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise SourceError(f"{shown}: after line {number}: not {codec}: {getattr(error, 'reason', error)}", hint=HINT) from None
    if rest:
        yield rest.encode()


def is_wide(codec: str) -> bool:
    """Whether its characters have two or four bytes, so that lines are not told by one."""
    return codec.replace("_", "-").startswith(("utf-16", "utf-32"))


class TextLines(io.TextIOBase):
    """Lines of text with their ends, decoded strictly, as the csv module wants them; without a byte order mark."""

    def __init__(self, path: Path, shown: str, codec: str) -> None:
        raw = io.BufferedReader(_Raw(chunks(path, shown)))
        self._text = io.TextIOWrapper(raw, encoding=codec, errors=HOLES, newline="")

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        for number, line in enumerate(self._text):
            yield line.removeprefix("\ufeff") if number == 0 else line


class _Raw(io.RawIOBase):
    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._rest = source, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._source, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
