"""Personal data: the labelled set, what each kind is and is not, numbering within a row, and what an edit may not do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.batch import Batch
from tilth.core.rows import conversation, schema
from tilth.core.steps import Context
from tilth.filters.pii import MASKS, Pii
from tilth.filters.pii_find import found
from tilth.filters.pii_spans import PRIORITY, Span, resolved

KINDS = [kind for kind in PRIORITY if kind != "url"]
CONTEXT = Context("cpt", 0, pl.DataFrame())
LABELLED = Path(__file__).parent / "pii_labelled.jsonl"
ROWS = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]


def documents(texts: list[str | None]) -> Batch:
    blank = dict.fromkeys(schema("cpt"))
    return Batch(pl.DataFrame([{**blank, "id": str(i), "text": text} for i, text in enumerate(texts)], schema=schema("cpt")), "cpt")


def edited(text: str, **parameters: object) -> str:
    return Pii(**parameters).edit(documents([text])).frame["text"][0]


def kinds_in(text: str) -> list[tuple[str, str]]:
    spans = found(pl.Series([text]), np.zeros(1, int), KINDS).get(0, [])
    return [(span.kind, text[span.start : span.end]) for span in spans]


# the labelled set -------------------------------------------------------------------------------------------------


def test_the_labelled_set_is_in_order() -> None:
    for language in ("en", "zh"):
        rows = [row for row in ROWS if row["lang"] == language]
        assert len(rows) >= 300
        assert sum(not row["spans"] for row in rows) / len(rows) >= 0.4, "texts that hold none, chosen as traps"
    for row in ROWS:
        assert all(0 <= start < end <= len(row["text"]) and kind in KINDS for start, end, kind in row["spans"])
        assert len(resolved(Span(*span) for span in row["spans"])) == len(row["spans"]), "labels do not overlap"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_recall_and_precision_on_the_labelled_set(language: str) -> None:
    """The very characters and the very kind; `python -m benchmarks.pii` says it for each kind."""
    rows = [row for row in ROWS if row["lang"] == language]
    spans = found(pl.Series([row["text"] for row in rows]), np.arange(len(rows)), KINDS)
    ours = {(i, span.start, span.end, span.kind) for i, every in spans.items() for span in every}
    labelled = {(i, *span) for i, row in enumerate(rows) for span in row["spans"]}
    assert len(ours & labelled) / len(labelled) >= 0.98, sorted(labelled - ours)
    assert len(ours & labelled) / len(ours) >= 0.98, sorted(ours - labelled)
    assert sum(i in spans for i, row in enumerate(rows) if not row["spans"]) <= 2


# kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient Name: Ngozi Eze-Hart  MRN 00482913", "Patient Name: <NAME>  MRN <RECORD>"),
        ("Name: SMITH, JOHN A. was seen; Smith denies pain", "Name: <NAME> was seen; <NAME> denies pain"),
        ("Mrs. White's wound and Dr. Lee's note", "Mrs. <NAME>'s wound and Dr. <NAME>'s note"),
        ("Born 03/04/1975, lives at 12 Elm Road, Apt 4B, Boston, MA 02116.", "Born <BIRTH_DATE>, lives at <ADDRESS>."),
        ("passport no. X1234567, SSN: 078 05 1120", "passport no. <DOCUMENT>, SSN: <SSN>"),
        ("患者王小明因咳嗽入院，住院号：0045821", "患者<NAME>因咳嗽入院，住院号：<RECORD>"),
        ("王小明，男，56岁。王小明诉胸闷。", "<NAME>，男，56岁。<NAME>诉胸闷。"),
        ("李医生您好，我叫刘洋", "<NAME>医生您好，我叫<NAME>"),
        ("姓名：阿依古丽·买买提　欧阳雪女士", "姓名：<NAME>　<NAME>女士"),
        ("家住上海市徐汇区宛平南路600弄12号402室。", "家住<ADDRESS>。"),
        ("身份证：110105491231002，出生日期：1949年12月31日", "身份证：<CN_ID>，出生日期：<BIRTH_DATE>"),
        ("微信：doctor_wang66，车牌京A·12345", "微信：<ACCOUNT>，车牌<PLATE>"),
        ("卡号：6222 0212 3456 7890 123", "卡号：<CARD>"),
        ("postgres://admin:hunter2@db.example.org/x", "postgres://<ACCOUNT>@db.example.org/x"),
        ("call (555) 123-4567 or +44 7700 900123", "call <PHONE> or <PHONE>"),
    ],
)
def test_personal_data_is_replaced(text: str, expected: str) -> None:
    once = edited(text)
    assert once == expected
    assert edited(once) == once
    signals = Pii().measure(documents([once]), CONTEXT)
    assert signals["num_found"][0] == expected.count("<")


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson's disease and Mr. Parkinson's disease scale", "Smith J, Lee H. Lancet 2019;393:1220.", "Patient: Denies pain.",
        "Doctor: How are you?", "Dear Sir or Madam, thank you.", "Dr. Pepper and Doctor Who", "I am Christian and I'm German.",
        "In 1817 Dr. James Parkinson described the shaking palsy.", "my son Has asthma", "Name: Amoxicillin\nClass: antibiotic",
        "born at 38 weeks; born in 1950", "Policy statements of 2019 and account for 12345 cases", "group 12, bed 4, room 412",
        "5 Way Analysis of variance", "DOI 10.1056/NEJMoa2034577 PMID 33301246 NCT04368728", "6845 3132 1624 1698 1406",
        "ratio 1:1:1:1:1:1:1:1", "10-20 mg/kg, 7-10 days, 13800000000 IU", "Massachusetts General Hospital",
        "患者黄疸加重，患者高热，患者张口受限，患者白术过敏", "王不留行、马钱子、徐长卿、何首乌各10g", "请问医生，对方医生、任何医生都可以吗",
        "张仲景《伤寒论》，李时珍《本草纲目》", "家属签字：", "姓名：不详", "我女朋友和孩子都很好", "IP地址：127.0.0.1，邮箱地址：无",
        "3号染色体，2号线，外科病区3楼12床", "第五条 地址：由本市各级人民法院确定", "国药准字H20050123，ChiCTR2000029308",
        "[1] 王伟, 李娜. 高血压[J]. 2018, 33(2): 101-105.", "经期延长，于医生处就诊前", "主任医师坐诊，班主任来访",
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert kinds_in(text) == []


def test_what_a_number_is_called_says_more_than_its_shape() -> None:
    assert kinds_in("住院号：13812345678") == [("record", "13812345678")]
    assert kinds_in("QQ邮箱 13812345678@qq.com") == [("email", "13812345678@qq.com")]
    assert resolved([Span(0, 5, "phone"), Span(3, 9, "record"), Span(9, 9, "name")]) == [Span(3, 9, "record")]


# actions ----------------------------------------------------------------------------------------------------------


def chats(messages: list[list[tuple[str, str]]]) -> Batch:
    blank = dict.fromkeys(schema("sft"))
    rows = [{**blank, "id": str(i), "messages": conversation(one)} for i, one in enumerate(messages)]
    return Batch(pl.DataFrame(rows, schema=schema("sft")), "sft")


def test_numbers_are_the_same_throughout_a_row_and_begin_anew_in_the_next() -> None:
    rows = chats(
        [
            [("user", "My name is Ruth Moss, 212-555-0143."), ("assistant", "Ruth Moss, is it (212) 555-0143 or 212-555-0199?")],
            [("user", "I'm Laura. <NAME_4> was here."), ("assistant", "Hello Laura")],
        ]
    )
    after = Pii(numbered=True).edit(rows).frame["messages"].to_list()
    assert [m["content"] for m in after[0]] == ["My name is <NAME_1>, <PHONE_1>.", "<NAME_1>, is it <PHONE_2> or <PHONE_3>?"]
    assert [m["content"] for m in after[1]] == ["I'm <NAME_5>. <NAME_4> was here.", "Hello <NAME_5>"]
    again = Pii(numbered=True).edit(Pii(numbered=True).edit(rows))
    assert again.frame["messages"].to_list() == after
    assert Pii(numbered=True).measure(again, CONTEXT)["num_name"].to_list() == [2, 3]


def test_a_name_found_in_one_message_is_found_in_all_of_its_row_only() -> None:
    rows = chats([[("user", "患者王小明，男"), ("assistant", "请王小明按时服药")], [("user", "王小明这个名字很常见"), ("assistant", "是的")]])
    after = Pii().edit(rows).frame["messages"].to_list()
    assert after[0][1]["content"] == "请<NAME>按时服药"
    assert after[1][0]["content"] == "王小明这个名字很常见"


def test_masks_and_drops() -> None:
    rows = documents(["姓名：王小明，电话13812345678", "clean", None])
    masked = Pii(action="mask").edit(rows)
    assert masked.frame["text"].to_list() == ["姓名：███，电话███-████-████", "clean", None]
    assert Pii(action="mask").measure(masked, CONTEXT)["num_found"].to_list() == [2, 0, 0]
    assert len(set(MASKS.values())) == len(MASKS)
    dropping = Pii(action="drop")
    assert dropping.edit(rows) is rows
    assert dropping.measure(rows, CONTEXT).select("num_name", "num_phone", "num_found").rows() == [(1, 1, 2), (0, 0, 0), (0, 0, 0)]


PIECES = st.sampled_from(
    ["Patient Name: ", "John Smith", "Mrs. ", "患者", "王小明", "，男，", "13812345678", " ", "\n", "Dr. Lee", "住院号：", "a@b.org", "12 Elm St",
     "Dear ", "Regards,\n", "<NAME_2>", "1985年3月12日", "出生", "北京市朝阳区建国路88号", "4111 1111 1111 1111", "。", "é", "😀", "是"]
)  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=1, max_size=4), st.sampled_from(["replace", "mask"]), st.booleans())
@settings(max_examples=10, deadline=None)
def test_an_edit_is_pure_and_final(texts: list[str], action: str, numbered: bool) -> None:
    step = Pii(action=action, numbered=numbered)  # type: ignore[arg-type]
    rows = documents(list(texts))
    once = step.edit(rows)
    assert rows.frame["text"].to_list() == texts
    assert step.edit(once).frame.equals(once.frame)
    alone = [step.edit(documents([text])).frame["text"][0] for text in texts]
    assert once.frame["text"].to_list() == alone, "a document is edited for itself"


def test_real_papers_laws_and_old_books_hold_few_people(data: Path) -> None:
    """Names by context only: authors of papers, physicians of old books and parties of laws stay."""
    import zstandard

    for name, most in (("cn_laws-00", 5), ("tcm_ancient_books-01", 5), ("medquad_documents-00", 5)):
        with zstandard.open(data / "cpt_raw_mix" / f"{name}.jsonl.zst", "rt", encoding="utf-8") as lines:
            texts = pl.Series([json.loads(line)["text"] for _, line in zip(range(150), lines, strict=False)], dtype=pl.String)
        spans = found(texts, np.arange(len(texts)), ["name"])
        assert sum(map(len, spans.values())) <= most, name
