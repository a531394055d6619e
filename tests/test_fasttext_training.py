"""A classifier trained on a few texts: the same file for the same texts, the wanted rows stay, bad input says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError, SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.rows import frame
from tilth.core.steps import Context
from tilth.filters import fasttext_training
from tilth.filters.fasttext_label import FastTextLabel
from tilth.filters.fasttext_score import FastTextScore
from tilth.filters.fasttext_training import Training

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import classifiers

MEDICAL = ["The patient has a fever and a cough; give fluids.", "患者发热咳嗽三天，给予补液治疗。", "Insulin lowers the blood sugar of the patient."]
OTHER = ["The contract is void where the seller hid a defect.", "合同自双方签字之日起生效。", "The function returns the length of the list."]
CONTEXT = Context("cpt", 0, pl.DataFrame())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("fasttext")
    path = tmp_path_factory.mktemp("model") / "domain.bin"
    fasttext_training.train(MEDICAL * 20 + OTHER * 20, ["medical"] * 60 + ["other"] * 60, path, Training(epoch=20, lr=1.0))
    return path


def test_the_same_texts_give_the_same_file(model: Path, tmp_path: Path) -> None:
    fasttext_training.train(MEDICAL * 20 + OTHER * 20, ["medical"] * 60 + ["other"] * 60, tmp_path / "again.bin", Training(epoch=20, lr=1.0))
    assert file_digest(tmp_path / "again.bin") == file_digest(model)


def decided(step: FastTextLabel, texts: list[str | None]) -> list[tuple[int, str]]:
    rows = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    signals = step.measure(Batch(rows, "cpt"), CONTEXT).with_columns(id=pl.lit(""), source=pl.lit(""))
    return step.decide(signals, np.ones(len(texts), bool), None).select("index", "rule").rows()


def test_rows_of_the_wanted_label_stay(model: Path) -> None:
    said = {"path": str(model), "sha256": file_digest(model), "text": "words"}
    texts = [*MEDICAL, *OTHER, "", None, "12, 3."]
    unwanted = [(i, "unwanted_label") for i in (3, 4, 5)]
    assert decided(FastTextLabel(**said, keep=("medical",)), texts) == unwanted, "what has no words stays"
    assert decided(FastTextLabel(**said), texts) == []
    assert decided(FastTextLabel(**said, keep=("law",)), texts) == [(i, "unwanted_label") for i in range(6)]
    assert decided(FastTextLabel(**said, keep=("law",), min_score=0.0), texts) == [(i, "unwanted_label") for i in range(6)]
    assert decided(FastTextLabel(**said, keep=("medical",), min_score=0.5), texts) == [(i, "low_score") for i in (3, 4, 5)]
    assert decided(FastTextLabel(**said, keep=("medical",), min_score=0.0), texts) == []
    assert decided(FastTextLabel(**said, keep=("medical", "other"), min_score=0.5), texts) == []
    assert "path" not in FastTextLabel(**said).parameters()


LEVELS = {6: "The nurse explains in clear words how the treatment works.", 3: "treatment nurse words it is.", 0: "buy now click here cheap cheap"}


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("fasttext")
    folder = tmp_path_factory.mktemp("quality")
    texts = {level: [f"{text} {number}" for number in range(30)] for level, text in LEVELS.items()}
    found = [(text, str(level)) for level, own in texts.items() for text in own]
    fasttext_training.train(*zip(*found, strict=True), folder / "model.bin", Training(epoch=30, lr=1.0), balance=False)  # type: ignore[arg-type]
    return folder


def test_levels_make_a_number(levels: Path) -> None:
    """The expected level, between those of the texts that it learned; into the rows' scores, beside what stands there."""
    said = {"path": str(levels), "sha256": file_digest(levels / "model.bin")}
    step = FastTextScore(**said, min_score=3)
    texts = [*LEVELS.values(), "", "12"]
    scores = [[{"name": "quality", "value": 9.0}, {"name": "difficulty", "value": 8.0}], None, [], [{"name": "quality", "value": 9.0}], None]
    batch = Batch(frame("cpt", text=texts, scores=scores), "cpt")
    after = step.edit(batch)
    found = step.measure(after, CONTEXT)["score"].to_list()
    assert found[0] > 4.5 > found[1] > 1.5 > found[2] and min(found[:3]) >= 0 and max(found[:3]) <= 6 and found[3:] == [None, None]
    assert after.frame["scores"].to_list() == [
        [{"name": "difficulty", "value": 8.0}, {"name": "quality", "value": found[0]}], [{"name": "quality", "value": found[1]}],
        [{"name": "quality", "value": found[2]}], [], [],
    ]  # fmt: skip
    assert step.edit(after).frame.equals(after.frame) and after.frame["text"].equals(batch.frame["text"])
    signals = step.measure(after, CONTEXT).with_columns(id=pl.lit(""), source=pl.lit(""))
    assert [index for index, value in enumerate(found) if value is not None and value < 3] == step.decide(signals, np.ones(5, bool), None)["index"].to_list()
    share = FastTextScore(**said, label="0", score="advertising").measure(batch, CONTEXT)["score"].to_list()
    assert share[2] > 0.8 and share[0] < 0.1 and share[3] is None
    with pytest.raises(SourceError, match="no label 'medicine'"):
        FastTextScore(**said, label="medicine").measure(batch, CONTEXT)


def test_labels_that_are_no_numbers_need_a_name(model: Path) -> None:
    step = FastTextScore(path=str(model), sha256=file_digest(model))
    with pytest.raises(SourceError, match="are no numbers"):
        step.measure(Batch(frame("cpt", text=["a fever"]), "cpt"), CONTEXT)


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="needs two or more, without blanks"):
        fasttext_training.train(["a"], ["one"], tmp_path / "x.bin")
    with pytest.raises(RecipeError, match="'two words'"):
        fasttext_training.train(["a", "b"], ["one", "two words"], tmp_path / "x.bin")
    with pytest.raises(SourceError, match="label 'b': none of its texts has words"):
        fasttext_training.train(["word", "12"], ["a", "b"], tmp_path / "x.bin")
    with pytest.raises(SourceError, match="fastText cannot train"):
        fasttext_training.train(["word", "other"], ["a", "b"], tmp_path / "no" / "x.bin", Training(minCount=1))


@pytest.mark.slow
@pytest.mark.data
def test_medical_or_not_on_sources_not_seen(data: Path) -> None:
    """At most 2,000 documents teach it; F1 over both English swaps at least 0.95; SMILE's talks about exams and love are no medicine to it."""
    found = {name: classifiers.measure(data, *swap) for name, swap in classifiers.SWAPS.items()}
    print(found)
    assert all(one["trained"] <= 2000 for one in found.values())
    assert (found["english"]["macro_f1"] + found["english, swapped"]["macro_f1"]) / 2 >= 0.95
    chinese = found["chinese"]["sources"]
    assert min(one["recall"] for name, one in chinese.items() if name != "smile") >= 0.98
