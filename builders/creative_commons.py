"""Creative Commons licences as articles and pages write them, by address or in words → SPDX ids."""

from __future__ import annotations

import re

_URL = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(by(?:-nc)?(?:-nd|-sa)?)/(\d(?:\.\d)?)|(publicdomain/zero|licenses/cc0)/(?:1\.0)?|publicdomain/mark)", re.IGNORECASE
)
_SHORT = re.compile(r"\bCC[ -](BY(?:-NC)?(?:-ND|-SA)?)[ -]?(\d\.\d)\b|\b(CC0)\b", re.IGNORECASE)
_TERMS = {"attribution": "BY", "noncommercial": "NC", "non commercial": "NC", "noderivatives": "ND", "noderivs": "ND",
          "no derivatives": "ND", "sharealike": "SA", "share alike": "SA"}  # fmt: skip
_WORDS = re.compile(
    rf"creative commons\s+((?:(?:{'|'.join(_TERMS)})[\s,-]*)+)(?:\(cc[ -][\w-]+\)\s*)?(?:(\d\.\d)\b|\w*\s*licen[sc]e,?\s*(?:version\s*)?(?:\(?(\d\.\d))?)?",
    re.IGNORECASE,
)


def spdx(said: str) -> str | None:
    """The SPDX id of the first Creative Commons licence with a version that the words or the address name.

    A licence without a version is none: which text would hold? `CC-BY` alone is not on SPDX's list.

    >>> spdx("http://creativecommons.org/licenses/by/2.0"), spdx("CC BY-NC 4.0"), spdx("https://creativecommons.org/publicdomain/zero/1.0/")
    ('CC-BY-2.0', 'CC-BY-NC-4.0', 'CC0-1.0')
    >>> spdx("the Creative Commons Attribution Noncommercial License 3.0, which permits"), spdx("all rights reserved")
    ('CC-BY-NC-3.0', None)
    """
    if found := _URL.search(said):
        if found[1]:
            return f"CC-{found[1].upper()}-{found[2] if '.' in found[2] else found[2] + '.0'}"
        return "CC0-1.0" if found[3] else None
    if found := _SHORT.search(said):
        return "CC0-1.0" if found[3] else f"CC-{found[1].upper()}-{found[2]}"
    plain = " ".join(said.replace("-", " ").split())
    if (found := _WORDS.search(plain)) and (version := found[2] or found[3]):
        terms = [short for words, short in _TERMS.items() if re.search(rf"\b{words}\b", found[1], re.IGNORECASE)]
        order = [term for term in ("BY", "NC", "ND", "SA") if term in terms]
        return f"CC-{'-'.join(order)}-{version}" if order[:1] == ["BY"] else None
    return None
