"""Hostile XML → a tree: no network, no DTD, no entity of the document's own, bounded depth and size."""

from __future__ import annotations

import html.entities
import re
from typing import TYPE_CHECKING

from tilth.builders.records import BadRecord, TooLarge

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_CHARS = 20_000_000
"""An article has about 100,000 characters of XML; the largest books of one file some millions."""

DISTRIBUTIONS = ("lxml",)
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")


def parse(document: str) -> _Element:
    """The root of an XML document.

    Entities stay as they are written (libxml2 gives up at a depth of 256 and where attributes grow by them); `entity` says
    what the named characters of the public sets stand for, and no other.

    Raises:
        TooLarge: it has more than `MAX_CHARS` characters.
        BadRecord: it is not well-formed.
    """
    from lxml import etree

    if len(document) > MAX_CHARS:
        raise TooLarge(f"an XML document of {len(document):,} characters, more than {MAX_CHARS:,}")
    bare = document.removeprefix("\ufeff")
    if found := _DECLARATION.match(bare):  # it tells the encoding of bytes that are text by now
        bare = bare[found.end() :]
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(bare.strip().encode(), parser)
    except etree.XMLSyntaxError as error:
        raise BadRecord(f"not XML: {error.msg}") from None
    except UnicodeEncodeError:
        raise BadRecord("not XML: a lone surrogate") from None


def name(element: _Element) -> str:
    """An element's name without its namespace; `&` for an entity that was left as written."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "&"


def entity(element: _Element) -> str:
    """The characters of an entity of the public sets (ISO 8879 and 9573, as HTML has them).

    Raises:
        BadRecord: it is another: one that the document defines, or one outside of it.
    """
    written = (element.text or "")[1:-1]
    known = html.entities.html5.get(f"{written};")
    if known is None:
        raise BadRecord(f"the entity &{written[:40]}; is not resolved")
    return known
