"""Export: a release in the shapes that trainers and other tools read, whole or not at all, and read by their own loaders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tiny_model
from click.testing import CliRunner, Result
from test_train import cut

from tilth.builders.published import PUBLISHED
from tilth.cli.export_verbs import export
from tilth.core.errors import GateError, RecipeError, StorageError, YankedError
from tilth.core.fingerprints import canonical
from tilth.core.home import Home
from tilth.core.rows import COMMON, RELEASED, conversation, frame

PAIRS = 6
TEXTS = tiny_model.CORPUS


def rows(kind: Any, count: int, **columns: Any) -> pl.DataFrame:
    keys = [f"{kind}{i}".encode().hex().ljust(32, "0") for i in range(count)]
    made = frame(kind, id=keys, content_hash=keys, source=["notes"] * count, license=["CC-BY-4.0"] * count, language=["en"] * count, **columns)
    return made.select(*COMMON, *RELEASED[kind])


def pairs(margins: list[float | None]) -> pl.DataFrame:
    return rows("preference", len(margins), prompt=[conversation([("user", f"{i}? {TEXTS[i % 6]}")]) for i in range(len(margins))],
                chosen=[conversation([("assistant", TEXTS[(i + 1) % 6])]) for i in range(len(margins))],
                rejected=[conversation([("assistant", f"no {i}")]) for i in range(len(margins))], margin=margins)  # fmt: skip


def talks(*conversations: list[tuple[str, str]], **columns: Any) -> pl.DataFrame:
    return rows("sft", len(conversations), messages=[conversation(one) for one in conversations], **columns)


@pytest.fixture
def home() -> Home:
    from tilth.core.home import home

    made = home()
    simple = [[("user", f"{i}: {TEXTS[i]}"), ("assistant", TEXTS[(i + 1) % 6])] for i in range(6)]
    cut(made, "demo", "1.0.0", {"sft": talks(*simple), "preference": pairs([1.0, 2.0, 0.5, 4.0, 1.5, 3.0]),
                                "cpt": rows("cpt", 4, text=TEXTS[:4], stage=["one", "one", "two", None])})  # fmt: skip
    return made


def run(*args: Any) -> Result:
    return CliRunner().invoke(export, [*map(str, args), "-q"])


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_form_is_what_the_trainer_reads(home: Home, tmp_path: Path) -> None:
    for form in ("sft", "dpo", "kto", "reward", "cpt"):
        done = run("demo@1.0.0", "--as", form, "--to", tmp_path / f"{form}.jsonl", "--json")
        assert done.exit_code == 0, done.output
    assert read(tmp_path / "sft.jsonl")[0] == {"messages": conversation([("user", f"0: {TEXTS[0]}"), ("assistant", TEXTS[1])])}
    prompt, chosen, rejected = conversation([("user", f"0? {TEXTS[0]}")]), conversation([("assistant", TEXTS[1])]), conversation([("assistant", "no 0")])
    assert read(tmp_path / "dpo.jsonl")[0] == {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    assert read(tmp_path / "kto.jsonl")[:2] == [{"prompt": prompt, "completion": chosen, "label": True}, {"prompt": prompt, "completion": rejected, "label": False}]
    assert read(tmp_path / "reward.jsonl")[0] == {"chosen": prompt + chosen, "rejected": prompt + rejected, "margin": 1.0}
    assert read(tmp_path / "cpt.jsonl")[2:] == [{"text": TEXTS[2], "stage": "two"}, {"text": TEXTS[3], "stage": None}]
    told = json.loads((tmp_path / "kto.jsonl.export.json").read_text())
    assert told["release"] == "demo@1.0.0" and len(told["digest"]) == 64 and told["license"] == "CC-BY-4.0"
    assert told["splits"]["train"] | {"sha256": ""} == {"file": "kto.jsonl", "rows": 6, "records": 12, "left_out": {}, "without": [], "sha256": ""}


def test_one_side_is_enough_for_kto_and_a_margin_must_be_everywhere(home: Home, tmp_path: Path) -> None:
    half = pairs([1.0, None]).with_columns(pl.when(pl.col("margin").is_null()).then(pl.col("rejected")).otherwise(None).alias("rejected"))
    cut(home, "half", "1.0.0", {"preference": half})
    cut(home, "mixed", "1.0.0", {"preference": pairs([1.0, None])})
    assert run("half@1.0.0", "--as", "kto", "--to", tmp_path / "kto.jsonl").exit_code == 0
    assert [one["label"] for one in read(tmp_path / "kto.jsonl")] == [True, True, False]
    assert run("mixed@1.0.0", "--as", "reward", "--to", tmp_path / "reward.jsonl").exit_code == 0
    assert "margin" not in read(tmp_path / "reward.jsonl")[0]
    assert json.loads((tmp_path / "reward.jsonl.export.json").read_text())["splits"]["train"]["without"] == ["margin"]


def test_rows_that_do_not_fit_fail_or_are_listed(home: Home, tmp_path: Path) -> None:
    long = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    cut(home, "long", "1.0.0", {"sft": talks(long, long[:2], long[:3])})
    refused = run("long@1.0.0", "--as", "alpaca", "--to", tmp_path / "a.jsonl")
    assert isinstance(refused.exception, GateError) and "2 of 3 rows of train do not fit alpaca" in str(refused.exception)
    assert "1: 4 messages" in str(refused.exception) and "does not end with an answer" in str(refused.exception)
    assert list(tmp_path.glob("*.jsonl*")) + list(tmp_path.glob(".*")) == []
    done = run("long@1.0.0", "--as", "alpaca", "--to", tmp_path / "a.jsonl", "--leave-out")
    assert done.exit_code == 0 and read(tmp_path / "a.jsonl") == [{"instruction": "a", "input": "", "output": "b"}]
    assert [one["reason"][:10] for one in read(tmp_path / "a.jsonl.left_out.jsonl")] == ["4 messages", "it does no"]


def test_nothing_is_overwritten_and_bad_names_are_told(home: Home, tmp_path: Path) -> None:
    from tilth.registry import releases

    (tmp_path / "there.jsonl").write_text("mine")
    for args, kind, words in (
        (["demo@1.0.0", "--as", "sft", "--to", tmp_path / "there.jsonl"], StorageError, "there already"),
        (["demo@1.0.0", "--as", "sft", "--to", tmp_path], StorageError, "there already"),
        (["demo@1.0.0", "--as", "sft", "--to", tmp_path / "x.json"], RecipeError, "no records are written"),
        (["demo@1.0.0", "--as", "alpacca", "--to", tmp_path / "x.jsonl"], RecipeError, "unknown shape"),
        (["demo@1.0.0", "--as", "html", "--to", tmp_path / "x.jsonl"], RecipeError, "writes none"),
        (["demo@1.0.0", "--as", "{qa: {q: 1}}", "--to", tmp_path / "x.jsonl"], RecipeError, "no such field"),
        (["demo@1.0.0", "--as", "{qa", "--to", tmp_path / "x.jsonl"], RecipeError, ""),
        (["demo@1.0.0", "--as", "dpo", "--config", "sft", "--to", tmp_path / "x.jsonl"], RecipeError, "preference rows"),
        (["demo@1.0.0", "--as", "dpo", "--split", "test", "--to", tmp_path / "x.jsonl"], RecipeError, "no split"),
        (["demo@1.0.0", "--as", "dpo", "--to", tmp_path / "no" / "\0"], Exception, ""),
    ):
        refused = run(*args)
        assert refused.exit_code and (isinstance(refused.exception, kind) or refused.exit_code == 2), refused
        assert words in str(refused.exception), refused
    assert (tmp_path / "there.jsonl").read_text() == "mine"
    releases.yank("demo@1.0.0", "names a patient", home)
    assert isinstance(run("demo@1.0.0", "--as", "sft", "--to", tmp_path / "x.jsonl").exception, YankedError)


@pytest.mark.parametrize("end", ["jsonl", "jsonl.zst", "jsonl.gz", "parquet"])
def test_a_folder_loads_in_datasets_by_its_splits(home: Home, tmp_path: Path, end: str) -> None:
    from datasets import load_dataset

    folder = home.builds / "two"
    cut(home, "two", "1.0.0", {"sft": talks([("user", "头痛？"), ("assistant", "休息。")], [("user", "a"), ("assistant", "b")])})
    assert run("two@1.0.0", "--as", "sharegpt", "--to", tmp_path / "out", "--format", end).exit_code == 0
    found = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert dict(found["train"][0]) == {"conversations": [{"from": "human", "value": "头痛？"}, {"from": "gpt", "value": "休息。"}]}
    assert run("two@1.0.0", "--as", "sharegpt", "--to", tmp_path / "again", "--format", end).exit_code == 0
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["README.md", "export.json", f"train.{end}"]
    assert all((tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)
    assert not list(folder.glob("*.tmp"))


def test_ultramedical_rows_come_out_as_they_went_in(home: Home, tmp_path: Path) -> None:
    unit = PUBLISHED["ultramedical"].unit()
    records = [
        {"id": f"MedQA,{i}", "type": "Exam", "answer": "B", "score": f"This question would be rated a {i}. It is hard.",
         "conversations": [{"from": "human", "value": f"Which {i}?\n\nA. one\nB. two"}, {"from": "gpt", "value": "So, the answer is B."}]}
        for i in range(1, 5)
    ]  # fmt: skip
    read_ = [unit.content(one) for one in records]
    columns = {name: [one.get(name) for one in read_] for name in ("messages", "options", "answer", "scores", "metadata")}
    cut(home, "ultra", "1.0.0", {"sft": rows("sft", 4, **columns)})
    assert run("ultra@1.0.0", "--as", "ultramedical", "--to", tmp_path / "u.jsonl").exit_code == 0
    assert read(tmp_path / "u.jsonl") == records
    assert run("ultra@1.0.0", "--as", "alpaca", "--to", tmp_path / "a.jsonl").exit_code == 0
    assert read(tmp_path / "a.jsonl")[0] == {"instruction": "Which 1?\n\nA. one\nB. two", "input": "", "output": "So, the answer is B."}


WHOLE = """\
name: whole
license: other
sources:
  ultra: {path: peer_ultramedical_samples/examples.jsonl.zst, license: other, language: en, key: id, shape: {ultramedical: {}}}
  dialogues: {path: sft_zh_huatuo_llama/liver_cancer.jsonl.zst, license: other, language: zh, shape: {qa: {question: instruction, answer: output,
    speakers: {"<user>:": user, "<bot>:": assistant}, keep: true}}}
  harmless: {path: pref_hh_harmless_test/test.jsonl.zst, license: MIT, language: en, shape: {pair: {prompt: null, form: dialogues, keep: true,
    speakers: {"Human:": user, "Assistant:": assistant}}}}
corpora:
  sft: {from: [ultra, dialogues]}
  preference: {from: [harmless]}
"""


@pytest.mark.data
def test_real_records_come_out_of_a_release_as_they_went_in(data: Path, home: Home, tmp_path: Path) -> None:
    """All 50 published UltraMedical examples, 1,000 Chinese dialogues and 2,308 pairs: read, built, released, exported; equal in order."""
    from tilth.builders.build import build, lock_recipe
    from tilth.builders.formats.jsonl import Jsonl
    from tilth.registry import releases

    path = tmp_path / "whole.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    lock_recipe(str(path), data)
    releases.cut(build(str(path), data_root=data).path, "1.0.0", home=home)

    def source(file: str) -> list[Any]:
        return [record for _, record in Jsonl().records(data / file, file)]

    assert run("whole@1.0.0", "--as", "ultramedical", "--to", tmp_path / "u.jsonl").exit_code == 0
    assert read(tmp_path / "u.jsonl")[:50] == source("peer_ultramedical_samples/examples.jsonl.zst")
    assert run("whole@1.0.0", "--as", "huatuo_llama", "--to", tmp_path / "h.jsonl").exit_code == 0
    assert read(tmp_path / "h.jsonl")[50:] == source("sft_zh_huatuo_llama/liver_cancer.jsonl.zst")
    assert run("whole@1.0.0", "--as", "hh", "--to", tmp_path / "p.jsonl").exit_code == 0
    written = (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines()
    lines = {canonical(json.loads(line)) for line in written}
    was = [canonical(one) for one in source("pref_hh_harmless_test/test.jsonl.zst")]
    assert len(written) == 2308 and [canonical(json.loads(line)) for line in written] == [one for one in was if one in lines]


def test_a_killed_export_leaves_nothing_that_looks_done(home: Home, tmp_path: Path) -> None:
    script = f"""
import os, sys
from tilth.builders import record_files
record_files._Lines.add = lambda self, records: os._exit(9)
from tilth.cli.export_verbs import export
export(["demo@1.0.0", "--as", "sft", "--to", {str(tmp_path / "x.jsonl")!r}, "-q"], standalone_mode=False)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=120).returncode == 9
    assert not (tmp_path / "x.jsonl").exists() and not (tmp_path / "x.jsonl.export.json").exists()
    assert run("demo@1.0.0", "--as", "sft", "--to", tmp_path / "x.jsonl").exit_code == 0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.make(tmp_path_factory.mktemp("models") / "base")


@pytest.mark.parametrize("form", ["sft", "dpo", "kto", "reward", "cpt"])
def test_trl_prepares_and_learns_from_each_form(home: Home, tmp_path: Path, base: Path, form: str) -> None:
    """The trainers' own loaders: every record is tokenised, and a step is taken."""
    import torch
    import trl
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    assert run("demo@1.0.0", "--as", form, "--to", tmp_path / "out", "--format", "parquet").exit_code == 0
    dataset = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    tokens = AutoTokenizer.from_pretrained(base)
    names = {"sft": "SFT", "cpt": "SFT", "dpo": "DPO", "kto": "KTO", "reward": "Reward"}
    model: Any = str(base) if form != "reward" else AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    config = getattr(trl, f"{names[form]}Config")(
        output_dir=str(tmp_path / "model"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, report_to="none", save_strategy="no",
        max_length=400, bf16=False, **({"assistant_only_loss": True} if form == "sft" else {}),
    )  # fmt: skip
    trainer = getattr(trl, f"{names[form]}Trainer")(model=model, args=config, train_dataset=dataset, processing_class=tokens)
    assert len(trainer.train_dataset) == {"sft": 6, "dpo": 6, "kto": 12, "reward": 6, "cpt": 4}[form]
    if form == "reward":
        assert sorted(trainer.train_dataset["margin"]) == [0.5, 1.0, 1.5, 2.0, 3.0, 4.0]
    assert trainer.train().training_loss > 0
