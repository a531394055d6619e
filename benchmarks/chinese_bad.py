"""Bad Chinese text, made by fixed seeds from good text and from words of our own: spam, fragments, machine junk, code.

Each maker turns (a generator, some good texts) into one document. What it makes is what crawls hold: pages of slogans and
telephone numbers, menus, lists of headings, tables, files read in the wrong encoding, scans with a space behind every
character. A kind is made by rule, so it is cleaner than life: the share dropped is an upper bound of what a rule can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

Maker = Callable[[Random, Sequence[str]], str]


def _words(words: str) -> list[str]:
    return words.split()


CITIES = _words("北京 上海 广州 深圳 杭州 成都 武汉 西安 南京 重庆 天津 苏州 郑州 长沙 青岛 沈阳")
TRADES = _words("办证刻章 无抵押贷款 减肥瘦身 丰胸美容 代开发票 网络兼职 二手手机 祛斑祛痘 包治百病 搬家公司 开锁换锁 种植牙齿 信用卡套现 私家侦探 论文代写")
ENDINGS = _words("多少钱 哪家好 排名前十 电话 价格表 公司 怎么样 费用 官网 正规吗 推荐 最便宜 医院 加盟 培训 厂家")
SLOGANS = _words(
    "诚信经营，质量第一！ 欢迎新老客户来电咨询！ 机会难得，千万不要错过！ 全场最低价，假一赔十！ 今日下单立减一百元，包邮到家！ 免费试用，无效退款！"
    " 点击进入，惊喜不断！ 日赚千元不是梦，在家就能做！ 一次治疗，永不复发！ 本店信誉保证，支持货到付款！ 名额有限，先到先得！ 专业团队，全程服务！"
)
PITCHES = _words(
    "{city}专业{trade}，诚信第一，联系电话：{phone}，QQ：{qq}。 {city}{trade}找我们，加微信{phone}，二十四小时在线。"
    " 本公司长期从事{trade}业务，价格优惠，手机{phone}（微信同号）。 需要{trade}的朋友请加QQ群{qq}，或拨打{phone}，非诚勿扰！"
    " {trade}，当天办理，QQ{qq}，电话{phone}王经理。 急需{trade}？立即拨打：{phone}！客服QQ：{qq}、{qq2}。 {city}地区{trade}，量大从优，咨询热线0{area}-{line}，{phone}。"
)
ENTRIES = _words(
    "首页 关于我们 新闻中心 产品展示 联系我们 人才招聘 在线留言 网站地图 会员登录 注册 忘记密码 购物车 我的订单 帮助中心 友情链接 设为首页 加入收藏"
    " 上一页 下一页 返回顶部 更多>> 热门推荐 最新文章 图片新闻 视频专区 专题报道 下载中心 技术支持 客户服务 English 繁體中文 手机版 微信公众号 版权声明"
)
COLUMNS = _words("编号 日期 名称 数量 单价 金额 合计 收缩压 舒张压 心率 体温 白细胞 血小板 备注 同比 环比")
SCAN_ERRORS = "口丨卜丶亅冖匚乂■□●·`'^~|"


def _repeated_slogans(rng: Random, texts: Sequence[str]) -> str:
    chosen = rng.sample(SLOGANS, rng.randint(1, 4))
    pages = [rng.choice(CITIES) + rng.choice(TRADES) + "，" * rng.randint(0, 1) + rng.choice(chosen) for _ in range(rng.randint(8, 40))]
    return rng.choice(["", "\n", " "]).join(pages if rng.random() < 0.5 else chosen * rng.randint(5, 20))


def _contacts(rng: Random, texts: Sequence[str]) -> str:
    def pitch() -> str:
        return rng.choice(PITCHES).format(
            city=rng.choice(CITIES),
            trade=rng.choice(TRADES),
            phone=f"1{rng.choice('3578')}{rng.randrange(10**9):09d}",
            qq=rng.randrange(10**7, 10**10),
            qq2=rng.randrange(10**7, 10**10),
            area=rng.randrange(10, 999),
            line=rng.randrange(10**7, 10**8),
        )

    return rng.choice(["", "\n", " "]).join([pitch() for _ in range(rng.randint(1, 8))] + rng.sample(SLOGANS, rng.randint(0, 8)))


def _keywords(rng: Random, texts: Sequence[str]) -> str:
    city, trade = rng.sample(CITIES, rng.randint(1, 8)), rng.sample(TRADES, rng.randint(1, 5))
    words = [rng.choice(city) + rng.choice(trade) + rng.choice(["", *ENDINGS]) for _ in range(rng.randint(15, 150))]
    return rng.choice([",", "，", "、", " ", "|", "_", "\n", "；"]).join(words)


def _menu(rng: Random, texts: Sequence[str]) -> str:
    entries = rng.choices(ENTRIES + TRADES, k=rng.randint(10, 60))
    return rng.choice(["\n", " | ", " ", "\n\n", " > ", "\n- "]).join(entries)


def _headlines(rng: Random, texts: Sequence[str]) -> str:
    """Titles of other pages, each on a line, some with a date or a count."""
    mark = rng.choice(["", "· ", "- ", "> ", "[图文] "])
    dated = rng.random() < 0.5

    def line() -> str:
        date = f" {rng.randint(2001, 2024)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" if dated else ""
        return f"{mark}{_heading(rng, texts)}{date}"

    return "\n".join(line() for _ in range(rng.randint(6, 40)))


def _numbers(rng: Random, texts: Sequence[str]) -> str:
    names = rng.sample(COLUMNS, rng.randint(3, 8))
    gap = rng.choice(["\t", " ", " | ", ","])
    rows = [[f"{rng.uniform(0, 10 ** rng.randint(1, 4)):.{rng.randint(0, 2)}f}" for _ in names] for _ in range(rng.randint(5, 60))]
    return "\n".join(gap.join(row) for row in [names, *rows])


def _single_heading(rng: Random, texts: Sequence[str]) -> str:
    """A page of which only the title is left, of 20 characters or more, or title and two menu entries."""
    title = ""
    while len(title) < 20:
        title += rng.choice(["", "_", "-", " "]) * bool(title) + _heading(rng, texts)
    return title + rng.choice(["", "\n", "\n" + "\n".join(rng.sample(ENTRIES, 2))])


def _misread(written: str, read: str) -> Maker:
    def make(rng: Random, texts: Sequence[str]) -> str:
        return _passage(rng, texts).encode(written, "ignore").decode(read, "replace")

    return make


def _spaced(rng: Random, texts: Sequence[str]) -> str:
    """A scan with blanks between most characters."""
    often = rng.uniform(0.5, 1)
    return "".join(char + " " * rng.randint(1, 2) if char.strip() and rng.random() < often else char for char in _passage(rng, texts))


def _misscanned(rng: Random, texts: Sequence[str]) -> str:
    """A bad scan: a third to two thirds of the characters are another one, of any stroke."""
    wrong = rng.uniform(0.35, 0.65)

    def scanned(char: str) -> str:
        if char == "\n" or rng.random() > wrong:
            return char
        return rng.choice(SCAN_ERRORS) if rng.random() < 0.4 else chr(rng.randrange(0x4E00, 0x9FA6))

    return "".join(map(scanned, _passage(rng, texts)))


def _code(rng: Random, texts: Sequence[str]) -> str:
    """Part of a program of this project, half of them with Chinese comments."""
    rows = rng.choice(PROGRAMS)
    start = rng.randrange(max(len(rows) - 60, 1))
    rows = list(rows[start : start + rng.randint(20, 60)])
    if rng.random() < 0.5:
        for place in range(0, len(rows), rng.randint(8, 16)):
            rows[place] += f"  # {_heading(rng, texts)}"
    return "\n".join(rows)


def _english(rng: Random, texts: Sequence[str]) -> str:
    """Some of this project's own words about itself."""
    start = rng.randrange(max(len(ENGLISH) - 20, 1))
    return "\n".join(ENGLISH[start : start + rng.randint(8, 40)])


def _passage(rng: Random, texts: Sequence[str]) -> str:
    """150 to 1,500 characters of one good text."""
    text, size = rng.choice(texts), rng.randint(150, 1500)
    start = rng.randrange(max(len(text) - size, 1))
    return text[start : start + size]


def _heading(rng: Random, texts: Sequence[str]) -> str:
    """One of the headings of some good text; of what people ask a doctor none, for that is a sentence."""
    for _ in range(40):
        lines = rng.choice(texts)[:6000].split("\n")
        titles = [_MARKUP.sub("", line).strip() for line in lines if line.startswith(("#", "<篇名>", "title: "))]
        if found := [title for title in titles if 4 <= len(title) <= 36 and not _SENTENCE.search(title) and _HAN.search(title)]:
            return rng.choice(found)
    return rng.choice(CITIES) + rng.choice(TRADES) + rng.choice(ENDINGS)


_MARKUP = re.compile(r"^#+ |^<篇名>|^title: |\[#?\d+\]|\r")
_SENTENCE, _HAN = re.compile("[。！？；?!]"), re.compile("[\u4e00-\u9fff]{3}")
_ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = [path.read_text(encoding="utf-8").splitlines() for path in sorted(_ROOT.glob("core/*.py")) if path.stat().st_size > 2000]
ENGLISH = [line for path in sorted(_ROOT.glob("*.md")) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

MAKERS: dict[str, dict[str, Maker]] = {
    "spam": {"repeated_slogans": _repeated_slogans, "contacts": _contacts, "keywords": _keywords},
    "fragments": {"menu": _menu, "headlines": _headlines, "numbers": _numbers, "single_heading": _single_heading},
    "junk": {
        "utf8_as_latin1": _misread("utf-8", "latin-1"),
        "utf8_as_gb18030": _misread("utf-8", "gb18030"),
        "gb18030_as_latin1": _misread("gb18030", "latin-1"),
        "gb18030_as_utf8": _misread("gb18030", "utf-8"),
        "gb18030_as_big5": _misread("gb18030", "big5"),
        "spaced_scan": _spaced,
        "wrong_scan": _misscanned,
    },
    "not_chinese": {"english": _english, "code": _code},
}
"""Group → kind → its maker."""


def make(kind: str, count: int, good: Sequence[str]) -> list[str]:
    """That many documents of a kind, of 20 characters or more, from the good texts: the same ones for the same texts."""
    maker = next(makers[kind] for makers in MAKERS.values() if kind in makers)
    made: list[str] = []
    place = 0
    while len(made) < count:
        text = maker(Random(f"{kind}:{place}"), good)
        place += 1
        if len(text.strip()) >= 20:
            made.append(text)
    return made
