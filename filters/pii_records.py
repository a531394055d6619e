"""Numbers that only their label tells: medical records and insurance, passports and licences, chat accounts, birth dates."""

from __future__ import annotations

import re

from tilth.filters.pii_spans import DIGITS_4, HANDLE, LETTERS, NOTHING, Needs, Recogniser, by_pattern, either

_SEPARATOR = r"[\s:：=#.№]{0,4}"
_END = r"(?![A-Za-z0-9]|[\-][A-Za-z0-9])"

_EN_RECORD_LABEL = (
    r"(?:(?i:MRN|med(?:ical)?\.? ?rec(?:ord)?s?(?: (?:number|no\.?|num|id))?|MR ?#"
    r"|patient(?: id(?:entification)?)(?: (?:number|no\.?))?|patient (?:number|no\.?|#)"
    r"|(?:chart|hosp(?:ital)?|encounter|visit|admission|claim|policy|member(?:ship)?|group|account|acct"
    r"|subscriber|beneficiary|insurance|medicare|medicaid|nhs|health card|health insurance"
    r"|customer)\.? ?(?:number|no\b\.?|num\b\.?|id\b|#)(?: (?:number|no\.?))?"
    r"|acct|account|chart ?#|policy|nhs number|HICN|CSN|FIN|(?:insurance |member |patient )?ID ?#))"
    rf"{_SEPARATOR}(?:(?i:is|was) )?"
)
_EN_RECORD = re.compile(
    rf"(?<![A-Za-z]){_EN_RECORD_LABEL}(?P<value>(?:[A-Z]{{1,5}}[\- ]?)?[0-9](?:[\- ]?[A-Z0-9]){{3,20}}"
    rf"|[A-Z0-9]{{1,4}}(?:-[A-Z0-9]{{2,8}}){{1,4}}){_END}"
)
_ZH_RECORD = re.compile(
    r"(?:(?:住院|门诊|急诊|病历|病案|就诊卡?|诊疗卡|医疗卡|医保卡?|社保卡?|社会保障"
    r"|社会保险|医疗保险|医疗证|参保|新农合|农合|合作医疗|登记|影像|病理|放射|检查|超声|心电图"
    r"|体检|健康卡|居民健康卡|病员|病人|患者|电子健康卡|标本|条码|一卡通|保单|放射科"
    r"|(?<![A-Za-z])CT|(?<![A-Za-z])MR|B超|X线|磁共振|核医学|内镜|胃镜"
    r"|(?<![A-Za-z])ICU|门诊病历|住院病历|档案)"
    r"(?:ID|id)?(?:卡)?(?:号码?|编号|证号|ID|id|流水号)|诊疗卡|就诊卡|医保卡|病案|住院ID|病人ID|患者ID|病历)(?:（[^）]{1,8}）)?"
    r"[\s:：=#.№为是]{0,4}(?P<value>[A-Za-z]{0,4}[\-]?[0-9](?:[\-]?[0-9A-Za-z]){3,22})(?![0-9A-Za-z])"
)
_DOCUMENT = re.compile(
    r"(?:(?i:passport|driver'?s?'? ?licen[cs]e|driving licen[cs]e|permanent resident card|green card"
    r"|visa)(?i: ?(?:number|no\.?|num|#|id))?[\s:#.]{0,3}(?i:is |was )?"
    r"|护照(?:号码?)?|通行证(?:号码?)?|台胞证(?:号码?)?|回乡证(?:号码?)?"
    r"|军官证(?:号码?)?|士兵证(?:号码?)?|驾驶证(?:号码?)?|驾照(?:号码?)?"
    r"|居留证(?:号码?)?)"
    r"[\s:：为是#]{0,4}(?P<value>(?=[A-Z0-9\-]{0,16}[0-9]{2})[A-Z0-9]{1,9}(?:-[A-Z0-9]{2,8}){0,4})(?![0-9A-Za-z])"
)
_ACCOUNT = re.compile(
    r"(?:(?<![A-Za-z])(?:QQ|qq|扣扣|企鹅)(?:号码?|群)?[\s:：为是]{0,3}(?P<qq>[1-9][0-9]{4,10})(?![0-9A-Za-z@])"
    r"|(?:微信号?|(?<![A-Za-z])(?i:wechat|weixin)(?i: ?id)?"
    r"|薇信|V信|[加➕][vV]|(?<![A-Za-z])(?i:vx"
    r"|wx)(?=[:：号]))[\s:：号为是]{0,3}(?P<chat>[A-Za-z][\-_A-Za-z0-9]{5,19}"
    r"|1[3-9][0-9]{9})(?![A-Za-z0-9@_])"
    r"|(?<![A-Za-z])(?i:skype|telegram|whatsapp|instagram|twitter|snapchat|facebook)(?i: (?:id|name|handle"
    r"|username))?(?:[:：] ?| (?=@))"
    r"(?P<handle>@?[A-Za-z][A-Za-z0-9._\-]{3,29}[A-Za-z0-9])|(?<![A-Za-z])(?i:telegram|skype|instagram"
    r"|twitter) (?P<at>@[A-Za-z0-9._]{3,30}[A-Za-z0-9]))"
)

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_EN_DATE = (
    rf"(?:[0-9]{{1,2}}[/.\-][0-9]{{1,2}}[/.\-](?:19|20)?[0-9]{{2}}|(?:19|20)[0-9]{{2}}[/.\-][0-9]{{1,2}}[/.\-][0-9]{{1,2}}"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}|[0-9]{{1,2}}(?:st|nd|rd"
    rf"|th)?[ \-](?:of )?{_MONTH},?[ \-](?:19|20)[0-9]{{2}})"
)
_ZH_DATE = (
    r"(?:(?:19|20)[0-9]{2} ?(?:年 ?[0-9]{1,2} ?月(?: ?[0-9]{1,2} ?[日号])?|[/.\-][0-9]{1,2}(?:[/.\-][0-9]{1,2})?"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))|[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}[日号])"
)
_EN_BIRTH = re.compile(
    r"(?<![A-Za-z])(?:(?i:D\.? ?O\.? ?B\.?(?![A-Za-z])|date of birth|birth ?date|birthday|born)(?i: (?:is|was|on|the))*)"
    rf"[\s:\-(]{{1,4}}(?:on )?(?P<date>{_EN_DATE})(?![0-9A-Za-z/\-])"
)
_ZH_BIRTH = re.compile(
    rf"(?:出生(?:日期|年月日?|时间)?|生日"
    rf"|生于)[\s:：是为于（(]{{0,4}}(?P<date>{_ZH_DATE})(?![0-9])"
    rf"|(?P<before>{_ZH_DATE})(?:出生|生(?=[于，,。（(]))"
)


def _first_group(match: re.Match[str]) -> tuple[int, int]:
    return next(match.span(name) for name in match.groupdict() if match[name] is not None)


def _is_account(match: re.Match[str]) -> bool:
    """No word after the name of a service: `Facebook: Which …`."""
    handle = match["handle"]
    return handle is None or re.fullmatch("[A-Z]?[a-z]+", handle) is None or len(handle) > 9


def _groups(kind: str, prefilter: str, pattern: re.Pattern[str], needs: Needs = NOTHING) -> Recogniser:
    """Matches whose datum is whichever named group there is."""
    return Recogniser(
        kind,
        prefilter,
        lambda text, begin, stop: (
            _first_group(match) for match in pattern.finditer(text, begin, stop) if kind != "account" or _is_account(match)
        ),
        (40, 60),
        needs=needs,
    )


def _is_record(match: re.Match[str]) -> bool:
    """Four digits or more; a word that is a verb or a plan too (account, policy) wants a sign between; no year."""
    value = match["value"]
    label = match[0][: match.start("value") - match.start()]
    num_digits = sum(char.isdigit() for char in value)
    weak = re.match(r"(?i)(?:account|policy|acct|FIN)[\s]*$", label) is not None
    bare = re.match(r"(?i)id ?#", label) is not None
    return num_digits >= (6 if bare else 4) and not weak and not re.fullmatch(r"(?:19|20)[0-9]{2}", value)


def _is_zh_record(match: re.Match[str]) -> bool:
    """Four digits or more, and no date of the record instead of its number."""
    value = match["value"]
    return sum(char.isdigit() for char in value) >= 4 and not re.fullmatch(r"(?:19|20)[0-9]{2}(?:-[0-9]{1,2}-[0-9]{1,2})?", value)


RECOGNISERS: tuple[Recogniser, ...] = (
    either(
        by_pattern(
            "record",
            # ! A Unicode `\b` would take Rust's regex off its fast path.
            _EN_RECORD_LABEL.replace(r"\b", "") + r"(?:[A-Z]{0,5}[\- ]?[0-9][\- ]?[A-Z0-9]|[A-Z0-9]{1,4}-[A-Z0-9])",
            _EN_RECORD,
            accept=_is_record,
            needs=DIGITS_4,
            group="value",
        ),
        by_pattern(
            "record",
            r"(?:[号码卡案历）]|(?:[\x{4e00}-\x{9fff}]|CT|MR|ICU|ID|id)(?:ID|id))[\s:：=#.№为是]{0,4}[A-Za-z]{0,4}-?[0-9][0-9A-Za-z\-]{3}",
            _ZH_RECORD,
            accept=_is_zh_record,
            needs=DIGITS_4,
            group="value",
        ),
    ),
    by_pattern(
        "document",
        r"(?i:passport|licen[cs]e|card|visa)(?i: ?(?:number"
        r"|no\.?|num|#|id))?[\s:#.]{0,3}(?i:is "
        r"|was )?[A-Z0-9]{2}|护照|通行证|台胞证|回乡证|军官证|士兵证|驾驶证|驾照|居留证",
        _DOCUMENT,
        group="value",
    ),
    _groups("account", r"(?:(?i:qq)|扣扣|企鹅)(?:号码?|群)?[\s:：为是]{0,3}[1-9][0-9]{4}", _ACCOUNT, DIGITS_4),
    *(
        _groups("account", rf"{name}[\s:：号为是]{{0,3}}[A-Za-z1][\-_A-Za-z0-9]{{5}}", _ACCOUNT)
        for name in (r"(?:微信号?|薇信|V信|[加➕][vV]|(?i:vx|wx)[:：号])", r"(?i:wechat|weixin)(?i: ?id)?")
    ),
    _groups(
        "account",
        r"(?i:skype|telegram|whatsapp|instagram|twitter|snapchat|facebook)(?i: (?:id|name|handle|username))?(?:[:：]| @)",
        _ACCOUNT,
        HANDLE,
    ),
    _groups(
        "birth_date",
        r"(?i:d\.? ?o\.? ?b\.?|birth|birth ?date|birthday|born)(?i: (?:is|was|on"
        r"|the))*[\s:\-(]{1,4}(?:on )?[0-9A-Z]",
        _EN_BIRTH,
        LETTERS,
    ),
    _groups("birth_date", r"(?:出生|生日|生于)[\p{Han}]{0,4}[\s:：（(]{0,4}[0-9]{2}|[0-9] ?[月日号] ?出?生", _ZH_BIRTH),
)
