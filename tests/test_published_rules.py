"""The rules that others published, beside their own code: datatrove's MinHash and n-gram overlap, Dolma's and NeMo's Gopher."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.utils.hashing import create_hash_func
from datatrove.utils.text import ngrams as datatrove_ngrams
from datatrove.utils.text import simplify_text
from datatrove.utils.word_tokenizers import load_word_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.batch import Batch
from tilth.core.rows import frame
from tilth.core.steps import Context
from tilth.filters import minhash, simplified, text_buffer, words
from tilth.filters.dolma_gopher import DolmaGopher
from tilth.filters.minhash_dedup import MinhashDedup
from tilth.filters.nemo_heuristics import NemoHeuristics
from tilth.filters.ngram_overlap import NgramOverlap

ITEMS = {"benchmark": pl.String, "item": pl.String, "question": pl.String, "options": pl.List(pl.String), "answer": pl.String}
NO_ITEMS = Context("cpt", 0, pl.DataFrame(schema=ITEMS))
WORDS = ["the", "of", "and", "fever", "patient", "5", "mg/day,", "daily", "don't", "U.S.", "treatment.", "with", "renal", "failure", "(acute)", "shows", "a", "of-the", "for"]


def batch(texts: list[str]) -> Batch:
    same = {name: ["x"] * len(texts) for name in ("content_hash", "source", "revision", "license")}
    ids = [str(i) for i in range(len(texts))]
    return Batch(frame("cpt", id=ids, **same, language=["en"] * len(texts), text=texts), "cpt")


def documents(count: int) -> list[str]:
    """Documents of a few words each, one in three a copy of an earlier one with some words changed."""
    draw = random.Random(3)
    found: list[str] = []
    for i in range(count):
        tokens = [draw.choice(WORDS) + str(draw.randrange(40)) for _ in range(draw.randrange(3, 60))]
        if i % 3 == 2:
            tokens = [token if draw.random() < 0.95 else "other" for token in draw.choice(found).split()]
        found.append(" ".join(tokens))
    return found


@given(st.text(st.sampled_from("aB É\u0301٣1.,１５Ⅷ—「」\t\n\u3000\x1c中가ſẞΣ½"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_text_is_simplified_as_datatrove_does(text: str) -> None:
    assert simplified.of(text_buffer.of(pl.Series([text]))).series().to_list() == [simplify_text(text)]


@pytest.mark.parametrize(("language", "definition"), [("eng_Latn", "spacy"), ("cmn_Hani", "jieba")])
def test_signatures_are_datatroves_bit_for_bit(tmp_path: Path, language: str, definition: words.Definition) -> None:
    texts = [*documents(12), "two words", "", "患者发热三天，服用5 mg后好转。医生建议继续观察三天，每日测量体温。"]
    hashes, offsets = simplified.ngram_hashes(words.of_text(simplified.of(text_buffer.of(pl.Series(texts))), definition), 5)
    ours = minhash.datatrove_signatures(hashes, offsets, 112)
    theirs = MinhashDedupSignature(str(tmp_path), language=language)
    for row, text in enumerate(texts):
        shingles = theirs.get_shingles(text)
        assert sorted(shingles[:, 0].tolist()) == sorted(hashes[offsets[row] : offsets[row + 1]].tolist())
        if shingles.size:
            assert np.concatenate(theirs.get_signature(shingles)).tolist() == ours[row].tolist()


def test_the_rows_that_datatroves_minhash_drops(tmp_path: Path) -> None:
    """All four of its stages, over documents with clusters of up to some ten."""
    texts = documents(240)
    config = MinhashConfig()
    rows = [Document(text=text, id=str(i)) for i, text in enumerate(texts)]
    MinhashDedupSignature(str(tmp_path / "signatures"), config, language="eng_Latn").run(iter(rows), 0, 1)
    for rank in range(config.num_buckets):
        MinhashDedupBuckets(str(tmp_path / "signatures"), str(tmp_path / "buckets"), config=config).run(None, rank, config.num_buckets)
    MinhashDedupCluster(str(tmp_path / "buckets"), str(tmp_path / "remove"), config=config).run(None, 0, 1)
    kept = {document.id for document in MinhashDedupFilter(str(tmp_path / "remove")).run(iter(rows), 0, 1)}
    step, data = MinhashDedup(words="spacy"), batch(texts)
    signals = step.measure(data, NO_ITEMS).with_columns(data.frame["id"])
    gone = step.decide(signals, np.ones(len(texts), bool), step.link(signals, lambda places: []))
    assert set(data.frame["id"]) - set(data.frame["id"].gather(gone["index"])) == kept
    assert 40 < gone.height < 120
    assert set(gone["value"]) <= kept


def test_dead_rows_join_no_minhash_cluster() -> None:
    """b is like a and like c, a and c are not alike: with b dead both stay."""
    a = [f"one{i}" for i in range(60)]
    c = [f"two{i}" for i in range(60)]
    texts = [" ".join(a), " ".join([*a[5:], *c[5:]]), " ".join(c)]
    step, data = MinhashDedup(bands=56, rows=2), batch(texts)
    signals = step.measure(data, NO_ITEMS).with_columns(data.frame["id"])
    edges = step.link(signals, lambda places: [])
    assert step.decide(signals, np.ones(3, bool), edges).height == 2
    assert step.decide(signals, np.array([True, False, True]), edges).height == 0


def test_the_rows_that_share_an_ngram_are_datatroves(tmp_path: Path) -> None:
    texts = documents(60)
    questions = [" ".join(texts[i].split()[2:20]) for i in (0, 7, 20, 33)]
    config = NGramsDecontConfig(n_grams=12)
    tokenizer, hashed = load_word_tokenizer("eng_Latn"), create_hash_func(config.hash_config)
    grams = {hashed(" ".join(gram)) for q in questions for gram in datatrove_ngrams(tokenizer.word_tokenize(simplify_text(q)), 12)}
    np.array(sorted(grams), config.hash_config.np_descr).tofile(tmp_path / "exam.index.hashes")
    theirs = NGramsDecontFilter(str(tmp_path), config, language="eng_Latn")
    expected = [theirs.filter(Document(text=text, id="")) is not True for text in texts]
    rows = [("exam", str(i), question, [], None) for i, question in enumerate(questions)]
    found = NgramOverlap(ngram=12, words="spacy").measure(batch(texts), Context("cpt", 0, pl.DataFrame(rows, schema=ITEMS, orient="row")))
    assert (found["num_ngrams"] > 0).to_list() == expected
    assert 3 <= sum(expected) < 30
    assert found["item"][0] == "exam/0" and found["ngram"][0].split() == tokenizer.word_tokenize(simplify_text(questions[0]))[:12]


def test_no_benchmarks_share_nothing() -> None:
    assert NgramOverlap().measure(batch(["a text of some words", ""]), NO_ITEMS)["num_ngrams"].to_list() == [0, 0]


pieces = st.lists(st.sampled_from(["the", "a b", "#tag", "…", "\n", "\n\n", "* ", "- x", "word", "中文", "12", " ", "\x1c", "same line\n"]), max_size=40)


@given(pieces.map("".join))
@settings(max_examples=200, deadline=None)
def test_dolmas_attributes(text: str) -> None:
    expected = _dolma(text)
    found = DolmaGopher().measure(batch([text]), NO_ITEMS).row(0, named=True)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def _dolma(text: str) -> dict[str, float]:
    """The definitions of dolma's tagger, one by one."""
    tokens, lines = text.split(), text.split("\n")
    size = max(sum(map(len, tokens)), 1)
    again = [line for line in lines if lines.count(line) > 1]

    def share(chosen: list[Any], whole: list[Any]) -> float:
        return len(chosen) / max(len(whole), 1)

    found = {
        "num_words": len(tokens),
        "median_word_length": statistics.median(map(len, tokens)) if tokens else 0.0,
        "symbol_ratio": share([t for t in tokens if "#" in t or "…" in t], tokens),
        "alpha_word_share": share([t for t in tokens if any(map(str.isalpha, t))], tokens),
        "num_stop_words": sum(t in {"the", "be", "to", "of", "and", "that", "have", "with"} for t in tokens),
        "bullet_line_share": share([line for line in lines if line.startswith(("*", "-"))], lines),
        "ellipsis_line_share": share([line for line in lines if line.endswith("…")], lines),
        "duplicate_line_share": share(again, lines) if text else 0.0,
        "duplicate_line_char_share": sum(map(len, again)) / size,
    }
    for n in range(2, 11):
        counts = Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
        if counts and n < 5:
            gram, times = counts.most_common(1)[0]
            found[f"top_{n}gram_share"] = times * len("".join(gram)) / size
        elif counts:
            chars = {gram: times * len("".join(gram)) for gram, times in counts.items()}
            found[f"shared_{n}gram_share"] = sum(chars[g] for g, times in counts.items() if times > 1) / max(sum(chars.values()), 1)
    return found


def test_nemos_scores() -> None:
    """Worked by hand from the definitions of its filters."""
    text = "# the cat (see https://a.bc/d)\n• the cat (see that)\n\n• the cat (see that)\nThis site uses cookies... "
    found = NemoHeuristics().measure(batch([text, "", "   "]), NO_ITEMS)
    row = found.row(0, named=True)
    chars, tokens = len(text), text.split()
    assert row["words"] == len(tokens) == 19
    assert row["bracket_share"] == pytest.approx(6 / chars)
    assert row["url_share"] == pytest.approx(len("https://a.bc/d)") / chars)
    assert row["white_space_share"] == pytest.approx(sum(map(text.count, "\t\n\r\b ")) / chars)
    assert row["symbol_word_share"] == pytest.approx(1 / 19)
    assert row["alpha_word_share"] == pytest.approx(16 / 19)
    assert row["stop_words"] == 3
    assert row["bullet_line_share"] == pytest.approx(2 / 4)
    assert row["ellipsis_line_share"] == row["distinct_line_share"] - 2 / 4 == pytest.approx(1 / 4)
    assert row["open_line_share"] == pytest.approx(3 / 4)
    assert row["boilerplate_share"] == pytest.approx(1 / 2)
    assert row["top_3gram_share"] == pytest.approx(3 * len("the cat (see") / chars)
    assert row["covered_5gram_share"] == pytest.approx(len("• the cat (see that)") / chars)
    assert row["top_2gram_share"] == pytest.approx(3 * len("the cat") / chars)
    assert found["other_char_share"].to_list()[1:] == [1.0, 1.0]
    assert found["mean_word_length"].to_list()[1:] == [None, None]
