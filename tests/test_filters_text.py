"""The text steps: words, normalize, language, Gopher, C4, Chinese quality, personal data, conversations."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.rows import Kind, frame
from tilth.core.steps import Context, Step
from tilth.core.units import is_threshold
from tilth.filters import words
from tilth.filters.c4 import C4
from tilth.filters.chat_shape import ChatShape
from tilth.filters.chinese_quality import ChineseQuality
from tilth.filters.gopher_quality import GopherQuality
from tilth.filters.gopher_repetition import GopherRepetition
from tilth.filters.hashing import BASE
from tilth.filters.language import Language
from tilth.filters.normalize import Normalize, normalized
from tilth.filters.pii import Pii

CONTEXT = Context("cpt", 0, pl.DataFrame())
STEPS: list[Step] = [
    Normalize(), Language(), GopherQuality(), GopherRepetition(), C4(), ChineseQuality(), Pii(), Pii(action="mask"),
    Pii(action="drop"), Language(overwrite=True),
]  # fmt: skip

ENGLISH = (
    "The patient was admitted to the ward with a fever that would not go down, and the doctors of the team had to look "
    "for the cause of it. They took samples of blood before they gave the first dose of the medicine. On the next "
    "morning the fever was gone, but a rash had come out on both arms. It was thought to be a reaction to the drug and "
    "nothing more was done. Two days later she went home in good health with a letter for her own doctor."
)
CHINESE = (
    "患者因发热三天入院，体温最高达三十九度，伴有咳嗽和乏力。入院后完善相关检查，血常规提示白细胞升高，胸片显示右下肺炎症。"
    "给予抗感染治疗后，患者的体温逐渐恢复正常，咳嗽也明显减轻。医生建议继续口服药物一周，注意休息，多喝水，如果再次发热应及时就诊。"
)
FRENCH = "La patiente présente une fièvre depuis trois jours et ne mange plus."


def batch(texts: list[str | None], languages: list[str | None] | str | None = "en") -> Batch:
    count = len(texts)
    known = languages if isinstance(languages, list) else [languages] * count
    same = {name: ["x"] * count for name in ("content_hash", "source", "revision", "license")}
    return Batch(frame("cpt", id=[str(i) for i in range(count)], **same, language=known, text=texts), "cpt")


def chats(messages: list[list[tuple[str, str]]]) -> Batch:
    count = len(messages)
    same = {name: ["x"] * count for name in ("content_hash", "source", "revision", "license", "language")}
    rows = [[{"role": role, "content": content} for role, content in one] for one in messages]
    return Batch(frame("sft", id=[str(i) for i in range(count)], **same, messages=rows), "sft")


def reasons(step: Step, rows: Batch) -> list[str | None]:
    """The rule that drops each row, None for those kept."""
    signals = step.measure(step.edit(rows), CONTEXT).with_columns(rows.frame["id"])
    fates = step.decide(signals, np.ones(len(rows), bool), None)
    found = dict(zip(fates["index"].to_list(), fates["rule"].to_list(), strict=True))
    return [found.get(i) for i in range(len(rows))]


def reason(step: Step, text: str, language: str = "en") -> str | None:
    return reasons(step, batch([text], language))[0]


# words -----------------------------------------------------------------------------------------------------------

ALPHABET = "ab1é'’ .,\n\t　。中文々ひカーｶ한글ا\u0301\u200d\u200c😀#-_\U00020000\xa0"
texts_of = st.text(alphabet=ALPHABET, max_size=40)


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM" and not _stands_alone(char)


def _stands_alone(char: str) -> bool:
    return char in "中文々ひカーｶ\U00020000"


def script_words(text: str) -> list[str]:
    """The definition in plain words: a loop over characters."""
    found: list[str] = []
    for i, char in enumerate(text):
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        joins = char in "'’\u200c\u200d" and before and after and _is_word(before) and _is_word(after)
        if char.isspace():
            continue
        grows = (
            i > 0
            and not before.isspace()
            and (
                (_is_word(char) or joins)
                and (_is_word(before) or (before in "'’\u200c\u200d" and i > 1 and _is_word(text[i - 2]) and _is_word(char)))
            )
        )
        if grows:
            found[-1] += char
        else:
            found.append(char)
    return found


@given(st.lists(texts_of, max_size=5))
@settings(max_examples=300, deadline=None)
def test_words_follow_their_definition(texts: list[str]) -> None:
    found = words.of(pl.Series(texts, dtype=pl.String))
    expected = [script_words(text) for text in texts]
    flat = [word for row in expected for word in row]
    assert found.strings() == flat
    assert np.diff(found.offsets).tolist() == [len(row) for row in expected]
    assert found.lengths.tolist() == [len(word) for word in flat]
    assert found.is_word.tolist() == [any(unicodedata.category(c)[0] in "LN" for c in word) for word in flat]
    assert len(set(found.hashes.tolist())) == len(set(flat))


def test_hashes_never_change() -> None:
    found = words.of(pl.Series(["fever 热"]))
    assert found.hashes.tolist() == [7384282523063237683, 14393673766518970714]
    assert found.hashes.tolist() == words.of(pl.Series(["x 热 fever"])).hashes[[2, 1]].tolist()


def test_a_word_of_a_megabyte_is_a_word() -> None:
    found = words.of(pl.Series(["ab" * 50_000 + " ab", "x" * 200_000, "ab" * 50_000]))
    assert found.lengths.tolist() == [100_000, 2, 200_000, 100_000]
    assert found.hashes[0] == found.hashes[3] != found.hashes[1]
    total = 0
    for char in reversed("ab" * 50_000):
        total = (total * BASE + ord(char)) % (1 << 64)
    assert int(found.polynomials[0]) == total


def test_words_of_nothing() -> None:
    for texts in ([], [None], ["", " \n"]):
        found = words.of(pl.Series(texts, dtype=pl.String))
        assert found.offsets.tolist() == [0] * (len(texts) + 1)
        assert len(found.lengths) == len(found.hashes) == len(found.is_word) == 0


def test_a_batch_is_tokenised_once() -> None:
    rows = batch([ENGLISH, CHINESE])
    assert words.tokens(rows) is words.tokens(rows)


# every step ------------------------------------------------------------------------------------------------------

pieces = st.sampled_from([
    "the fever of the patient. ", "发热三天，", "。", "\n", "\n\n", "a@b.org ", "13812345678 ", "- item\n", "javascript ",
    "{", "lorem ipsum. ", "...", "…\n", "####", "12 34 56 ", "Who? ", "\u200b", "\r\n", "&amp; ", "ひらがな", "  ",
])  # fmt: skip
documents = st.lists(pieces, max_size=30).map("".join)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.name}-{getattr(step, 'action', '')}")
@given(st.lists(st.tuples(documents, st.sampled_from(["en", "zh", None])), min_size=1, max_size=5), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_rows_are_measured_each_for_itself(step: Step, rows: list[tuple[str, str | None]], cut: int) -> None:
    """Splitting a batch, doing it twice, and the batch itself: nothing of it changes signals, text or input."""
    texts, languages = [text for text, _ in rows], [language for _, language in rows]
    whole = batch(texts, languages)
    edited = step.edit(whole)
    parts = [Batch(whole.frame[:cut], "cpt"), Batch(whole.frame[cut:], "cpt")]
    split = [step.edit(part) for part in parts if len(part)]
    assert_frame_equal(pl.concat([part.frame for part in split]), edited.frame)
    if step.does("measure"):
        signals = step.measure(edited, CONTEXT)
        assert signals.height == len(rows)
        assert_frame_equal(step.measure(Batch(edited.frame, "cpt"), CONTEXT), signals, check_exact=True)
        assert_frame_equal(pl.concat([step.measure(part, CONTEXT) for part in split]), signals, check_exact=True)
        step.measure(whole, CONTEXT)
        step.decide(signals.with_columns(whole.frame["id"]), np.ones(len(rows), bool), None)
    assert whole.frame["text"].to_list() == whole.texts.to_list() == texts


@pytest.mark.parametrize("step", [*STEPS, ChatShape()], ids=lambda step: f"{step.name}-{getattr(step, 'action', '')}")
def test_thresholds_measure_nothing_and_batches_may_be_empty(step: Step) -> None:
    fields = {name for name in type(step).model_fields if is_threshold(type(step), name)}
    assert fields.isdisjoint(step.measured_parameters())
    empty = batch([]) if "cpt" in step.corpora else chats([])
    assert len(step.edit(empty)) == 0
    if step.does("measure"):
        assert step.measure(empty, CONTEXT).height == 0


@pytest.mark.parametrize("step", [step for step in STEPS if "sft" in step.corpora], ids=lambda step: step.name)
def test_steps_read_conversations(step: Step) -> None:
    rows = chats([[("user", "Mail a@b.org\r\n\u200bnow "), ("assistant", "好的，我会联系您。")], []])
    edited = step.edit(rows)
    assert edited.frame["messages"].list.len().to_list() == [2, 0]
    if step.does("measure"):
        assert step.measure(edited, CONTEXT).height == 2


# normalize -------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=60) | documents, max_size=4))
@settings(max_examples=300, deadline=None)
def test_normalizing_twice_is_normalizing_once(texts: list[str]) -> None:
    once = normalized(pl.Series(texts, dtype=pl.String))
    assert normalized(once).to_list() == once.to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\ne\nf"),
        ("e\u0301 A\u030a", "é Å"),
        ("\ufeff发\u200b热\x00\x1b", "发热"),
        ("一　二\u00a0三", "一 二 三"),
        ("a  \t\nb \n\n\n\n\nc\n", "a\nb\n\n\nc"),
        ("\n\n  indented", "  indented"),
        ("a\u200db", "ab"),
        ("👨\u200d👩 می\u200cخواهم क्\u200dष", "👨\u200d👩 می\u200cخواهم क्\u200dष"),
        ("a&lt;b", "a&lt;b"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalized(pl.Series([text])).to_list() == [expected]


def test_entities_are_unescaped_once() -> None:
    edited = Normalize(entities=True).edit(batch(["5 &lt; 6 &#8211; 7 &amp;lt; R&D; &nosuch;"]))
    assert edited.frame["text"].to_list() == ["5 < 6 – 7 &lt; R&D; &nosuch;"]


# language --------------------------------------------------------------------------------------------------------


def test_languages_are_identified_and_filled_in() -> None:
    japanese = "患者は三日前から発熱があり、食欲がありません。病院で検査を受けました。"
    texts = [ENGLISH, CHINESE, FRENCH, japanese, "ok", "12345", "", "服用阿司匹林 aspirin 100 mg 每日一次，连续服用两周以上。"]
    step = Language()
    rows = step.edit(batch(list(texts), None))
    assert rows.frame["language"].to_list() == ["en", "zh", "fr", "ja", "und", "und", "und", "zh"]
    signals = step.measure(rows, CONTEXT)
    assert signals["score"][:4].min() > 0.9
    assert signals["score"][4:7].null_count() == 2
    assert signals["han_share"][1] == 1.0 and signals["latin_share"][0] == 1.0 and signals["kana_share"][3] > 0.3


def test_a_stated_language_stays_unless_asked() -> None:
    rows = batch([ENGLISH, "ok", ENGLISH], ["zh", "zh", "und"])
    assert Language().edit(rows).frame["language"].to_list() == ["zh", "zh", "en"]
    assert Language(overwrite=True).edit(rows).frame["language"].to_list() == ["en", "zh", "en"]


def test_unwanted_languages_go() -> None:
    rows = batch([ENGLISH, CHINESE, "ok", "ok"], ["en", "zh-Hans", "zh", "de"])
    assert reasons(Language(keep=("zh",)), rows) == ["other_language", None, None, "other_language"]
    assert reasons(Language(min_score=0.65), batch(["no yes no ja nein si", "ok"], "en"))[1] is None


def test_a_fasttext_model_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for said in ({"model": "fasttext"}, {"model": "fasttext", "sha256": "0" * 64}, {"path": "lid.bin", "sha256": "0" * 64}, {"sha256": "0" * 64}):
        with pytest.raises(ValueError, match="belong to `model: fasttext`"):
            Language(**said)
    with pytest.raises(SourceError, match="which model is meant"):
        Language(model="fasttext", path="lid.bin").edit(batch([ENGLISH], None))
    with pytest.raises(SourceError, match="No such file"):
        Language(model="fasttext", path="/nowhere/lid.bin", sha256="0" * 64).edit(batch([ENGLISH], None))
    lines = [f"__label__{code} {text}" for code, text in (("eng_Latn", ENGLISH), ("fra_Latn", FRENCH)) for _ in range(30)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    # ! fastText's training reads memory that it did not write: a fresh process, and a matrix of more than 64 KiB, so
    # that it lies on fresh, zeroed pages.
    train = "import fasttext; fasttext.train_supervised('train.txt', dim=16, epoch=20, minn=2, maxn=3, bucket=9000, thread=1)"
    code = train + ".save_model('lid.bin')"
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)

    model = tmp_path / "lid.bin"
    monkeypatch.setenv("HOME", str(tmp_path))
    step = Language(model="fasttext", path="~/lid.bin", sha256=file_digest(model))
    rows = step.edit(batch([FRENCH.replace(" ", "\n", 2), ENGLISH, CHINESE], None))
    assert rows.frame["language"].to_list() == ["fr", "en", "zh"]
    elsewhere = Language(model="fasttext", path=str(model), sha256=file_digest(model))
    assert step.parameters() == elsewhere.parameters() and "path" not in step.parameters()
    assert step.measured_parameters() == elsewhere.measured_parameters()
    assert step.measured_parameters()["sha256"] == file_digest(model)
    with pytest.raises(SourceError, match="sha256"):
        Language(model="fasttext", path=str(model), sha256="0" * 64).edit(batch([ENGLISH], None))


# Gopher ----------------------------------------------------------------------------------------------------------

SENTENCE = "We went to the market and found that people of the town have bread with butter. "


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (SENTENCE * 4, None),
        (SENTENCE, "short_document"),
        ("the and to be it is of a " * 20, "short_words"),
        ("internationalisation " * 60, "long_words"),
        (SENTENCE * 4 + "# " * 12, "hashes"),
        (SENTENCE * 4 + "word... " * 12, "ellipses"),
        ("\n".join("- " + SENTENCE for _ in range(5)), "bullet_lines"),
        ("\n".join(SENTENCE.strip(" .") + "…" for _ in range(5)), "ellipsis_lines"),
        ((SENTENCE + "1 2 3 4 5 6 ") * 4, "few_letters"),
        ("Fresh bread and good butter makes people happy today again. " * 6, "few_stop_words"),
        ("", "short_document"),
    ],
)
def test_gopher_quality(text: str, rule: str | None) -> None:
    assert reason(GopherQuality(), text) == rule


def test_letters_may_be_asked_of_words_only() -> None:
    text = "of the (first), [second]; and so on: " * 12 + "1 2 3"
    assert reason(GopherQuality(alpha_share_of="tokens"), text) == "few_letters"
    assert reason(GopherQuality(), text) is None


def test_gopher_quality_leaves_chinese_alone() -> None:
    rows = batch([CHINESE, "短", CHINESE], ["zh", "ja", "zh-Hant"])
    signals = GopherQuality().measure(rows, CONTEXT)
    assert all(column.null_count() == 3 for column in signals)
    assert reasons(GopherQuality(), rows) == [None] * 3
    assert GopherQuality(max_words=None, min_words=None).rules()[0].name == "short_words"


UNIQUE = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(300))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (ENGLISH, None),
        ("a b c\n\nd\n\n" * 5 + UNIQUE, "duplicate_paragraphs"),
        (UNIQUE + "\n\nq\n\nr" + "\n\n" + UNIQUE, "duplicate_paragraph_chars"),
        ("one\ntwo\n" * 6 + UNIQUE, "duplicate_lines"),
        (UNIQUE[:900] + "\n" + "\n".join(f"l{i}" for i in range(5)) + "\n" + UNIQUE[:900], "duplicate_line_chars"),
        (" ".join("good health " + word for word in UNIQUE.split()[:30]), "top_2grams"),
        ("x " + UNIQUE[:400] + " y " + UNIQUE[:400], "repeated_5grams"),
        ("", None),
    ],
)
def test_gopher_repetition(text: str, rule: str | None) -> None:
    assert reason(GopherRepetition(), text) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (CHINESE, None),
        ("加微信领红包，" * 20, "top_2grams"),
        (CHINESE + "另外。" + CHINESE, "repeated_5grams"),
        ("\n".join(["好评", "点赞"] * 10) + "\n" + CHINESE, "duplicate_lines"),
    ],
)
def test_repetition_in_chinese_is_by_characters(text: str, rule: str | None) -> None:
    assert reason(GopherRepetition(), text, "zh") == rule


def test_equally_frequent_ngrams_count_the_first() -> None:
    signals = GopherRepetition().measure(batch(["aa bb ccc ddd aa bb ccc ddd", "aaaa bb c"]), CONTEXT)
    assert signals["top_2gram_share"].to_list() == [2 * 5 / 27, 7 / 9]


# C4 --------------------------------------------------------------------------------------------------------------


def test_c4_keeps_sentences() -> None:
    lines = [
        "A first sentence stands here.", "Home", "Menu About Contact", 'She said "come in!"', "Too short.", "And so on...",
        "Please enable JavaScript to go on.", "This site uses cookies for its purposes.", "Is it done[1]?",
        "x" * 1001 + " is long here.",
    ]  # fmt: skip
    edited = C4().edit(batch(["\r\n".join(lines)]))
    assert edited.frame["text"][0] == 'A first sentence stands here.\nShe said "come in!"\nIs it done?'
    assert C4().measure(edited, CONTEXT)["num_sentences"].to_list() == [3]
    kept = C4(require_terminal=False, drop_javascript=False, min_words_per_line=1).edit(batch(["Home\nmy javascript"]))
    assert kept.frame["text"][0] == "Home\nmy javascript"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("One is here. Two is here. Three is here! Four is here? Five is here.", None),
        ("One is here. Two is here.", "few_sentences"),
        ("Lorem ipsum stands for text. A { comes later here.", "lorem_ipsum"),
        ("if (x) { return it.\nLorem ipsum stands for text.", "curly_bracket"),
        ("Lorem ipsum in javascript is bad.", "lorem_ipsum"),
        ("", "few_sentences"),
    ],
)
def test_c4_documents(text: str, rule: str | None) -> None:
    assert reason(C4(), text) == rule


def test_c4_knows_chinese_marks() -> None:
    text = "患者因发热三天入院。\n首页\n给予抗感染治疗后体温正常；\n他说：“好的。”\n联系我们 关于我们"
    edited = C4().edit(batch([text, text], ["zh", "en"]))
    assert edited.frame["text"].to_list() == ["患者因发热三天入院。\n给予抗感染治疗后体温正常；\n他说：“好的。”", ""]
    assert C4().measure(edited, CONTEXT)["num_sentences"].to_list() == [3, 0]
    assert reasons(C4(min_num_sentences=None), batch([text], "zh")) == [None]


# Chinese quality -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (CHINESE, None),
        ("第一条　为了保护公民的合法权益，维护社会秩序，根据宪法，制定本法。", None),
        ("发热怎么办？", "short_document"),
        ("标题\n" + ENGLISH, "little_han"),
        ("数据表 " + "收缩压 1205 舒张压 3308 " * 9 + "完毕的数据", "digits"),
        ("★☆★☆【热】★☆★☆（销）◆◇◆◇！！", "marks"),
        ("哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈好的", "runs"),
        ("北京天津广州深圳杭州南京苏州成都重庆武汉西安长沙", "few_function_characters"),
        ("\n".join(["首页", "关于我们", "新闻", "产品中心", "联系方式", "登录", "注册", "的"] * 2), "short_mean_line"),
        ("\n".join(["产品的说明书下载", "用户的使用手册等"] * 4) + "\n公司是一家专业的企业", "short_lines"),
        ("减肥的药哪里买便宜又好用正品官网" * 12, "few_pauses"),
    ],
)
def test_chinese_quality(text: str, rule: str | None) -> None:
    assert reason(ChineseQuality(), text, "zh") == rule


def test_chinese_quality_leaves_others_alone() -> None:
    rows = batch(["short", "短い"], ["en", "ja"])
    assert reasons(ChineseQuality(), rows) == [None, None]
    assert ChineseQuality().measure(rows, CONTEXT)["num_chars"].null_count() == 2
    assert reason(ChineseQuality(min_ended_line_share=0.5), CHINESE.replace("。", "，"), "zh") == "few_ended_lines"


# personal data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jane.doe+x@mail.example.co.uk.", "Write to <EMAIL>."),
        ("邮箱：zhang_san@163.com，谢谢", "邮箱：<EMAIL>，谢谢"),
        ("电话13812345678请联系", "电话<PHONE>请联系"),
        ("+86 138-1234-5678", "<PHONE>"),
        ("座机010-62781234转8", "座机<PHONE>转8"),
        ("(0571) 87654321 或 400-820-8820", "<PHONE> 或 <PHONE>"),
        ("联系电话：6278 1234", "联系电话：<PHONE>"),
        ("Call (212) 555-0143 or 212-555-0143.", "Call <PHONE> or <PHONE>."),
        ("Tel: +44 20 7946 0958", "Tel: <PHONE>"),
        ("phone 5550143 now", "phone <PHONE> now"),
        ("身份证11010519491231002X。", "身份证<CN_ID>。"),
        ("SSN 078-05-1120", "SSN <SSN>"),
        ("card 4111 1111 1111 1111 and 4012888888881881", "card <CARD> and <CARD>"),
        ("5555-5555-5555-4444", "<CARD>"),
        ("卡号6222021234567890128的", "卡号<CARD>的"),
        ("Amex 3782 822463 10005", "Amex <CARD>"),
        ("from 93.184.216.34 at", "from <IP> at"),
        ("2606:4700:4700::1111 resolver", "<IP> resolver"),
    ],
)
def test_personal_data_is_replaced(text: str, expected: str) -> None:
    step = Pii()
    once = step.edit(batch([text]))
    assert once.frame["text"][0] == expected
    assert step.edit(once).frame.equals(once.frame)
    assert step.measure(once, CONTEXT)["num_found"][0] == expected.count("<")


@pytest.mark.parametrize(
    "text",
    [
        "青霉素 13800000000 IU 静滴", "投入15000000000元", "rs13812345678 and NCT01234567, ENSG00000139618",
        "TP53 p.R175H c.524G>A chr17:7675088-7675088", "2021-03-15 to 2022-04-16, 2019-2020", "0.13812345678 mg/L",
        "version 10.2.33.4 and v8.31.20.11", "section 1.2.3.4 of it", "server 192.168.1.10, 127.0.0.1, 999.1.1.1",
        "id 110105194912310021", "git@github.com:a/b.git icon@2x.png", "doi 10.1016/0140-6736(95)91234-5",
        "PMID: 12345678, ISSN 1234-5678, ISBN 978-7-04-020849-8", "/u/13812345678 ?id=4012888888881881",
        "CAS 50-78-2, 64-17-5", "10:20:30 and 2001:12", "BP 120/80, HR 72-88, 37.5-38.5", "we call 2000 patients", "+0100 (IST)",
        "https://example.org/a", "000-12-3456 and 900-12-3456",
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert Pii().edit(batch([text])).frame["text"][0] == text


def test_personal_data_masked_dropped_and_chosen() -> None:
    rows = batch(["a@b.org, 13812345678, https://x.org/y?z=1.", "clean", None])
    masked = Pii(action="mask", kinds=("email", "phone", "url")).edit(rows)
    assert masked.frame["text"].to_list() == ["███@███, ███-████-████, http://███.", "clean", None]
    signals = Pii(action="mask", kinds=("email", "phone", "url")).measure(masked, CONTEXT)
    assert signals.row(0, named=True)["num_found"] == 3 and signals["num_url"].to_list() == [1, 0, 0]
    assert reasons(Pii(action="drop"), rows) == ["personal_data", None, None]
    assert Pii(action="drop").edit(rows) is rows
    assert Pii(kinds=("phone",)).edit(rows).frame["text"][0] == "a@b.org, <PHONE>, https://x.org/y?z=1."


# conversations ---------------------------------------------------------------------------------------------------

U, A, S = ("user", "问题？"), ("assistant", "An answer."), ("system", "Be kind.")


@pytest.mark.parametrize(
    ("messages", "rule"),
    [
        ([U, A], None),
        ([S, U, A, U, A], None),
        ([A, U, A], "not_starts_with_user"),
        ([], "not_starts_with_user"),
        ([U, U, A], "not_alternates"),
        ([U, S, A], "not_alternates"),
        ([U, A, U], "not_ends_with_assistant"),
        ([U, ("assistant", " \n")], "empty_message"),
        ([U, ("tool", "x"), A], "not_alternates"),
    ],
)
def test_chat_shape(messages: list[tuple[str, str]], rule: str | None) -> None:
    assert reasons(ChatShape(), chats([messages])) == [rule]


def test_chat_shape_counts_turns() -> None:
    rows = chats([[U, A], [U, A, U, A], [U, A] * 3, [A, U]])
    step = ChatShape(min_turns=2, max_turns=2, starts_with_user=False, ends_with_assistant=False)
    assert reasons(step, rows) == ["few_turns", None, "many_turns", "few_turns"]


def test_kinds_are_those_of_the_corpora() -> None:
    kinds: set[Kind] = {kind for step in STEPS for kind in step.corpora}
    assert kinds == {"cpt", "sft", "preference"}
    assert ChatShape.corpora == ("sft",) and C4.corpora == ("cpt",)
