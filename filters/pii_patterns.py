"""Personal data that a pattern and a checksum tell: e-mail and IP addresses, URLs, identity and card numbers, plates."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import re

from tilth.filters.pii_spans import COLONS_3, DIGITS_4, DIGITS_7, HAN_DIGIT, LETTERS, Recogniser, by_pattern, either

# A number may touch Chinese characters, but be no part of a longer number, an identifier or a path.
BEFORE = r"(?<![0-9A-Za-z_/=#%@&+.\-−–])(?<![0-9],)"
AFTER = r"(?![0-9A-Za-z_]|[.,/\-][0-9]|-[A-Za-z]|\s?[*^])"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9_\-])"
)
_USER = re.compile(r"(?<=://)[A-Za-z0-9._%~+\-]{1,64}:[^\s/@<>\"']{1,64}(?=@[A-Za-z0-9\[])")
_CN_ID = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])")
_CUED_ID = re.compile(
    r"(?:身份证(?:号码?|编号)?|居民证号?|证件号码?|身份号码|(?i:id[ -]card|identity card|resident id)(?: ?(?i:number|no\.?))?)"
    r"[\s:：为是.#]{0,4}(?P<id>[1-9][0-9]{5}(?:(?:19|20)[0-9]{9}[0-9Xx]|[0-9]{9}))(?![0-9A-Za-z])"
)
_CARD = re.compile(
    rf"{BEFORE}[3-6][0-9]{{3}}(?:([ \-]?)[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{1,7}}|([ \-]?)[0-9]{{6}}\2[0-9]{{5}}){AFTER}"
)
_CUED_CARD = re.compile(
    r"(?:银行卡号?|储蓄卡号?|借记卡号?|信用卡号?|银行账[号户]|银行帐[号户]|开户账号|收款账[号户]|(?<![诊疗保康医])卡号)"
    r"[\s:：为是.#]{0,4}(?P<card>[1-9][0-9]{3}(?:[ \-]?[0-9]{4}){2,3}[ \-]?[0-9]{1,4})(?![0-9A-Za-z])"
)
_SSN = re.compile(r"(?<![0-9A-Za-z./\-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z/\-]|\.[0-9])")
_CUED_SSN = re.compile(
    r"(?i:\bSSN\b|social security(?: (?:number|no\.?|#))?)[\s:#.]{0,4}(?i:is "
    r"|was )?(?P<ssn>[0-9]{3}[ \-]?[0-9]{2}[ \-]?[0-9]{4})(?![0-9])"
)
_IPV4 = re.compile(r"(?<![0-9A-Za-z.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z\-]|\.[0-9A-Za-z])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?:(?::[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4})(?![0-9A-Za-z:])")
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%\-]+(?<![.,;:!?'()\]])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• \-]?"
    r"(?=[A-HJ-NP-Z0-9]{0,4}[0-9][A-HJ-NP-Z0-9]{0,4}[0-9])[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])"
)
_CUED_PLATE = re.compile(
    r"(?i:licen[cs]e plate|plate number|number plate|registration plate|\bplate)\b(?: [a-z ]{1,30},)?(?: ?(?i:number|no\.?|#))?"
    r"[\s:#]{1,3}(?:(?:is|was"
    r"|of) )?(?P<plate>(?=[A-Z0-9 \-]{0,6}[0-9])(?=[A-Z0-9 \-]{0,6}[A-Z])[A-Z0-9]{1,4}[ \-]?[A-Z0-9]{2,5})\b"
)

_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91]
)
"""First two digits of a division code (GB/T 2260)."""


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(char for char in text if char in "0123456789")


def luhn(number: str) -> bool:
    """Luhn's checksum (ISO/IEC 7812-1).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in number[::-2])) % 10 == 0


def cn_id_is_valid(number: str) -> bool:
    """A division, a date of birth that was, and the check character of GB 11643-1999 (ISO 7064, MOD 11-2).

    >>> cn_id_is_valid("11010519491231002X"), cn_id_is_valid("110105194912310021")
    (True, False)
    """
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(number[:17]))
    return _dated(number) and "10X98765432"[total % 11] == number[17].upper()


def _dated(number: str) -> bool:
    """A resident id of 15 or 18 characters begins with a division and a date."""
    born = number[6:14] if len(number) == 18 else "19" + number[6:12]
    try:
        datetime.date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return False
    return int(number[:2]) in _PROVINCES


def _is_card(match: re.Match[str]) -> bool:
    """A length that goes with the issuer's first digits (UnionPay's 62 among them), and Luhn's checksum."""
    if re.search(r"[0-9] $", match.string[max(0, match.start() - 2) : match.start()]) or re.match(
        r" [0-9]", match.string[match.end() :][:2]
    ):
        return False  # a row of a table
    number = digits(match[0])
    lengths = {"4": (13, 16, 19), "5": (16,), "34": (15,), "37": (15,), "35": (16,), "6": (16, 17, 18, 19)}
    fits = any(number.startswith(first) and len(number) in allowed for first, allowed in lengths.items())
    return fits and not (number[0] == "5" and not "1" <= number[1] <= "5") and luhn(number)


def _is_email(match: re.Match[str]) -> bool:
    """No file name (`icon@2x.png`) and no SSH address (`git@github.com:…`)."""
    suffix = match[0].rpartition(".")[2].lower()
    return suffix not in {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"} and not match[0].startswith("git@")


_VERSION = re.compile(
    r"(?i)(?:power|statistics|software|spss|sas|stata|rta|prism|windows|kernel|python|java|v|ver|version|release|build|版本号?|section|§)"
    r"[\s.:：(]*$|[±−–%]\s?$"
)


@functools.lru_cache(maxsize=1 << 14)  # mail repeats its relays
def _public(text: str) -> tuple[int, bool]:
    """Version, 0 where it is no address, and whether it is public or one of documentation's."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return 0, False
    return address.version, address.is_global or any(address in net for net in _EXAMPLES if net.version == address.version)


def _is_ip(match: re.Match[str]) -> bool:
    """A public address, or one that documentation uses; `v1.2.3.4` and `1.2.3.4` (four single digits) are versions."""
    version, public = _public(match[0])
    if version == 6:
        return public and match[0].count(":") >= 3 and re.search("[0-9A-Fa-f]{3}", match[0]) is not None
    short = all(len(part) == 1 for part in match[0].split("."))
    return (
        public
        and not short
        and not match[0].endswith(".0.0")
        and not _VERSION.search(match.string[max(0, match.start() - 12) : match.start()])
    )


_EXAMPLES = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""RFC 5737 and 3849: texts that were made safe already name them, as a person's."""

_CUED = r"(?:[\s:：为是.#]|is |was ){0,4}"
RECOGNISERS: tuple[Recogniser, ...] = (
    by_pattern("url", r"https?://", _URL, reach=None),
    by_pattern("email", r"[A-Za-z0-9._%+\-]@[A-Za-z0-9]", _EMAIL, accept=_is_email, needs=LETTERS),
    by_pattern("account", r"://[^\s/@]+:[^\s/@]+@", _USER, needs=LETTERS),
    either(
        by_pattern("cn_id", r"[1-9][0-9]{16}[0-9Xx]", _CN_ID, accept=lambda match: cn_id_is_valid(match[0]), needs=DIGITS_7),
        by_pattern("cn_id", r"(?:证|码|号|(?i:card|id|number"
            r"|no))[\s:：为是.#]{0,4}[1-9][0-9]{14}", _CUED_ID, accept=lambda match: _dated(match["id"]), group="id", needs=DIGITS_7),
    ),
    either(
        by_pattern("card", r"[3-6][0-9]{3}[ \-]?[0-9]{4}[0-9 \-]{5}", _CARD, accept=_is_card, needs=DIGITS_7),
        by_pattern("card", r"[卡号户][\s:：为是.#]{0,4}[1-9][0-9]{3}[ \-]?[0-9]{4}", _CUED_CARD, group="card", needs=DIGITS_7),
    ),
    either(
        by_pattern("ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _SSN, needs=DIGITS_7),
        by_pattern("ssn", r"(?i:ssn|social security)", _CUED_SSN, group="ssn", needs=DIGITS_7),
    ),
    by_pattern("ip", r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", _IPV4, accept=_is_ip, needs=DIGITS_4),
    by_pattern("ip", r"[0-9A-Fa-f]:[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{1,4})?:", _IPV6, accept=_is_ip, needs=COLONS_3),
    by_pattern("plate", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• \-]?[A-Z0-9]{4}", _PLATE, needs=HAN_DIGIT),
    by_pattern("plate", r"(?i:plate)", _CUED_PLATE, group="plate", needs=LETTERS),
)  # fmt: skip
