"""The second stage of decontamination: rephrased items, by the terms that they share or by an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError, SourceError
from tilth.core.steps import Context
from tilth.filters import encoders
from tilth.filters.folding import fold
from tilth.filters.rephrased import Rephrased
from tilth.filters.term_vectors import TermVectors

ITEMS = {"benchmark": pl.String, "item": pl.String, "question": pl.String, "options": pl.List(pl.String), "answer": pl.String}
EXAM = [
    ("exam", "heart", "Which vessel carries oxygenated blood from the lungs to the left atrium?", ["pulmonary vein", "aorta"]),
    ("exam", "bread", "Why does dough that was kneaded rise in a warm kitchen overnight?", ["yeast makes gas", "salt melts"]),
    ("other", "river", "下列关于黄河流域水土流失原因的说法正确的是", ["植被破坏", "降水集中"]),
]
BENCHMARKS = pl.DataFrame([(*row, None) for row in EXAM], schema=ITEMS, orient="row")
TEXTS = [
    "From the lungs, oxygenated blood reaches the left atrium through which vessel? The aorta or the pulmonary vein?",
    "黄河流域的水土为什么流失？植被破坏与降水集中都是原因。",
    "The gardener watered the beans and went home before the rain.",
    "",
]


def signals(step: Rephrased, texts: list[str] = TEXTS) -> pl.DataFrame:
    found = step.measure(Batch(pl.DataFrame({"text": texts}, schema={"text": pl.String}), "cpt"), Context("cpt", 0, BENCHMARKS))
    return found.with_columns(id=pl.Series([f"r{k}" for k in range(len(texts))]))


def test_a_rephrasing_is_found_by_its_terms() -> None:
    step = Rephrased()
    found = signals(step)
    assert found["item"].to_list()[:2] == ["heart", "river"] and found["similarity"][3] == 0
    gone = step.decide(found, np.ones(4, bool), None)
    assert gone["index"].to_list() == [0, 1]
    assert Rephrased(allow={"other": "geography is the subject"}).decide(found, np.ones(4, bool), None)["index"].to_list() == [0]
    assert Rephrased(min_similarity=1.0).decide(found, np.ones(4, bool), None).height == 0


def test_a_long_row_is_searched_passage_by_passage() -> None:
    filler = "beans and rain and garden paths were all that she wrote of that summer " * 40
    step = Rephrased()
    hit = signals(step, [f"{filler}{TEXTS[0]} {filler}"]).row(0, named=True)
    whole = f"{filler}{TEXTS[0]} {filler}"
    assert hit["item"] == "heart" and "oxygenated" in whole[hit["start"] : hit["end"]] and hit["end"] - hit["start"] < 1000
    assert [one for one in step.passages(0, 300)] == [(0, 128), (64, 192), (128, 256), (192, 300)]
    assert step.passages(5, 5) == []


def test_names_and_pins_are_checked() -> None:
    with pytest.raises(RecipeError, match="no benchmark 'none'"):
        signals(Rephrased(against=["none"]))
    with pytest.raises(SourceError, match="some/folder: which is meant"):
        signals(Rephrased(encoder="some/folder"))
    with pytest.raises(ValueError, match="gives no reason"):
        Rephrased(allow={"exam": " "})
    empty = Rephrased().measure(Batch(pl.DataFrame({"text": TEXTS}), "cpt"), Context("cpt", 0, BENCHMARKS.clear()))
    assert empty["similarity"].to_list() == [0.0] * 4 and empty["item"].null_count() == 4


def test_cosine_is_one_for_the_same_terms_and_bounded() -> None:
    vectors = TermVectors(fold(BENCHMARKS["question"]))
    for k, question in enumerate(BENCHMARKS["question"]):
        hashes = fold(pl.Series([question])).hashes
        [cosines] = vectors.cosines(hashes, [(0, len(hashes))])
        assert cosines.argmax() == k and cosines[k] == pytest.approx(1.0) and (cosines >= 0).all() and (np.delete(cosines, k) < 1).all()
    for nothing in ("of the and", "", "zygote quorum"):
        hashes = fold(pl.Series([nothing])).hashes
        assert next(vectors.cosines(hashes, [(0, len(hashes))])).tolist() == [0.0] * len(EXAM)


def test_an_encoder_in_a_folder_is_used_and_held_by_its_digest(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    words = sorted({word for text in [*TEXTS, *BENCHMARKS["question"]] for word in text.lower().replace("?", " ").split()})
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(vocab_size=len(words) + 5, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    transformers.BertModel(config).save_pretrained(tmp_path)
    step = Rephrased(encoder=str(tmp_path), sha256=encoders.digest(tmp_path), min_similarity=0.99)
    exact = " ".join([EXAM[0][2], *EXAM[0][3]])
    found = signals(step, [exact, TEXTS[2]])
    assert found["item"][0] == "heart" and found["similarity"][0] == pytest.approx(1.0, abs=1e-3)
    assert "encoder" not in step.parameters()
