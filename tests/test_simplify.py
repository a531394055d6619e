"""Traditional to simplified and back: rows in Chinese only, words and not only characters, the language with the writing."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.batch import Batch
from tilth.core.rows import conversation, schema
from tilth.filters.simplify import Simplify


def documents(rows: list[tuple[str | None, str | None]]) -> Batch:
    blank = dict.fromkeys(schema("cpt"))
    frame = [{**blank, "id": str(i), "language": language, "text": text} for i, (text, language) in enumerate(rows)]
    return Batch(pl.DataFrame(frame, schema=schema("cpt")), "cpt")


def edited(step: Simplify, *rows: tuple[str | None, str | None]) -> list[tuple[str | None, str | None]]:
    return step.edit(documents(list(rows))).frame.select("text", "language").rows()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("頭髮乾燥，後來皇后說", "zh", ("头发干燥，后来皇后说", "zh")),
        ("頭髮", "zh-Hant", ("头发", "zh-Hans")),
        ("頭髮", "zh-TW", ("头发", "zh-Hans")),
        ("口乾", "zh-HK", ("口干", "zh-Hans")),
        ("山水", "zh-Hant", ("山水", "zh-Hans")),
        ("佢話唔知點解", "yue-Hant", ("佢话唔知点解", "yue-Hans")),
        ("頭髮乾燥", None, ("头发干燥", None)),
        ("頭髮乾燥", "und", ("头发干燥", "und")),
        ("乾隆年间头发被打坏了", "zh", ("乾隆年间头发被打坏了", "zh")),
        ("患者は三日前から發熱があり", None, ("患者は三日前から發熱があり", None)),
        ("發熱の患者", "ja", ("發熱の患者", "ja")),
        ("TP53 頭髮", "en", ("TP53 頭髮", "en")),
        (None, "zh-Hant", (None, "zh-Hans")),
    ],
)
def test_traditional_becomes_simplified(text: str | None, language: str | None, expected: tuple[str | None, str | None]) -> None:
    assert edited(Simplify(), (text, language)) == [expected]


def test_other_conversions() -> None:
    assert edited(Simplify(conversion="s2t"), ("头发干燥", "zh-Hans"), ("頭髮皇后里長", "zh"), ("软件", "zh-CN")) == [
        ("頭髮乾燥", "zh-Hant"), ("頭髮皇后里長", "zh"), ("軟件", "zh-Hant"),
    ]  # fmt: skip
    assert edited(Simplify(conversion="tw2sp"), ("軟體和滑鼠", "zh-TW")) == [("软件和鼠标", "zh-Hans")]
    assert edited(Simplify(conversion="s2twp"), ("软件和鼠标", "zh-Hans")) == [("軟體和滑鼠", "zh-Hant")]


def test_all_messages_of_a_row_are_written_alike() -> None:
    blank = dict.fromkeys(schema("sft"))
    rows = [
        {**blank, "id": "0", "language": "zh", "messages": conversation([("user", "醫生說什麼？"), ("assistant", "口乾要多喝水")])},
        {**blank, "id": "1", "language": "en", "messages": conversation([("user", "醫生?"), ("assistant", "Doctor.")])},
        {**blank, "id": "2", "language": "zh", "messages": []},
    ]
    batch = Batch(pl.DataFrame(rows, schema=schema("sft")), "sft")
    after = Simplify().edit(batch)
    assert [[m["content"] for m in one] for one in after.frame["messages"]] == [["医生说什么？", "口干要多喝水"], ["醫生?", "Doctor."], []]
    assert after.frame["id"].to_list() == ["0", "1", "2"] and after.frame.schema == batch.frame.schema


@given(st.lists(st.tuples(st.text("頭髮乾后里面发头干a1，。\n😀ひ", max_size=20), st.sampled_from(["zh", "zh-TW", "en", None])), max_size=6))
@settings(max_examples=40, deadline=None)
def test_twice_is_once_and_rows_stand_for_themselves(rows: list[tuple[str, str | None]]) -> None:
    step = Simplify()
    batch = documents(list(rows))
    once = step.edit(batch)
    assert step.edit(once).frame.equals(once.frame)
    assert batch.frame["text"].to_list() == [text for text, _ in rows]
    assert once.frame["text"].to_list() == [edited(step, row)[0][0] for row in rows]
