"""Gopher and C4 against datatrove's own filters, given the same words: identical decisions and reasons."""

from __future__ import annotations

import io
import itertools
import os
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.utils.word_tokenizers import WordTokenizer

from tilth.core.batch import Batch
from tilth.core.rows import frame
from tilth.core.steps import Context, Step
from tilth.filters import words
from tilth.filters.c4 import C4
from tilth.filters.fineweb_quality import FineWebQuality
from tilth.filters.gopher_quality import GopherQuality
from tilth.filters.gopher_repetition import GopherRepetition

CONTEXT = Context("cpt", 0, pl.DataFrame())
DATA = Path(os.environ.get("TILTH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

REASONS = {
    "gopher_short_doc": "short_document",
    "gopher_long_doc": "long_document",
    "gopher_below_avg_threshold": "short_words",
    "gopher_above_avg_threshold": "long_words",
    "gopher_too_many_hashes": "hashes",
    "gopher_too_many_ellipsis": "ellipses",
    "gopher_too_many_bullets": "bullet_lines",
    "gopher_too_many_end_ellipsis": "ellipsis_lines",
    "gopher_below_alpha_threshold": "few_letters",
    "gopher_enough_stop_words": "few_stop_words",
    "dup_para_frac": "duplicate_paragraphs",
    "dup_para_char_frac": "duplicate_paragraph_chars",
    "dup_line_frac": "duplicate_lines",
    "dup_line_char_frac": "duplicate_line_chars",
    **{f"top_{n}_gram": f"top_{n}grams" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"repeated_{n}grams" for n in range(5, 11)},
    "lorem_ipsum": "lorem_ipsum",
    "curly_bracket": "curly_bracket",
    "too_few_sentences": "few_sentences",
    "empty": None,  # an empty document: no rule of ours on repetition
    "line_punct_ratio": "few_ended_lines",
    "short_line_ratio": "short_lines",
    "char_dup_ratio": "duplicate_line_chars",
    "list_ratio": "list",
    None: None,
}

_SENTENCE = re.compile(r"""[.!?]+["'”’)\]」』）》]*(?:\s|$)|[。！？…；]+["'”’)\]」』）》]*""")
_ONLY_CITATIONS = re.compile(r"(?m)^\s*(?:\[(?:\d*|edit)\]\s*)+$")


class ScriptWords(WordTokenizer):  # type: ignore[misc]
    """Our words, and the sentences that `filters.c4` documents, for datatrove's filters."""

    def word_tokenize(self, text: str) -> list[str]:
        return words.of(pl.Series([text])).strings()

    def sent_tokenize(self, text: str) -> list[str]:
        ends = [match.end() for match in _SENTENCE.finditer(text)]
        if not ends or text[ends[-1] :].strip():
            ends.append(len(text))
        return [text[a:b] for a, b in itertools.pairwise([0, *ends])]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        ends = list(itertools.accumulate(map(len, self.sent_tokenize(text))))
        return list(itertools.pairwise([0, *ends]))


def batch(texts: list[str]) -> Batch:
    same = {name: ["x"] * len(texts) for name in ("id", "content_hash", "source", "revision", "license")}
    return Batch(frame("cpt", **same, language=["en"] * len(texts), text=texts), "cpt")


def compare(step: Step, theirs: Any, texts: list[str]) -> dict[str | None, int]:
    """Assert that both decide alike, with the same reason and (where kept) the same text; count the reasons."""
    rows = batch(texts)
    edited = step.edit(rows)
    fates = step.decide(step.measure(edited, CONTEXT).with_columns(rows.frame["id"]), np.ones(len(rows), bool), None)
    ours = dict(zip(fates["index"].to_list(), fates["rule"].to_list(), strict=True))
    seen: dict[str | None, int] = {}
    for i, text in enumerate(texts):
        document = Document(text=text, id=str(i))
        verdict = theirs.filter(document)
        expected = REASONS[None if verdict is True else verdict[1]]
        if verdict == (False, "empty") and isinstance(step, FineWebQuality):
            expected = "no_lines"
        assert ours.get(i) == expected, f"document {i}: ours {ours.get(i)}, theirs {expected}: {text[:200]!r}"
        if expected is None and verdict is True:
            assert edited.frame["text"][i] == document.text, f"document {i}: {text[:200]!r}"
        seen[expected] = seen.get(expected, 0) + 1
    return seen


def pairs() -> list[tuple[Step, Any]]:
    script = ScriptWords("script")
    return [
        (GopherQuality(alpha_share_of="tokens"), GopherQualityFilter(language=script)),
        (GopherRepetition(), GopherRepetitionFilter(language=script)),
        (FineWebQuality(), FineWebQualityFilter(language=script)),
        (C4(), C4QualityFilter(language=script)),
        (C4(require_terminal=False), C4QualityFilter(language=script, filter_no_terminal_punct=False)),
        (
            C4(require_terminal=False, drop_curly_bracket=False, remove_citations=False, min_num_sentences=1, max_word_length=9),
            C4QualityFilter(
                language=script,
                filter_no_terminal_punct=False,
                filter_curly_bracket=False,
                remove_citations=False,
                min_num_sentences=1,
                max_word_length=9,
            ),
        ),
    ]


def own_words(language: str) -> list[tuple[Step, Any]]:
    """The steps that take datatrove's own words, and its filters for that language."""
    words: Any = {"eng_Latn": "spacy", "cmn_Hani": "jieba"}[language]
    relaxed: dict[str, Any] = {} if words == "spacy" else {"min_stop_words": None, "min_mean_word_length": 1.0}
    theirs = {} if words == "spacy" else {"min_stop_words": None, "min_avg_word_length": 1}
    return [
        (GopherQuality(words=words, alpha_share_of="tokens", **relaxed), GopherQualityFilter(language=language, **theirs)),
        (GopherRepetition(words=words), GopherRepetitionFilter(language=language)),
        (FineWebQuality(words=words), FineWebQualityFilter(language=language)),
        (C4(sentences=words, require_terminal=False), C4QualityFilter(language=language, filter_no_terminal_punct=False)),
    ]


@pytest.mark.parametrize("language", ["eng_Latn", "cmn_Hani"])
@pytest.mark.parametrize("place", range(4))
def test_decisions_with_datatroves_own_words(language: str, place: int) -> None:
    step, theirs = own_words(language)[place]
    texts = [text for text in made_up(120) if text.splitlines() and not _ONLY_CITATIONS.search(text)]
    if language == "cmn_Hani":
        texts = [text.replace("the", "患者").replace("fever", "发热，").replace("a", "三天。") for text in texts]
    assert len(compare(step, theirs, texts)) >= 3


def made_up(count: int) -> list[str]:
    """Documents from a few phrases, so that every rule has its cases."""
    draw = random.Random(7)
    phrases = [
        "the fever of the patient", "with", "to be seen", "in to", "into", "a", "bc ab", "don't", "3.14", "##", "...", "…",
        "•", "- ", "\n", "\n\n", "\n \n", "\r\n", "\u2028", ". ", '."', "? ", "!", "e.g. this", "{", "Lorem ipsum", "JavaScript",
        "privacy policy", "[1]", "[edit]", "word", "internationalisation", "中文", "\t", "\x1f", "\x0b", "ſ", "İ", "\u3000",
        "have that and of", "We went to the market and found bread.", "It was late, and the rain had not stopped yet.",
    ]  # fmt: skip
    documents = []
    for i in range(count):
        few = draw.sample(phrases, draw.randint(1, 12))
        size = draw.choice([0, 3, 20, 80, 200])
        documents.append(("" if i % 3 else "\n").join(draw.choice(few) + draw.choice(["", " "]) for _ in range(size)))
    return documents


@pytest.mark.parametrize("place", range(6))
def test_decisions_on_made_up_documents(place: int) -> None:
    step, theirs = pairs()[place]
    # datatrove divides by the number of lines and words, so it cannot be asked about a document without any, and it
    # takes a line of nothing but citations for a sentence, which we do not (`filters.c4`).
    texts = [text for text in made_up(600) if text.splitlines() and not _ONLY_CITATIONS.search(text)]
    seen = compare(step, theirs, texts)
    assert len(seen) >= 3, seen


def real(count: int) -> list[str]:
    """Every English source of `cpt_raw_mix`, some documents of each; short ones, so that this takes seconds."""
    folder = DATA / "cpt_raw_mix"
    if not folder.is_dir():
        message = f"{folder} is absent: real data beside the project (TILTH_DATA names another place)"
        if "data" in os.environ.get("TILTH_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    import zstandard

    documents: list[str] = []
    for path in sorted(folder.glob("*.jsonl.zst")):
        with path.open("rb") as file:
            head = zstandard.ZstdDecompressor().stream_reader(file).read(4_000_000)
        table = pl.read_ndjson(io.BytesIO(head[: head.rfind(b"\n") + 1]), infer_schema_length=None)
        english = table.filter(pl.col("lang").str.starts_with("en") & pl.col("text").str.len_chars().is_between(1, 20_000))
        documents += english.sample(min(count, len(english)), seed=1)["text"].to_list()
    return documents


@pytest.mark.data
@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_decisions_on_real_documents(count: int) -> None:
    texts = real(count)
    assert len(texts) >= 300
    dropped: set[str | None] = set()
    for step, theirs in pairs():
        dropped |= compare(step, theirs, texts).keys()
    assert len(dropped) >= 10, dropped
