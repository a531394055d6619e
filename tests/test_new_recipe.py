"""`tilth new`: a first recipe from a look at data that nobody has described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import small
from writing_server import WritingServer, writing

from tilth.builders import build as building
from tilth.builders import new_recipe
from tilth.builders.guess import guess
from tilth.builders.shapes.item import Item
from tilth.core.errors import RecipeError, SourceError, TilthError
from tilth.core.recipe import load

__all__ = ["writing"]
LAW = "第一条　为了保护民事主体的合法权益，调整民事关系，维护社会和经济秩序，根据宪法，制定本法。"
RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"id": "a", "Text": LAW}, {"text": {"field": "Text"}}),
    "messages": ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, {"chat": {}}),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
        {"chat": {"messages": "conversations", "role": "from", "text": "value"}},
    ),
    "own roles": (
        {"dialog": [{"role": "当事人", "content": "q"}, {"role": "律师", "content": "a"}]},
        {"chat": {"messages": "dialog", "roles": {"当事人": "user", "律师": "assistant"}}},
    ),
    "alpaca": ({"instruction": "q", "input": "", "output": "a"}, {"qa": {"question": ["instruction", "input"], "answer": "output"}}),
    "exam, options": ({"question": "q", "options": {"A": "对", "B": "错"}, "answer": "错"}, {"prompt": {"options": "options", "answer": "answer"}}),
    "exam, ARC": (
        {"question": "q", "choices": {"text": ["对", "错"], "label": ["A", "B"]}, "answerKey": "B"}, {"prompt": {"options": "choices", "answer": "answerKey"}},
    ),
    "exam, numbers from 1": (
        {"question": "q", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 4}, {"prompt": {"options": ["opa", "opb", "opc", "opd"], "answer": "cop", "base": 1}},
    ),
    "exam, several right": (
        {"question": "q", "option": {"A": "a", "B": "b", "C": "c"}, "answer": "AC"}, {"prompt": {"options": "option", "answer": "answer", "several": True}},
    ),
    "exam, answered": (
        {"question": "q", "options": ["a", "b"], "answer_idx": "A", "output": "It is a."}, {"exam": {"answer": "answer_idx", "reply": "output"}},
    ),
    "options, no key": ({"question": "q", "options": ["a", "b"], "answer": "Both are."}, {"qa": {}}),
    "pairs": ({"instruction": "q", "chosen": "a", "rejected": "b", "messages": []}, {"pair": {"prompt": "instruction"}}),
    "csv dialogue": ({"department": "内科", "title": "t", "ask": "q", "answer": "a"}, {"qa": {"question": ["title", "ask"]}}),
}


def write(folder: Path, *records: dict[str, Any], name: str = "data.jsonl") -> Path:
    small.write_jsonl(folder / name, list(records))
    return folder / name


@pytest.mark.parametrize("published", RECORDS)
def test_published_fields_are_known(published: str, tmp_path: Path) -> None:
    record, shape = RECORDS[published]
    write(tmp_path, *({**record, "nr": number} for number in range(3)))
    assert guess("data.jsonl", tmp_path).entry["shape"] == shape


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        ({"question": "q", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 4}, {"options": ["opa", "opb", "opc", "opd"], "answer": "cop", "base": 1}),
        ({"question": "q", "choices": ["a", "b"], "answer": "b"}, {"options": "choices"}),
        ({"question": "q", "choices": ["a", "b"], "answer": ""}, {"options": "choices", "answer": None}),
        ({"question": "q", "option": {"A": "a", "B": "b"}, "answer": "AB"}, {"options": "option", "answer": None}),
        ({"question": "q", "answer": "an open one"}, {}),
    ],
)
def test_the_key_of_a_test_set_is_read_or_left_out(record: dict[str, Any], shape: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, *({**record, "nr": number} for number in range(3)))
    found = guess("data.jsonl", tmp_path, benchmark=True).entry["shape"]
    assert found == {"item": shape} and Item(**shape).content(record)["question"] == "q"


def test_what_is_written_builds(tmp_path: Path) -> None:
    write(tmp_path, *({"id": f"l{i}", "text": f"{LAW}第{i}款。", "license": "CC0-1.0", "lang": "zh"} for i in range(6)), name="laws.jsonl")
    write(tmp_path, *({"question": f"合同无效时怎么办，第{i}种？", "answer": "应当返还财产。"} for i in range(6)), name="questions.jsonl")
    exams = ({"question": f"合同无效，第{i}题？", "choices": ["返还", "赔偿", f"第{i}项"], "answer": "AB" if i == 0 else "C"} for i in range(6))
    write(tmp_path, *exams, name="practice.jsonl")
    write(tmp_path, {"question": LAW, "A": "对", "B": "错", "C": "无", "D": "都", "answer": "A"}, name="exam.jsonl")
    path = tmp_path / "law.yaml"
    new_recipe.write(path, "law", ["laws.jsonl", "questions.jsonl", "practice.jsonl"], ["exam.jsonl"], root=tmp_path, domain="中国法律: 民法", license="cc0-1.0")
    recipe = load(str(path)).recipe
    assert recipe.title == "中国法律: 民法: a corpus" and recipe.sources["questions"].license == "cc0-1.0"
    building.lock_recipe(str(path))
    record = building.build(str(path)).record
    lines = {(line.corpus, line.step): line for line in record.funnel}
    assert lines["cpt", "decontaminate"].dropped  # each of the laws holds the exam's question
    assert lines["sft", "read"].rows_out == 6
    assert lines["preference", "option_pairs"].dropped == 1 and lines["preference", "option_pairs"].rows_out == 5  # a key of two options makes no pair


def test_a_recipe_is_never_written_over(tmp_path: Path) -> None:
    write(tmp_path, {"text": LAW})
    path = tmp_path / "law.yaml"
    path.write_text("mine")
    with pytest.raises(RecipeError, match="is there already"):
        new_recipe.write(path, "law", ["data.jsonl"], root=tmp_path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "said", "match"),
    [
        ("Law!", {}, "no name for a dataset"),
        ("../law", {}, "no name for a dataset"),
        ("law", {"license": "no-such-licence"}, "license"),
        ("law", {"language": "Chinese please"}, "language"),
    ],
)
def test_what_no_recipe_may_say_is_refused(name: str, said: dict[str, str], match: str, tmp_path: Path) -> None:
    write(tmp_path, {"text": LAW})
    with pytest.raises(TilthError, match=match):
        new_recipe.write(tmp_path / "law.yaml", name, ["data.jsonl"], root=tmp_path, **said)
    assert not (tmp_path / "law.yaml").exists()


def test_unknown_fields_are_listed(tmp_path: Path) -> None:
    write(tmp_path, {"blob\x1b[31m": 1, "n": 2})
    with pytest.raises(SourceError, match="no field says") as caught:
        guess("data.jsonl", tmp_path)
    assert "blob [31m" in str(caught.value.hint)


def test_hostile_names_stay_data(tmp_path: Path) -> None:
    """Names of files and fields, and the domain, come into the recipe as text, whatever they hold."""
    odd = 'a: {b}\n# "c"'
    write(tmp_path, {"text": LAW, "id": odd}, name="x'y\": {z}.jsonl")
    new_recipe.write(tmp_path / "law.yaml", "law", ["x'y\": {z}.jsonl"], root=tmp_path, domain=odd)
    recipe = load(str(tmp_path / "law.yaml")).recipe
    assert recipe.title == f"{odd}: a corpus" and [source.path for source in recipe.sources.values()] == ["x'y\": {z}.jsonl"]


def test_a_model_writes_questions_from_documents(writing: WritingServer, tmp_path: Path) -> None:
    write(tmp_path, *({"id": i, "text": "\n\n".join(f"第{n}条　{LAW * 8}" for n in range(12 * i, 12 * i + 12))} for i in range(4)))
    path = tmp_path / "law.yaml"
    model = {"openai": {"model": "gpt-4.1", "base_url": writing.openai_url, "input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
    new_recipe.write(path, "law", ["data.jsonl"], root=tmp_path, domain="中国法律", language="zh", model=model)
    building.lock_recipe(str(path))
    build = building.build(str(path))
    assert set(build.record.configs) >= {"cpt", "sft", "judgements"}
    lines = {line.step: line for line in build.record.funnel if line.corpus == "sft"}
    assert lines["read"].rows_out > 8  # passages of four documents
    assert lines["answers"].rows_out > 0 and "中国法律" in writing.bodies[0]["messages"][0]["content"] + writing.bodies[0]["messages"][-1]["content"]


def test_the_chinese_laws(data: Path, tmp_path: Path) -> None:
    """Another domain, on real text: written, locked, built; nearly all of it is kept."""
    path = tmp_path / "law.yaml"
    new_recipe.write(path, "law", ["cpt_raw_mix/cn_laws-*.jsonl.zst"], root=data, domain="中国法律")
    building.lock_recipe(str(path), data)
    record = building.build(str(path), data_root=data, limit=300, workers=2).record
    read, held = record.funnel[0], record.funnel[-1]
    assert read.rows_out == 300 and held.rows_out > 0.9 * read.rows_out
    assert json.dumps(record.recipe, ensure_ascii=False).count("中国法律")
