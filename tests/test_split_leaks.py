"""Prompts in two splits: the defect of UltraMedical-Preference as published, found to the prompt, and repaired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from small import write_jsonl

from tilth.builders.build import Build, build, lock_recipe
from tilth.core.errors import GateError, RecipeError
from tilth.core.home import home
from tilth.core.prompts import prompt_key
from tilth.core.rows import conversation, frame
from tilth.filters.one_split import OneSplit

TRAIN_DEV, TRAIN_TEST, DEV_TEST, DUPLICATES = 1228, 30, 1, 12_272
"""As measured by others on revision 761eb7935310ba662a96d93c5af342e5269d5759 of TsinghuaC3I/UltraMedical-Preference."""

SHAPE = "{pair: {chosen_score: metadata.chosen.score, rejected_score: metadata.rejected.score, label: label_type, form: conversations, keep: true}}"
RECIPE = """\
name: leaky
license: mit
sources:
  train: {{path: train.jsonl, license: MIT, language: en, split: train, shape: {shape}}}
  dev: {{path: dev.jsonl, license: MIT, language: en, split: dev, shape: {shape}}}
  test: {{path: test.jsonl, license: MIT, language: en, split: test, shape: {shape}}}
corpora:
  preference:
    from: [train, dev, test]
    steps:
{steps}
"""


def pair(prompt: str, number: int, label: str = "hard") -> dict[str, Any]:
    """A record as published, the prompt in other case and spacing each time."""
    prompt = prompt if number % 2 else f" {prompt.upper()}\n"
    said = [{"role": "user", "content": prompt}]
    return {
        "prompt_id": f"WikiInstruct,{number}", "label_type": label, "prompt": prompt, "feedback": "",
        "chosen": [*said, {"role": "assistant", "content": f"Rest and drink water, {number} times."}],
        "rejected": [*said, {"role": "assistant", "content": f"No idea, {number}."}],
        "metadata": {"chosen": {"model": "a", "rank": 1, "score": 5}, "rejected": {"model": "b", "rank": 3, "score": 2}},
    }  # fmt: skip


def published(folder: Path) -> None:
    """The published pattern: leaked prompts between splits, and duplicates by prompt_id + label_type + chosen + rejected in train."""
    shared = [f"which drug lowers pressure number {i}?" for i in range(TRAIN_DEV + TRAIN_TEST + DEV_TEST)]
    with_dev, with_test, dev_test = np.split(np.array(shared), [TRAIN_DEV, TRAIN_DEV + TRAIN_TEST])
    train = [pair(str(p), i) for i, p in enumerate([*with_dev, *with_test, *(f"train {i}?" for i in range(DUPLICATES))])]
    train += train[-DUPLICATES:]  # a double export
    train += [pair("train 0?", 1, "easy"), {**train[0], "label_type": "length"}]  # one prompt again, and one pair under another label
    write_jsonl(folder / "train.jsonl", train)
    write_jsonl(folder / "dev.jsonl", [pair(str(p), 50_000 + i) for i, p in enumerate([*with_dev, *dev_test, *(f"dev {i}?" for i in range(900))])])
    write_jsonl(folder / "test.jsonl", [pair(str(p), 70_001 + i) for i, p in enumerate([*with_test, *dev_test, *(f"test {i}?" for i in range(700))])])


def built(folder: Path, *steps: str, recipe: str = RECIPE) -> Build:
    path = folder / "leaky.yaml"
    path.write_text(recipe.format(shape=SHAPE, steps="\n".join(f"      - {step}" for step in steps) or "      []"), encoding="utf-8")
    lock_recipe(str(path))
    return build(str(path))


def test_the_published_defect_is_found_counted_and_repaired(tmp_path: Path) -> None:
    from tilth.cli.release_verbs import show
    from tilth.registry import releases

    published(tmp_path)
    found = built(tmp_path, "exact_dedup: {fold: false}")
    assert found.record.drops["preference"] == {"exact_dedup/exact_duplicate": DUPLICATES}
    counts = {leak.splits: (leak.published, leak.released) for leak in found.record.leaks}
    assert counts == {("dev", "train"): (TRAIN_DEV,) * 2, ("test", "train"): (TRAIN_TEST,) * 2, ("dev", "test"): (DEV_TEST,) * 2}
    [gate] = [gate for gate in found.record.gates if gate.gate == "leaked_prompts"]
    assert (gate.limit, gate.value, gate.passed) == (0, TRAIN_DEV + TRAIN_TEST + DEV_TEST, False)
    with pytest.raises(GateError, match="leaked_prompts"):
        releases.cut(found.path, "1.0.0", home=home())

    mended = built(tmp_path, "exact_dedup: {fold: false}", "one_split: {}")
    assert mended.record.drops["preference"] == {"exact_dedup/exact_duplicate": DUPLICATES, "one_split/prompt_in_two_splits": TRAIN_DEV + TRAIN_TEST + DEV_TEST + 1}
    assert {leak.splits: leak.released for leak in mended.record.leaks} == dict.fromkeys(counts, 0)
    assert all(gate.passed for gate in mended.record.gates)
    rows = {split: sum(file.rows for file in files) for split, files in mended.record.configs["preference"].items()}
    assert rows == {"train": DUPLICATES + 1, "dev": TRAIN_DEV + 900, "test": TRAIN_TEST + DEV_TEST + 700}
    ref = releases.cut(mended.path, "1.0.0", home=home())
    shown = CliRunner().invoke(show, [ref.ref]).output
    assert "1,228 prompts stand in both dev and train as published, 0 as released" in shown
    card = (ref.path / "README.md").read_text(encoding="utf-8")
    assert "| `preference` | `dev`, `train` | 1,228 | 0 |" in card and "划分间重复提示" in card
    assert "split" not in pl.read_parquet_schema(next((ref.path / "preference").glob("*.parquet")))


def test_the_order_says_which_split_keeps_a_prompt() -> None:
    asked = [conversation([("user", text)]) for text in ("a", "A ", "b", "b", "c", "d", "d", "e")]
    splits = ["train", "test", "dev", "train", "train", "other", "train", None]
    rows = frame("preference", id=[f"{i:032x}" for i in range(8)], prompt=asked, split=splits, source=["s"] * 8)
    signals = _measured(rows)

    def gone(step: OneSplit, alive: list[int] | None = None) -> dict[int, str]:
        mask = np.ones(8, bool) if alive is None else np.isin(np.arange(8), alive)
        fates = step.decide(signals, mask, None)
        return dict(zip(fates["index"].to_list(), fates["value"].to_list(), strict=True))

    assert gone(OneSplit()) == {0: "train in test", 3: "train in dev", 5: "other in train"}
    assert gone(OneSplit(order=())) == {1: "test in train", 3: "train in dev", 6: "train in other"}
    assert gone(OneSplit(order=("train",))) == {1: "test in train", 2: "dev in train", 5: "other in train"}
    assert gone(OneSplit(), alive=[0, 3, 4, 7]) == {}


def _measured(rows: pl.DataFrame) -> pl.DataFrame:
    from tilth.core.batch import Batch
    from tilth.core.steps import Context

    return OneSplit().measure(Batch(rows, "preference"), Context("preference", 0, pl.DataFrame()))


def test_a_prompt_is_what_is_asked_before_the_first_answer() -> None:
    ask = [("user", "Ｗhich\n vitamin?")]
    assert prompt_key(conversation([("system", "be kind"), *ask, ("assistant", "D")]), "sft") == prompt_key(conversation([("user", "which vitamin?")]), "preference")
    longer = conversation([*ask, ("assistant", "D"), ("user", "why?")])
    assert prompt_key(longer, "preference") != prompt_key(conversation(ask), "preference")
    assert prompt_key(conversation([("user", "a"), ("user", "b")]), "sft") != prompt_key(conversation([("user", "ab")]), "sft")


DRAWN = """\
name: leaky
license: mit
sources:
  held: {{path: held.jsonl, license: MIT, language: en, split: {{field: split}}, shape: {{qa: {{}}}}}}
  more: {{path: more.jsonl, license: MIT, language: en, shape: {{qa: {{}}}}}}
corpora:
  sft:
    from: [held, more]
    splits: {{test: 0.3, dev: 0.3}}
    steps:
{steps}
"""


def test_rows_without_a_split_go_where_their_prompt_is_and_others_are_drawn(tmp_path: Path) -> None:
    """A record's own split is kept; no draw parts a prompt from it."""
    write_jsonl(tmp_path / "held.jsonl", [{"question": f"Q {i}", "answer": "a", "split": "test" if i % 2 else "validation"} for i in range(20)])
    write_jsonl(tmp_path / "more.jsonl", [{"question": f"ｑ  {i}", "answer": "b"} for i in range(60)])
    made = built(tmp_path, recipe=DRAWN)
    assert not made.record.leaks and [gate.passed for gate in made.record.gates if gate.gate == "leaked_prompts"] == [True]
    where: dict[int, set[str]] = {}
    for split, files in made.record.configs["sft"].items():
        for file in files:
            for turns in pl.read_parquet(made.path / file.path)["messages"].to_list():
                where.setdefault(int(turns[0]["content"].split()[1]), set()).add(split)
    assert all(where[i] == {"test" if i % 2 else "validation"} for i in range(20))
    drawn = [next(iter(where[i])) for i in range(20, 60)]
    assert {"train", "test", "dev"} == set(drawn)


def test_a_split_that_is_none_is_told(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "held.jsonl", [{"question": "q", "answer": "a", "split": split} for split in ("all", "te st", "", 3, "test")])
    write_jsonl(tmp_path / "more.jsonl", [{"question": "q", "answer": "b"}])
    made = built(tmp_path, recipe=DRAWN)
    assert made.record.drops["sft"] == {"read/bad_record": 4}
    with pytest.raises(RecipeError, match="no name for a split"):
        built(tmp_path, recipe=DRAWN.replace("{{field: split}}", "te-st"))
