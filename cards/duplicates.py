"""The cluster browser of the report page: a row that went and the row that stayed, side by side, differences marked.

The texts are those of data sets, hostile until escaped: every piece goes through `markupsafe` and loses the characters
that turn the direction of writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

from tilth.cards.markdown import inline
from tilth.core.builds import DuplicatePair

MARKS = {"-": "del", "+": "ins"}


def sides(pieces: Sequence[tuple[str, str]], own: Literal["-", "+"]) -> Markup:
    """One side of a pair as HTML: what is shared, and what only this side has.

    >>> str(sides([("=", "a <b> "), ("-", "5"), ("+", "50"), ("~", "12")], "+"))
    'a &lt;b&gt; <ins>50</ins><i>… 12 words …</i>'
    """
    parts = []
    for op, text in pieces:
        if op == own:
            parts.append(Markup("<{0}>{1}</{0}>").format(Markup(MARKS[own]), inline(text)))
        elif op in ("~", f"~{own}"):
            parts.append(Markup("<i>… {} words …</i>").format(inline(text)) if text else Markup("<i>…</i>"))
        elif op == "=":
            parts.append(escape(inline(text)))
    return Markup().join(parts)


def groupby_shown(pairs: Sequence[DuplicatePair]) -> list[tuple[str, list[DuplicatePair]]]:
    """(why they are shown, the pairs), in the order given."""
    return [(said, list(some)) for said, some in groupby(pairs, key=lambda pair: pair.shown_as)]
