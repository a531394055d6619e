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

from tilth.filters import pii_addresses, pii_names_chinese, pii_names_english, pii_patterns, pii_phones, pii_records, text_buffer
from tilth.filters.near import Near, Parts, near
from tilth.filters.pii_common_words import COMMON_WORDS
from tilth.filters.pii_given_names import GIVEN_NAMES, SURNAMES
from tilth.filters.pii_spans import PRIORITY, Needs, Recogniser, Span, located, resolved, windows

KINDS = PRIORITY
RECOGNISERS: tuple[Recogniser, ...] = (
    *pii_patterns.RECOGNISERS,
    *pii_phones.RECOGNISERS,
    *pii_records.RECOGNISERS,
    *pii_addresses.RECOGNISERS,
    *pii_names_english.RECOGNISERS,
    *pii_names_chinese.RECOGNISERS,
)
_AROUND = 120
"""Characters or bytes around what is needed, or around a shared cue, in which cues are looked for: more than they are long."""
_EPONYM = re.compile(
    r" et al\b|(?:['’]s)? (?:disease|syndrome|sign|test|scale|score|law|method|procedure|criteria"
    r"|classification)\b"
)


def found(texts: pl.Series, owners: np.ndarray, kinds: Sequence[str]) -> dict[int, list[Span]]:
    """Spans by place in `texts`, of these kinds; places without any are left out.

    `owners` (one row number a text) says which texts belong to one row and share its names.
    """
    spans: dict[int, list[Span]] = defaultdict(list)
    groups: dict[Needs, list[Recogniser]] = defaultdict(list)
    for recogniser in RECOGNISERS:
        if recogniser.kind in kinds:
            groups[recogniser.needs].append(recogniser)
    whole = _Texts(texts)
    around: dict[tuple[Near, ...], Parts] = {(): Parts(list(range(len(texts))), [0] * len(texts), texts)}
    for needs, asked in groups.items():
        for depth, wanted in enumerate(needs.bytes):
            if needs.bytes[: depth + 1] not in around:
                outer = around[needs.bytes[:depth]]
                around[needs.bytes[: depth + 1]] = outer.within(near(text_buffer.of(outer.texts), wanted, _AROUND))
        parts = around[needs.bytes]
        if needs.shared:
            parts = _narrowed(parts, "|".join(f"(?:{recogniser.prefilter})" for recogniser in asked))
        if parts.places:
            cues = matches(parts.texts, [recogniser.prefilter for recogniser in asked])
            for recogniser, held in zip(asked, cues, strict=True):
                for place, spot in _looked(whole, parts, recogniser, held):
                    spans[place].extend(Span(start, end, recogniser.kind) for start, end in spot)
    settled = {place: resolved(some) for place, some in spans.items() if some}
    if "name" in kinds:
        settled = _again(texts, owners, settled)
    return dict(sorted((place, some) for place, some in settled.items() if some))


Matches = list[tuple[int, list[str]]]
"""Of each text that holds any: its place, and the matches in order."""


def matches(texts: pl.Series, patterns: Sequence[str]) -> list[Matches]:
    """Matches of each pattern. All in one query: a call of polars takes 0.1 ms, whatever it does."""
    found = pl.DataFrame({"text": texts}).select(
        pl.col("text").str.extract_all(pattern).alias(str(i)) for i, pattern in enumerate(patterns)
    )
    result = []
    for column in found:
        array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
        offsets = np.asarray(array.offsets)
        values = array.values.to_pylist()
        places = np.flatnonzero(np.diff(offsets))
        result.append(
            [
                (place, values[first:last])
                for place, first, last in zip(places.tolist(), offsets[places].tolist(), offsets[places + 1].tolist(), strict=True)
            ]
        )
    return result


def _narrowed(parts: Parts, cue: str) -> Parts:
    """What stands around the cue in these parts."""
    (cues,) = matches(parts.texts, [cue])
    inner = _Texts(parts.texts)
    inner.ask([part for part, _ in cues])
    places: list[int] = []
    begins: list[int] = []
    texts: list[str] = []
    for part, held in cues:
        for begin, stop in windows(inner[part], located(inner[part], held), (_AROUND, _AROUND)):
            places.append(parts.places[part])
            begins.append(parts.begins[part] + begin)
            texts.append(inner[part][begin:stop])
    return Parts(places, begins, pl.Series(texts, dtype=pl.String))


class _Texts(dict[int, str]):
    """Texts by place, decoded once for all recognisers."""

    def __init__(self, texts: pl.Series) -> None:
        super().__init__()
        self.texts = texts

    def ask(self, places: Sequence[int]) -> None:
        """Have the texts at these places."""
        missing = sorted(set(places) - self.keys())
        if missing:
            self.update(zip(missing, self.texts.gather(missing).to_list(), strict=True))


def _looked(whole: _Texts, parts: Parts, recogniser: Recogniser, cues: Matches) -> Iterator[tuple[int, Iterator[tuple[int, int]]]]:
    """The place of each text in which there is a cue, and what the recogniser finds around its cues."""
    inner = whole if parts.texts is whole.texts else _Texts(parts.texts)
    inner.ask([part for part, _ in cues])
    spots: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part, held in cues:
        begin = parts.begins[part]
        for first, last in located(inner[part], held, recogniser.worth):
            if first or not begin:  # what begins where a part does, began before it
                spots[parts.places[part]].append((begin + first, begin + last))
    whole.ask(list(spots))
    for place, some in spots.items():
        text = whole[place]
        if recogniser.reach is None:
            yield place, iter(recogniser.find(text, 0, len(text)))
            continue
        for begin, stop in windows(text, some, recogniser.reach):
            # What ends at the edge of a window may go on after it; its own cue has a window that reaches further.
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
        more = [
            Span(start, end, "name")
            for start, end in _places(text, forms)
            if not _EPONYM.match(text, end) and not text.endswith("University of ", 0, start)
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


def _places(text: str, forms: set[str]) -> Iterator[tuple[int, int]]:
    """Where the forms stand as words, from the left, the longer first; none overlap."""
    spots: list[tuple[int, int]] = []
    for form in forms:
        han = re.search(r"[\u3400-\u9fff]", form) is not None
        at = text.find(form)
        while at >= 0:
            end = at + len(form)
            if han or not (_joins(text[max(0, at - 1) : at]) or _joins(text[end : end + 1])):
                spots.append((at, -end))
            at = text.find(form, at + 1)
    stop = 0
    for start, end in sorted(spots):
        if start >= stop:
            stop = -end
            yield start, stop


def _joins(char: str) -> bool:
    return char.isalnum() or char in ("_", "-")
