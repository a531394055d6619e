"""Distilling: labelled twice, what agrees teaches, what is held out tests; nothing bought twice, the figures are counted right."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_annotators_loopback import PRICED, Loopback, loopback

from tilth.annotators.questions.document_quality import DocumentQuality
from tilth.annotators.questions.domain import Domain
from tilth.builders import build as building
from tilth.builders.distil import figures, labelling, sample
from tilth.builders.distil.documents import DOCUMENTS
from tilth.builders.distil.job import SampleFields, load
from tilth.cli.main import tilth
from tilth.core.batch import Batch
from tilth.core.errors import BudgetError, RecipeError, SourceError, StorageError
from tilth.core.home import home
from tilth.core.rows import frame
from tilth.core.steps import Context
from tilth.filters import encoders
from tilth.filters.encoder_score import EncoderScore
from tilth.registry.releases import cut

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.corpus import records

__all__ = ["loopback"]
MEDICAL = ("The patient has a fever and takes tablets", "医生给患者开药治疗发热")
LEGAL = ("The court holds that the contract is void", "法院判决合同无效并承担责任")


def corpus(count: int = 60) -> list[dict[str, Any]]:
    """Medical and legal documents in both languages, and some of which no judge knows what to say (`unclear`)."""
    rows = []
    for i in range(count):
        language, kind = i % 2, ("medical", "legal", "medical", "legal", "unclear")[i % 5]
        text = {"medical": MEDICAL, "legal": LEGAL, "unclear": ("unclear words of nothing", "不明白的话语")}[kind][language]
        rows.append({"text": f"{text} {i}", "language": ("en", "zh")[language], "source": f"{kind}_{i % 3}"})
    return rows


def judge_says(times: Counter[str]) -> Any:
    """A judge that knows medicine from law, and says of what is unclear now this and now that."""

    def says(prompt: str) -> str:
        times[prompt] += 1
        medical, unclear = any(word in prompt for word in ("fever", "发热")), any(word in prompt for word in ("unclear", "不明白"))
        if unclear:
            medical = times[prompt] % 2 == 0
        if '"score"' in prompt:
            return json.dumps({"score": (5 if medical else 1) + (times[prompt] + len(prompt)) % 2})
        return json.dumps({"domain": "medicine" if medical else "law"})

    return says


def write_job(folder: Path, server: Loopback, **more: Any) -> Path:
    small.write_jsonl(folder / "documents.jsonl", corpus())
    judge = {"model": "gpt-5.4-mini", "base_url": server.openai_url, "max_tokens": 20, "concurrency": 2, **PRICED}
    said = {"name": "domain", "input": "documents.jsonl", "question": {"domain": {"labels": ["medicine", "law"]}}, "judges": [{"openai": judge}],
            "hold_out": 0.25, "fasttext": {"epoch": 30, "lr": 1.0, "minCount": 1}, **more}  # fmt: skip
    path = folder / "job.yaml"
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not None}))
    return path


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(tilth, ["distil", *words, "--json", "-q"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture
def server(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    pytest.importorskip("fasttext")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    loopback.text = judge_says(Counter())
    return loopback


# -- with judges ------------------------------------------------------------------------------------------------------


def test_a_domain_classifier_from_two_labellings(server: Loopback, tmp_path: Path) -> None:
    """C11: asked twice, what differs is left out, F1 on what is held out; the same command again buys nothing and writes the same bytes."""
    path = write_job(tmp_path, server)
    [foreseen] = json.loads(CliRunner().invoke(tilth, ["distil", str(path), "--dry-run", "--json", "-q"]).stdout)
    assert (foreseen["calls"], foreseen["cached_calls"]) == (120, 0) and not server.bodies
    told = run(str(path))
    assert told["documents"]["sampled"] == 60 and told["documents"]["labelled"] == 48 and told["documents"]["differ"] == 12
    assert told["agreement"]["share"] == 0.8 and told["agreement"]["by_language"]["zh"]["agreed"] == 24 and told["agreement"]["by_source"]["unclear_0"]["share"] == 0
    assert told["usd"] == pytest.approx(server.usd, abs=1e-5) and told["judges"] == ["openai/gpt-5.4-mini"] and told["what"] == "domain@1"
    held = told["held_out"]
    assert held["documents"] == 12 and held["macro_f1"]["value"] == 1.0 and {one["label"] for one in held["labels"]} == {"law", "medicine"}
    folder = tmp_path / "domain.model"
    seed = pl.read_parquet(folder / "seed.parquet")
    assert seed["held_out"].sum() == 12 and seed.filter(pl.col("why") == "differ").height == 12 and seed["answers"].list.len().unique().to_list() == [2]
    before, asked = {file.name: file.read_bytes() for file in folder.iterdir()}, len(server.bodies)
    assert run(str(path)) == told and len(server.bodies) == asked == 120
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_line_that_it_prints_filters_a_corpus(server: Loopback, tmp_path: Path) -> None:
    """From a release to a classifier, from that to the next build: what is law goes."""
    small.write_jsonl(tmp_path / "notes.jsonl", [{"id": str(i), **row} for i, row in enumerate(corpus(90))])
    recipe = """\
name: notes
license: cc0-1.0
sources:
  notes: {path: notes.jsonl, license: CC0-1.0, language: {field: language}, key: id, shape: {text: {}}}
corpora:
  cpt:
    from: [notes]
    steps: []
"""
    (tmp_path / "notes.yaml").write_text(recipe)
    building.lock_recipe(str(tmp_path / "notes.yaml"))
    cut(building.build(str(tmp_path / "notes.yaml")).path, "1.0.0", home=home())
    for source in ("notes@1.0.0#cpt/train", f"build:{tmp_path / 'notes.yaml'}", "build:notes.yaml"):
        path = write_job(tmp_path, server, input=source)
        assert run(str(path))["documents"]["sampled"] == 90
    assert len(server.bodies) == 180, "the same documents from another place are the same calls"
    done = CliRunner().invoke(tilth, ["distil", str(path), "-q"])
    line = done.stdout.splitlines()[-1].removeprefix("- ")
    name, _, parameters = line.partition(": ")
    step = {name: json.loads(parameters) | {"keep": ["medicine"]}}
    (tmp_path / "notes.yaml").write_text(recipe.replace("steps: []", f"steps: [{json.dumps(step)}]"))
    building.lock_recipe(str(tmp_path / "notes.yaml"))
    kept = pl.read_parquet(building.build(str(tmp_path / "notes.yaml")).path / "cpt" / "*.parquet")
    assert kept.height >= 36 and not any(word in text for text in kept["text"] for word in ("court", "法院"))


def test_a_quality_regressor_from_two_scores(server: Loopback, tmp_path: Path) -> None:
    """C12: means of scores less than two apart; error and tiers on what is held out; the score filters and stands in the rows."""
    path = write_job(tmp_path, server, name="quality", question={"document_quality": {}}, fasttext={"epoch": 60, "lr": 1.0, "minCount": 1})
    told = run(str(path))
    assert told["documents"]["differ"] == 12, "those of 5 and 1"
    held = told["held_out"]
    assert held["mean_error"]["value"] < 0.6 < held["mean_error_of_the_mean"] and held["mean_error"]["low"] <= held["mean_error"]["value"] <= held["mean_error"]["high"]
    assert [(tier["at_least"], tier["f1"]["value"]) for tier in held["tiers"]] == [(3, 1.0), (4, 1.0)]
    seed = pl.read_parquet(tmp_path / "quality.model" / "seed.parquet").filter(pl.col("why").is_null())
    assert set(seed["value"]) <= {1.0, 1.5, 2.0, 5.0, 5.5, 6.0} and "fasttext_score" in told["step"]


def test_the_cap_holds_and_what_was_bought_is_kept(server: Loopback, tmp_path: Path) -> None:
    path = write_job(tmp_path, server)
    with pytest.raises(BudgetError):
        run(str(path), "--max-usd", "3")
    assert 0 < server.usd <= 3 and not (tmp_path / "domain.model").exists()
    bought = len(server.bodies)
    run(str(path))
    assert len(server.bodies) == 120 and bought < 120


def test_refusals_and_nonsense_teach_nothing(server: Loopback, tmp_path: Path) -> None:
    says = server.text
    server.text = lambda prompt: "I cannot say." if "court" in prompt else says(prompt)
    told = run(str(write_job(tmp_path, server)))
    assert told["documents"]["unanswered"] == 12 and told["agreement"]["documents"] == 48


# -- without ----------------------------------------------------------------------------------------------------------


def labelled_job(folder: Path, rows: list[dict[str, Any]], **more: Any) -> Path:
    small.write_jsonl(folder / "labelled.jsonl", rows)
    said = {"name": "own", "input": "labelled.jsonl", "fields": {"label": "label"}, "question": {"domain": {"labels": ["medicine", "law"]}},
            "fasttext": {"epoch": 30, "lr": 1.0, "minCount": 1}, **more}  # fmt: skip
    path = folder / "own.yaml"
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not None}))
    return path


def labelled() -> list[dict[str, Any]]:
    return [row | {"label": "medicine" if row["source"].startswith("medical") else "law"} for row in corpus() if not row["source"].startswith("unclear")]


def test_labels_that_stand_in_a_file_need_no_judge(tmp_path: Path) -> None:
    """And whole sources held out are what the classifier has not seen."""
    pytest.importorskip("fasttext")
    rows = [*labelled(), {"text": "no label"}]
    rows[0]["label"] = ["medicine", "law"]
    told = run(str(labelled_job(tmp_path, rows, held_sources=["medical_0", "legal_0"])))
    assert told["documents"]["sampled"] == 48 and told["documents"]["differ"] == 1 and told["agreement"]["documents"] == 1 and told["usd"] == 0
    assert {"medical_0", "legal_0"} <= set(told["held_out"]["by_source"]) and told["held_out"]["macro_f1"]["value"] == 1.0
    seed = pl.read_parquet(tmp_path / "own.model" / "seed.parquet")
    assert seed.filter(pl.col("source").is_in(["medical_0", "legal_0"]), pl.col("why").is_null())["held_out"].all()


def test_an_encoder_in_its_place(tmp_path: Path) -> None:
    """A tiny BERT with a head, trained, saved, and asked by the step that a recipe names."""
    pytest.importorskip("transformers")
    tiny_encoder(tmp_path / "tiny")
    encoder = {"path": "tiny", "sha256": encoders.digest(tmp_path / "tiny"), "epochs": 10, "learning_rate": 0.003, "batch_size": 8, "max_tokens": 32}
    told = run(str(labelled_job(tmp_path, labelled(), encoder=encoder, hold_out=0.2)))
    assert told["held_out"]["macro_f1"]["value"] > 0.9 and set(told["step"]["encoder_score"]) == {"sha256", "max_tokens", "device", "sample_chars", "score"}
    step = EncoderScore(path=str(tmp_path / "own.model"), **told["step"]["encoder_score"], keep=("medicine",))
    batch = Batch(frame("cpt", text=[f"{MEDICAL[0]} 7", f"{LEGAL[1]} 8", ""]), "cpt")
    after = step.edit(batch)
    found = step.measure(after, Context("cpt", 0, pl.DataFrame()))
    assert found["label"].to_list() == ["medicine", "law", None] and after.frame["scores"].list.len().to_list() == [1, 1, 0]
    assert step.edit(after).frame.equals(after.frame)
    one = EncoderScore(path=str(tmp_path / "own.model"), **told["step"]["encoder_score"] | {"score": "law"}, label="law")
    assert one.measure(batch, Context("cpt", 0, pl.DataFrame()))["score"].to_list()[:2] == pytest.approx([0, 1], abs=0.5)
    rows = [row | {"label": 5 if row["label"] == "medicine" else 1} for row in labelled()]
    told = run(str(labelled_job(tmp_path, rows, name="number", question={"document_quality": {}}, encoder=encoder)))
    assert told["held_out"]["mean_error"]["value"] < told["held_out"]["mean_error_of_the_mean"]


def tiny_encoder(folder: Path) -> None:
    """A BERT of one layer over characters, random."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    characters = sorted({one for row in corpus() for one in row["text"].lower()} - {" "})
    vocabulary = {one: i for i, one in enumerate(["[PAD]", "[UNK]", *characters])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")])
    PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64)
    BertModel(config).save_pretrained(folder)


@pytest.mark.data
def test_medical_or_not_on_real_sources_held_out_whole(data: Path, tmp_path: Path) -> None:
    """C11: taught by articles, questions and proposals, tested also on a textbook and on mail that it has not seen (Aquila-Med says 84 %)."""
    pytest.importorskip("fasttext")
    names = ("evidence_inference_pmc-01", "medquad_documents-00", "ethereum_eips-00", "openstax_anatomy_physiology-00", "spam_assassin-00")
    said = {"name": "medical", "input": [str(data / "cpt_raw_mix" / f"{name}.jsonl.zst") for name in names], "fields": {"label": "domain", "language": "lang"},
            "sample": {"documents": 1200}, "question": {"domain": {"labels": ["medical", "non_medical"]}},
            "held_sources": ["openstax_anatomy_physiology", "spam_assassin"]}  # fmt: skip
    (tmp_path / "job.yaml").write_text(json.dumps(said))
    held = run(str(tmp_path / "job.yaml"))["held_out"]
    assert held["macro_f1"]["low"] > 0.95 and held["by_source"]["openstax_anatomy_physiology"]["documents"] == 198
    assert min(held["by_source"][name]["accuracy"]["value"] for name in said["held_sources"]) > 0.95


ADVERTISING = {
    "zh": ("【限时优惠】点击进入官网领取红包", "加微信好友免费咨询，名额有限", "本文由编辑整理，转载请注明出处", "扫码关注公众号，回复关键词获取资料",
           "立即抢购，全场五折包邮", "上一篇 下一篇 返回首页", "责任编辑：小王 版权所有", "热门推荐 相关阅读 猜你喜欢"),
    "en": ("Click here to order now and save big!", "Subscribe to our newsletter for more offers", "Share this on Facebook and Twitter", "All rights reserved. Terms of use",
           "Limited time offer: free shipping today", "Home | About | Contact | Sitemap", "Related posts you may also like", "Buy cheap pills without prescription"),
}  # fmt: skip


def spoiled(data: Path, count: int) -> list[dict[str, Any]]:
    """Real documents of which so many sixths of the lines are advertising; two judges are off by one at times, or by two."""
    chance, rows = np.random.default_rng(0), []
    for name in ("openstax_anatomy_physiology-00", "evidence_inference_pmc-00", "lctt_published-00", "pingcap_docs_cn-00"):
        own = 0
        for record in records(data / "cpt_raw_mix" / f"{name}.jsonl.zst"):
            lines = [line for line in record["text"][:4000].replace("。", "。\n").replace(". ", ".\n").split("\n") if line.strip()]
            if len(lines) < 12:
                continue
            level = int(chance.integers(0, 7))
            adverts = ADVERTISING[record["lang"]]
            kept = [adverts[int(chance.integers(0, len(adverts)))] if chance.random() < (6 - level) / 6 else line for line in lines]
            answers = [int(np.clip(level + chance.choice([0, 0, 0, -1, 1, 2]), 0, 6)) for _ in range(2)]
            rows.append({"text": "\n".join(kept), "language": record["lang"], "source": name, "label": answers})
            own += 1
            if own == count:
                break
    return rows


@pytest.mark.data
def test_quality_of_real_documents_spoiled_in_known_measure(data: Path, tmp_path: Path) -> None:
    """C12: English and Chinese; half the error of always saying the mean, and the tiers found."""
    pytest.importorskip("fasttext")
    told = run(str(labelled_job(tmp_path, spoiled(data, 250), question={"document_quality": {}}, hold_out=0.2, fasttext=None)))
    held = told["held_out"]
    print({name: held[name] for name in ("documents", "mean_error", "mean_error_of_the_mean", "spearman", "tiers", "by_language")}, told["agreement"]["share"])
    assert held["mean_error"]["high"] < held["mean_error_of_the_mean"] / 2 and held["spearman"]["low"] > 0.8
    assert min(tier["f1"]["value"] for tier in held["tiers"]) > 0.8 and 0.7 < told["agreement"]["share"] < 0.95


# -- its parts --------------------------------------------------------------------------------------------------------


def documents(*groups: tuple[str, str, int]) -> pl.DataFrame:
    rows = [{"text": f"{source} {language} {i}", "language": language, "source": source, "labels": []} for source, language, count in groups for i in range(count)]
    return pl.DataFrame(rows, schema=DOCUMENTS)


def test_the_sample_is_stratified_and_no_text_comes_twice() -> None:
    pool = documents(("big", "zh", 900), ("small", "zh-Hant", 20), ("books", "en", 200), ("mail", "en", 3))
    pool = pl.concat([pool, pool.head(50)])
    said = SampleFields(documents=200, languages={"zh": 1, "en": 1})
    drawn = sample.draw([pool.slice(i, 97) for i in range(0, pool.height, 97)], said, seed=4)
    assert dict(drawn.rows.group_by("source").len().iter_rows()) == {"big": 80, "small": 20, "books": 97, "mail": 3}
    assert drawn.rows["key"].is_unique().all() and drawn.had["zh", "big"] == 950
    assert drawn.rows.equals(sample.draw([pool.reverse()], said, seed=4).rows), "neither order nor slices decide"
    assert not drawn.rows.equals(sample.draw([pool], said, seed=5).rows)
    with pytest.raises(RecipeError, match="no document in fr"):
        sample.draw([pool], SampleFields(languages={"en": 1, "fr": 1}), seed=0)
    with pytest.raises(RecipeError, match="the input has zh"):
        sample.draw([pool.head(20)], SampleFields(languages={"en": 1}), seed=0)


@given(st.lists(st.lists(st.sampled_from(["0", "1", "2", "3.5", "6", None]), max_size=3), max_size=8), st.sampled_from([1.0, 2.0, 3.0]), st.booleans())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_scores_that_are_near_become_their_mean(answers: list[list[str | None]], gap: float, asked: bool) -> None:
    rows = pl.DataFrame({"key": [str(i) for i in range(len(answers))], "language": ["en"] * len(answers), "source": ["s"] * len(answers), "answers": answers},
                        schema={**dict.fromkeys(("key", "language", "source"), pl.String), "answers": pl.List(pl.String)})  # fmt: skip
    for said, value, why in labelling.settle(rows, DocumentQuality(), gap, asked=asked).select("answers", "value", "why").iter_rows():
        known = [float(one) for one in said if one is not None]
        if len(known) < len(said) or len(known) < (2 if asked else 1):
            assert (value, why) == (None, "unanswered")
        elif max(known) - min(known) >= gap:
            assert (value, why) == (None, "differ")
        else:
            assert (value, why) == (pytest.approx(np.mean(known)), None)


def test_a_label_of_a_file_that_is_none_is_refused() -> None:
    rows = pl.DataFrame({"key": ["abcdefgh1"], "language": ["en"], "source": ["s"], "answers": [["poetry"]]})
    with pytest.raises(SourceError, match="abcdefgh: label 'poetry' is none of the question's"):
        labelling.settle(rows, Domain(), 2, asked=False)
    with pytest.raises(SourceError, match="'7' is no score from 0 to 6"):
        labelling.settle(rows.with_columns(answers=pl.lit(["7"])), DocumentQuality(), 2, asked=False)


def test_what_is_held_out_has_every_label_language_and_source_in_proportion() -> None:
    rows = pl.DataFrame([{"key": f"{i:04}", "label": "ab"[i % 2], "value": None, "language": ("en", "zh")[i // 2 % 2], "source": "st"[i // 4 % 2]} for i in range(800)])
    rows = rows.with_columns(pl.col("value").cast(pl.Float64))
    out = labelling.held_out(rows, 0.1, [], seed=3)
    assert out.sum() == 80 and set(rows.filter(out).group_by("label", "language", "source").len()["len"]) == {10}
    assert labelling.held_out(rows, 0.1, ["s"], seed=3).sum() == 440
    assert not out.equals(labelling.held_out(rows, 0.1, [], seed=4))


def test_figures_by_hand() -> None:
    held = pl.DataFrame({"label": list("aaabbc"), "predicted": ["a", "a", "b", "b", "b", None], "language": ["en"] * 5 + ["zh"], "source": ["s"] * 6})
    told = figures.of_labels(held, ["a", "b", "c"], seed=0)
    assert [one["f1"]["value"] for one in told["labels"]] == [0.8, 0.8, 0.0] and told["macro_f1"]["value"] == round(1.6 / 3, 4)
    assert told["confusion"] == {"labels": ["a", "b", "c", "(none)"], "counts": [[2, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]}
    assert told["accuracy"]["value"] == round(4 / 6, 4) and told["by_language"]["zh"]["accuracy"]["value"] == 0
    scores = pl.DataFrame({"value": [0.0, 2.0, 4.0, 6.0], "predicted": [1.0, 3.0, 3.0, 5.0], "language": ["en"] * 4, "source": ["s"] * 4})
    told = figures.of_scores(scores, 3.0, seed=0)
    assert told["mean_error"]["value"] == 1.0 and told["mean_error_of_the_mean"] == 2.0 and told["bias"] == 0.0
    assert [(one["precision"], one["recall"]) for one in told["tiers"]] == [(round(2 / 3, 4), 1.0), (1.0, 0.5)]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"question": {"listwise": {}}}, "one of domain, document_quality"),
        ({"judges": []}, "say who labels"),
        ({"input": "notes"}, "no release, build or file"),
        ({"question": {"domain": {"times": 1}}}, "asked about once"),
        ({"hold_out": 1}, "less than 1"),
        ({"sample": {"languages": {"zh": 0}}}, "greater than 0"),
        ({"question": {"domain": {"labels": ["medicine", "family law"]}}}, "no labels with blanks"),
        ({"fasttext": {"piece_words": 0}}, "piece_words is at least 2"),
        ({"fasttext": {"epochs": 3}}, "nexpected keyword"),
        ({"judges": [{"openai": {"model": "gpt-4.1-mini", "temperature": 0}}]}, "at temperature 0 are all the same"),
        ({"judges": [{"baseline": {}}]}, "reads no documents"),
    ],
)
def test_a_job_that_cannot_be_is_one_line(change: dict[str, Any], wrong: str, tmp_path: Path, loopback: Loopback) -> None:
    with pytest.raises(RecipeError, match=wrong) as refused:
        load(write_job(tmp_path, loopback, **change))
    assert "job.yaml:1" in str(refused.value) and "\n" not in str(refused.value)


def test_nothing_is_written_over_that_is_no_model(server: Loopback, tmp_path: Path) -> None:
    path = write_job(tmp_path, server, output=".")
    with pytest.raises(StorageError, match="holds something else"):
        run(str(path))
    assert not server.bodies
