"""Objective pairs of exam items: the right option against a wrong one; uniform, never equal, and the key nowhere in the prompt."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.makers.option_pairs import OptionPairs
from tilth.builders.records import BadRecord, Shape
from tilth.builders.shapes.choices import options_of
from tilth.builders.shapes.completions import Completions
from tilth.builders.shapes.prompt import Prompt
from tilth.core.rows import schema
from tilth.core.steps import Made, MakeContext

LABELS = "ABCDE"
CONTEXT = MakeContext("preference", 0, pl.DataFrame(), Path("calls.sqlite"), None)


def row(identity: str, texts: list[str], key: str, language: str | None = "en", **more: Any) -> dict[str, Any]:
    options = [{"label": label, "text": text} for label, text in zip(LABELS, texts, strict=False)]
    record = {"question": "Which?", "options": {one["label"]: one["text"] for one in options}, "answer": key}
    content = Completions(options="options", answer="answer", completions=None).content(record)
    return {**dict.fromkeys(schema("preference")), **content, "id": identity, "language": language, "license": "MIT", **more}


def made(*rows: dict[str, Any], seed: int = 0, **parameters: Any) -> Made:
    context = MakeContext("preference", seed, pl.DataFrame(), Path("calls.sqlite"), None)
    return OptionPairs(**parameters).make(pl.DataFrame(rows, schema=schema("preference")), context)


def said(rows: pl.DataFrame) -> list[tuple[str, str]]:
    return [(one["chosen"][-1]["content"], one["rejected"][-1]["content"]) for one in rows.iter_rows(named=True)]


@pytest.mark.parametrize(
    ("form", "language", "wanted"),
    [
        ("label_text", "en", ("A. zinc", "B. {label}")),
        ("text", "zh-CN", ("zinc", "{label}")),
        ("sentence", "en", ("The correct answer is A. zinc", "The correct answer is B. {label}")),
        ("sentence", "zh", ("正确答案是A。zinc", "正确答案是B。{label}")),
        ("sentence", None, ("The correct answer is A. zinc", "The correct answer is B. {label}")),
    ],
)
def test_the_forms_of_an_answer(form: str, language: str | None, wanted: tuple[str, str]) -> None:
    """What an option says is never read as a template."""
    found = made(row("r", ["zinc", "{label}"], "A", language), form=form)
    assert said(found.rows) == [wanted]
    assert found.rows.select("strategy", "margin", "chosen_model", "id").row(0) == ("option", None, None, "r")


def test_the_wrong_option_is_drawn_uniformly() -> None:
    """12,000 items of five options: chi-square over the four wrong places, for every key and over all."""
    keys = random.Random(5)
    items = [row(f"item {number}", [f"t{number}-{label}" for label in LABELS], keys.choice(LABELS)) for number in range(12_000)]
    rows = made(*items, form="label_text").rows
    assert rows.height == 12_000
    taken: dict[str, Counter[str]] = {label: Counter() for label in LABELS}
    for chosen, rejected in said(rows):
        taken[chosen[0]][rejected[0]] += 1
    for key, counts in taken.items():
        assert set(counts) == set(LABELS) - {key}
        even = sum(counts.values()) / 4
        assert sum((count - even) ** 2 / even for count in counts.values()) < 16.3, "chi-square, 3 degrees, p = 0.001"
    assert said(made(*items[:50]).rows) == said(made(*items[:50][::-1]).rows)[::-1], "the order of the rows decides nothing"
    assert said(made(*items[:50]).rows) != said(made(*items[:50], seed=1).rows)


def test_no_prompt_tells_the_key() -> None:
    """The same item under each key has one and the same prompt, and nothing of a pair's row but its sides knows the key."""
    prompts = []
    for key in LABELS[:4]:
        [pair] = made(row("r", ["iron", "zinc", "copper", "gold"], key), form="text").rows.iter_rows(named=True)
        prompts.append(pair["prompt"])
        assert (pair["options"], pair["answer"], pair["reference"], pair["candidates"]) == (None,) * 4
    assert prompts == [[{"role": "user", "content": "Which?\n\nA. iron\nB. zinc\nC. copper\nD. gold"}]] * 4


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["yes", "Yes ", "no", "none", "无"]) | st.text(min_size=1, max_size=5).filter(str.strip), min_size=2, max_size=5),
    key=st.integers(0, 4), form=st.sampled_from(["label_text", "text", "sentence"]), most=st.integers(1, 5),
)  # fmt: skip
def test_chosen_and_rejected_are_never_equal(texts: list[str], key: int, form: str, most: int) -> None:
    found = made(row("r", texts, LABELS[key % len(texts)]), form=form, per_prompt=most)
    assert found.rows.height == 1 - found.fates.height + found.made
    wrong = {" ".join(text.casefold().split()) for text in texts} - {" ".join(texts[key % len(texts)].casefold().split())}
    assert found.fates.height == (not wrong) and found.rows["id"].n_unique() == found.rows.height
    for chosen, rejected in said(found.rows):
        assert chosen.casefold().split() != rejected.casefold().split()
    assert len({rejected for _, rejected in said(found.rows)}) == found.rows.height or form == "text"


@pytest.mark.parametrize("shape", [Completions(completions=None, options="option", answer="answer", several=True), Prompt(options="option", answer="answer", several=True)])
def test_keys_of_several_options_are_read_where_asked_for(shape: Shape) -> None:
    record = {"question": "下列哪些属于合同？", "option": {"A": "买卖", "B": "租赁", "C": "婚姻"}, "answer": "B, A"}
    assert shape.content(record)["answer"] == "AB"
    with pytest.raises(BadRecord, match="names none of the options"):
        shape.model_copy(update={"several": False}).content(record)


@pytest.mark.parametrize(
    "said",
    [
        {"A": "买卖", "B": "婚姻"}, ["买卖", "婚姻"], [{"label": "A", "text": "买卖"}, {"label": "B", "text": "婚姻"}],
        [{"key": "A", "value": "买卖"}, {"key": "B", "value": "婚姻"}], {"label": ["A", "B"], "text": ["买卖", "婚姻"]},
    ],
)  # fmt: skip
def test_options_however_they_are_written(said: Any) -> None:
    assert options_of({"options": said}, "options") == [{"label": "A", "text": "买卖"}, {"label": "B", "text": "婚姻"}]


@pytest.mark.parametrize("said", [[{"name": "A"}, {"name": "B"}], {"A": ["x"], "B": "y"}, {"label": ["A"], "text": ["x", "y"]}])
def test_an_option_that_is_no_text_is_refused(said: Any) -> None:
    with pytest.raises(BadRecord, match="is no text"):
        options_of({"options": said}, "options")


def test_other_rows_pass_and_keys_of_several_options_are_counted() -> None:
    answered = row("answered", ["a", "b"], "A", candidates=[{"model": "m", "text": "The answer is A."}])
    open_ended = {**row("open", ["a", "b"], "A"), "options": None, "answer": None, "reference": "Zinc."}
    several = {**row("several", ["a", "b", "c"], "A"), "answer": "AC"}
    found = made(answered, open_ended, several, row("same", ["none", "None"], "A"))
    assert found.rows["id"].to_list() == ["answered", "open"]
    assert found.fates.select("index", "status", "rule", "value").rows() == [
        (2, "dropped", "no_single_key", "AC"), (3, "dropped", "no_wrong_option", "2 options"),
    ]  # fmt: skip


@pytest.mark.parametrize("sentence", [{"en": "The answer."}, {"en": "{label}", "zh": "答案"}, {"en": "{key}", "zh": "{text}"}, {}])
def test_a_sentence_without_the_option_is_refused(sentence: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="holds neither"):
        OptionPairs(sentence=sentence)


def test_a_recipe_of_exam_items(tmp_path: Path) -> None:
    """Items without completions beside those that have some, in one corpus."""
    recipe = small.EMPTIED.replace("answer: answer}}}", "answer: answer}}}\n  items: {path: items.jsonl, license: MIT, language: zh, shape: {completions: {options: options, answer: answer, completions: null}}}")
    recipe = recipe.replace("from: [exams]", "from: [exams, items]").replace("- objective_pairs", "- option_pairs: {form: sentence}\n      - objective_pairs")
    path = small.make(tmp_path, recipe)
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam("A", "B")])
    small.write_jsonl(tmp_path / "items.jsonl", [{"question": "哪一种？", "options": {"A": "锌", "B": "铁"}, "answer": "B"}])
    building.lock_recipe(str(path))
    built = building.build(str(path))
    rows = pl.concat([pl.read_parquet(built.path / file.path) for file in built.record.configs["preference"]["train"]])
    assert sorted(zip(rows["strategy"], said(rows), strict=True)) == [
        ("objective", ("The answer is A.", "The answer is B.")), ("option", ("正确答案是B。铁", "正确答案是A。锌")),
    ]  # fmt: skip
