"""Bytes → text by the WHATWG Encoding Standard, strictly: bytes that cannot be decoded are counted and told, never replaced.

The standard's labels are what pages and people mean: `gb2312` is GB18030, `iso-8859-1` Windows-1252, `shift_jis` and
`euc-kr` their Windows extensions. What no label says is detected by chardet (7, rewritten; docs/extraction.md compares five
libraries), held to the encodings of the standard.
"""

from __future__ import annotations

import codecs

from tilth.builders.records import BadRecord
from tilth.core.errors import SourceError

AUTO = "auto"
"""The `encoding` of a source whose files say themselves, or are detected."""

DISTRIBUTIONS = ("chardet", "webencodings")
"""Whose versions decide what is decoded."""

SAMPLE_BYTES = 200_000
"""How much of a long text is looked at, lines that are not ASCII: chardet reads about 3 MB a second."""

_PYTHON = {
    "gbk": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949", "big5": "big5hkscs", "windows-874": "cp874", "macintosh": "mac-roman",
    "iso-8859-8-i": "iso-8859-8", "x-mac-cyrillic": "mac-cyrillic", "x-user-defined": "windows-1252", "replacement": "",
}  # fmt: skip
"""Names of the standard whose decoder Python has under another name; the replacement encoding is none (section 14.1)."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
         (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def of_label(label: str) -> str | None:
    """Python's codec for a label of the standard, None where the standard has none.

    >>> of_label("GB2312"), of_label("latin1"), of_label("rot13")
    ('gb18030', 'windows-1252', None)
    """
    import webencodings

    found = webencodings.lookup(label)
    return (_PYTHON.get(found.name, found.name) or None) if found else None


def named(encoding: str, shown: str) -> str:
    """The codec that a recipe names: a label of the standard, or any text encoding of Python's.

    Raises:
        SourceError: there is none of that name.
    """
    if known := of_label(encoding):
        return known
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding:  # `rot13`, `hex` and the like
        raise SourceError(f"{shown}: no encoding {encoding!r}", hint="for example utf-8, gb18030, big5, or auto")
    return found.name


def of_bom(data: bytes) -> str | None:
    """The encoding that a byte order mark at the start says."""
    return next((name for mark, name in _BOMS if data.startswith(mark)), None)


def detect(data: bytes) -> str | None:
    """The codec that a text without label is most likely in; None where it is likely no text.

    What is valid UTF-8 is UTF-8, unless it holds NUL, as ASCII in UTF-16 does.
    """
    if b"\0" in data:
        guess = _guess(data[:SAMPLE_BYTES])
        return guess if guess in _WIDE else None
    try:
        data.decode()
        return "utf-8"
    except UnicodeDecodeError:
        return _guess(sample(data))


def _guess(data: bytes) -> str | None:
    import chardet

    # Encodings of the web only: among all that chardet knows, EBCDIC and DOS code pages win many short texts.
    era = chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_ISO
    name = chardet.detect(data, encoding_era=era)["encoding"]
    if name is None:
        return None
    plain = name.lower()
    return plain if plain in _WIDE else of_label(plain) or codecs.lookup(plain).name  # `cp932` is no label


def sample(data: bytes) -> bytes:
    """Lines of a text that are not ASCII, up to `SAMPLE_BYTES`: the ASCII around them (markup, English) tells nothing."""
    if len(data) <= SAMPLE_BYTES:
        return data
    taken = b""
    for line in data.split(b"\n"):
        taken = add_to_sample(taken, line)
        if len(taken) >= SAMPLE_BYTES:
            break
    return taken


def add_to_sample(taken: bytes, line: bytes) -> bytes:
    """The sample with a line more, where the line says something and there is room."""
    if line.isascii() or len(taken) >= SAMPLE_BYTES:
        return taken
    return taken + line[: SAMPLE_BYTES - len(taken)] + b"\n"


def _undefined(error: UnicodeError) -> tuple[str, int]:
    # Two things that Python's decoders refuse and the standard's do not: C1 controls where a Windows code page has a hole
    # (its index maps 0x81 to U+0081 …), and 0x80 in GB18030, where Microsoft put the euro.
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        if error.encoding == "charmap" and 0x80 <= byte <= 0x9F:
            return chr(byte), error.start + 1
        if error.encoding == "gb18030" and byte == 0x80:
            return "€", error.start + 1
    raise error


HOLES = "tilth-holes"
"""Error handler of a strict decoding by the standard."""
codecs.register_error(HOLES, _undefined)


class Undecodable(BadRecord):
    """A text that is not in the encoding it is said to be in; `codec` is what was tried."""


def decode(data: bytes, codec: str, why: str = "") -> str:
    """The text, without its byte order mark.

    Args:
        why: who says that it is in `codec`, for the message.

    Raises:
        Undecodable: some of it is not; with the number of bad places, the first of them, and what else it may be.
    """
    try:
        text, _ = codecs.lookup(codec).decode(data, HOLES)
    except UnicodeDecodeError as error:
        bad = data.decode(codec, "replace").count("\ufffd") - data.decode(codec, "ignore").count("\ufffd")
        first = f"the first is 0x{data[error.start]:02x} at byte {error.start}" if error.start < len(data) else "it is cut off"
        other = detect(data)
        may = f"; it may be {other.upper()}" if other and other != codec else ""
        places = f"{bad} places" if bad > 1 else "1 place"
        raise Undecodable(f"not {codec.upper()}{f', as {why}' if why else ''}: {places} cannot be decoded, {first}{may}") from None
    return text.removeprefix("\ufeff")


def decode_as(data: bytes, encoding: str, shown: str, declared: str | None = None, why: str = "it declares") -> tuple[str, str]:
    """(text, codec) of data whose encoding is named, or is told by its mark, by what it declares, or by how it looks.

    Args:
        encoding: what the recipe says: a name, which is obeyed, or `auto`.
        declared: a label that the data, or who sent it, declares; one that the standard does not know says nothing.

    Raises:
        Undecodable: it is not in that encoding, or in none that can be told.
        SourceError: the recipe names no encoding.
    """
    if encoding != AUTO:
        codec = named(encoding, shown)
        return decode(data, codec, "the recipe says"), codec
    if codec_of_mark := of_bom(data):
        return decode(data, codec_of_mark, "its byte order mark says"), codec_of_mark
    if declared and (codec_of_label := of_label(declared)):
        return decode(data, codec_of_label, why), codec_of_label
    guess = detect(data)
    if guess is None:
        raise Undecodable("its encoding cannot be told: it is likely no text")
    return decode(data, guess, "it looks"), guess
