"""The body of an HTTP answer as it was stored → the bytes that were meant: chunks joined, compression undone, bounded."""

from __future__ import annotations

import io
import zlib
from typing import Any

from tilth.builders.records import BadRecord, TooLarge
from tilth.builders.warc_members import MAX_BYTES


def plain(body: bytes, headers: Any) -> bytes:
    """The body without its transfer and content encodings.

    Crawlers that store bodies plain often leave the headers as they were: a body that does not look encoded is taken as it is.

    Args:
        headers: warcio's, with `get_header`.

    Raises:
        BadRecord: it is cut off, corrupt, or in an encoding that we do not read.
        TooLarge: it is larger than a record may be: a few kilobytes can hold gigabytes.
    """
    if "chunked" in (headers.get_header("Transfer-Encoding") or "").lower():
        body = _joined(body)
    for coding in reversed((headers.get_header("Content-Encoding") or "").lower().split(",")):
        body = _opened(body, coding.strip())
    return body


def _joined(body: bytes) -> bytes:
    from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader

    size = body.partition(b"\r\n")[0].partition(b";")[0].strip()
    if not size or not all(digit in b"0123456789abcdefABCDEF" for digit in size):
        return body
    try:
        joined: bytes = ChunkedDataReader(io.BytesIO(body), raise_exceptions=True).read()
    except ChunkedDataException as error:
        raise BadRecord(f"its chunks are damaged: {error}") from None
    return joined


def _opened(body: bytes, coding: str) -> bytes:
    match coding:
        case "gzip" | "x-gzip":
            return _inflated(body, 16 + zlib.MAX_WBITS) if body.startswith(b"\x1f\x8b") else body
        case "deflate":
            # Named for zlib's format and often sent without its two bytes.
            return _inflated(body, zlib.MAX_WBITS if body[:1] == b"\x78" else -zlib.MAX_WBITS)
        case "zstd":
            return _unzstd(body) if body.startswith(b"\x28\xb5\x2f\xfd") else body
        case "" | "identity":
            return body
    if coding == "br" and (body[:200].lstrip()[:1] == b"<"):
        return body
    raise BadRecord(f"its content encoding {coding[:40]!r} is not read")


def _inflated(body: bytes, bits: int) -> bytes:
    inflate = zlib.decompressobj(bits)
    try:
        opened = inflate.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise BadRecord(f"its compressed body is corrupt: {error}") from None
    if len(opened) > MAX_BYTES:
        raise TooLarge(f"a body of more than {MAX_BYTES >> 20} MiB")
    if not inflate.eof:
        raise BadRecord("its compressed body is cut off")
    return opened


def _unzstd(body: bytes) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as reader:
            opened = reader.read(MAX_BYTES + 1)
    except zstandard.ZstdError as error:
        raise BadRecord(f"its compressed body is corrupt: {error}") from None
    if len(opened) > MAX_BYTES:
        raise TooLarge(f"a body of more than {MAX_BYTES >> 20} MiB")
    return opened
