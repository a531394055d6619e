"""Find personal data in many texts: compiled searches say where a kind may be, Python looks there, overlaps are settled.

A name found once is found again wherever it stands in the same row (all messages of a conversation), where nothing around
it would tell: the whole name, and in English its surname after that, unless a disease is called so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from tilth.filters import pii_addresses, pii_names_chinese, pii_names_english, pii_patterns, pii_phones, pii_records
from tilth.filters.pii_common_words import COMMON_WORDS
from tilth.filters.pii_given_names import GIVEN_NAMES, SURNAMES
from tilth.filters.pii_spans import PRIORITY, Recogniser, Span, resolved, windows

KINDS = PRIORITY
FAMILIES: tuple[tuple[Recogniser, ...], ...] = (
    (*pii_patterns.RECOGNISERS, *pii_phones.RECOGNISERS),
    pii_records.RECOGNISERS,
    pii_addresses.RECOGNISERS,
    pii_names_english.RECOGNISERS,
    pii_names_chinese.RECOGNISERS,
)
"""A text is first asked for all of a family at once: one pass at 300 to 500 MB/s instead of one for each."""
_EPONYM = re.compile(
    r" et al\b|(?:['’]s)? (?:disease|syndrome|sign|test|scale|score|law|method|procedure|criteria"
    r"|classification)\b"
)


def found(texts: pl.Series, owners: np.ndarray, kinds: Sequence[str]) -> dict[int, list[Span]]:
    """Spans by place in `texts`, of these kinds; places without any are left out.

    `owners` (one row number a text) says which texts belong to one row and share its names.
    """
    spans: dict[int, list[Span]] = defaultdict(list)
    for recognisers in FAMILIES:
        asked = [recogniser for recogniser in recognisers if recogniser.kind in kinds]
        if not asked:
            continue
        any_of = "|".join(f"(?:{recogniser.prefilter})" for recogniser in asked)
        likely = texts.str.contains(any_of).fill_null(False).arg_true()
        held = texts.gather(likely)
        for recogniser in asked if len(likely) else ():
            for place, spot in _looked(likely, held, recogniser):
                spans[place].extend(Span(start, end, recogniser.kind) for start, end in spot)
    settled = {place: resolved(some) for place, some in spans.items() if some}
    if "name" in kinds:
        settled = _again(texts, owners, settled)
    return dict(sorted((place, some) for place, some in settled.items() if some))


def _looked(places: pl.Series, texts: pl.Series, recogniser: Recogniser) -> Iterator[tuple[int, Iterator[tuple[int, int]]]]:
    """Each part of each text in which the recogniser looks, and what it finds there."""
    if recogniser.reach is None:
        at = texts.str.contains(recogniser.prefilter).arg_true()
        for place, text in zip(places.gather(at), texts.gather(at), strict=True):
            yield place, iter(recogniser.find(text, 0, len(text)))
        return
    cues = texts.str.extract_all(recogniser.prefilter)
    at = (cues.list.len() > 0).arg_true()
    for place, text, held in zip(places.gather(at), texts.gather(at), cues.gather(at), strict=True):
        for begin, stop in windows(text, held, recogniser.reach, recogniser.worth):
            # What ends at the edge of a part may go on after it; its own cue has a part that reaches further.
            found_here = recogniser.find(text, begin, stop)
            yield place, ((start, end) for start, end in found_here if stop == len(text) or end != stop)


def _again(texts: pl.Series, owners: np.ndarray, settled: dict[int, list[Span]]) -> dict[int, list[Span]]:
    """The same, with the other places of the names that were found, in all texts of the row."""
    known: dict[int, set[str]] = defaultdict(set)
    for place, spans in settled.items():
        for span in spans:
            if span.kind == "name":
                known[int(owners[place])].update(_forms(texts[place][span.start : span.end]))
    if not known:
        return settled
    members = np.flatnonzero(np.isin(owners, list(known)))
    result = dict(settled)
    for place in members.tolist():
        text = texts[place]
        forms = known[int(owners[place])]
        if not text or not forms:
            continue
        pattern = re.compile("|".join(_bounded(form) for form in sorted(forms, key=lambda form: (-len(form), form))))
        more = [
            Span(*match.span(), "name")
            for match in pattern.finditer(text)
            if not _EPONYM.match(text, match.end()) and not text.endswith("University of ", 0, match.start())
        ]
        if more:
            result[place] = resolved([*settled.get(place, []), *more])
    return result


def _forms(name: str) -> set[str]:
    """How a name found once may stand elsewhere: whole, and if in English its last word (its first where a comma stands)."""
    if re.search(r"[\u3400-\u9fff]", name):
        return {name} if len(name) > 2 and "某" not in name else set()
    words = re.findall(r"[^\s,.]+", name)
    forms = {name} if len(words) > 1 else set()
    surname = words[0] if "," in name else words[-1]
    known = words[0].lower() in GIVEN_NAMES or surname.lower() in SURNAMES
    if len(words) > 1 and known and len(surname) > 3 and surname.lower() not in COMMON_WORDS:
        forms.add(surname.title() if surname.isupper() else surname)
    return forms


def _bounded(form: str) -> str:
    return re.escape(form) if re.search(r"[\u3400-\u9fff]", form) else rf"(?<![\w\-]){re.escape(form)}(?![\w\-])"
