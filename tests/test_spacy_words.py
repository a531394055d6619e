"""Words and sentences of English text: what spaCy's blank tokenizer and sentencizer find, without spaCy."""

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
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tilth.filters import _kernels, spacy_english, spacy_words, text_buffer

SPECIALS = spacy_english.SPECIALS.replace(spacy_english.CUT, "").split()
_PIECES = """
. , : ; ! ? ( ) [ ] { } < > _ # * & ' \" ` - + = / ^ ~ | \\ @ % $ § — – “ ” ‘ ’ « » 。 ？ 、 · € ¥ © ° ²
.. ... … …… -- --- —— 's 'S ’s n't n’t 'll '' :// http:// a-b+c:// US$ C$ A$ km² m/s °C °F kg к г км/ч كم тбكم اكواب
it It Word WORD x y o O v V U C A F K I Mr Ph.D Dr St co e.g i.e and or w http www mailto com org co.uk example D P em re
127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 8.8.8.8 223.255.255.254 1.2.3.٤ :80 :80/x ?q=1 #a 5 12 3.14 1,000 a1 1a 33
中文 中文.com 日本語 привет Привет αβγ שלום हिन्दी café ª º Ⅷ １ ٠ 😀 👍🏽 🇨🇳
\u200b \u0301 \u20dd \ufeff \x00 \x7f \u202e \ufffd \ue000 \U0010ffff \U0001ee00 \U00020000 \u0378
"""
SPACES = [" ", " ", " ", "  ", "\n", "\n\n", "\t", " \n", "\r\n", "\u3000", "\xa0", "\x85", "\u2028", "\x1c", "\x1f"]
"""Affixes, units, fragments of URLs and addresses, many scripts, and all kinds of space."""
piece = st.one_of(st.sampled_from(_PIECES.split()), st.sampled_from(SPECIALS), st.text(max_size=3))
chunk = st.lists(piece, min_size=1, max_size=6).map("".join)
texts = st.lists(st.tuples(chunk, st.sampled_from(SPACES)).map("".join), max_size=8).map("".join)

octet = st.sampled_from(
    [
        "0",
        "00",
        "1",
        "9",
        "10",
        "099",
        "100",
        "127",
        "169",
        "172",
        "192",
        "168",
        "16",
        "31",
        "32",
        "199",
        "209",
        "223",
        "224",
        "249",
        "250",
        "254",
        "255",
        "256",
        "300",
        "1٠",
        "2٠",
        "25٠",
        "2٩",
    ]
)
label = st.builds(
    lambda part, size, end: (part * 66)[:size] + end,
    st.sampled_from(["a", "é", "中", "Z-", "x_", "-", "\ufffe"]),
    st.sampled_from([0, 1, 61, 62, 63, 64]),
    st.sampled_from("aq_"),
)
top = st.sampled_from(["com", "c", "cOm", "中国", "c" * 63, "c" * 64, "\U00020000a", "рф", "०१"])
host = st.one_of(
    st.lists(octet, min_size=3, max_size=5),
    st.builds(lambda labels, last: [*labels, last], st.lists(label, min_size=1, max_size=2), top),
)
before = st.sampled_from(["", "http://", "h://", "é+.c://", "a:b://", "://", "u@", "@", "中@", "http://a:b@", "a@b@"])
after = st.sampled_from(["", ":8", ":80", ":8٠", ":808080", ":80/", "/", "?", "#", "/a,b", "?x-y", "/a.", "!)"])
urls = st.builds(lambda start, labels, rest: start + ".".join(labels) + rest, before, host, after)
"""What URL_PATTERN takes, and what it just does not."""


def found(series: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Our words and sentences of each text."""
    text = text_buffer.of(pl.Series(series, dtype=pl.String))
    words = spacy_words.spans(text.data, text.offsets)
    sentences = spacy_words.sentence_spans(text.data, text.offsets, *words)

    def strings(begins: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> list[list[str]]:
        parts = [text.data[begin:end].tobytes().decode() for begin, end in zip(begins, ends, strict=True)]
        return [parts[first:last] for first, last in pairwise(rows)]

    assert [len(row) for row in strings(*sentences)] == spacy_words.sentences(text.data, text.offsets).tolist()
    return strings(*words), strings(*sentences)


@functools.cache
def spacy_pipeline() -> Any:
    nlp = pytest.importorskip("spacy").blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def of_spacy(text: str) -> tuple[list[str], list[str]]:
    """spaCy's, stripped as datatrove strips them."""
    document = spacy_pipeline()(text)
    words, sentences = ([part.text.strip() for part in parts] for parts in (document, document.sents if text else ()))
    return [word for word in words if word], [sentence for sentence in sentences if sentence]


def test_special_cases_and_units_are_those_of_spacy() -> None:
    pytest.importorskip("spacy")
    import spacy_tables

    assert spacy_english.UNITS.split() == spacy_tables.units()
    ours = [tuple(case.split(spacy_english.CUT)) for case in spacy_english.SPECIALS.split()]
    assert ours == list(spacy_tables.specials().values())
    assert not any(any(map(str.isspace, case)) for case in spacy_tables.specials())  # the kernel counts on it


@pytest.mark.slow
def test_classes_are_those_of_spacy() -> None:
    pytest.importorskip("spacy")
    import spacy_tables

    for name, members in spacy_tables.classes().items():
        if name not in ("word", "digit", "punctuation") or unicodedata.unidata_version == "14.0.0":
            assert " ".join(spacy_english.CLASSES[name].split()) == spacy_tables.ranges(members), name


CASES = {
    "Don't pay $5 (e.g. now)!": "Do n't pay $ 5 ( e.g. now ) !",
    "It’s 5km/h at 20°C. U.S.A. Mr.X": "It ’s 5 km/h at 20 ° C . U.S.A. Mr. X",
    "ends here. x-Mr. (10a.m.) a,b 1,000": "ends here . x - Mr. ( 10 a.m. ) a , b 1,000",
    "hello:) : ) :'( (╯°□°）╯︵┻━┻)": "hello :) : ) :'( (╯°□°）╯︵┻━┻ )",
    "see http://a.com/x_(y), foo@bar.com. 10.0.0.1/a 8.8.8.8/a": "see http://a.com/x_(y ) , foo@bar.com . 10.0.0.1 / a 8.8.8.8/a",
    "low.er low.Er a--b 2+-3 x=y …ok... ok": "low.er low . Er a -- b 2 + -3 x = y … ok ... ok",
    "中文，没有空格。 服药5mg。": "中文，没有空格 。 服药5 mg 。",
}


@pytest.mark.parametrize("text", CASES)
def test_examples(text: str) -> None:
    (words,), _ = found([text])
    assert " ".join(words) == CASES[text]
    assert words == of_spacy(text)[0]


@given(texts)
@example("(^_^): ) :)")
@example("it 's 's's. 'S")
@example("a.m.:-))):-(((")
@example(" \n. \nx.\n \n")
@settings(max_examples=150, deadline=None)
def test_words_and_sentences_are_those_of_spacy(text: str) -> None:
    if "IS_ALPHA" not in text:
        words, sentences = found([text])
        assert (words[0], sentences[0]) == of_spacy(text)


@given(urls)
@settings(max_examples=150, deadline=None)
def test_urls_are_those_of_spacy(url: str) -> None:
    assert found([url])[0][0] == of_spacy(url)[0]


@given(st.lists(texts, max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_row_stands_by_itself(rows: list[str]) -> None:
    words, sentences = found(rows)
    for row, text in enumerate(rows):
        assert found([text]) == ([words[row]], [sentences[row]])


@given(st.lists(st.binary(max_size=30), max_size=4))
@settings(max_examples=200, deadline=None)
def test_bytes_that_are_no_text_are_cut_within_their_bounds(rows: list[bytes]) -> None:
    data, offsets = np.frombuffer(b"".join(rows), np.uint8), np.cumsum([0, *map(len, rows)])
    begins, ends, first = spacy_words.spans(data, offsets)
    assert (begins < ends).all() and (ends[:-1] <= begins[1:]).all()
    for row, (start, end) in enumerate(pairwise(first)):
        assert ((offsets[row] <= begins[start:end]) & (ends[start:end] <= offsets[row + 1])).all()


RUNS = (".", "(", ")", "a-", "a.", "a@b.", ":)", ": ) ", "'s", "-", "—", "(╯°□°）╯︵┻━┻", ":-(", "5km", "…")


@pytest.mark.parametrize("run", RUNS)
def test_long_runs_take_no_longer(run: str) -> None:
    """spaCy's loop is quadratic in some; the short run proves the tokens, the long one that it ends."""
    pytest.importorskip("spacy")
    (short, long), _ = found([run * 200, run * 100_000])
    assert short == of_spacy(run * 200)[0]
    assert len(long) >= len(short)


def test_the_token_that_spacy_stumbles_over() -> None:
    """From the second time on that it meets it; datatrove then takes it out of the text."""
    assert found(["a IS_ALPHA b"] * 2)[0] == [["a", "IS_ALPHA", "b"]] * 2


def test_buffers_that_do_not_fit_are_refused() -> None:
    data, offsets, tables = np.frombuffer(b"Two words.", np.uint8), np.array([0, 10]), spacy_words._tables()
    begins, ends, rows = spacy_words.spans(data, offsets)
    room = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(2, np.int64)
    assert _kernels.spacy_sentences(tables, data, offsets, begins, ends, rows, *room) == 1
    with pytest.raises(ValueError, match="one place for every byte"):
        _kernels.spacy_spans(tables, data, offsets, *room)
    with pytest.raises(ValueError, match="Capsule"):
        _kernels.spacy_spans(object(), data, offsets, *room)
    for wrong in (begins + 9, begins - 1, begins[::-1].copy(), begins[:2].copy()):
        with pytest.raises(ValueError, match="words of the text in order"):
            _kernels.spacy_sentences(tables, data, offsets, wrong, ends, rows, *room)
    for units, specials in ((b"km\n\nm", b""), (b"", b"a\t"), (b"", b"a" * 64), (b"x" * 64, b"")):
        with pytest.raises(ValueError, match="lines of 1 to 63 bytes"):
            _kernels.spacy_tables(np.zeros(0x110000, np.uint16), units, specials)


def documents(folder: Path) -> Iterator[str]:
    """The first documents of each source of the raw mix."""
    for path in sorted((folder / "cpt_raw_mix").glob("*.jsonl.zst")):
        stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(path.open("rb")), encoding="utf-8")
        for _, line in zip(range(2), stream, strict=False):
            yield json.loads(line)["text"]


@pytest.mark.data
def test_words_and_sentences_are_those_of_datatrove(data: Path) -> None:
    peer = pytest.importorskip("datatrove.utils.word_tokenizers").load_word_tokenizer("eng_Latn")
    rows = [text[:4_000] for text in documents(data)]
    words, sentences = found(rows)
    for row, text in enumerate(rows):
        assert words[row] == peer.word_tokenize(text)
        assert sentences[row] == peer.sent_tokenize(text)
