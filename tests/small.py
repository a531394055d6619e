"""A small recipe with its data in a folder: what the build tests change and break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from tilth.builders import build as building

RECIPE = """\
name: small
license: cc0-1.0
sources:
  notes: {path: notes.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, shape: {qa: {}}}
corpora:
  cpt:
    from: [notes]
    steps:
      - normalize: {}
      - gopher_quality: {min_words: 8}
  sft:
    from: [talks]
    steps:
      - normalize: {}
"""
SENTENCES = (
    "The nurse said that the patient should rest and drink water with every meal of the day.",
    "A farmer of the valley keeps the seeds dry and sows them with care when the frost is over.",
    "The judge read the contract and asked that both of the parties be heard before noon.",
    "Rain fell over the harbour, and the boats that had left with the tide turned back to port.",
    "Too short to be kept.",
)


def notes() -> list[dict[str, Any]]:
    """Documents: the last is too short, two are equal."""
    rows = [{"id": f"n{i}", "text": f"{text} It was the {i}th of the month."} for i, text in enumerate(SENTENCES[:4])]
    return [*rows, {"id": "n4", "text": SENTENCES[4]}]


def talks() -> list[dict[str, Any]]:
    """Questions and answers without keys; the first two are equal."""
    return [{"question": q, "answer": a} for q, a in [("头痛怎么办？", "多休息。"), ("头痛怎么办？", "多休息。"), ("发烧呢？", "多喝水。")]]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """One object a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def make(folder: Path, recipe: str = RECIPE) -> Path:
    """The recipe and its data in `folder`; the recipe's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "notes.jsonl", notes())
    write_jsonl(folder / "talks.jsonl", talks())
    path = folder / "small.yaml"
    path.write_text(recipe, encoding="utf-8")
    return path

EMPTIED = """\
name: emptied
license: cc0-1.0
sources:
  exams: {path: exams.jsonl, license: CC0-1.0, language: en, shape: {completions: {options: options, answer: answer}}}
corpora:
  preference:
    from: [exams]
    steps:
      - objective_pairs: {}
      - exact_dedup: {}
"""


def exam(right: str, wrong: str) -> dict[str, Any]:
    """A question with key A and two completions that conclude on the given letters."""
    completions = [{"model": "m1", "text": f"The answer is {right}."}, {"model": "m2", "text": f"The answer is {wrong}."}]
    return {"question": "Which?", "options": {"A": "one", "B": "two"}, "answer": "A", "completions": completions}


def rows(build: building.Build, config: str) -> pl.DataFrame:
    """The rows of a config, of all its splits."""
    return pl.concat([pl.read_parquet(build.path / file.path) for files in build.record.configs[config].values() for file in files])


def made(path: Path) -> building.Build:
    """A build of the recipe, locked first."""
    building.lock_recipe(str(path))
    return building.build(str(path))
