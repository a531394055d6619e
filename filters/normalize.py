"""Normalize text: one Unicode form, one kind of line end, no invisible characters. Our own list, no published source.

In this order: HTML entities unescaped once (if asked for) · CR LF, CR, vertical tab, form feed, NEL, LS and PS become
`\\n` · control, zero-width, direction and soft-hyphen characters and byte-order marks go · spaces of every width
(U+3000 and U+00A0 too) become U+0020 · NFC · blanks at line ends go · more than two blank lines become two · line
ends at both ends of a text and blanks at its end go. Zero-width joiners stay after a character of the scripts that
write with them (Arabic, the Indic scripts, Khmer, Mongolian …) and between emoji.

Doing it again changes nothing, but for entities: `&amp;lt;` takes two passes to become `<`.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable

import polars as pl

from tilth.core.batch import Batch
from tilth.core.steps import Step

_LINE_ENDS = r"\r\n?|[\x0b\x0c\u0085\u2028\u2029]"
_INVISIBLE = (
    "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\u00ad\u061c\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]+"
)
_SPACES = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_JOINERS = "[\u200c\u200d]"
# Arabic to Malayalam and on to Myanmar, Khmer, Mongolian and their supplements; variation selectors, tags and emoji.
_JOINING = "\u0600-\u109f\u1780-\u18af\u1a20-\u1aaf\ua840-\ua8ff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff"
_EMOJI = "\u00a9\u00ae\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_JOINER = re.compile(f"(?:(?<=[{_JOINING}]){_JOINERS}|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}]))|({_JOINERS})")
"""Matches every joiner; group 1 is one that nothing before it needs."""
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"


class Normalize(Step, name="normalize", version=1):
    """Bring text to one form: NFC, `\\n`, plain spaces, no invisible characters."""

    entities: bool = False
    """Whether HTML entities (`&lt;`, `&#8211;`) are unescaped, once, before all else."""

    def edit(self, batch: Batch) -> Batch:
        """Every piece of text (document, message, option, candidate) brought to the form."""
        return batch.map_text(functools.partial(normalized, entities=self.entities))


def normalized(texts: pl.Series, *, entities: bool = False) -> pl.Series:
    """The texts in normal form; nulls stay.

    >>> normalized(pl.Series(["a\\r\\nb\\u200b \\u3000\\n\\n\\n\\n\\nc "])).to_list()
    ['a\\nb\\n\\n\\nc']
    """
    if entities:
        texts = _where(texts, texts.str.contains(_ENTITY), html.unescape)
    texts = texts.str.replace_all(_LINE_ENDS, "\n").str.replace_all(_INVISIBLE, "").str.replace_all(_SPACES, " ")
    texts = _where(texts, texts.str.contains(_JOINERS), lambda text: _JOINER.sub(lambda m: "" if m[1] else m[0], text))
    return (
        texts.str.normalize("NFC")
        .str.replace_all(r"(?m)[ \t]+$", "")
        .str.replace_all(r"\n{4,}", "\n\n\n")
        .str.strip_chars("\n")
        .str.strip_chars_end(" \t\n")
    )


def _where(texts: pl.Series, chosen: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """`change` (a function of one string) applied to the chosen texts only: these are few, and Python is slow."""
    places = chosen.fill_null(False).arg_true()
    if not len(places):
        return texts
    # ! `scatter` writes into its series: a clone, lest the batch's own text change.
    return texts.clone().scatter(places, [change(text) for text in texts.gather(places)])
