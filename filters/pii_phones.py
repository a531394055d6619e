"""Telephone numbers: shapes of China, North America, Britain and the world, and any digits after a word such as `Tel:`.

Why our own: `phonenumbers`, the port of Google's library, finds at 0.2 MB/s. Of 599 numbers with `+` in real mail its
table of lengths decides as the rule of ten to 15 digits does but for four; its table of areas refuses four true ones,
and the numbers that are kept for examples, which texts made safe are full of: (555) 123-4567, +44 7700 900123.
"""

from __future__ import annotations

import re

from tilth.filters.pii_patterns import AFTER, BEFORE, digits
from tilth.filters.pii_spans import DIGITS_7, Recogniser, by_pattern

# A quantity is no number to call: 13800000000 IU, 15000000000 元.
_NO_UNIT = r"(?!\s?(?:[μµmk]?[gLlVW]\b|ml\b|IU\b|U\b|[mμµ]?mol\b|cells?\b|copies\b|bp\b|[%‰°元万亿人例次个只株吨克毫千]))"
_AREA = r"0(?:10|2[0-9]|[3-9][0-9]{2})"
_PHONE = re.compile(
    rf"{BEFORE}(?:"
    r"(?:(?:\+|00)?86[ \-]?)?1[3-9][0-9](?:[0-9]{8}|([ \-])[0-9]{4}\1[0-9]{4})"  # China, mobile
    rf"|(?:(?:\+|00)86[ \-]?)?(?:\({_AREA}\) ?|（{_AREA}）|{_AREA}[ \-])[2-8][0-9]{{6,7}}"  # China, landline
    r"|[48]00-(?:[0-9]{3}-[0-9]{4}|[0-9]{4}-[0-9]{3})"  # China, service
    r"|(?:\+?1[ .\-])?(?:\([2-9][0-9]{2}\) ?[0-9]{3}[ .\-]|[2-9][0-9]{2}([.\-])[2-9][0-9]{2}\2)[0-9]{4}"  # North America
    r"|\+?1[ .\-][2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}"
    r"|07[0-9]{3} [0-9]{3} ?[0-9]{3}|020 [0-9]{4} [0-9]{4}|01[0-9]{2,3} [0-9]{3} [0-9]{3,4}"  # Britain
    r"|\+[1-9][0-9]{0,2}(?:[ .\-]?\(?[0-9]{1,4}\)?){2,6}"  # international
    rf"){AFTER}{_NO_UNIT}"
)
_CUE = (
    r"(?:(?<![A-Za-z])(?i:tel(?:ephone)?|(?:(?:cell|mobile|home|work|office|contact) )?phone|(?:cell"
    r"|mobile|home|work|office|contact|callback|my|his|her|their|your|our) number|cell|fax|mobile"
    r"|call(?:ed|ing)?(?: ?back)?"
    r"|whats ?app|text|dial|ring|reach(?:ed)?|pager|voicemail)"
    r"(?i: ?(?:no\.?|number|#|at|us at|me at|me on|him at|her at|them at|on|is|was|:))*"
    r"|电话(?:号码)?|手机号?码?|座机|传真|热线|联系方式|致电|拨打|请拨|小灵通|(?:联系|咨询)电话)[\s:：.为是#]{0,4}"
)
_CUED_PHONE = re.compile(rf"{_CUE}(?P<number>\+?\(?[0-9][0-9 ()\-.]{{5,17}}[0-9]){AFTER}{_NO_UNIT}")
_NEW_MEANING = re.compile(
    r"(?:19|20)[0-9]{2} ?- ?(?:19|20)[0-9]{2}\b|(?:19|20)[0-9]{2}[.\-][0-9]{2}[.\-][0-9]{2}\b"
    r"|[0-9]{1,2}[.\-][0-9]{1,2}[.\-](?:19|20)?[0-9]{2}$|[0-9]+\.[0-9]+$"
)


def _is_phone(match: re.Match[str]) -> bool:
    """International numbers have 10 to 15 digits (ITU E.164); the others are as long as their pattern says."""
    groups = re.findall("[0-9]+", match[0])
    is_row = len(groups) > 5 and max(map(len, groups)) < 3
    return not match[0].startswith("+") or (10 <= len(digits(match[0])) <= 15 and not is_row)


def _is_cued_phone(match: re.Match[str]) -> bool:
    """Seven to 15 digits, and no span of years, date, decimal or list of numbers."""
    number = match["number"]
    groups = re.findall(r"[0-9]+", number)
    scattered = len(groups) > 6 or (len(groups) > 2 and min(map(len, groups[1:])) < 2)
    return 7 <= len(digits(number)) <= 15 and not _NEW_MEANING.match(number) and not scattered and "  " not in number


RECOGNISERS: tuple[Recogniser, ...] = (
    by_pattern(
        "phone",
        r"1[3-9][0-9][ \-]?[0-9]{4}[ \-]?[0-9]{4}|0[0-9]{2,3}[)） \-] ?[2-8][0-9]{6}"
        r"|[0-9]{3}(?:\) ?|[.\- ])[0-9]{3,4}[ .\-]?[0-9]{3,4}|\+[1-9][0-9 ().\-]{7}",
        _PHONE,
        accept=_is_phone,
        needs=DIGITS_7,
    ),
    by_pattern(
        "phone",
        r"(?:(?i:tel|phone|number|cell|fax|mobile|call|called|callback|app|text|dial|ring|reach|reached|page"
        r"|pager|voicemail|at|no|on|is|was)"
        r"|[话号机码真线式电打拨通])[\s:：.为是#\-]{0,4}\+?\(?[0-9][0-9 ()\-.]{5}",
        _CUED_PHONE,
        accept=_is_cued_phone,
        needs=DIGITS_7,
        group="number",
    ),
)
