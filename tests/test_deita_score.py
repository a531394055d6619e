"""Deita's scorers: batches equal one prompt at a time by transformers' `generate`, as Deita's code; what cannot be scored has a state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
import tiny_model

from tilth.builders import build as building
from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.rows import conversation, frame
from tilth.core.steps import Context
from tilth.filters import digit_scorer, encoders
from tilth.filters.deita_score import COMPLEXITY, QUALITY, DeitaScore

CONTEXT = Context("sft", 0, pl.DataFrame())
TALKS = [
    conversation([("system", "你是医生。"), ("user", "高血压怎么办？"), ("assistant", "减少盐的摄入。"), ("user", "Which drug?"), ("assistant", "Timolol lowers it.")]),
    conversation([("user", "What is a fever?"), ("assistant", "A viral infection, most often; rest and water are enough."), ("user", "unanswered")]),
    conversation([("user", "word " * 400), ("assistant", "too long")]),
    conversation([("user", " "), ("assistant", "nothing was asked")]),
    [],
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_model.make(tmp_path_factory.mktemp("complexity"), seed=1), tiny_model.make(tmp_path_factory.mktemp("quality"), seed=2)


def step(folders: tuple[Path, Path], **more: Any) -> DeitaScore:
    named = {"complexity": folders[0], "quality": folders[1]}
    return DeitaScore(**{name: str(path) for name, path in named.items()}, **{f"{name}_sha256": encoders.digest(path) for name, path in named.items()}, **more)


def by_generate(folder: Path, prompt: str) -> float:
    """`Scorer.infer_score` of hkust-nlp/deita: one prompt, greedy, the scores of the first new token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = tokenizer.encode(prompt, return_tensors="pt")
    out = network.generate(ids, max_new_tokens=2, do_sample=False, return_dict_in_generate=True, output_scores=True, attention_mask=torch.ones_like(ids))
    logits = np.array([float(out.scores[0][0][tokenizer.convert_tokens_to_ids(str(k))]) for k in range(1, 7)])
    weights = np.exp(logits - logits.max())
    return float((weights / weights.sum() * np.arange(1, 7)).sum())


def batch(talks: list[list[dict[str, str]]]) -> Batch:
    return Batch(frame("sft", id=[f"r{i}" for i in range(len(talks))], source=["x"] * len(talks), messages=talks), "sft")


def test_batches_equal_one_prompt_at_a_time(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digit_scorer, "BATCH_TOKENS", 300)
    found = step(folders).measure(batch(TALKS), CONTEXT)
    assert found["states"].to_list() == [["ok", "ok"], ["ok"], ["too_long"], ["empty"], []]
    assert found["quality"].to_list()[2:] == found["complexity"].to_list()[2:] == [[None], [None], []], "no score in place of one"
    pairs = [("高血压怎么办？", "减少盐的摄入。"), ("Which drug?", "Timolol lowers it."), ("What is a fever?", TALKS[1][1]["content"])]
    expected = {
        "complexity": [by_generate(folders[0], COMPLEXITY.format(asked=asked)) for asked, _ in pairs],
        "quality": [by_generate(folders[1], QUALITY.format(asked=asked, answered=answered)) for asked, answered in pairs],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].head(2).explode().to_numpy(), values, atol=1e-5)
        assert len({round(value, 6) for value in values}) == 3


def test_rows_keep_their_scores_and_fail_without(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Sum or mean of the products; another of the two asks no model again, and a row with an unscored turn fails."""
    small.write_jsonl(tmp_path / "talks.jsonl", [{"id": f"t{i}", "messages": talk[:5] if i != 1 else talk[:2]} for i, talk in enumerate(TALKS[:4])])
    measured = step(folders).measure(batch(TALKS[:2]), CONTEXT)
    products = [sum(c * q for c, q in zip(*pair, strict=True)) for pair in zip(measured["complexity"], measured["quality"], strict=True)]

    def built(more: str) -> tuple[list[dict[str, float]], building.Build]:
        said = ", ".join(f"{name}: {folder}" for name, folder in zip(("complexity", "quality"), folders, strict=True))
        recipe = "name: deita\nlicense: cc0-1.0\nsources:\n  talks: {path: talks.jsonl, license: CC0-1.0, language: en, key: id, shape: {chat: {}}}\n"
        (tmp_path / "deita.yaml").write_text(f"{recipe}corpora:\n  sft:\n    from: [talks]\n    steps:\n      - deita_score: {{{said}{more}}}\n")
        building.lock_recipe(str(tmp_path / "deita.yaml"))
        build = building.build(str(tmp_path / "deita.yaml"))
        rows = pl.read_parquet([build.path / file.path for file in build.record.configs["sft"]["train"]])
        return [{one["name"]: one["value"] for one in scores} for scores in rows["scores"]], build

    summed, build = built("")
    assert [row["deita"] for row in summed] == pytest.approx(products) and set(summed[0]) == {"complexity", "quality", "deita"}
    drops = pl.read_parquet(build.path / build.record.configs["drops"]["train"][0].path)
    assert drops.select("status", "rule", "value", "detail").rows() == [
        ("failed", "not_scored", "0 of 1 turns", "too_long 1"), ("failed", "not_scored", "0 of 1 turns", "empty 1"),
    ]  # fmt: skip
    mean, again = built(", over_turns: mean, unscored: keep")
    assert [row.get("deita") for row in mean] == [pytest.approx(products[0] / 2), pytest.approx(products[1]), None, None]
    assert again.stages_run <= 4, "the models are not asked again"


def test_a_logit_that_is_no_number_is_a_state(folders: tuple[Path, Path]) -> None:
    scorer = digit_scorer.load(str(folders[0]), encoders.digest(folders[0]), "cpu", "float32")
    broken = digit_scorer.Scorer(scorer.tokenizer, _Broken(scorer.network), scorer.digits, None)
    assert broken.scores(["a", "b"], 64) == [(None, "not_finite")] * 2
    assert scorer.scores([], 64) == [] and scorer.scores(["word " * 99], 16) == [(None, "too_long")]


class _Broken:
    """A network whose logits are NaN."""

    def __init__(self, network: Any) -> None:
        self._network, self.device = network, network.device

    def __call__(self, **given: Any) -> Any:
        out = self._network(**given)
        out.logits = out.logits * float("nan")
        return out


def test_what_is_no_scorer(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folders[0])
    assert digit_scorer.digit_tokens(tokenizer, "x") == tuple(tokenizer.convert_tokens_to_ids(list("123456")))
    tokenizer.add_tokens([" 3"])
    with pytest.raises(SourceError, match="does not write 3 as a token"):
        digit_scorer.digit_tokens(tokenizer, "x")
    with pytest.raises(SourceError, match="its sha256 is"):
        step(folders).model_copy(update={"quality_sha256": "0" * 64}).measure(batch(TALKS[:1]), CONTEXT)
    with pytest.raises(SourceError, match="which is meant"):
        DeitaScore(complexity="org/name@main", quality="folder").measure(batch(TALKS[:1]), CONTEXT)


@pytest.mark.skipif("TILTH_DEITA_QUALITY" not in os.environ, reason="TILTH_DEITA_QUALITY names no folder of hkust-nlp/deita-quality-scorer")
def test_the_published_test_vector() -> None:
    """The figure in hkust-nlp/deita's README."""
    folder = Path(os.environ["TILTH_DEITA_QUALITY"])
    scorer = digit_scorer.load(str(folder), encoders.digest(folder), "cpu", "float32")
    prompt = QUALITY.format(asked="word to describe UI with helpful tooltips", answered="User-friendly or intuitive UI")
    assert scorer.scores([prompt], 2048)[0][0] == pytest.approx(2.0230105920381902, abs=1e-3)
