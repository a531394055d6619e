"""Personal names in Chinese, by what stands around them: a form's label, `患者`, a relation, an introduction, a title after them.

A name is a surname (`pii_chinese_surnames`) and one or two characters; after a label with a colon any two to four
characters that end there. Without a colon the characters must be such as given names have, and what follows must not go
on as a word: 患者王小明因咳嗽 is a name, 患者张口受限 and 患者白术 are none. Authors and the physicians of history stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tilth.filters.pii_chinese_surnames import (
    COMMON_SURNAMES,
    COMPOUND_SURNAMES,
    GIVEN_CHARACTERS,
    NOT_NAMES,
    SURNAMES,
    WORD_SURNAMES,
)
from tilth.filters.pii_spans import HAN, Recogniser

_H = r"\u3400-\u4dbf\u4e00-\u9fff"
_ROLE = (
    r"(?:(?:主治|主管|经治|管床|接诊|开单|报告|审核|送检|麻醉|责任|住院|门诊|值班|记录"
    r"|首诊|申请|检验申请|主刀|会诊|随访|上级|手术|操作|书写|签字|检查|诊断|执业|处方|主诊"
    r"|转诊|坐诊|预约|执行|核对|管理|复核|进修|实习|护理|巡回|器械)"
    r"(?:医师|医生|大夫|护士|人|者)|麻醉师|术者|主刀|一助|二助|第一助手|第二助手|助手|检查者"
    r"|报告者|审核者|检验者|核对者|记录者|采集者|护士长?|医师签[名字]|医生签[名字]"
    r"|患者签[名字]|家属签[名字]|签名|签字|签署人|签发人)"
)
_LABEL = re.compile(
    rf"(?:(?:患者|病人|患儿|产妇|孕妇|家属|家长|监护人|联系人|申请人|母亲|父亲|配偶|儿子"
    rf"|女儿|新生儿|投保人|就诊人|委托人|本人|客户|学生|真实|收货人|开户人)?(?:姓名|名字)"
    rf"|{_ROLE}"
    r"|(?:紧急)?联系人(?:姓名)?|法定(?:监护|代理|代表)人|监护人|家属|申请人|户主|户名"
    r"|开户名|收件人|收货人|寄件人|投保人|被保险人|受益人|代诉人|陪诊人|代办人|病史陈述者|供史者"
    r"|陈述者|委托人|受托人|经办人|持卡人|车主|[\u4e00-\u9fff]{1,4}[人者员师]"
    r"|患者|病人|患儿|死者|受检者|受检人|送检人|随访人|登记人|报案人|当事人)"
    r"(?:[（(][^）)]{1,6}[）)])?[ \t\u3000]*(?:[:：]|[ \t\u3000]|是|为)[ \t\u3000]*"
    rf"(?P<name>[{_H}]{{1,5}}[·•・](?:(?![的说是在和了者])[{_H}]){{1,8}}|[{_H}][*＊×xX某]{{1,2}}[{_H}]?|[{_H}]{{2,4}})"
)
_CUE = re.compile(
    r"(?P<cue>老人家叫|姓名|患者|病人|患儿|产妇|孕妇|死者|伤者|病友|家属|家长|联系人"
    r"|[就代]诊人|代签人|签字人|车主|司机|学生|村民|随访对象|受试者|老人|原告|被告|申请人"
    r"|监护人|护士|医生|医师|患方|本人"
    r"|我叫|他叫|她叫|名叫|名字叫|名字是|名字叫做|姓名是|老人家叫|孩子叫|家长|陪同人|患方|老人"
    r"|受试者|人叫|我是|联系|收件人|寄件人|陪同人"
    r"|其[妻子女母父]|(?:我|他|她|其|您|患者的?|病人的?|的)(?:的)?(?:父亲|母亲"
    r"|爸爸?|妈妈?|丈夫|妻子|老公|老婆|爱人|儿子|女儿|女婿|儿媳|哥哥|姐姐|弟弟|妹妹|爷爷"
    r"|奶奶|外婆|外公|姥姥|姥爷|孙子|孙女|外孙|朋友|同事|同学|邻居|男友|女友)(?:名?叫)?"
    r"|由其?母亲|由其?父亲|由其?家属)"
    rf"(?=(?P<name>[{_H}]{{1,5}}[·•・](?:(?![的说是在和了者])[{_H}]){{1,8}}|[{_H}][*＊×xX某]{{1,2}}[{_H}]?|[{_H}]{{2,4}}))"
)
_DESCRIBED = re.compile(
    rf"(?:^"
    rf"|[\n。；;：:])[ \t\u3000]*(?P<name>[{_H}]{{2,4}})[，,、 \u3000][ ]?(?:男"
    rf"|女)(?:性|孩|童|婴)?[，,、。 \u3000（(]"
)
_TITLE = re.compile(
    r"(?:先生|女士|小姐|太太|阿姨|大爷|大妈|大娘|大叔|爷爷|奶奶|叔叔|伯伯|婆婆|老师|同学"
    r"|师傅|医生|大夫|医师|护士长|护士|主任医师|副?主任|教授|院长|警官|律师|经理"
    r"|姐(?![姐妹夫])|哥(?!哥))"
)
_TITLES = frozenset(
    [
        "先生",
        "女士",
        "小姐",
        "太太",
        "阿姨",
        "大爷",
        "大妈",
        "爷爷",
        "奶奶",
        "叔叔",
        "老师",
        "同学",
        "医生",
        "大夫",
        "教授",
        "主任",
        "院长",
    ]
)
_CARE = re.compile(r"^(?:主任)?(?:医师)?(?:组|会诊|查房|门诊|手术|主刀|看诊|看过|您|你|好|，|,|说|建议|的号|那|意见|指示|开)")
_REQUEST = re.compile(r"(?:请|由|经|找|让|问|跟|见|挂|遵|转入|感谢|谢谢|是|听|，|,|。|：|:|\n|^|和|给|联系)$")
_BEFORE_NAME = frozenset(
    "是的了请找让问和与跟由经为给对向到见叫谢在听被挂遵好入者属友人儿号任长师生科院室士部：，。、 “”‘’（）()《》\n\t　,.:;；!！?？"
)
_AFTER_NAME = re.compile(
    rf"(?![{_H}])|因|于|男|女|今年|现年|自述|主诉|入院|来院|来诊|就诊|家属|的|系|本人"
    rf"|出院|住院|已|被|经|在|由|术后|复查|陪|说|表示|诉|签|近|昨|今|从|到|发|突|无|有"
    rf"|拟|行|与|和|同|一|称|告|将|也|，|目前|既往|年|陪同|建议|岁|老|打|给|转|需|是|对"
    rf"|最|上|每|前|后|为|向|明|先生|女士|小姐|医生|医师|护士|主任|大夫|老师|同学|阿姨|要"
    rf"|想|能|不|再|又|之|住|身|体|查|反|晨|夜|即|未|否|仍|诊|死|送|急|可|处|驾|开|骑"
    rf"|乘"
)
_ENDED = re.compile(r"[，,（(、 \n\u3000]*(?:男|女|[0-9])|因|既往|于")
"""What tells that a word which is a surname too was one: an age, a sex, a cause."""
_NOBODY = re.compile(
    r"本人|患者|家属|医生|医师|护士|不详|未知|未填|匿名|保密|同上|同前|性别|年龄|男|女|姓名"
    r"|电话|地址|关系|联系|职业|民族|婚姻|身份|科室|床号|日期|时间|签名|签字|父亲|母亲|儿子"
    r"|女儿|丈夫|妻子|配偶|老伴|无|及|或|未|已|拒绝|要求|代|自|诉|等|请|需|应|可|不|是"
    r"|有|如|您|你|我|他|她|们|的|了"
    r"|意识|神志|精神|体温|血压|查体|入院|出院|住院|手术|治疗|病情|诊断|既往|主诉|现病|个人"
    r"|发热|咳嗽|疼痛|情绪|食欲|睡眠|大便|小便|一般|目前|平素|否认|详细|信息|资料|号码"
)


def _surname_length(name: str) -> int:
    """Characters of the surname that the text begins with; 0: none."""
    if name[:2] in COMPOUND_SURNAMES and len(name) > 2:
        return 2
    return 1 if name[:1] in SURNAMES else 0


def _fits(name: str) -> bool:
    """A surname, then one or two characters of given names."""
    length = _surname_length(name)
    given = name[length:]
    if not (length > 0 and 1 <= len(given) <= 2 and set(given) <= GIVEN_CHARACTERS):
        return False
    return not name.startswith(NOT_NAMES) and given not in _TITLES


def _fits_well(name: str, ended: bool = False) -> bool:
    """What stands in running text: a frequent surname, a compound one, or three characters whose first is hardly a word."""
    frequent = name[:1] in COMMON_SURNAMES or name[:2] in COMPOUND_SURNAMES
    if name[:1] in "和与同及或于在都向从自由为对把被让方":
        return False
    return _fits(name) and (frequent or (len(name) == 3 and (name[0] not in WORD_SURNAMES or ended)))


def _masked(name: str) -> bool:
    """张某, 李某某, 王*明, 赵××; 阿依古丽·买买提 has its dot."""
    return re.match(rf"[{_H}][*＊×xX某]|[{_H}]{{1,5}}[·•・]", name) is not None


def _labelled(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for match in _LABEL.finditer(text, begin, stop):
        start, name = match.start("name"), match["name"]
        bare = not re.search(r"[:：]", match[0])
        if _masked(name):
            yield match.span("name")
            continue
        if _NOBODY.match(name):
            continue
        found = next((name[:size] for size in (4, 3, 2) if _whole(text, start, name[:size], size)), None)
        form = re.match(r".*(?:姓名|名字|签[名字]|户名)", match[0][: start - match.start()]) is not None
        if found and (
            _fits(found) or (not bare and (form or _surname_length(found)) and match[0][:2] not in ("患者", "病人", "患儿"))
        ):
            yield start, start + len(found)
            more = re.compile(rf"[、，,/ ]([{_H}]{{2,3}})(?![{_H}])").match(text, start + len(found))
            if more and _fits(more[1]):
                yield more.span(1)


def _whole(text: str, start: int, name: str, size: int) -> bool:
    """Characters that end where a name would: at a sign, or before the next label of the form."""
    if len(name) < size or name.startswith(NOT_NAMES) or _NOBODY.search(name[1:]):
        return False
    after = text[start + size : start + size + 4]
    ended = (
        not re.match(rf"[{_H}]", after)
        or re.match(
            r"性别|男|女|年龄|职业|电话|科室|住院|病区|床号|身份|因|于|出生|联系|先生|女士|医师|医生"
            r"|护士|主任",
            after,
        )
        is not None
    )
    if size == 4:
        return ended and name[:2] in COMPOUND_SURNAMES
    return (
        ended
        and (_surname_length(name) > 0 or not re.match(rf"[{_H}]", after))
        and not (size == 2 and name[0] not in SURNAMES and len(name) < 2)
    )


def _cued(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for match in _CUE.finditer(text, begin, stop):
        start, name, cue = match.start("name"), match["name"], match["cue"]
        if _masked(name):
            if name[:1] in SURNAMES or re.search("[·•・]", name):
                yield match.span("name")
            continue
        intimate = (
            len(cue) > 1
            and cue not in ("联系", "我是", "这是")
            and cue[0] in "我他她其您患病的"
            and not cue.endswith(("叫", "患者", "病人"))
        )
        for size in (4, 3, 2):
            candidate = name[:size]
            if (
                len(candidate) == size
                and (
                    _fits(candidate)
                    if cue.endswith("叫")
                    else _fits_well(candidate, _ENDED.match(text, start + size) is not None)
                )
                and _AFTER_NAME.match(text, start + size)
            ):
                yield start, start + size
                break
        else:
            after = text[start + len(name) : start + len(name) + 1]
            nick = re.match(r"[小阿][\u4e00-\u9fff](?![\u4e00-\u9fff])", name + after)
            nicknamed = cue.endswith(("叫", "我是")) and nick is not None and name[1] in GIVEN_CHARACTERS | SURNAMES
            if nicknamed or (intimate and _is_given(name[:2], cue, text[start + 2 : start + 4])):
                yield start, start + 2


def _is_given(name: str, cue: str, after: str) -> bool:
    """A given name alone, of a child or a friend: 我女儿思琪今年5岁."""
    if name.startswith(NOT_NAMES) or name in ("朋友", "孩子", "同学", "同事", "老师", "自己", "先生"):
        return False
    close = cue.endswith(("儿子", "女儿", "孙子", "孙女", "孩子", "朋友"))
    return (
        close and set(name) <= GIVEN_CHARACTERS and re.match(r"今年|现年|最近|[，,]?[0-9一二三四五六七八九十]", after) is not None
    )


def _titled(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    for match in _TITLE.finditer(text, begin, stop):
        end = match.start()
        title = match[0]
        for size in (4, 3, 2):
            name = text[max(0, end - size) : end]
            before = text[end - size - 1 : end - size] if end > size else ""
            if name.startswith("谢") and before == "谢" and set(name[1:]) <= GIVEN_CHARACTERS:
                yield end - size + 1, end  # 谢谢碧莹阿姨
                break
            if (
                len(name) == size
                and _fits_well(name)
                and not (title == "主任" and name[-1] == "班")
                and (before in _BEFORE_NAME or not re.match(rf"[{_H}]", before))
            ):
                if title not in ("教授", "院长") or _CARE.match(text[match.end() : match.end() + 6]):
                    yield end - size, end
                break
        else:
            yield from _surname_and_title(text, end, title, match.end())


def _surname_and_title(text: str, end: int, title: str, after: int) -> Iterator[tuple[int, int]]:
    """王医生, 欧阳女士: a frequent surname, where no word goes before it (对方医生, 请问医生)."""
    if text[max(0, end - 2) : end] in COMPOUND_SURNAMES and title not in ("教授", "院长"):
        yield end - 2, end
        return
    surname, before = text[max(0, end - 1) : end], text[max(0, end - 8) : max(0, end - 1)]
    if surname not in COMMON_SURNAMES or title in ("教授", "院长", "律师", "经理", "警官"):
        return
    boundary = (
        not before
        or not re.match(rf"[{_H}]", before[-1])
        or _REQUEST.search(before) is not None
        or before.endswith(("病友", "患者", "家属", "您好", "你好"))
    )
    if not boundary and title in ("医生", "大夫", "主任", "医师"):
        boundary = before.endswith(
            ("我院", "医院", "本院", "外科", "内科", "中医科", "妇科", "儿科", "门诊", "上午", "下午", "昨日", "今日")
        )
    unclear = (
        surname in "高何方易康白金温史时任"
        and re.match(r"资源|服务|水平|们|的|院|说明|不能|都", text[after : after + 3]) is not None
    )
    if boundary and not unclear:
        yield end - 1, end


def _described(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """`王小明，男`, at the beginning of a line or sentence."""
    for match in _DESCRIBED.finditer(text, begin, stop):
        if _fits(match["name"]):
            yield match.span("name")


_FIRST = "[" + "".join(sorted(SURNAMES | {name[0] for name in COMPOUND_SURNAMES})) + "]"
_LABEL_CUE = (
    r"(?:名|名字|人|母|父|亲|儿|女|患|偶|主|者|师|生|员|护士|护士长|夫|手|签字|属"
    r"|长)(?:[（(][^）)]{1,6}[）)])?[ \t\u3000]*[:：][ \t\u3000]*\p{Han}"
    r"|(?:姓名|签名|签字|户名|联系人|医师|医生|护士)(?:[ \t\u3000]+|是|为)\p{Han}"
)
_ROLE_CUE = (
    rf"(?:患者|病人|患儿|产妇|孕妇|死者|伤者|病友|家属|家长|联系人?|对象|受试者|老人|原告"
    rf"|被告|申请人|监护人|护士|医生|医师|患方|本人|叫做?|姓名|名字是|我是|[收寄诊签]件?人"
    rf"|车主|司机|学生|村民|陪同人"
    rf"|亲|爸|妈|丈夫|妻子?|老公|老婆|爱人|儿子|女儿|女婿|儿媳"
    rf"|[哥姐弟妹爷奶婆公姥孙子女母父友事学居])(?:{_FIRST}|[小阿]"
    rf"|\p{{Han}}{{1,5}}[·•・]|\p{{Han}}[*＊×xX某])"
    r"|(?:亲|爸|妈|爱人|老公|老婆|子|夫|[哥姐弟妹爷奶婆公姥孙友事学居])名?叫|(?:爸|妈|儿"
    r"|女|孙|子|婆|公)\p{Han}{2}(?:，|,)?(?:今年|最近|现年|，)"
)
RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser("name", _LABEL_CUE, _labelled, reach=(12, 16)),
    Recogniser("name", _ROLE_CUE, _cued, reach=(8, 16), needs=HAN),
    Recogniser("name", _TITLE.pattern.replace("(?![姐妹夫])", "").replace("(?!哥)", ""), _titled, reach=(0, 3)),
    Recogniser("name", r"[，,、 \u3000] ?[男女][性孩童婴]?[，,、。 \u3000（(]", _described, reach=(11, 6)),
)
