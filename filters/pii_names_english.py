"""Personal names in English, by what stands around them: a form's label, a title, an introduction, a greeting, a signature.

A name without such context is not looked for: authors, scholars and the people after whom diseases are called stay.
Strong contexts (`Patient name:`, `Mrs.`, `my name is`) take any capitalised words that are no common words; weak ones
(`Patient:`, which is a speaker too, `my son`, `I'm`, `Dear`) want a known given name or two words that look like a name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from tilth.filters.pii_common_words import COMMON_WORDS
from tilth.filters.pii_english_contexts import (
    DESCRIPTIONS,
    INTRODUCTIONS,
    KIN,
    LABELS,
    ROLES,
    SIGNATURES,
    TITLES,
    Contexts,
)
from tilth.filters.pii_english_names import NAME, accepted, is_word
from tilth.filters.pii_given_names import GIVEN_NAMES, SURNAMES
from tilth.filters.pii_spans import LETTERS, LETTERS_SHARED, Recogniser

_CREDENTIALS = re.compile(rf"{NAME}(?=, ?(?:M\.?D\.?|R\.?N\.?|D\.?O\.?|N\.?P\.?|PA-C|LCSW|LPN|PharmD)(?![A-Za-z]))")
_DOCTOR = re.compile(rf"(?<![A-Za-z])(?:Dr\.?|Doctor)[ \u00a0](?:(?:Mr|Mrs|Ms)\.? )?{NAME}")
_LOWER = re.compile(
    r"(?<![A-Za-z])(?:(?i:my name(?:'s| is)|name is|i[’']?m|i am|this is|call me|hi|hello|hey)"
    r"|(?P<title>(?i:dr|mr|mrs|ms)\.?)) (?=(?P<name>[a-z]{2,}(?: [a-z]{2,})?)(?![a-z’']))"
)
_KNOWN_DOCTORS = frozenset(
    [
        "pepper",
        "scholl",
        "scholls",
        "martens",
        "who",
        "google",
        "seuss",
        "oz",
        "phil",
        "strange",
        "dre",
        "no",
        "house",
        "frankenstein",
        "jekyll",
        "mario",
        "evil",
        "livingstone",
        "watson",
    ]
)
_REFERENCE = re.compile(r"(?i)\bdoi\b|PMID|\n\[?1[\].] .{20,200}(?:19|20)[0-9]{2};|competing interests|acknowledge?ments")
_STORY = re.compile(
    r"(?i)described|discovered|invented|named (?:after|for)|pioneer|founded|coined|introduced|proposed"
    r"|published|et al|nobel|\b1[5-8][0-9]{2}\b|\b19[0-4][0-9]\b|university|professor of"
)


def _in(contexts: Contexts, text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for strength, pattern in contexts:
        for match in pattern.finditer(text, begin, stop):
            yield from accepted(text, *match.span("name"), strength)


def _labelled(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for label, forms in LABELS:
        for head in label.finditer(text, begin, stop):
            for strength, form in forms:
                match = form.match(text, head.end())
                if match:
                    yield from accepted(text, *match.span("name"), strength)


def _doctors(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """`Dr. Hollingsworth`, but no brand and nobody of whom the text tells as of a scholar."""
    for match in _DOCTOR.finditer(text, begin, stop):
        around = text[max(0, match.start() - 40) : match.end() + 60]
        if match["name"].split()[0].lower() not in _KNOWN_DOCTORS and not _scholarly(text) and not _STORY.search(around):
            yield from accepted(text, *match.span("name"), "strong")


def _credentialled(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """`Paul Iwasaki, MD`, but not in a paper, where it is an author."""
    for match in _CREDENTIALS.finditer(text, begin, stop):
        if not _scholarly(text):
            yield from accepted(text, *match.span("name"), "two")


@functools.lru_cache(maxsize=16)
def _scholarly(text: str) -> bool:
    return text.count("et al") > 1 or _REFERENCE.search(text) is not None


def _lower(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """`my name is john smith`, `dr reynolds`: known names only."""
    for match in _LOWER.finditer(text, begin, stop):
        words = match["name"].split()
        start = match.start("name")
        given = words[0] in GIVEN_NAMES and words[0] not in COMMON_WORDS
        if match["title"] and (words[0] in SURNAMES or given):
            yield start, start + len(words[0])
        elif given:
            yield start, start + len(match["name"] if len(words) > 1 and words[1] in SURNAMES else words[0])


_LAST = re.compile(r"\w[\w'’\-]*$")


def _worth(cue: str) -> bool:
    """No cue before a common word: most lines of a dialogue begin like `Patient: Yes`."""
    word = _LAST.search(cue)
    return word is None or not is_word(word[0]) or word[0] in ("I", "Mr", "Mrs", "Ms", "Miss", "Dr", "MD")


_CAP = "[A-ZÀ-ÞĀ-ɏ][A-Za-zÀ-ɏ'’]*"
_CUES = {
    "labels": r"(?i:name|contact|kin|n\.?o\.?k|guarantor|guardian|spouse|subscriber|policy ?holder|attending"
    r"|physician|doctor|provider|pcp|md|surgeon|[a-z]+logist|an[a-z]*etist|[a-z]+ed by"
    r"|seen by|party|person|manager|worker|caregiver|carer|attn|attention|bill to|ship to|deliver to"
    r"|insured|resident|intern|consultant|midwife|therapist|psychiatrist|interpreter|translator|scribe"
    r"|pharmacist|dietitian|nutritionist|technician|technologist|operator|notary|chaplain|coach|proxy"
    r"|attorney|POA|signed|signature|mother|father|husband|wife"
    r"|partner|sister|brother|daughter|son|caller|witness|applicant|patient|pt|re|client|subject|from|to"
    r"|cc)(?:\(s\))?(?:'s)?[ \t]*(?:[:=|\-]|,? ?is)[ \t]*"
    r"|(?i:[a-z]+ed by|name was|name is) ",
    "titles": r"(?:Mr|Mrs|Ms|Mx|Mme|Miss|Messrs|Dr|Doctor|Prof|Professor|Nurse|Officer|Sister)\.?[ \u00a0]",
    "introductions": r"I, |(?i:name is|name's|name was|named|called|goes by|i['’]?m|i am|this is|it['’]s|call me|thanks"
    r"|thank you|hi|hello|hey|dear|morning|afternoon|evening|here is|signed),? ",
    "roles": rf"(?i:{KIN}(?:-in-law)?|patient|pt\.?|client|caller|resident|spoke with|spoke to|contact|behalf of"
    rf"|addressed to|accompanied by|(?:ship|deliver)[a-z ]{{1,40}} to|ship to|bill to"
    r"|seen by|signed by|consulted? with|nurse|manager|coordinator|worker|attention|attn),? ",
}
"""Cues before a capitalised word."""
_DESCRIBED = (
    r"an? [0-9]{1,3}[ \-](?:year|month|week|day|y)",
    r"\(?(?:DOB|D\.O\.B|MRN|date of birth)|under my care|I, [A-ZÀ-ÞĀ-ɏ]|, [0-9]{1,3}(?: ?(?:y|years)|, [a-z])",
)
_SIGNED = (
    r"(?-u:\b)(?i:sincerely|regards|respectfully|truly|faithfully|wishes|best|cheers|thanks|thank you"
    r"|cordially|signed|love|warmly)(?i: yours)?[,.!]?[ \t]*\n"
)
_WRITTEN_SMALL = r"(?-u:\b)(?i:my name is|name is|i['’]?m|i am|this is|call me|hi|hello|hey|dr\.?|mr\.?|mrs\.?|ms\.?) [a-z]{2}"
_CREDENTIAL_CUE = r", ?(?:M\.?D|R\.?N|D\.?O|N\.?P|PA-C|LCSW|LPN|PharmD)(?-u:\b)"


def _recogniser(cues: str, contexts: Contexts, reach: tuple[int, int]) -> Recogniser:
    def find(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
        yield from _in(contexts, text, begin, stop)
        if contexts is TITLES:
            yield from _doctors(text, begin, stop)

    return Recogniser("name", cues, find, reach, _worth, LETTERS if contexts is TITLES else LETTERS_SHARED)


RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser("name", rf"(?-u:\b)(?:{_CUES['labels']}){_CAP}", _labelled, (24, 0), _worth, LETTERS_SHARED),
    _recogniser(rf"(?-u:\b)(?:{_CUES['titles']}){_CAP}", TITLES, (8, 80)),
    _recogniser(rf"(?-u:\b)(?:{_CUES['introductions']}){_CAP}", INTRODUCTIONS, (24, 80)),
    _recogniser(rf"(?-u:\b)(?:{_CUES['roles']}){_CAP}", ROLES, (32, 80)),
    *(
        Recogniser("name", cue, lambda text, begin, stop: _in(DESCRIPTIONS, text, begin, stop), (80, 40), needs=LETTERS)
        for cue in _DESCRIBED
    ),
    Recogniser("name", _SIGNED, lambda text, begin, stop: _in(SIGNATURES, text, begin, stop), (14, 100), needs=LETTERS_SHARED),
    Recogniser("name", _CREDENTIAL_CUE, _credentialled, (61, 2), needs=LETTERS),
    Recogniser("name", _WRITTEN_SMALL, _lower, (2, 40), needs=LETTERS_SHARED),
)
