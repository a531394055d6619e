"""The records of a WARC file, each told whole or damaged; after damage, reading goes on at the next record that can be found.

warcio reads a record; it is lenient where we must count: a gzip stream that is cut off or corrupt ends a record without a word, and
what follows is lost. So gzip members are opened here, one at a time, warcio sees plain bytes, and a record shorter than it says is
damaged. Nothing is held but the record being read.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tilth.builders.open_file import CHUNK, chunks
from tilth.builders.records import BadRecord, TooLarge
from tilth.core.errors import SourceError

MAX_BYTES = 64 << 20
"""Of one record's block; a larger one is passed over and listed."""

GZIP = b"\x1f\x8b\x08"
PLAIN = b"\nWARC/"


def records(path: Path, shown: str) -> Iterator[tuple[Any, bytes] | BadRecord]:
    """(warcio's record, its block after the HTTP headers) of every record in order, or what is wrong with it.

    Raises:
        SourceError: the file cannot be opened, or no record is in it.
    """
    found = False
    for one in _records(path, shown):
        found = found or not isinstance(one, BadRecord)
        yield one
    if not found and path.stat().st_size:
        raise SourceError(f"{shown}: not a WARC file: no record is in it")


def _records(path: Path, shown: str) -> Iterator[tuple[Any, bytes] | BadRecord]:
    try:
        with path.open("rb") as file:
            if path.suffix == ".zst":
                yield from _of_stream(_Chunks(chunks(path, shown)))
            elif file.read(2) == GZIP[:2]:
                yield from _of_gzip(file)
            else:
                yield from _of_plain(file)
    except OSError as error:
        raise SourceError(f"{shown}: {error.strerror or error}") from None


def _of_gzip(file: IO[bytes]) -> Iterator[tuple[Any, bytes] | BadRecord]:
    start: int | None = 0
    while start is not None:
        member = _Member(file, start)
        broken = False
        for one in _of_stream(member):
            broken = isinstance(one, BadRecord) and not isinstance(one, TooLarge)
            yield one
        if not broken and not member.skip_rest():
            yield BadRecord(f"the gzip member at byte {start} is corrupt or cut off")
        start = member.end if member.whole else _find(file, GZIP, start + 1)
        file.seek(start or 0)
        if not file.read(CHUNK).strip(b"\0"):  # the end, or a tape's padding
            return


def _of_plain(file: IO[bytes]) -> Iterator[tuple[Any, bytes] | BadRecord]:
    start: int | None = 0
    while start is not None:
        file.seek(start)
        last = start
        for one in _of_stream(file):
            if not isinstance(one, BadRecord) or isinstance(one, TooLarge):
                yield one
                continue
            last = int(getattr(one, "offset", start))
            yield one
            break
        else:
            return
        found = _find(file, PLAIN, last + 1)
        start = None if found is None else found + 1


def _of_stream(stream: Any) -> Iterator[tuple[Any, bytes] | BadRecord]:
    """Records of a plain stream until one is damaged, which is the last."""
    from warcio.archiveiterator import WARCIterator
    from warcio.exceptions import ArchiveLoadFailed
    from warcio.statusandheaders import StatusAndHeadersParserException

    # `decomp_type` is None: what is compressed is opened by us. warcio writes what it thinks to stderr.
    archive = WARCIterator(stream)
    reader = archive.reader
    reader.set_decomp(None)
    begins, some = archive.offset, False
    while True:
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                record = next(archive)
                block = record.raw_stream.read(MAX_BYTES + 1)
                begins = archive.get_record_offset()  # reads on to the end of the record
        except StopIteration:
            if archive.next_line or (reader.num_read and not some):  # it began a record and took its missing rest for the end
                yield _damaged("the record is cut off", archive.offset)
            return
        except (ArchiveLoadFailed, StatusAndHeadersParserException, ValueError, AttributeError) as error:
            # Beside its own errors: header lines that hold no colon, no number, no address.
            yield _damaged(f"no WARC record: {str(error).splitlines()[0][:120]}", archive.offset)
            return
        some = True
        # Of an empty Content-Length warcio makes 0: a record cut there would be an empty one.
        if record.length is None or record.rec_headers.get_header("Content-Length") == "" or getattr(record.raw_stream, "limit", 0) > 0:
            yield _damaged("the record is cut off", begins)
            return
        if archive.err_count:
            yield _damaged("the record does not end where its Content-Length says", begins)
            return
        if len(block) > MAX_BYTES:
            yield TooLarge(f"a record of more than {MAX_BYTES >> 20} MiB")
        else:
            yield record, block


def _damaged(what: str, offset: int) -> BadRecord:
    error = BadRecord(what)
    error.offset = offset  # type: ignore[attr-defined]
    return error


def _find(file: IO[bytes], mark: bytes, start: int) -> int | None:
    """Where `mark` stands next."""
    file.seek(start)
    before, at = b"", start
    while data := file.read(CHUNK):
        window = before + data
        if (found := window.find(mark)) >= 0:
            return at - len(before) + found
        at += len(data)
        before = window[1 - len(mark) :]
    return None


class _Member:
    """One gzip member as a stream of plain bytes, which ends where the member does or where it is damaged."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._file, self._inflate = file, zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._read_to, self._rest = start, b""
        self.end = start
        self.whole = False
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        """At most that many bytes; none at the end."""
        wanted = size if size and size > 0 else CHUNK
        while not self._inflate.eof:
            data = self._rest
            if not data:
                self._file.seek(self._read_to)
                data = self._file.read(1 << 16)
                self._read_to += len(data)
            if not data:
                return b""
            try:
                plain = self._inflate.decompress(data, wanted)
            except zlib.error:
                self._rest = b""
                return b""
            self._rest = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self.whole = True
                self.end = self._read_to - len(self._inflate.unused_data)
            if plain:
                return plain
        return b""

    def skip_rest(self) -> bool:
        """Read to the end; whether it is whole."""
        while self.read(CHUNK):
            pass
        return self.whole


class _Chunks:
    """A stream over pieces."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._rest = source, b""

    def read(self, size: int = -1) -> bytes:
        """At most that many bytes; none at the end."""
        while not self._rest:
            piece = next(self._source, None)
            if piece is None:
                return b""
            self._rest = piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken
