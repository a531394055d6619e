"""Words of Chinese text: what jieba cuts, and what datatrove makes of it in `cmn_Hani`."""

from __future__ import annotations

import functools
import io
import json
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tilth.core import fingerprints
from tilth.core.errors import TilthError
from tilth.filters import _kernels, jieba_words, text_buffer

PIECES = [
    *"的一是在中国人大上来到了和不长春药店研究生命起源他说确实理京都学服务",
    *("中国科学院", "长春市", "乒乓球拍卖", "T恤", "AT&T", "c++", "B超", "A股", "卡拉OK", "什么是", "杭研"),
    *("3.14", "15%", "1.2.3", "..", "-", "_", "%", "+", "#", "&", "v2.0-rc1", "hello", "X", "9"),
    *"龘靐齉爩\u9fd5\u9fd6\u4dff\u3400\U00020000々〇ァかé١％😀",
    *("。", "！", "？", "…", "，", "”", "）", ".", "!", "?", '"', ")", "。”", "、"),
    *(" ", "  ", "\t", "\n", "\r\n", "\r", "\u3000", "\u200b", "\xa0", "\x1c", "\x00", "\u2028", "\ufeff"),
]
"""Words, fragments of words, characters of no word, marks, and all kinds of space."""
mixed = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
han = st.text(st.characters(min_codepoint=0x4DFE, max_codepoint=0x9FD8), max_size=12)
texts = st.one_of(mixed, han, st.text(max_size=20))


def cut(series: list[str]) -> list[list[str]]:
    """Our words of each text."""
    text = text_buffer.of(pl.Series(series, dtype=pl.String))
    begins, ends, rows = jieba_words.spans(text.data, text.offsets)
    found = [text.data[begin:end].tobytes().decode() for begin, end in zip(begins, ends, strict=True)]
    return [found[first:last] for first, last in pairwise(rows)]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    jieba = pytest.importorskip("jieba")
    jieba.setLogLevel(60)
    jieba.dt.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    jieba.initialize()
    return jieba


@functools.cache
def tokenizer() -> Any:
    """datatrove's."""
    return pytest.importorskip("datatrove.utils.word_tokenizers").load_word_tokenizer("cmn_Hani")


def test_dictionary_words_new_words_and_everything_else() -> None:
    assert cut(
        [
            "我来到北京清华大学",
            "他来到了网易杭研大厦",  # 杭研 is no word of the dictionary: the model joins it
            "每日3.14.15%的AT&T… T恤\r\n\u3000OK",
            "",
            " \n",
        ]
    ) == [
        ["我", "来到", "北京", "清华大学"],
        ["他", "来到", "了", "网易", "杭研", "大厦"],
        ["每日", "3.14", ".", "15%", "的", "AT&T", "…", "T恤", "OK"],
        [],
        [],
    ]


@given(st.lists(texts, max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_text_is_cut_as_jieba_cuts_it(peer: Any, series: list[str]) -> None:
    assert cut(series) == [[word for word in peer.cut(text) if not word.isspace()] for text in series]


@given(
    st.lists(st.tuples(st.text("甲乙丙丁a1.·", min_size=1, max_size=5), st.integers(0, 40)), min_size=1, max_size=12),
    st.text("甲乙丙丁a1.·", max_size=30),
)
@example([("甲", 2), ("乙", 2), ("甲乙", 1)], "甲乙甲乙")
@settings(max_examples=200, deadline=None)
def test_any_dictionary_is_read_as_jieba_reads_it(peer: Any, lines: list[tuple[str, int]], text: str) -> None:
    dictionary = "".join(f"{word} {count} n\n" for word, count in [*lines, ("戊", 1)]).encode()
    tokenizer = peer.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(io.BytesIO(dictionary))
    tokenizer.initialized = True
    data = np.frombuffer(text.encode(), np.uint8)
    begins, ends, rows = np.empty(len(data), np.int64), np.empty(len(data), np.int64), np.empty(2, np.int64)
    count = _kernels.jieba_spans(jieba_words.table_of(dictionary), data, np.array([0, len(data)]), begins, ends, rows)
    found = [data[begin:end].tobytes().decode() for begin, end in zip(begins[:count], ends[:count], strict=True)]
    assert found == list(tokenizer.cut(text))


@given(texts)
@example("他说。\n)好")
@example("他说。 )好")
@example("。。。  \n\n？！”好")
@settings(max_examples=100, deadline=None)
def test_words_and_sentences_are_those_of_datatrove(peer: Any, text: str) -> None:
    assert cut([text]) == [tokenizer().word_tokenize(text)]
    buffer = text_buffer.of(pl.Series([text]))
    assert jieba_words.sentences(buffer.data, buffer.offsets).tolist() == [len(tokenizer().sent_tokenize(text))]


def test_what_ends_a_sentence_is_spacys() -> None:
    sentencizer = pytest.importorskip("spacy.pipeline").Sentencizer
    marks = jieba_words._marks()
    assert {chr(point) for point in np.flatnonzero(marks & 2)} == set(sentencizer.default_punct_chars)
    assert {chr(point) for point in np.flatnonzero(marks & 1)} == {
        char for char in map(chr, range(0x110000)) if unicodedata.category(char)[0] == "P"
    }


@given(st.binary(max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_utf8_are_read_within_their_bounds(raw: bytes, draw: st.DataObject) -> None:
    places = sorted(draw.draw(st.lists(st.integers(0, len(raw)), min_size=1, max_size=4)))
    data, offsets = np.frombuffer(raw, np.uint8), np.array(places, np.int64)
    begins, ends, rows = jieba_words.spans(data, offsets)
    assert rows[0] == 0 and rows[-1] == len(begins) and (np.diff(rows) >= 0).all()
    for row, (first, last) in enumerate(pairwise(rows)):
        bounds = [places[row], *np.column_stack([begins[first:last], ends[first:last]]).ravel().tolist(), places[row + 1]]
        assert bounds == sorted(bounds)
    assert (begins < ends).all()
    jieba_words.sentences(data, offsets)


@pytest.mark.parametrize("piece", ["一", "\u9fd4", "中国", "a", "1.", "AT&", "我a.%的", "。"])
def test_long_blocks_are_cut_like_short_ones(piece: str) -> None:
    """A megabyte in one block ends, in scratch that grows with it: jieba's own model takes squares of its length."""
    many = 1_000_000 // len(piece.encode())
    words, short = cut([piece * many, piece * 12])
    assert sum(map(len, words)) == len(piece) * many
    assert set(short[2:-2]) <= set(words)


def test_buffers_and_dictionaries_that_are_wrong_are_refused() -> None:
    data, table = np.frombuffer("服药".encode(), np.uint8), jieba_words._table()
    room = [np.empty(6, np.int64) for _ in range(3)]
    with pytest.raises(ValueError, match="offsets"):
        _kernels.jieba_spans(table, data, np.array([0, 7]), *room)
    with pytest.raises(ValueError, match="Capsule"):
        _kernels.jieba_spans(None, data, np.array([0, 6]), *room)
    for begins, ends, rows in (([0], [7], [0, 1]), ([0], [6], [0, 2]), ([3, 0], [6, 3], [0, 2]), ([0], [6, 6], [0, 1]), ([], [], [])):
        with pytest.raises(ValueError, match="do not fit"):
            spans = (np.array(part, np.int64) for part in (begins, ends, rows))
            _kernels.jieba_sentences(data, *spans, jieba_words._marks(), np.empty(1, np.int64))
    for number, dictionary in ((1, "甲"), (2, "甲 1\n乙 x"), (1, "甲  1"), (1, "甲" * 256 + " 1"), (2, "甲 1\n\n乙 2")):
        with pytest.raises(ValueError, match=f"line {number} "):
            jieba_words.table_of(dictionary.encode())


def test_another_jieba_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    jieba_words._table.cache_clear()
    for version in ("absent", "0.39"):
        monkeypatch.setattr(fingerprints, "distribution_version", lambda name, version=version: version)
        with pytest.raises(TilthError, match=version) as refused:
            cut(["服药"])
        assert refused.value.hint == "pip install jieba==0.42.1"


def documents(data: Path, pattern: str, step: int) -> Iterator[str]:
    """One in `step` Chinese texts of these files."""
    zstandard = pytest.importorskip("zstandard")
    place = 0
    for path in sorted(data.glob(pattern)):
        with zstandard.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                place += 1
                if place % step == 0:
                    row = json.loads(line)
                    if row.get("lang", "zh") == "zh":
                        yield from (value for value in row.values() if isinstance(value, str))


@pytest.mark.parametrize(
    ("pattern", "step"),
    [
        ("cpt_raw_mix/pingcap*.jsonl.zst", 40),
        ("sft_zh_toyhom*/*.jsonl.zst", 40),
        pytest.param("cpt_raw_mix/*.jsonl.zst", 20, marks=pytest.mark.slow),
        pytest.param("sft_zh_*/*.jsonl.zst", 20, marks=pytest.mark.slow),
    ],
)
def test_real_documents_are_cut_as_jieba_cuts_them(data: Path, peer: Any, pattern: str, step: int) -> None:
    series = list(documents(data, pattern, step))
    assert len(series) > 20
    for text, words in zip(series, cut(series), strict=True):
        assert words == [word for word in peer.cut(text) if not word.isspace()]
