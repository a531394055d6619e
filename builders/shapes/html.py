"""The main text of an HTML page, found by trafilatura (Barbaresi 2021, ACL demo), without its navigation and advertisements."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tilth.builders import page_limits
from tilth.builders.creative_commons import spdx
from tilth.builders.records import BadRecord, Blank, Record, Shape, TooLarge, take_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

UNDATED = {"max_date": "2100-01-01", "extensive_search": False, "original_date": True}
"""Bounds of a search for the date, which cannot be left out; what it finds is not used, for it may depend on the day."""

_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r"}
_LEADING = re.compile(r"\A(?:[\s\ufeff]+|<\s*!\s*doctype[^>]*>)+", re.IGNORECASE)

logging.getLogger("trafilatura").addHandler(logging.NullHandler())  # what it says of a page is in our ledger
logging.getLogger("trafilatura").propagate = False


class Html(Shape, name="html", version=1):
    """The main text of a page: articles, posts, documents; menus, footers and advertisements are left out.

    `key` and `license` of the source may name, with `metadata`, `page.title`, `.author`, `.url`, `.site`, `.license`.
    """

    makes = "cpt"
    distributions = ("trafilatura", "lxml", "lxml-html-clean", "justext", "htmldate", "courlan")
    field: str = Field("html", description="field that holds the page")
    favor: Literal["balance", "precision", "recall"] = Field("balance", description="less text that is surer, or more when in doubt")
    comments: bool = Field(False, description="readers' comments under the text")
    tables: bool = Field(True, description="tables, a row a line")
    links: bool = Field(False, description="addresses of links, as in Markdown")
    formatting: bool = Field(False, description="headings and emphasis, as in Markdown")
    metadata: bool = Field(False, description="find what `page.…` names")
    max_chars: int = Field(2_000_000, ge=1, description="pages of more characters are put aside: time and memory grow with them")

    def content(self, record: Record) -> dict[str, Any]:
        return next(self.read(record))[1]

    def read(self, record: Record) -> Iterator[tuple[Record, dict[str, Any]]]:
        if record.get("type") == "text/plain" and self.field not in record:  # of a WARC
            yield record, {"text": take_text(record, "text")}
            return
        page = take_text(record, self.field)
        if len(page) > self.max_chars:
            raise TooLarge(f"a page of {len(page):,} characters, more than {self.max_chars:,}")
        address = record.get("url")
        try:
            tree = parse(page)
            facts = _facts(tree, address if isinstance(address, str) else None) if self.metadata else None
            text = self._text(tree)
        except BadRecord:
            raise
        except Exception as error:  # noqa: BLE001  a page can break trafilatura in any way, and is listed then
            raise BadRecord(f"trafilatura fails: {type(error).__name__}: {str(error)[:200]}") from None
        if not text or not text.strip():
            raise Blank("no main text in the page")
        yield ({**record, "page": facts} if facts else record), {"text": text}

    def _text(self, tree: HtmlElement) -> str | None:
        import trafilatura

        found: str | None = trafilatura.extract(
            tree, output_format="txt", include_comments=self.comments, include_tables=self.tables, include_links=self.links,
            include_formatting=self.formatting, favor_precision=self.favor == "precision", favor_recall=self.favor == "recall",
        )  # fmt: skip
        return found


def parse(page: str) -> HtmlElement:
    """The tree of a page.

    Raises:
        Blank: there is nothing in it.
        TooLarge: it is beyond `page_limits`.
        BadRecord: it is not Unicode.
    """
    import trafilatura

    # trafilatura takes a text that does not begin like a page for no page: a fragment, or a page after some blank lines. And it takes
    # out control characters and document types, which must be done before the page is counted.
    bare = _LEADING.sub("", page.translate(_CONTROLS))
    try:
        bare.encode()
    except UnicodeEncodeError:
        raise BadRecord("text that is not Unicode: a lone surrogate") from None
    whole = bare if "html" in bare[:50].lower() else f"<html>{bare}"
    page_limits.check(whole)
    tree = trafilatura.load_html(whole)
    if tree is None:
        raise Blank("no elements in the page")
    return tree


def _facts(tree: HtmlElement, address: str | None) -> dict[str, str | None]:
    from trafilatura.metadata import extract_metadata

    found = extract_metadata(tree, address, dict(UNDATED), False)
    said = found.license if found is not None else None
    return {
        "title": found.title, "author": found.author, "url": found.url, "site": found.sitename, "license": (spdx(said) or said) if said else None,
    }  # fmt: skip
