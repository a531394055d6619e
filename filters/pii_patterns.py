"""Patterns of personal data, with the checks that a pattern cannot make."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

KINDS = ("url", "email", "cn_id", "card", "ssn", "ip", "phone")
"""In the order in which they are looked for: what an earlier one takes, a later one does not see."""

# A number may touch Chinese characters, but be no part of a longer number, an identifier or a path.
_BEFORE = r"(?<![0-9A-Za-z_/=#%@&+.\-])(?<![0-9],)"
_AFTER = r"(?![0-9A-Za-z_]|[.,/\-][0-9])"
# A quantity is no number to call: 13800000000 IU, 15000000000 元.
_NO_UNIT = r"(?!\s?(?:[μµmk]?[gLlVW]\b|ml\b|IU\b|U\b|[mμµ]?mol\b|cells?\b|copies\b|bp\b|[%‰°元万亿人例次个只株吨克毫千]))"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9_\-])"
)
_CN_ID = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])")
_CARD = re.compile(
    rf"{_BEFORE}[3-6][0-9]{{3}}(?:([ \-]?)[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{1,7}}|([ \-]?)[0-9]{{6}}\2[0-9]{{5}}){_AFTER}"
)
_SSN = re.compile(r"(?<![0-9A-Za-z./\-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z/\-]|\.[0-9])")
_IP = re.compile(
    r"(?<![0-9A-Za-z.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z\-]|\.[0-9A-Za-z])"
    r"|(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?:(?::[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4})(?![0-9A-Za-z:])"
)
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%\-]+(?<![.,;:!?'()\]])")

_AREA = r"0(?:10|2[0-9]|[3-9][0-9]{2})"
_PHONE = re.compile(
    rf"{_BEFORE}(?:"
    r"(?:(?:\+|00)?86[ \-]?)?1[3-9][0-9](?:[0-9]{8}|([ \-])[0-9]{4}\1[0-9]{4})"  # China, mobile
    rf"|(?:(?:\+|00)86[ \-]?)?(?:\({_AREA}\) ?|（{_AREA}）|{_AREA}[ \-])[2-8][0-9]{{6,7}}"  # China, landline
    r"|[48]00-(?:[0-9]{3}-[0-9]{4}|[0-9]{4}-[0-9]{3})"  # China, service
    r"|(?:\+?1[ .\-])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .\-]|[2-9][0-9]{2}([.\-])[2-9][0-9]{2}\2)[0-9]{4}"  # North America
    r"|\+[1-9][0-9]{0,2}(?:[ \-]?\(?[0-9]{1,4}\)?){2,6}"  # international
    rf"){_AFTER}{_NO_UNIT}"
)
_CUE = (
    r"(?:(?<![A-Za-z])(?:[Tt]el(?:ephone)?|TEL|[Pp]hone|PHONE|[Ff]ax|FAX|[Mm]obile|[Cc]all|[Ww]hats[Aa]pp)"
    r"(?: ?(?:[Nn]o|[Nn]umber|at|us at|is))?|电话(?:号码)?|手机号?码?|座机|传真|热线|联系方式|致电)[\s:：.为是#\-]{0,4}"
)
_CUED_PHONE = re.compile(rf"{_CUE}(?P<number>\+?\(?[0-9][0-9 ()\-]{{5,17}}[0-9]){_AFTER}{_NO_UNIT}")

PREFILTERS = {
    "url": r"https?://",
    "email": r"[A-Za-z0-9._%+\-]@[A-Za-z0-9]",
    "cn_id": r"[1-9][0-9]{16}[0-9Xx]",
    "card": r"[3-6][0-9]{3}[ \-]?[0-9]{4}[0-9 \-]{5}",
    "ssn": r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
    "ip": r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]",
    "phone": r"1[3-9][0-9][ \-]?[0-9]{4}[ \-]?[0-9]{4}|0[0-9]{2,3}[)） \-] ?[2-8][0-9]{6}|[0-9]{3}(?:\) ?|[.\-])[0-9]{3,4}[ .\-][0-9]{3,4}"
    r"|\+[1-9][0-9 ()\-]{7}|(?:[Tt]el|TEL|hone|HONE|ax|AX|obile|all|pp|at|o|er|is|[话号机码真线式电])[\s:：.为是#\-]{0,4}\+?\(?[0-9][0-9 ()\-]{5}",
}
"""For each kind, a pattern without look-around that a text must match for the kind to occur in it."""


def replaced(kind: str, text: str, mark: str) -> str:
    """The text with `mark` for each number or address of a kind that passes its checks."""
    for rule in _RULES[kind]:
        text = rule.pattern.sub(lambda match, rule=rule: _marked(match, rule, mark), text)  # type: ignore[misc]
    return text


@dataclass(frozen=True)
class _Rule:
    """A pattern, the check of its matches, and the group that is the datum."""

    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool]
    group: str | int = 0


def _marked(match: re.Match[str], rule: _Rule, mark: str) -> str:
    if not rule.accept(match):
        return match[0]
    whole, start = match[0], match.start()
    return whole[: match.start(rule.group) - start] + mark + whole[match.end(rule.group) - start :]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _is_email(match: re.Match[str]) -> bool:
    """No file name (`icon@2x.png`) and no SSH address (`git@github.com:…`)."""
    suffix = match[0].rpartition(".")[2].lower()
    return suffix not in {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"} and not match[0].startswith("git@")


def _is_cn_id(match: re.Match[str]) -> bool:
    """A date of birth that was, and the check character of GB 11643-1999 (ISO 7064, MOD 11-2)."""
    number = match[0].upper()
    try:
        datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17]


def _is_card(match: re.Match[str]) -> bool:
    """A length that goes with the issuer's first digits, and Luhn's checksum (ISO/IEC 7812)."""
    number = _digits(match[0])
    lengths = {"4": (13, 16, 19), "5": (16,), "34": (15,), "37": (15,), "35": (16,), "6": (16, 17, 18, 19)}
    fits = any(number.startswith(first) and len(number) in allowed for first, allowed in lengths.items())
    if not fits or (number[0] == "5" and not "1" <= number[1] <= "5"):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in number[::-2])) % 10 == 0


_VERSION = re.compile(r"(?i)(?:v|ver|version|release|build|版本|section|§)[\s.:：]*$")


def _is_ip(match: re.Match[str]) -> bool:
    """A public address; `v1.2.3.4` and `1.2.3.4` (four single digits) are versions or headings."""
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    if address.version == 6:
        return address.is_global and match[0].count(":") >= 3
    short = all(len(part) == 1 for part in match[0].split("."))
    return address.is_global and not short and not _VERSION.search(match.string[max(0, match.start() - 12) : match.start()])


def _is_phone(match: re.Match[str]) -> bool:
    """International numbers have 10 to 15 digits (ITU E.164); the others are as long as their pattern says."""
    return not match[0].startswith("+") or 10 <= len(_digits(match[0])) <= 15


def _is_cued_phone(match: re.Match[str]) -> bool:
    """Seven to 15 digits, and no span of years or list of numbers."""
    number = match["number"]
    return 7 <= len(_digits(number)) <= 15 and not re.match(r"(?:19|20)[0-9]{2} ?- ?(?:19|20)[0-9]{2}\b", number)


def _always(match: re.Match[str]) -> bool:
    return True


_RULES: dict[str, tuple[_Rule, ...]] = {
    "url": (_Rule(_URL, _always),),
    "email": (_Rule(_EMAIL, _is_email),),
    "cn_id": (_Rule(_CN_ID, _is_cn_id),),
    "card": (_Rule(_CARD, _is_card),),
    "ssn": (_Rule(_SSN, _always),),
    "ip": (_Rule(_IP, _is_ip),),
    "phone": (_Rule(_PHONE, _is_phone), _Rule(_CUED_PHONE, _is_cued_phone, "number")),
}
