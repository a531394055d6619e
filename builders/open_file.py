"""Opening files as bytes, plain, gzip or zstd, with damage told apart from the end of the file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from tilth.core.errors import SourceError

CHUNK = 1 << 20


def lines(path: Path, shown: str) -> Iterator[bytes]:
    """Lines of a file without their line feed.

    Raises:
        SourceError: the file cannot be opened, or its compressed stream is corrupt or cut off.
    """
    rest = b""
    for chunk in chunks(path, shown):
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        yield from parts
    if rest:
        yield rest


def chunks(path: Path, shown: str) -> Iterator[bytes]:
    """Decompressed bytes of a file, in pieces."""
    try:
        with path.open("rb") as file:
            if path.suffix == ".zst":
                yield from _zstd(file, shown)
            elif path.suffix == ".gz":
                with gzip.open(file) as plain:
                    while chunk := plain.read(CHUNK):
                        yield chunk
            else:
                while chunk := file.read(CHUNK):
                    yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{shown}: corrupt gzip stream: {error}", hint="fetch the file again") from None
    except OSError as error:
        raise SourceError(f"{shown}: {error.strerror or error}") from None


def _zstd(file: object, shown: str) -> Iterator[bytes]:
    import zstandard

    # stream_reader takes a cut-off frame for the end of the file; a decompression object knows the difference.
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    begun = False
    try:
        while data := file.read(CHUNK):  # type: ignore[attr-defined]
            while data:
                begun = True
                yield frame.decompress(data)
                data = b""
                if frame.eof:
                    data, frame, begun = frame.unused_data, decompressor.decompressobj(), False
    except zstandard.ZstdError as error:
        raise SourceError(f"{shown}: corrupt zstd stream: {error}", hint="fetch the file again") from None
    if begun:
        raise SourceError(f"{shown}: the zstd stream is cut off", hint="fetch the file again")
