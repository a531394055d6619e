"""Postal addresses: a house number on a street in English, down to the number, building or group in Chinese, or after a label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tilth.filters.pii_spans import DIGIT, HAN_DIGIT, Recogniser, by_pattern

_TYPE = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace"
    r"|Ter|Way|Highway|Hwy|Parkway|Pkwy"
    r"|Circle|Cir|Trail|Trl|Crescent|Close|Gardens|Grove|Row|Mews|Alley|Loop|Turnpike|Plaza|Broadway|Bend"
    r"|Hill|Walk|Path|Ridge|Run|Quay)"
)
_UNIT = r"(?:,? ?(?:Apartment|Apt|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Building|Bldg|#)\.? ?#?[A-Z0-9][A-Z0-9\-]{0,5}\b)"
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]"
    r"|UT|V[TA]|W[AVIY]|ON|QC|BC|AB|NSW|VIC|QLD"
    r"|California|Texas|Florida|New York|Illinois|Ohio|Georgia|Michigan|Virginia|Washington|Arizona"
    r"|Massachusetts|Oregon|Colorado)"
)
_CODE = r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{4})"
_CITY = r"[A-Z][A-Za-z.'’\-]*[a-z.](?: [A-Z][A-Za-z.'’\-]*[a-z.]){0,2}"
_WORD = r"(?:[A-Z][A-Za-z.'’\-]+|[NSEW]|[0-9]{1,3}(?:st|nd|rd|th))"
_PLACE = rf"(?:(?:,|\n| -)\s?{_CITY}(?:,? {_STATE}\b(?:,? {_CODE}\b)?|,? {_CODE}\b)?(?![a-z])|,? {_STATE}\b(?:,? {_CODE}\b)?)"
_EN_STREET = re.compile(
    rf"(?<![0-9A-Za-z.,/$\-])(?<![0-9] )[0-9]{{1,6}}(?:-[0-9]{{1,5}})?[A-Za-z]?,? (?:{_WORD} ){{1,4}}(?P<type>{_TYPE})(?![A-Za-z])(?:\.(?=,? (?:Apt"
    rf"|Suite|Unit|#)|, ))?"
    rf"(?: (?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\b\.?)?{_UNIT}{{0,2}}(?:{_PLACE}{{1,2}})?"
    rf"|(?<![0-9A-Za-z])[0-9]{{1,6}} (?:[NSEW]|North|South|East|West)\.? (?:Broadway|{_WORD} (?:Avenue"
    rf"|Street|Road))(?![A-Za-z]){_UNIT}{{0,2}}(?:{_PLACE}{{1,2}})?"
    rf"|(?:P\.? ?O\.? Box|Post Office Box) [0-9]{{1,7}}(?:{_PLACE}{{1,2}})?"
)
_NO_STREET = re.compile(
    r"(?i)\b(?:figure|table|phase|stage|grade|type|day|week|month|year|patients?|cells?|group|level|step"
    r"|no|of|the|million|main outcome|bed|room|mg|ml|vs)\b"
)
_WORDY = frozenset(
    ["Way", "Run", "Row", "Walk", "Path", "Loop", "Hill", "Close", "Place", "Square", "Bend", "Ridge", "Plaza", "Quay"]
)
"""Types of street that are words too: they want a sign after them or a town."""
_GOES_ON = re.compile(r"\.? (?:Journal|Medical|Hospital|Study|Trial|Protocol|Committee|Test|Score|Syndrome|Disease|et al)\b")

_NUMERAL = r"[0-9０-９A-Za-z一二三四五六七八九十百甲乙丙丁\-－]"
_STREET = (
    r"(?:大道|大街|路|街|巷|弄|胡同|道|里|村|屯|庄|社|镇|乡|街道|新村|小区|花园|花苑|苑"
    r"|公寓|家园|社区|大院|广场|城|府|园|山庄|名邸|新城|大厦|宿舍|组团|坊|墅|湾|居)"
)
_DETAIL = (
    rf"(?:{_NUMERAL}{{1,8}}(?:号楼|号院|号|栋|幢|座|弄|单元|室|层|楼|组|社"
    rf"|队|户|门|房|段|支路|巷)(?:(?<=单元"
    rf"|号楼)[0-9]{{3,4}}(?![0-9室号房户]))?|附{_NUMERAL}{{1,3}}号)"
)
_NAMED = r"[\u4e00-\u9fa5·A-Za-z]"
_PROVINCE = (
    r"(?:(?:北京|上海|天津|重庆)市?|(?:河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建"
    r"|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾)省?"
    r"|内蒙古(?:自治区)?|广西(?:壮族自治区)?|西藏(?:自治区)?|宁夏(?:回族自治区)?"
    r"|新疆(?:维吾尔自治区)?|香港(?:特别行政区)?|澳门(?:特别行政区)?)"
)
_ZH_STREET = re.compile(
    rf"(?:{_PROVINCE})?(?:{_NAMED}{{2,8}}?(?:市|自治州|地区|盟|区|县|旗)){{0,3}}"
    rf"(?:{_NAMED}{{1,10}}?(?:{_NUMERAL}{{1,3}}号)?{_NAMED}{{0,8}}?{_STREET}){{1,4}}(?:{_DETAIL}"
    rf"|{_NAMED}{{2,10}}?(?:大厦|广场|小区|花园|公寓|中心|苑|楼"
    rf"|座)(?={_NUMERAL}))+(?:[A-Za-z0-9]{{1,3}}座)?(?:{_DETAIL})*(?:[甲乙丙丁](?![\u4e00-\u9fa5]))?"
)
_ZH_NUMBER = r"{1,5}(?:号|弄|栋|幢|单元|室|组|社|队)"
_ZH_WORDED = r"(?:路|街|巷|弄)[一二三四五六七八九十百]{1,4}号"
_CUES = re.compile(
    r"(?:家住|现住|居住|居住于|住在|住|位于|寄往|寄到|寄至|寄|送到|送至|送|搬到|搬至|地址是"
    r"|地址为|地址|住址|户籍|我家在|家在|我在|她在|他在|在|至|到|是|为|于|从|往|的)"
)
_NOT_A_PLACE = re.compile(
    r"(?:病房|病区|护士站|手术|地铁|高速|国道|省道|染色体|公交|线路|通道|管道|消化道|呼吸道"
    r"|尿道|胆道|气道|阴道|肠道|轨道|频道|味道|知道|思路|道理|会议|文件|公告|令第|字第"
    r"|第[0-9一二三四五六七八九十]+[条章节款项号])"
)
_ZH_LABEL = re.compile(
    r"(?:(?<![网邮])(?:家庭|现|户籍|通讯|通信|联系|居住|工作单位|收货|邮寄|常住|详细"
    r"|单位|户口|家|暂住|注册)?(?:住址|地址|住所|户籍地|居住地|户口所在地)"
    r"|收货人?地址)[\s:：为是]{1,3}"
    r"(?P<value>(?=[^\n，。；;,]{0,40}?[省市区县旗镇乡村路街道巷弄号栋室])[^\s，。；;,、）)]{4,50})"
)
_DETAILED = re.compile(
    rf"{_NUMERAL}(?:号|弄|栋|幢|座|室|组|单元|楼|队|户|门|段)"
    rf"|^{_PROVINCE}|^.{{2,6}}[市县区].{{2,12}}(?:区|县|镇|乡|街道|路"
    rf"|街|村|小区|花园)"
)
"""An address has a number, or begins with a province, or names a place within a town; a rule about addresses does not."""
_NO_LABEL = re.compile(
    r"(?:[A-Za-z] ?|网|邮箱|邮件|链接|内存|电子|下载|存储|官网|合约|目标|源|物理"
    r"|虚拟|主机|服务器|数据库|仓库|钱包|监听|默认)$"
)


def _is_street(match: re.Match[str]) -> bool:
    """No heading or count, and no name that goes on after its street: `30 Main Street Journal`."""
    after = match.string[match.end() : match.end() + 24]
    named = match["type"]
    doctor = named == "Dr" and re.match(r"\.? ?[A-Z][a-z]", match.string[match.end("type") :]) is not None
    if named in _WORDY and not re.match(r"\.?(?:$|[,;\n.)])", after) and "," not in match[0]:
        return False
    return not _NO_STREET.search(match[0].split(",")[0]) and not _GOES_ON.match(after) and not (doctor and "," not in match[0])


def _zh_streets(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """Streets with numbers, without the words before them: `家住`, `寄到`."""
    for match in _ZH_STREET.finditer(text, begin, stop):
        start, found = match.start(), match[0]
        province = re.search(_PROVINCE, found)
        if province:
            start += province.start()
        else:
            first = re.search(r"[市区县旗镇乡村路街道巷弄里园]|小区|广场", found[1:])
            head = found[: first.start() + 1] if first else ""
            cues = list(_CUES.finditer(head))
            start += cues[-1].end() if cues else 0
        value = text[start : match.end()]
        if (
            len(value) >= 5
            and not _NOT_A_PLACE.search(value)
            and re.search(r"[0-9０-９一二三四五六七八九十]", value)
            and _placed(value)
        ):
            yield start, match.end()


def _placed(value: str) -> bool:
    """A district above the street, or a street of two characters or more with a house number of digits, or a flat."""
    district = re.search(r"[省市区县旗]", value) or re.match(_PROVINCE, value)
    return (
        bool(district)
        or re.search(
            r"(?:路|大街|街|大道|弄|巷|小区|花园|苑|公寓|新村|社区|家园)[0-9]{1,5}(?:号"
            r"|弄|栋|幢|楼|-)",
            value,
        )
        is not None
    )


def _zh_labelled(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for match in _ZH_LABEL.finditer(text, begin, stop):
        value = match["value"]
        if not _NO_LABEL.search(text[max(0, match.start() - 6) : match.start()]) and _DETAILED.search(value):
            yield match.span("value")


RECOGNISERS: tuple[Recogniser, ...] = (
    by_pattern(
        "address",
        rf"[0-9][A-Za-z]?,? (?:[A-Z0-9][A-Za-z0-9.'’\-]* ){{1,4}}{_TYPE}(?-u:\b)|[0-9] (?:[NSEW]|North|South"
        rf"|East|West)\.? |(?i:p\.? ?o\.? box|post office box) [0-9]",
        _EN_STREET,
        accept=lambda match: match["type"] is None or _is_street(match),
        needs=DIGIT,
    ),
    Recogniser("address", rf"[0-9]{_ZH_NUMBER}", _zh_streets, reach=(48, 64), needs=HAN_DIGIT),
    Recogniser("address", rf"[０-９]{_ZH_NUMBER}", _zh_streets, reach=(48, 64)),
    Recogniser("address", _ZH_WORDED, _zh_streets, reach=(48, 64)),
    Recogniser("address", r"(?:住址|地址|住所|户籍地|居住地|户口所在地)[\s:：为是]", _zh_labelled, reach=(6, 64)),
)
