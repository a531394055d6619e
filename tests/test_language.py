"""Variants of Chinese, labels of fastText models, and datatrove's identifier as the reference."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tilth.core.batch import Batch
from tilth.core.fingerprints import file_digest
from tilth.core.rows import schema
from tilth.core.steps import Context
from tilth.filters import fasttext_models
from tilth.filters.chinese_variants import variants
from tilth.filters.language import Language
from tilth.tests import fasttext_models as trained

CONTEXT = Context("cpt", 0, pl.DataFrame())
SIMPLIFIED = "患者因发热三天入院，体温最高达三十九度，伴有咳嗽和乏力。入院后完善相关检查，血常规提示白细胞升高，医生建议继续口服药物。"
TRADITIONAL = "患者因發熱三天入院，體溫最高達三十九度，伴有咳嗽和乏力。入院後完善相關檢查，血常規提示白細胞升高，醫生建議繼續口服藥物。"
CANTONESE = "我哋啱啱食完飯，佢話唔舒服，想返屋企瞓覺，你哋有冇藥俾佢食㗎？醫生話冇咩事嘅，飲多啲水就得。"
CLASSICAL = "太陽之為病，脈浮，頭項強痛而惡寒。太陽病，發熱汗出，惡風，脈緩者，名為中風。其脈陰陽俱緊者，名曰傷寒也。"
ENGLISH = "The patient was admitted to the ward with a fever that would not go down, and the team looked for the cause of it."
FRENCH = "La patiente présente une fièvre depuis trois jours et ne mange plus; elle est fatiguée et ne dort pas."


def documents(texts: list[str], languages: list[str | None] | None = None) -> Batch:
    blank = dict.fromkeys(schema("cpt"))
    stated = languages or [None] * len(texts)
    rows = [{**blank, "id": str(i), "text": text, "language": stated[i]} for i, text in enumerate(texts)]
    return Batch(pl.DataFrame(rows, schema=schema("cpt")), "cpt")


def test_variants_of_chinese() -> None:
    texts = [SIMPLIFIED, TRADITIONAL, CANTONESE, CLASSICAL, "人大山水", "之乎者也", "我唔知，这个病会好"]
    assert variants(pl.Series(texts)).to_list() == ["zh-Hans", "zh-Hant", "yue", "lzh", None, None, "zh-Hans"]
    assert variants(pl.Series([], dtype=pl.String)).to_list() == []


def test_variants_enter_the_language_only_when_asked() -> None:
    texts = [SIMPLIFIED, TRADITIONAL, CANTONESE, CLASSICAL, ENGLISH]
    plain, told = Language(), Language(variants=True)
    rows = documents(texts)
    assert plain.edit(rows).frame["language"].to_list() == ["zh"] * 4 + ["en"]
    assert told.edit(rows).frame["language"].to_list() == ["zh-Hans", "zh-Hant", "yue", "lzh", "en"]
    for step in (plain, told):
        assert step.measure(rows, CONTEXT)["variant"].to_list() == ["zh-Hans", "zh-Hant", "yue", "lzh", None]
    stated = documents(texts[:3], ["zh", "zh-Hans", "ja"])
    assert told.edit(stated).frame["language"].to_list() == ["zh-Hans", "zh-Hans", "ja"]
    assert plain.edit(stated) is stated
    once = told.edit(rows)
    assert told.edit(once).frame.equals(once.frame)


def test_keeping_chinese_keeps_its_variants() -> None:
    step = Language(variants=True, keep=("zh",))
    rows = step.edit(documents([SIMPLIFIED, CANTONESE, CLASSICAL, ENGLISH, FRENCH]))
    signals = step.measure(rows, CONTEXT).with_columns(rows.frame["id"])
    gone = step.decide(signals, np.ones(len(rows), bool), None)
    assert gone["index"].to_list() == [3, 4]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText model with GlotLID's kind of labels."""
    return trained.train(tmp_path_factory.mktemp("lid"), "hierarchical")["hierarchical"]


def test_labels_with_scripts_become_languages(tiny_model: Path) -> None:
    step = Language(model="fasttext", path=str(tiny_model), sha256=file_digest(tiny_model))
    rows = documents([FRENCH, ENGLISH, SIMPLIFIED, ""])
    assert step.edit(rows).frame["language"].to_list() == ["fr", "en", "zh", "und"]
    assert step.measure(rows, CONTEXT)["code"].to_list() == ["fr", "en", "zh", None]


def _datatrove(model: Path, texts: list[str]) -> list[tuple[str, float]]:
    from datatrove.data import Document
    from datatrove.utils.lid import FT176LID

    identifier = FT176LID(["en"])
    identifier.MODEL_URL = str(model)
    return [identifier.predict(Document(text=text, id="0"))[0] for text in texts]


MANY = [ENGLISH, FRENCH, SIMPLIFIED, CANTONESE, "", "\n", "a\nb\n\nc", "12345", "ok " * 500, "naïve café\r\nligne\ttab\x00nul", "😀 \u3000 漢字"]


def test_labels_and_scores_are_datatroves(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ASSETS_CACHE", str(tmp_path))
    labels, scores = fasttext_models.load(tiny_model).best(pl.Series(MANY))
    assert list(zip(labels, scores, strict=True)) == _datatrove(tiny_model, MANY)
    assert fasttext_models.load(tiny_model).best(pl.Series([], dtype=pl.String)) == ([], [])


def test_lid176_end_to_end(data: Path) -> None:
    """`TILTH_LID` names lid.176.ftz or lid.176.bin: labels and scores as datatrove's, on real texts in both languages."""
    path = os.environ.get("TILTH_LID")
    if not path or not Path(path).is_file():
        pytest.skip("no fastText model: TILTH_LID is the path of lid.176.ftz")
    import zstandard

    texts = list(MANY)
    for name in ("spam_assassin-00", "lctt_published-00"):
        with zstandard.open(data / "cpt_raw_mix" / f"{name}.jsonl.zst", "rt", encoding="utf-8") as lines:
            texts += pl.Series([line for _, line in zip(range(150), lines, strict=False)]).str.json_path_match("$.text").to_list()
    labels, scores = fasttext_models.load(path).best(pl.Series(texts))
    assert list(zip(labels, scores, strict=True)) == _datatrove(Path(path), texts)
    step = Language(model="fasttext", path=path, sha256=file_digest(Path(path)))
    assert step.edit(documents([FRENCH, ENGLISH, SIMPLIFIED])).frame["language"].to_list() == ["fr", "en", "zh"]
