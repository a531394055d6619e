"""The Chinese thresholds: good prose stays, on real text; spam, fragments and misread files go."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import chinese, chinese_bad
from tilth.core.steps import Step
from tilth.filters import common_han
from tilth.filters.c4 import C4
from tilth.filters.chinese_quality import ChineseQuality
from tilth.filters.fineweb_quality import FineWebQuality
from tilth.filters.gopher_repetition import GopherRepetition

PROSE = """# 发热病人的护理

## 一般观察

患者因发热三天来院就诊，最高体温三十九度，伴有轻微的咳嗽和咽痛，没有胸闷。医生检查之后认为是普通的上呼吸道感染，建议多饮温水、注意休息。
体温超过三十八度五的时候，可以在医生的指导下服用退热药物，两次用药之间至少要隔六个小时；儿童的剂量应当按照体重来计算，不能照搬成人的用法。

## 何时就诊

如果高热持续不退，或者出现呼吸急促、精神萎靡、皮疹等情况，就应当及时到医院去做进一步的检查，以免耽误了病情。
"""
WRAPPED = (
    "<篇名>邵序\r\n\r\n内容：记曰医不三世不服其药郑康成曰慎物齐也孔冲远引旧说云三世者一 \r\n曰黄帝针灸二曰神农本草三曰素女脉诀康成周礼注亦曰五药草木虫石谷也其治合之齐则存乎神农 \r\n"
    "子仪之术是礼记注所谓慎物齐者犹言治合之齐指本草诸书而言也冲远既引旧说复疑其非郑义过矣 \r\n"
)
TRADITIONAL = "患者因發熱三天來院就診，最高體溫三十九度，伴有輕微的咳嗽和咽痛。醫師檢查之後認為是普通的上呼吸道感染，建議多飲溫水、注意休息。"
CANTONESE = "我哋噚日去咗醫院睇醫生，佢話我冇乜嘢大礙，飲多啲水、瞓多啲就得㗎喇。如果聽日仲係咁攰，就要再嚟覆診，唔好拖得太耐。"
SLOGANS = ["搬家，免费上门服务！", "办证，诚信经营！", "开锁，价格优惠！", "贷款，当天办理！"]
SOURCES = {
    "cpt_raw_mix/cn_laws-00.jsonl.zst": ["text"],
    "cpt_raw_mix/lctt_published-00.jsonl.zst": ["text"],
    "cpt_raw_mix/pingcap_docs_cn-00.jsonl.zst": ["text"],
    "cpt_raw_mix/tcm_ancient_books-00.jsonl.zst": ["text"],
    "cpt_raw_mix/tcm_ancient_books-02.jsonl.zst": ["text"],
    "sft_zh_toyhom_sample/internal_medicine_5000_6000.jsonl.zst": ["ask", "answer"],
    "sft_zh_huatuo_llama/llama_data.jsonl.zst": ["instruction", "output"],
}
CHAIN = [chinese.STEPS[name] for name in chinese.CHAIN]


def beginning(path: Path, fields: list[str]) -> list[str]:
    """200 texts from the first 3 MB of a source, the same ones always."""
    with path.open("rb") as opened:
        head = zstandard.ZstdDecompressor().stream_reader(opened).read(3_000_000)
    table = pl.read_ndjson(io.BytesIO(head[: head.rfind(b"\n") + 1]), infer_schema_length=None)
    whole = table.select(text=pl.concat_str(fields, separator="\n", ignore_nulls=True))
    return whole.sample(min(200, len(whole)), seed=1)["text"].to_list()


def reasons(step: Step, *texts: str) -> list[str | None]:
    """Of each text the first rule that drops it."""
    stays = chinese.run(step, texts).rules
    return [next((rule for rule, kept in stays.items() if not kept[place]), None) for place in range(len(texts))]


@pytest.mark.parametrize("text", [PROSE, WRAPPED, TRADITIONAL, CANTONESE, "怀孕46天能吃米皮吗\n这一般是不会有影响的,适度加强锻炼,祝你早日健康"])
def test_prose_of_every_kind_passes_the_chain(text: str) -> None:
    assert [reasons(step, text) for step in CHAIN] == [[None]] * 4


@pytest.mark.parametrize(
    ("step", "text", "rule"),
    [
        (ChineseQuality(), PROSE.encode().decode("gb18030", "replace"), "rare_han"),
        (ChineseQuality(), " ".join(TRADITIONAL), "spaced_han"),
        (ChineseQuality(), PROSE[:80] + "本公司长期从事搬家的业务，价格优惠，请拨打13800138000，咨询QQ：123456789。", "long_numbers"),
        (ChineseQuality(), "李建国，王秀英，张伟，刘洋，陈静，杨帆，赵磊，黄丽，周杰，吴敏，徐强，孙燕，" * 4 + "的确", "rare_function_characters"),
        (GopherRepetition(), "".join(map("".join, zip(chinese_bad.CITIES, SLOGANS * 4, strict=True))), "duplicate_clause_chars"),
        (FineWebQuality(), "\n".join(["首页", "关于我们", "新闻中心与媒体报道", "联系方式", "发热、咳嗽、咽痛"] * 3), "few_flowing_lines"),
        (C4(require_terminal=False), "函数如下。\n" + "\n".join("if (x) { 返回 甲 乙 }" for _ in range(5)), "curly_brackets"),
    ],
)
def test_what_only_chinese_is_asked(step: Step, text: str, rule: str) -> None:
    assert reasons(step, text) == [rule]
    assert reasons(step, PROSE) == [None]


def test_one_bracket_and_one_question_are_no_reason() -> None:
    assert reasons(C4(require_terminal=False), PROSE + "\n示例：docker run { }\n", "怀孕了能吃米皮吗") == [None, None]
    assert reasons(C4(require_terminal=False, zh_min_num_sentences=2), "怀孕了能吃米皮吗") == ["few_sentences"]


def test_other_languages_are_not_asked_for_clauses_or_flowing_lines() -> None:
    text = "。".join(["short lines here"] * 9)
    for step, signal in ((GopherRepetition(), "duplicate_clause_char_share"), (FineWebQuality(), "flowing_line_share")):
        assert not any(chinese.run(step, [text], "en").signals[signal].to_list()[:1])


@pytest.mark.parametrize("group", ["spam", "fragments", "junk"])
def test_bad_text_goes(group: str) -> None:
    """Each group nine in ten and more, whatever the good text was: here it is ours."""
    dropped = []
    for kind in chinese_bad.MAKERS[group]:
        made = chinese_bad.make(kind, 30, [PROSE, TRADITIONAL])
        assert made == chinese_bad.make(kind, 30, [PROSE, TRADITIONAL])
        assert min(len(text.strip()) for text in made) >= 20
        dropped.append(1 - np.logical_and.reduce([chinese.run(step, made).kept for step in CHAIN]).mean())
    assert np.mean(dropped) >= 0.9, dict(zip(chinese_bad.MAKERS[group], dropped, strict=True))


def test_common_han_are_those_of_both_scripts() -> None:
    common = common_han.table()
    assert all(common[ord(char)] for char in "的人发發疗療药藥佢嘅")
    assert not any(common[ord(char)] for char in "鎴锟鐨a。あ")
    assert 6000 < common.sum() < 7500


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_the_interval_holds_the_share(kept: list[bool]) -> None:
    found = chinese.kept_share(np.array(kept))
    assert 0 <= found["low"] <= found["share"] <= found["high"] <= 1
    assert found["high"] - found["low"] > 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve documents, of which two are in English or too short, and four records in as many layouts."""
    (tmp_path / "cpt_mix").mkdir()
    rows = [{"id": str(place), "lang": "zh", "source": "护理", "text": f"{PROSE}第{place}条。"} for place in range(10)]
    rows += [{"id": "e", "lang": "en", "source": "护理", "text": PROSE}, {"id": "s", "lang": "zh", "source": "护理", "text": "短"}]
    (tmp_path / "cpt_mix" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sft_zh_qa").mkdir()
    asked, answer = "怀孕46天能吃米皮吗，会有什么影响？", "这一般是不会有影响的，适度加强锻炼即可。"
    layouts: list[dict[str, object]] = [
        {"instruction": asked, "output": answer},
        {"instruction": [asked], "output": [answer]},
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]},
        {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]},
    ]
    (tmp_path / "sft_zh_qa" / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in layouts))
    return tmp_path


def test_a_folder_is_read_by_its_layout(folder: Path) -> None:
    found = chinese.read(folder, 0, 100)
    assert {source: len(texts) for source, texts in found.items()} == {"护理": 10, "b": 4}
    assert len(set(found["b"])) == 1
    assert sorted(chinese.read(folder, 0, 4)["护理"] + chinese.read(folder, 4, 100)["护理"]) == sorted(found["护理"])


def test_the_command_prints_one_object(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(chinese, "BAD_DOCUMENTS", 3)
    monkeypatch.setattr(sys, "argv", ["chinese", "--data", str(folder), "--json"])
    with pytest.raises(SystemExit):
        chinese.main()
    found = json.loads(capsys.readouterr().out)
    assert found["sources"]["护理"]["kept"]["chain"]["share"] == 1
    assert set(found["bad"]) == set(chinese_bad.MAKERS)
    assert "chinese_quality.common_han_share" in found["sources"]["b"]["signals"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chinese", "--data", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Chinese documents")


@pytest.mark.data
@pytest.mark.parametrize("path", SOURCES)
def test_good_prose_stays(data: Path, path: str) -> None:
    texts = beginning(data / path, SOURCES[path])
    kept = {step.name: chinese.run(step, texts).kept for step in CHAIN}
    assert {name: one.mean() for name, one in kept.items() if one.mean() < 0.95} == {}
    assert np.logical_and.reduce(list(kept.values())).mean() >= 0.93
