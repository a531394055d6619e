"""Bounds of an HTML page, held before its tree is built: by counts, not by a clock, so that the same pages pass on every machine.

A tree costs more than its bytes say. libxml2 takes time with the square of the attributes of one element (2 MB of them: over ten minutes)
and leaves out, without a word, what is nested deeper than 256; trafilatura takes time with the square of the cells of one row. So the page
is passed through the same parser first without building anything, 2 ms for a page of 60 kB, and refused at the first count that no page has.
"""

from __future__ import annotations

import contextlib

from tilth.builders.records import TooLarge

MAX_DEPTH = 250
"""Elements within elements. Of 710 real pages the deepest has 43."""
MAX_ELEMENTS = 100_000
"""Of 710 real pages the largest has 6,749. 100,000 cells in one row, the slowest page found, take half a minute."""
MAX_ATTRIBUTES = 1_000
"""Of one element. Of 710 real pages the most is 38."""


def check(page: str) -> None:
    """Refuse a page that no page is like.

    Raises:
        TooLarge: it has more elements, deeper or with more attributes.
    """
    from lxml import etree

    parser = etree.HTMLParser(target=_Counts(), encoding="utf-8", remove_comments=True, remove_pis=True)
    with contextlib.suppress(etree.XMLSyntaxError):  # no element at all: what becomes of it is for the reader to say
        etree.fromstring(page.encode(), parser)


class _Counts:
    def __init__(self) -> None:
        self.depth = self.elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise TooLarge(f"a page with elements nested deeper than {MAX_DEPTH}")
        if self.elements > MAX_ELEMENTS:
            raise TooLarge(f"a page of more than {MAX_ELEMENTS:,} elements")
        if len(attributes) > MAX_ATTRIBUTES:
            raise TooLarge(f"an element with more than {MAX_ATTRIBUTES:,} attributes")

    def end(self, tag: str) -> None:
        self.depth -= 1

    def close(self) -> None:
        pass
