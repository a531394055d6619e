"""Web archives: WARC 1.0 and 1.1 (ISO 28500), plain or a gzip member a record, and the text files (WET) made from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from tilth.builders import declared, http_body, warc_members
from tilth.builders.encodings import AUTO, DISTRIBUTIONS, decode_as
from tilth.builders.records import BadRecord, Format, Record

PAGES = ("text/html", "application/xhtml+xml")
TEXTS = ("text/plain",)


class Warc(Format, name="warc", version=1):
    """Pages and texts of a web archive: answers with status 200, resources, and conversions; what else it holds is passed over.

    A record has `url`, `id` (WARC-Record-ID), `date`, `type`, `encoding`, and `html`, or `text` where it is plain text. Records that
    are damaged or cut off fail and are listed; reading goes on behind them. The shape `html` finds the text of both.
    """

    suffixes = (".warc", ".wet")
    distributions = ("warcio", *DISTRIBUTIONS)
    encoding: str = Field(
        AUTO, description="a name such as gb18030, or `auto`: byte order mark, charset of the HTTP header, `<meta charset>`, else detected"
    )

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        for number, one in enumerate(warc_members.records(path, shown), start=1):
            if isinstance(one, BadRecord):
                yield number, one
                continue
            try:
                page = _page(*one, self.encoding, shown)
            except BadRecord as error:
                yield number, error
            else:
                if page is not None:
                    yield number, page


def _page(record: Any, body: bytes, encoding: str, shown: str) -> Record | None:
    header = record.rec_headers.get_header
    url = header("WARC-Target-URI") or ""
    match record.rec_type:
        case "response" if record.http_headers is not None:
            if record.http_headers.get_statuscode() != "200":
                return None
            said = record.http_headers.get_header("Content-Type") or header("WARC-Identified-Payload-Type") or ""
        case "resource" | "conversion":
            said = header("Content-Type") or ""
        case _:
            return None
    kind = said.partition(";")[0].strip().lower()
    if kind not in (*PAGES, *TEXTS) or not url.lower().startswith(("http://", "https://")):
        return None
    if record.rec_type == "response":
        body = http_body.plain(body, record.http_headers)
    label = declared.in_http(said)
    why = "the HTTP header says"
    if label is None and kind in PAGES:
        label, why = declared.in_html(body), "it declares"
    text, codec = decode_as(body, encoding, shown, label, why)
    return {
        "url": url, "id": (header("WARC-Record-ID") or "").removeprefix("<urn:uuid:").removesuffix(">"), "date": header("WARC-Date"), "type": kind,
        "encoding": codec, ("html" if kind in PAGES else "text"): text,
    }  # fmt: skip
