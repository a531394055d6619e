"""Files as they are published become rows: any encoding, pages, web archives, articles; what cannot be read is counted and told."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import declared, encodings, http_body, page_limits, warc_members, whole_file, xml_prose
from tilth.builders.creative_commons import spdx
from tilth.builders.formats.csv import Csv
from tilth.builders.formats.html import HtmlFile
from tilth.builders.formats.jsonl import Jsonl
from tilth.builders.formats.txt import Txt
from tilth.builders.formats.warc import Warc
from tilth.builders.formats.xml import XmlFile
from tilth.builders.records import BadRecord, Blank, Format, Record, Shape, TooLarge
from tilth.builders.shapes.cnxml import Cnxml
from tilth.builders.shapes.html import Html
from tilth.builders.shapes.jats import Jats
from tilth.cli import main as cli
from tilth.core.errors import SourceError
from tilth.core.home import home

MORNINGS = {
    "gb18030": "清晨奶奶打开窗户，山上吹来一阵凉风。她在厨房里煮粥，说今天要把田里的种子播下去。大家都想在下雨之前干完，所以全家一起帮忙。",
    "big5hkscs": "清晨奶奶打開窗戶，山上吹來一陣涼風。她在廚房裡煮粥，說今天要把田裡的種子播下去。大家都想在下雨之前做完，所以全家一起幫忙。",
    "cp932": "朝早く起きて窓を開けると、山の方から冷たい風が入ってきた。祖母は台所で味噌汁を作りながら、今日は畑に種をまくのだと言った。",
    "euc-jp": "朝早く起きて窓を開けると、山の方から冷たい風が入ってきた。祖母は台所で味噌汁を作りながら、今日は畑に種をまくのだと言った。",
    "cp949": "아침 일찍 일어나 창문을 열자 산에서 찬 바람이 들어왔다. 할머니는 부엌에서 국을 끓이며 오늘은 밭에 씨를 뿌리는 날이라고 말씀하셨다.",
    "cp1251": "Рано утром старик открыл окно, и с гор потянуло холодным ветром. Бабушка варила на кухне суп и говорила, что надо посеять рожь.",
    "koi8-r": "Рано утром старик открыл окно, и с гор потянуло холодным ветром. Бабушка варила на кухне суп и говорила, что надо посеять рожь.",
    "cp1252": "Früh am Morgen öffnete der Großvater das Fenster, und von den Bergen wehte ein kühler Wind. Die Großmutter kochte „Suppe“ für später.",
    "cp1250": "Časně ráno otevřel dědeček okno a z hor zavál studený vítr. Babička vařila v kuchyni polévku a říkala, že dnes musíme zasít žito.",
    "iso8859-2": "Wcześnie rano dziadek otworzył okno i od gór powiał chłodny wiatr. Babcia gotowała w kuchni zupę i mówiła, że dziś trzeba siać żyto.",
    "cp1253": "Νωρίς το πρωί ο παππούς άνοιξε το παράθυρο και από τα βουνά ήρθε κρύος αέρας. Η γιαγιά έφτιαχνε σούπα στην κουζίνα.",
    "cp1255": "מוקדם בבוקר פתח הסבא את החלון ורוח קרה נשבה מן ההרים. הסבתא בישלה מרק במטבח ואמרה שהיום צריך לזרוע את השדה.",
    "cp1256": "في الصباح الباكر فتح الجد النافذة فهبت ريح باردة من الجبال. كانت الجدة تطبخ الحساء في المطبخ وتقول إن علينا اليوم أن نزرع الحقل.",
    "cp874": "เช้าตรู่คุณตาเปิดหน้าต่าง ลมเย็นพัดมาจากภูเขา คุณยายทำแกงอยู่ในครัวและบอกว่าวันนี้ต้องหว่านเมล็ดข้าว",
    "utf-16-le": "Early in the morning the old man opened the window, and a cold wind came down from the hills.",
    "utf-16-be": "清晨奶奶打开窗户，山上吹来一阵凉风。她在厨房里煮粥，说今天要把田里的种子播下去。",
    "utf-8": "Ein kühler Wind, 一阵凉风, холодный ветер.",
}  # fmt: skip


def only(form: Format, path: Path) -> Record | BadRecord:
    """The one record of a file."""
    [(number, record)] = form.records(path, path.name)
    assert number == 1
    return record


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def text_of(shape: Shape, **record: Any) -> str:
    return str(next(shape.read(record))[1]["text"])


# --- encodings


@pytest.mark.parametrize("codec", MORNINGS)
def test_a_text_in_any_encoding_is_read(codec: str, tmp_path: Path) -> None:
    record = only(Txt(), put(tmp_path / "morning.txt", MORNINGS[codec].encode(codec)))
    assert isinstance(record, dict), record
    assert record["text"] == MORNINGS[codec]
    assert record["file"] == "morning.txt"


@pytest.mark.parametrize("codec", ["gb18030", "big5hkscs", "cp932", "utf-16-le", "cp1251"])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_tables_of_lines_in_any_encoding(codec: str, ending: str, tmp_path: Path) -> None:
    text = MORNINGS[codec]
    if ending == "jsonl":
        written = "".join(json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\r\n" for i in range(3))
    else:
        written = "id,text\r\n" + "".join(f'{i},"{text}"\r\n' for i in range(3))
    path = put(tmp_path / f"rows.{ending}", written.encode(codec))
    for encoding in ("auto", codec):
        form = Jsonl(encoding=encoding) if ending == "jsonl" else Csv(encoding=encoding)
        assert [record["text"] for _, record in form.records(path, path.name) if isinstance(record, dict)] == [text] * 3


@pytest.mark.parametrize(("mark", "codec"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_a_byte_order_mark_is_obeyed_and_is_no_text(mark: bytes, codec: str, tmp_path: Path) -> None:
    page = '<html><meta charset="big5"><p>种子</p></html>'
    record = only(HtmlFile(), put(tmp_path / "page.html", mark + page.encode(codec)))
    assert isinstance(record, dict), record
    assert record["html"] == page
    lines = put(tmp_path / "rows.jsonl", mark + '{"text": "种子"}\n{"text": "雨"}'.encode(codec))
    assert [r["text"] for _, r in Jsonl(encoding="auto").records(lines, "rows.jsonl") if isinstance(r, dict)] == ["种子", "雨"]


@pytest.mark.parametrize(
    ("page", "label"),
    [
        (b'<html><head><meta charset="gb2312">', "gb2312"),
        (b"<meta content='text/html; charset=Big5' http-equiv=Content-Type>", "Big5"),
        (b'<!-- <meta charset="big5"> --><meta charset=shift_jis>', "shift_jis"),
        (b'<?xml version="1.0" encoding="euc-kr"?><html>', "euc-kr"),
        (b'<meta name="description" content="nothing"><p>charset=gbk', None),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<html>" + b" " * 5000 + b'<meta charset="koi8-r">', "koi8-r"),
    ],
)
def test_what_a_page_declares(page: bytes, label: str | None) -> None:
    found = declared.in_html(page)
    assert (found or "utf-8") == (label or "utf-8")


@pytest.mark.parametrize(
    ("label", "codec"),
    [("gb2312", "gb18030"), ("GBK", "gb18030"), ("iso-8859-1", "windows-1252"), ("ascii", "windows-1252"), ("x-sjis", "cp932"),
     ("ks_c_5601-1987", "cp949"), ("tis-620", "cp874"), ("utf8", "utf-8"), ("hex", None), ("nonsense", None), ("", None)],
)  # fmt: skip
def test_labels_mean_what_the_standard_says(label: str, codec: str | None) -> None:
    assert encodings.of_label(label) == codec


@pytest.mark.parametrize("page", ["html", "xml"])
def test_what_a_file_declares_is_obeyed(page: str, tmp_path: Path) -> None:
    # 镕 is in GB18030 and not in GB2312, whose label the page bears.
    if page == "html":
        record = only(HtmlFile(), put(tmp_path / "a.html", '<meta charset="gb2312"><p>镕'.encode("gb18030")))
        assert isinstance(record, dict) and record["html"].endswith("镕")
    else:
        record = only(XmlFile(), put(tmp_path / "a.xml", '<?xml version="1.0" encoding="GB2312"?><article>镕</article>'.encode("gb18030")))
        assert isinstance(record, dict) and "镕" in record["xml"]


def test_undecodable_bytes_are_counted_never_replaced(tmp_path: Path) -> None:
    bad = only(HtmlFile(), put(tmp_path / "a.html", b'<meta charset="utf-8">' + "für ".encode("cp1252") * 3))
    assert isinstance(bad, BadRecord)
    assert str(bad).startswith("not UTF-8, as it declares: 3 places cannot be decoded, the first is 0xfc at byte 23")
    lines = ('{"text": "头痛"}\n'.encode("gb18030") * 2) + b'{"text": "\xff\xff"}\n' + b'{"text": "x"}\n'
    records = [record for _, record in Jsonl(encoding="gb18030").records(put(tmp_path / "a.jsonl", lines), "a.jsonl")]
    assert [isinstance(record, BadRecord) for record in records] == [False, False, True, False]
    assert "2 places" in str(records[2])


@pytest.mark.parametrize("encoding", ["utf-8", "big5"])
def test_a_wrong_encoding_stops_with_the_line(encoding: str, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", b'{"text": "plain"}\n' + b'{"text": "\xcd\xb7\xcd\xb4\xff"}\n')
    with pytest.raises(SourceError, match=r"a\.jsonl:2: not") as caught:
        list(Jsonl(encoding=encoding).records(path, path.name))
    assert "encoding: gb18030" in str(caught.value.hint)


@pytest.mark.parametrize("encoding", ["hex", "no-such", "rot13"])
def test_an_encoding_of_nobody(encoding: str, tmp_path: Path) -> None:
    for form in (Txt(encoding=encoding), Jsonl(encoding=encoding), Csv(encoding=encoding)):
        with pytest.raises(SourceError, match="no encoding"):
            list(form.records(put(tmp_path / "a", b"x,y\n"), "a"))


@pytest.mark.parametrize("data", [bytes(range(256)) * 20, b"\x89PNG\r\n\x1a\n" + zlib.compress(b"x" * 9999), b"\0" * 99])
def test_what_is_no_text_is_no_row(data: bytes, tmp_path: Path) -> None:
    assert isinstance(only(Txt(), put(tmp_path / "a.txt", data)), BadRecord)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_text_or_a_reason(data: bytes) -> None:
    try:
        text, codec = encodings.decode_as(data, "auto", "x")
    except BadRecord as error:
        assert str(error)
    else:
        assert "\ufffd" not in text or "\ufffd".encode(codec) in data


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200).filter(lambda text: not text.startswith("\ufeff")))
def test_utf8_and_gb18030_round_trip(text: str) -> None:
    assert encodings.decode(text.encode(), "utf-8") == text
    assert encodings.decode(text.encode("gb18030"), "gb18030") == text


def test_a_long_text_is_told_by_its_lines_that_are_not_ascii(tmp_path: Path) -> None:
    text = "plain words of English\n" * 20_000 + MORNINGS["big5hkscs"] + "\n" + "plain words\n" * 20_000
    record = only(Txt(), put(tmp_path / "a.txt", text.encode("big5hkscs")))
    assert isinstance(record, dict) and record["text"] == text


# --- pages

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Rain over the harbour</title><meta name="author" content="Ada Field">
</head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Our shop</a></li></ul></nav>
<article><h1>Rain over the harbour</h1>
<p>Rain fell over the harbour, and the boats that had left with the tide turned back to port before the evening.</p>
<p>A farmer of the valley keeps the seeds dry and sows them with care when the frost is over and the soil is warm.</p>
<table><tr><td>Rye</td><td>40 kg</td></tr><tr><td>Barley</td><td>25 kg</td></tr></table>
<p>The judge read the contract and asked that both of the parties be heard before noon on the following day.</p></article>
<footer><a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a> Accept our cookies.</footer></body></html>"""


def test_the_main_text_of_a_page() -> None:
    text = text_of(Html(), html=PAGE)
    for words in ("Rain fell over the harbour", "the soil is warm", "Barley", "heard before noon"):
        assert words in text
    for words in ("Our shop", "cookies", "<p>"):
        assert words not in text
    assert "Barley" not in text_of(Html(tables=False), html=PAGE)


def test_what_a_page_says_of_itself() -> None:
    found, _ = next(Html(metadata=True).read({"html": PAGE, "url": "https://harbour.example/rain"}))
    assert found["page"]["license"] == "CC-BY-SA-4.0"
    assert found["page"]["title"] == "Rain over the harbour"
    assert found["page"]["author"] == "Ada Field"


@pytest.mark.parametrize("fragment", ["<p>" + "A farmer of the valley keeps the seeds dry. " * 8 + "</p>", "\r\n" * 60 + PAGE, "\ufeff" + PAGE])
def test_fragments_and_pages_after_blank_lines(fragment: str) -> None:
    assert "A farmer of the valley" in text_of(Html(), html=fragment)


@pytest.mark.parametrize("page", ["", " \n", "<html></html>", "<html><body><script>x = 1</script></body></html>"])
def test_an_empty_page_is_blank(page: str) -> None:
    with pytest.raises(Blank):
        text_of(Html(), html=page)


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<html><body>" + "<div>" * 5000 + "deep words", "nested deeper"),
        ("<html><body><div " + " ".join(f"a{i}=1" for i in range(2000)) + ">words", "attributes"),
        ("<html><body><div " + " ".join(f'a{i}="<b>"' for i in range(2000)) + ">words", "attributes"),
        ("<html>" + "x" * 3_000_000, "3,000,006 characters"),
    ],
)
def test_a_hostile_page_is_put_aside(page: str, what: str) -> None:
    with pytest.raises(TooLarge, match=what):
        text_of(Html(), html=page)


def test_a_page_of_too_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_limits, "MAX_ELEMENTS", 100)
    with pytest.raises(TooLarge, match="more than 100 elements"):
        text_of(Html(), html="<html><body>" + "<p>x</p>" * 200)


def test_a_page_that_is_not_unicode() -> None:
    with pytest.raises(BadRecord, match="surrogate"):
        text_of(Html(), html="<p>\ud800</p>")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["<p>", "</p>", "<table>", "<td>", "<a href='x", "<!--", "&#0;", "\0", "word ", "<script>", "<html>", "]]>", '"']), max_size=40))
def test_any_page_is_a_text_or_a_reason(parts: list[str]) -> None:
    try:
        assert text_of(Html(metadata=True), html="".join(parts)).strip()
    except BadRecord as error:
        assert str(error)


def test_a_file_that_unpacks_to_more_than_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_file, "MAX_BYTES", 1 << 20)
    bomb = put(tmp_path / "bomb.html.gz", gzip.compress(b"<p>" * (1 << 20)))
    assert isinstance(only(HtmlFile(), bomb), TooLarge)


# --- articles

JATS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.1//EN" "JATS-archivearticle1.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" xml:lang="en"><front><article-meta>
<article-id pub-id-type="pmc">123</article-id><article-id pub-id-type="doi">10.1/x</article-id>
<title-group><article-title>Seeds &amp; rain: a <italic>trial</italic></article-title></title-group>
<permissions><license xlink:href="https://creativecommons.org/licenses/by/4.0/"><license-p>Open.</license-p></license></permissions>
<abstract><sec><title>Aim</title><p>To sow.</p></sec></abstract><abstract abstract-type="teaser"><p>Not this.</p></abstract>
<kwd-group><kwd>rye</kwd></kwd-group></article-meta></front>
<body><sec><title>Methods</title><p>We sowed 10<sup>9</sup> seeds/m<sup>2</sup> of CO<sub>2</sub>-fed rye<sup><xref ref-type="bibr" rid="r1">1</xref>,<xref
ref-type="bibr" rid="r2">2</xref></sup> as before [<xref ref-type="bibr" rid="r3">3</xref>&ndash;<xref ref-type="bibr" rid="r5">5</xref>] (Ihle,
<xref ref-type="bibr" rid="r6">2012</xref>; see <xref ref-type="fig" rid="f1">Figure 1</xref>).<fig id="f1"><label>Figure 1</label><caption><title>The field</title>
<p>In May.</p></caption><graphic xlink:href="x.jpg"/></fig></p><p>Dose was <inline-formula><alternatives><mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi>
</mml:mfrac></mml:math><tex-math>\\begin{document}$a/b$\\end{document}</tex-math></alternatives></inline-formula> g:<list><list-item><p>one</p></list-item>
<list-item><p>two</p></list-item></list></p><sec><title>Plots</title><table-wrap><label>Table 1.</label><caption><p>Yield</p></caption><table><tbody>
<tr><td>Rye</td><td>40</td></tr></tbody></table><table-wrap-foot><fn><p>Foot.</p></fn></table-wrap-foot></table-wrap></sec></sec></body>
<back><ack><p>Thanks.</p></ack><ref-list><ref><mixed-citation>Ref one.</mixed-citation></ref></ref-list></back>
<sub-article><body><p>Reviewer says.</p></body></sub-article></article>"""


def test_an_article_becomes_prose() -> None:
    found, content = next(Jats().read({"xml": JATS}))
    assert content["text"].split("\n\n") == [
        "Seeds & rain: a trial", "Abstract", "Aim", "To sow.", "Methods",
        "We sowed 10⁹ seeds/m² of CO₂-fed rye as before (Ihle, 2012; see Figure 1).", "Figure 1. The field. In May.", "Dose was a/b g:", "- one\n- two",
        "Plots", "Table 1. Yield.",
    ]  # fmt: skip
    assert found["article"] == {
        "pmcid": "PMC123", "pmid": None, "doi": "10.1/x", "license": "CC-BY-4.0", "language": "en", "title": "Seeds & rain: a trial",
    }  # fmt: skip


def test_what_of_an_article_is_asked_for() -> None:
    assert "| Rye | 40 |" in text_of(Jats(tables=True), xml=JATS)
    assert "Thanks." in text_of(Jats(back=True), xml=JATS)
    assert "Ref one" not in text_of(Jats(back=True), xml=JATS)
    assert "In May" not in text_of(Jats(captions=False), xml=JATS)
    assert "To sow" not in text_of(Jats(abstract=False), xml=JATS)
    assert text_of(Jats(markdown=True), xml=JATS).startswith("# Seeds & rain: a trial\n\n## Abstract")


CNXML = """<document xmlns="http://cnx.rice.edu/cnxml" xmlns:md="http://cnx.rice.edu/mdml"><title>Skin</title><metadata><md:content-id>m1</md:content-id>
<md:title>Skin</md:title><md:license url="http://creativecommons.org/licenses/by/4.0/"/></metadata><content><para id="p">Skin (<link target-id="f"/>) is
a vital <term>organ</term>.<list><item>one</item><item>two</item></list></para><section><title>Layers</title><note><title>Note</title><para>Read.</para></note>
<table><tgroup><tbody><row><entry>a</entry><entry>b</entry></row></tbody></tgroup></table><exercise><problem><para>Why?</para></problem><solution><para>So.</para>
</solution></exercise></section></content><glossary><definition><term>skin</term><meaning>the cover</meaning></definition></glossary></document>"""


def test_a_module_of_a_textbook_becomes_prose() -> None:
    found, content = next(Cnxml().read({"xml": CNXML}))
    assert content["text"].split("\n\n") == [
        "Skin", "Skin is a vital organ.", "- one\n- two", "Layers", "Note", "Read.", "| a | b |", "Why?", "So.", "- skin: the cover",
    ]  # fmt: skip
    assert found["module"]["license"] == "CC-BY-4.0" and found["module"]["id"] == "m1"
    assert "So." not in text_of(Cnxml(exercises=False, glossary=False), xml=CNXML)


BOMB = '<!DOCTYPE article [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (BOMB + "]><article><body><p>&j;</p></body></article>", "&j; is not resolved|not XML"),
        (BOMB + ']><article><body><p id="&j;">x</p></body></article>', "not XML"),
        ('<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]><article><body><p>&x;</p></body></article>', "&x; is not resolved"),
        ("<article>" + "<sec>" * 3000 + "</sec>" * 3000 + "</article>", "not XML"),
        ("<article><body>", "not XML"),
        ("no XML at all", "not XML"),
        ("<book><p>x</p></book>", "no JATS article"),
        ("<article><p>\ud800</p></article>", "surrogate"),
    ],
    ids=["laughs", "laughs in an attribute", "external entity", "deep", "cut off", "text", "another kind", "surrogate"],
)
def test_a_hostile_document_is_a_bad_record(document: str, what: str) -> None:
    with pytest.raises(BadRecord, match=what):
        text_of(Jats(), xml=document)


def test_a_document_of_nothing_is_blank() -> None:
    with pytest.raises(Blank):
        text_of(Jats(), xml="<article><body/></article>")
    with pytest.raises(Blank):
        text_of(Cnxml(), xml="<document/>")


@pytest.mark.parametrize(
    ("cited", "read"),
    [
        (r"so [{0}, {0}–{0}].", "so."),
        (r"so ({0}) and ({0}; n = 5).", "so and (; n = 5)."),
        (r"by Smith et al.{0}.", "by Smith et al."),
        (r"joints{0},{0}. Then", "joints. Then"),
        (r"f(x) = [1, 2], () stays", "f(x) = [1, 2], () stays"),
        (r"a score (HADS; {0}) was", "a score (HADS) was"),
    ],
)
def test_citations_go_with_their_brackets(cited: str, read: str) -> None:
    assert xml_prose.tidy(cited.format(xml_prose.LEFT_OUT)) == read


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/deed.zh", "CC-BY-NC-ND-4.0"),
        ("This work is licensed under a Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported License.", "CC-BY-NC-SA-3.0"),
        ("Creative Commons Attribution 4.0 International License", "CC-BY-4.0"),
        ("the Creative Commons Attribution License (CC BY 2.0)", "CC-BY-2.0"),
        ("https://creativecommons.org/licenses/by/3/", "CC-BY-3.0"),
        ("Creative Commons Attribution License, which permits", None),
        ("All rights reserved, see www.creativecommons.org", None),
    ],
)
def test_licences_as_they_are_written(said: str, licence: str | None) -> None:
    assert spdx(said) == licence


# --- web archives


def http(body: bytes, kind: str = "text/html; charset=utf-8", status: int = 200, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


def warc(block: bytes, url: str = "https://a.example/", kind: str = "response", content_type: str = "application/http; msgtype=response") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{zlib.crc32(block):08x}-0000-4000-8000-000000000000>\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (PAGE.encode()[:500], PAGE.encode()[500:])) + b"0\r\n\r\n"
INFO = warc(b"software: x\r\n", "", "warcinfo", "application/warc-fields")
ARCHIVE = [
    INFO,
    warc(b"GET / HTTP/1.1\r\n\r\n", kind="request", content_type="application/http; msgtype=request"),
    warc(http(PAGE.encode())),
    warc(http("<p>头痛怎么办</p>".encode("gb18030"), "text/html; charset=gb2312")),
    warc(http('<meta charset="big5"><p>打開窗戶</p>'.encode("big5"), "text/html")),
    warc(http(b"<p>gone</p>", status=404)),
    warc(http(b"\x89PNG", "image/png")),
    warc(http(gzip.compress(PAGE.encode()), more="Content-Encoding: gzip\r\n")),
    warc(http(CHUNKED, more="Transfer-Encoding: chunked\r\n")),
    warc(http(b"plain words", "text/plain")),
    warc("抽出的文字".encode(), kind="conversion", content_type="text/plain"),
]
PAGES = 7


@pytest.mark.parametrize("packing", ["plain", "members", "one member", "zst"])
def test_an_archive_however_it_is_packed(packing: str, tmp_path: Path) -> None:
    data, name = {
        "plain": (b"".join(ARCHIVE), "a.warc"),
        "members": (b"".join(map(gzip.compress, ARCHIVE)), "a.warc.gz"),
        "one member": (gzip.compress(b"".join(ARCHIVE)), "a.warc.gz"),
        "zst": (zstandard.compress(b"".join(ARCHIVE)), "a.warc.zst"),
    }[packing]
    found = dict(Warc().records(put(tmp_path / name, data), name))
    assert list(found) == [3, 4, 5, 8, 9, 10, 11]
    assert [record["encoding"] for record in found.values() if isinstance(record, dict)][1:3] == ["gb18030", "big5hkscs"]
    assert found[4]["html"] == "<p>头痛怎么办</p>"
    assert found[8]["html"] == found[9]["html"] == found[3]["html"] == PAGE
    assert text_of(Html(), **found[10]) == "plain words" and text_of(Html(), **found[11]) == "抽出的文字"
    assert found[3]["url"] == "https://a.example/" and len(found[3]["id"]) == 36


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_cut_archive_keeps_what_is_whole_and_says_one_is_not(data: st.DataObject) -> None:
    """Cut anywhere: the records before the cut are read, the one that is cut fails, unless the cut is between two."""
    packed = data.draw(st.booleans())
    parts = [gzip.compress(part) for part in ARCHIVE] if packed else ARCHIVE
    whole = b"".join(parts)
    at = data.draw(st.integers(len(parts[0]), len(whole)))
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder) / ("a.warc.gz" if packed else "a.warc"), whole[:at])
        found = list(warc_members.records(path, path.name))
    ends = [sum(map(len, parts[: i + 1])) for i in range(len(parts))]
    complete = sum(end <= at for end in ends)
    # Without its last line feeds a plain record is whole.
    loose = 0 if packed else sum(end - 4 <= at < end for end in ends)
    good = [one for one in found if not isinstance(one, BadRecord)]
    bad = len(found) - len(good)
    if packed:  # the record may be whole where the member's check sum is cut
        assert complete <= len(good) <= complete + 1
        assert bad == (at not in ends)
    else:
        assert len(good) == complete + loose
        assert bad == (at not in ends and not loose)


@pytest.mark.parametrize("packed", [True, False])
def test_damage_in_the_middle_loses_one_record(packed: bool, tmp_path: Path) -> None:
    parts = [gzip.compress(part) for part in ARCHIVE] if packed else list(ARCHIVE)
    if packed:
        parts[2] = parts[2][:40] + b"\xff\xff\xff\xff" + parts[2][44:]
    else:
        parts[2] = parts[2].replace(f"Content-Length: {len(http(PAGE.encode()))}".encode(), b"Content-Length: 99")
    path = put(tmp_path / ("a.warc.gz" if packed else "a.warc"), b"".join(parts))
    records = [record for _, record in Warc().records(path, path.name)]
    assert sum(isinstance(record, BadRecord) for record in records) == 1
    assert len(records) == PAGES


@pytest.mark.parametrize("data", [b"hello\n" * 99, gzip.compress(b"hello\n" * 99), b"\x1f\x8b\x08" + b"x" * 999])
def test_what_is_no_archive(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a WARC file"):
        list(Warc().records(put(tmp_path / "a.warc", data), "a.warc"))


@pytest.mark.parametrize(
    ("body", "more", "what"),
    [
        (gzip.compress(b"<p>x</p>" * 999)[:40], "Content-Encoding: gzip", "cut off"),
        (b"\x1f\x8b\x08" + b"x" * 99, "Content-Encoding: gzip", "corrupt"),
        (b"\x8b\x01\x80", "Content-Encoding: br", "'br' is not read"),
        (b"ff\r\nshort", "Transfer-Encoding: chunked", "chunks"),
        (gzip.compress(b"x" * 3_000_000), "Content-Encoding: gzip", "more than 1 MiB"),
    ],
)
def test_a_body_that_cannot_be_opened(body: bytes, more: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_body, "MAX_BYTES", 1 << 20)
    path = put(tmp_path / "a.warc", warc(http(body, more=more + "\r\n")) + warc(http(PAGE.encode())))
    (_, bad), (_, good) = Warc().records(path, path.name)
    assert isinstance(bad, BadRecord) and what in str(bad)
    assert isinstance(good, dict) and good["html"] == PAGE


def test_bodies_in_other_codings() -> None:
    class Headers:
        def __init__(self, coding: str) -> None:
            self.coding = coding

        def get_header(self, name: str) -> str | None:
            return self.coding if name == "Content-Encoding" else None

    raw = zlib.compressobj(wbits=-15)
    for coding, body in [("deflate", zlib.compress(b"seeds")), ("deflate", raw.compress(b"seeds") + raw.flush()), ("zstd", zstandard.compress(b"seeds")),
                         ("gzip", b"seeds"), ("identity", b"seeds"), ("gzip, deflate", zlib.compress(gzip.compress(b"seeds")))]:  # fmt: skip
        assert http_body.plain(body, Headers(coding)) == b"seeds", coding


# --- a recipe with all of it

RECIPE = """\
name: extracted
license: other
sources:
  books: {path: "books/*.txt", license: CC0-1.0, key: file, shape: {text: {}}}
  pages: {path: "pages/*.html", license: CC0-1.0, key: file, shape: {html: {}}}
  crawl: {path: crawl.warc.gz, license: LicenseRef-web, key: url, shape: {html: {}}}
  column: {path: column.jsonl, license: {field: page.license}, key: id, shape: {html: {field: body, metadata: true}}}
  articles: {path: "articles/*.nxml", license: {field: article.license}, language: {field: article.language}, key: article.pmcid, shape: {jats: {}}}
  modules: {path: "modules/*/index.cnxml", license: {field: module.license}, language: en, key: module.id, shape: {cnxml: {}}}
corpora:
  cpt:
    from: [books, pages, crawl, column, articles, modules]
    steps:
      - normalize: {}
gates: {max_failed_share: 0.5}
"""


def write_sources(folder: Path) -> Path:
    for name in ("books", "pages", "articles", "modules/m1"):
        (folder / name).mkdir(parents=True)
    put(folder / "books/zh.txt", MORNINGS["gb18030"].encode("gb18030"))
    put(folder / "books/en.txt", b"Early in the morning.")
    put(folder / "books/picture.txt", bytes(range(256)) * 9)
    put(folder / "pages/rain.html", PAGE.encode())
    put(folder / "pages/empty.html", b"")
    put(folder / "crawl.warc.gz", b"".join(map(gzip.compress, [INFO, *(warc(http(PAGE.encode()), f"https://a.example/{i}") for i in range(3))]))[:-30])
    put(folder / "column.jsonl", (json.dumps({"id": "c1", "body": PAGE}) + "\n").encode())
    put(folder / "articles/a.nxml", JATS.encode())
    put(folder / "articles/bomb.nxml", (BOMB + "]><article><body><p>&j;</p></body></article>").encode())
    put(folder / "modules/m1/index.cnxml", CNXML.encode())
    return put(folder / "extracted.yaml", RECIPE.encode())


def tilth(*words: str) -> Any:
    done = CliRunner().invoke(cli.tilth, list(words))
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def test_a_recipe_of_files_as_they_are_published(tmp_path: Path) -> None:
    recipe = write_sources(tmp_path)
    tilth("lock", str(recipe))
    tilth("plan", str(recipe))
    tilth("build", str(recipe), "--workers", "1")
    [build] = home().builds.glob("extracted/*/build.json")
    rows = pl.concat(pl.read_parquet(path) for path in sorted(build.parent.glob("cpt/*.parquet")))
    assert dict(rows.group_by("source").len().iter_rows()) == {"books": 2, "pages": 1, "crawl": 2, "column": 1, "articles": 1, "modules": 1}
    licences = dict(rows.select("source", "license").unique().iter_rows())
    assert (licences["column"], licences["articles"], licences["modules"]) == ("CC-BY-SA-4.0", "CC-BY-4.0", "CC-BY-4.0")
    assert MORNINGS["gb18030"] in set(rows["text"])
    [read] = [line for line in json.loads(build.read_text())["funnel"] if line["step"] == "read"]
    assert (read["rows_in"], read["dropped"], read["failed"], read["rows_out"]) == (12, 1, 3, 8)


# --- real data


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in zstandard.decompress(path.read_bytes(), max_output_size=1 << 29).splitlines()]


@pytest.mark.data
def test_real_bytes_are_told(data: Path) -> None:
    right = 0
    files = [base64.b64decode(row["bytes_b64"]) for row in rows_of(data / "raw_bytes_encodings" / "files.jsonl.zst")]
    legacy = [file for file in files if not file.isascii()]
    for file in legacy:
        chinese = file.count(b"\xa1\xa3") > 20  # 。 of GB2312
        right += encodings.detect(file) == ("gb18030" if chinese else "windows-1252")
    assert right == len(legacy) == 22


@pytest.mark.data
def test_real_archives_are_read(data: Path) -> None:
    records = [record for path in sorted((data / "warc_samples").glob("*.gz")) for _, record in Warc().records(path, path.name)]
    assert len(records) == 37 and all(isinstance(record, dict) for record in records)
