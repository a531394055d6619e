"""Benchmarks that a task of lm-eval names: read as data at locking, its dataset pinned on a Hub on loopback, built without lm-eval."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from hub_server import Blob, HubServer, Repository, hub_here

from tilth.builders import build as building
from tilth.builders.contamination_review import review
from tilth.builders.lm_eval_files import files_of
from tilth.builders.lm_eval_source import templates
from tilth.builders.lm_eval_tasks import folder_of, read_task
from tilth.builders.records import BadRecord
from tilth.builders.shapes.templates import Templates
from tilth.core.errors import LockError, SourceError, TilthError
from tilth.core.recipe import Task

QUESTION = "Which organ of the body filters the blood and makes urine out of what it takes from it?"
SHARED = """\
dataset_path: org/exams
test_split: test
doc_to_text: "{{question.strip()}}\\nA. {{choices[0]}}\\nB. {{choices[1]}}\\nAnswer:"
doc_to_choice: ["A", "B"]
doc_to_target: answer
process_results: !function scores.of
"""
ANATOMY = 'include: _shared_yaml\ntask: exam_anatomy\ntag: exam_tag\ndataset_name: anatomy\n'
RECIPE = small.RECIPE.replace("      - normalize: {}\n      - gopher_quality: {min_words: 8}\n", "      - decontaminate: {}\n").replace(
    "  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, shape: {qa: {}}}\n", ""
).replace("  sft:\n    from: [talks]\n    steps:\n      - normalize: {}\n", "") + "benchmarks:\n  exam: {lm_eval: exam_anatomy, tasks: evals, license: MIT, language: en}\n"


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(out)
    return out.getvalue()


EXAM = [{"question": f" {QUESTION}", "choices": ["kidney", "spleen"], "answer": 0}]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_here(tmp_path, monkeypatch) as running:
        running.repositories["org/exams"] = Repository(private=False)
        put(running, {"anatomy/test-00000-of-00001.parquet": parquet(EXAM), "anatomy/dev-00000-of-00001.parquet": parquet(EXAM * 3)})
        yield running


def put(hub: HubServer, files: dict[str, bytes], branch: str = "main") -> str:
    return hub.repositories["org/exams"].commit(branch, {name: Blob(data) for name, data in files.items()}, "data").oid


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / (name if name.startswith("_") else f"{name}.yaml")).write_text(text, encoding="utf-8")
    return folder


def recipe(tmp_path: Path, said: str = RECIPE, **files: str) -> Path:
    path = small.make(tmp_path, said)
    small.write_jsonl(tmp_path / "notes.jsonl", [*small.notes(), {"id": "leak", "text": f"Some notes. {QUESTION} The kidney."}])
    write(tmp_path / "evals", **(files or {"_shared_yaml": SHARED, "exam_anatomy": ANATOMY}))
    return path


def locked(path: Path) -> dict[str, Any]:
    """The benchmark as the written lock has it."""
    building.lock_recipe(str(path))
    return json.loads(path.with_suffix(".lock").read_text(encoding="utf-8"))["sources"]["exam"]  # type: ignore[no-any-return]


def test_a_task_is_locked_and_built_without_its_files(hub: HubServer, tmp_path: Path) -> None:
    path = recipe(tmp_path)
    source = locked(path)
    assert source["path"] == "hf://datasets/org/exams/anatomy/test-*.parquet"
    assert source["revision"] == hub.repositories["org/exams"].branches["main"]
    assert source["rows"] == 1
    assert sorted(source["task"]["files"]) == ["_shared_yaml", "exam_anatomy.yaml"]
    assert source["task"]["shape"]["templates"]["options"] == ["{{choices[0]}}", "{{choices[1]}}"]
    shutil.rmtree(tmp_path / "evals")
    put(hub, {"anatomy/test-00000-of-00001.parquet": parquet(EXAM * 2)})
    building.build(str(path))
    [hit] = review(str(path)).hits
    assert (hit.benchmark, hit.item, hit.fate, hit.question) == ("exam", "1", "dropped", QUESTION)


def test_a_build_refuses_another_task_or_a_changed_file(hub: HubServer, tmp_path: Path) -> None:
    path = recipe(tmp_path)
    locked(path)
    write(tmp_path / "evals", _shared_yaml=SHARED.replace("question.strip()", "question"))
    with pytest.raises(LockError, match="_shared_yaml of task exam_anatomy is not what was locked"):
        building.layout(str(path))
    path.write_text(RECIPE.replace("exam_anatomy", "exam_other"), encoding="utf-8")
    with pytest.raises(LockError, match="the recipe says lm_eval: exam_other, the lock exam_anatomy"):
        building.layout(str(path))
    path.write_text(RECIPE.replace("lm_eval: exam_anatomy", "path: exam.jsonl, shape: {item: {}}").replace("tasks: evals, ", ""), encoding="utf-8")
    with pytest.raises(LockError, match=r"the recipe says exam\.jsonl"):
        building.layout(str(path))


@pytest.mark.parametrize(
    ("readme", "file", "wanted"),
    [
        ("---\nconfigs:\n- config_name: anatomy\n  data_files:\n  - {split: test, path: e/a*.jsonl}\n---\n", "e/a1.jsonl", "e/a*.jsonl"),
        ("---\nconfigs:\n- config_name: anatomy\n  data_dir: v2\n---\n", "v2/anatomy/test.jsonl", "v2/anatomy/test.jsonl"),
        ("---\nconfigs:\n- {config_name: anatomy, data_files: [{split: test, path: e/test-*}]}\n---\n", "e/test-00.parquet", "e/test-*.parquet"),
        ("no header", "anatomy/test/0000.parquet", "anatomy/test/*.parquet"),
        ("---\n: [\n---\n", "data/anatomy/testing.csv", "data/anatomy/testing.csv"),
    ],
)
def test_the_files_of_a_config_and_split_are_found(hub: HubServer, readme: str, file: str, wanted: str) -> None:
    put(hub, {"README.md": readme.encode(), file: b""})
    put(hub, {file: b""}, "refs/convert/parquet")
    config = {"task": "exam", "dataset_path": "org/exams", "dataset_name": "anatomy", "test_split": "test"}
    assert files_of("exam", config, None) == f"hf://datasets/org/exams/{wanted}"
    if "configs" not in readme:
        assert files_of("exam", config, "refs/convert/parquet") == f"hf://datasets/org/exams@refs%2Fconvert%2Fparquet/{wanted}"


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        (ANATOMY.replace("dataset_name: anatomy", "dataset_name: botany"), "no data files of botany test split"),
        (ANATOMY + "test_split: null\n", "is no split"),
        (ANATOMY + "dataset_path: org/nobody\n", "no such dataset"),
        (ANATOMY + "dataset_path: exams\n", "is none of the Hub"),
        (ANATOMY + "doc_to_text: !function prompts.text\n", r"doc_to_text is Python \(prompts.text\), which is not run"),
        (ANATOMY + "process_docs: !function prompts.docs\n", r"process_docs is Python \(prompts.docs\), which is not run"),
        (ANATOMY + "doc_to_text: '{{question'\n", "is no template"),
        (ANATOMY.replace("exam_anatomy", "exam_other"), "no task 'exam_anatomy'"),
        ("include: ../small.yaml\ntask: exam_anatomy\n", "outside of the tasks' folder"),
        ("include: exam_anatomy.yaml\ntask: exam_anatomy\n", "includes itself"),
        ("task: exam_anatomy\nx: !!python/object/apply:os.system ['true']\n", "not YAML"),
        ("task: exam_anatomy\nx: !!timestamp yesterday\n", "not YAML"),
        ('task: exam_anatomy\ndoc_to_text: "\\ud800{{q}}"\n', "JSON does not have"),
        ("task: exam_anatomy\nx: &a {b: 1}\ny: {<<: *a}\n", "not YAML"),
        ("group: exam_anatomy\ntask: [one, {task: two}]\n", "is a group of 2 tasks"),
    ],
)
def test_what_cannot_be_read_is_said(hub: HubServer, tmp_path: Path, task: str, wanted: str) -> None:
    path = recipe(tmp_path, _shared_yaml=SHARED, exam_anatomy=task)
    with pytest.raises(TilthError, match=wanted) as caught:
        locked(path)
    assert caught.value.exit_code == 2


def test_a_loading_script_is_refused(hub: HubServer, tmp_path: Path) -> None:
    put(hub, {"exams.py": b"raise SystemExit(1)"})
    with pytest.raises(SourceError, match=r"only a loading script \(exams.py\), which is not run"):
        locked(recipe(tmp_path))


def test_local_files_of_a_task(tmp_path: Path) -> None:
    task = SHARED.replace("org/exams", "json") + "task: exam_anatomy\ndataset_kwargs: {data_files: {test: exam.jsonl}}\n"
    path = recipe(tmp_path, exam_anatomy=task)
    small.write_jsonl(tmp_path / "exam.jsonl", EXAM)
    assert locked(path)["path"] == "exam.jsonl"


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"doc_to_text": "goal", "doc_to_choice": "{{[a, b]}}", "doc_to_target": "label"},
         {"question": "goal", "options": "{{[a, b]}}", "answer": "label"}),
        ({"doc_to_text": "Instructions.\n\n问题：{{q}}\n(A) {{a}} (B) {{b}}\n答案：", "doc_to_target": "key"},
         {"question": "{{q}}", "options": ["{{a}}", "{{b}}"], "answer": "key"}),
        ({"doc_to_text": "{{q}}", "doc_to_decontamination_query": "Question: {{stem}}\nAnswer:", "doc_to_choice": ["yes", "maybe"], "doc_to_target": 1},
         {"question": "{{stem}}", "options": ["yes", "maybe"], "answer": 1}),
        ({"doc_to_text": "What is the capital of {{country}}?", "doc_to_target": "{{city}}"},
         {"question": "What is the capital of {{country}}?", "answer": "{{city}}"}),
    ],
)  # fmt: skip
def test_a_prompt_is_parted_into_question_and_options(config: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert templates("exam", config) == wanted


RECORD = {"q": " 肾脏的功能？ ", "a": "滤过", "b": "造血", "n": 1, "list": ["x", "y"], "text": "y", "none": None}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"options": ["{{a}}", "{{b}}"], "answer": "n"}, "B"),
        ({"options": "list", "answer": "text"}, "B"),
        ({"options": "{{list}}", "answer": "{{['x', 'y'].index(text)}}"}, "B"),
        ({"options": "list", "answer": -1}, None),
        ({"options": "list", "labels": ["甲", "乙"], "answer": 0}, "甲"),
        ({"answer": "{{n + 1}}"}, "2"),
        ({"answer": "none"}, None),
    ],
)
def test_an_item_by_templates(said: dict[str, Any], answer: str | None) -> None:
    item = Templates(question="{{q}}", **said).content(RECORD)
    assert item["question"] == "肾脏的功能？"
    assert item["answer"] == answer


@pytest.mark.parametrize(
    "template",
    ["{{q.__class__.__mro__}}", "{{'a' * 10000000000}}", "{{'%10000000000d' % 1}}", "{{'{:>10000000000}'.format(1)}}", "{{9 ** 9 ** 9}}",
     "{{list.append(1)}}", "{% for i in range(9) %}{{i}}{% endfor %}", "{{nothing}}", "nothing", "{{q.nothing}}", "{{n / 0}}", "{{list}}"],
)  # fmt: skip
def test_a_template_that_does_not_fit_or_goes_too_far_fails_its_record(template: str) -> None:
    with pytest.raises(BadRecord):
        Templates(question=template).content(RECORD)
    assert RECORD["list"] == ["x", "y"]


def test_tasks_of_the_installed_lm_eval(tmp_path: Path) -> None:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-eval is not installed")
    task = Task(lm_eval="mmlu_anatomy", license="MIT")
    assert folder_of(task, tmp_path) is not None
    made = templates("exam", read_task("exam", task, tmp_path).config)
    assert made["question"] == "{{question.strip()}}"
    assert len(made["options"]) == 4
    with pytest.raises(SourceError, match="is Python"):
        templates("exam", read_task("exam", Task(lm_eval="medqa_4options", license="MIT"), tmp_path).config)
