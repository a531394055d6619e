"""Repeated lines: counted in rows over the whole corpus, removed where asked, the rest of a text as it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.core.batch import Batch
from tilth.core.home import home
from tilth.core.rows import schema
from tilth.core.steps import Context, Revised
from tilth.filters import pieces, repeats
from tilth.filters.line_dedup import LineDedup
from tilth.filters.repeats import repeated

CONTEXT = Context("cpt", 0, pl.DataFrame())
FOOTER = "Copyright by the Valley Press, all rights reserved"


def revised(step: LineDedup, *parts: list[str]) -> list[Revised]:
    """What the step leaves of shards of texts."""
    rows = [pl.DataFrame({"text": part}, schema={"text": pl.String}) for part in parts]
    signals = [step.measure(Batch(one, "cpt"), CONTEXT) for one in rows]
    return [step.revise(one, mine, known, CONTEXT) for one, mine, known in zip(rows, signals, step.survey(signals), strict=True)]


def left(step: LineDedup, *parts: list[str]) -> list[str]:
    return [text for one in revised(step, *parts) for text in one.rows["text"].to_list()]


def test_a_line_of_many_rows_goes_out_of_all() -> None:
    texts = [f"The story of farmer {name}, as he told it.\n\n{FOOTER}.\nThe end" for name in ("Ada", "Bo", "Cy", "Di")]
    texts[2] = texts[2].replace(FOOTER, FOOTER.upper() + "!")
    assert left(LineDedup(max_rows=3), texts[:2], texts[2:]) == [text.replace(f"{FOOTER}.\n", "").replace(f"{FOOTER.upper()}!.\n", "") for text in texts]
    assert left(LineDedup(max_rows=4), texts[:2], texts[2:]) == texts
    first = left(LineDedup(max_rows=3, keep="first"), texts[:2], texts[2:])
    assert [FOOTER.lower() in text.lower() for text in first] == [True, False, False, False]
    assert left(LineDedup(max_rows=3, min_tokens=9), texts) == texts, "eight words are too few"


def test_rows_of_which_nothing_is_left_go() -> None:
    [one] = revised(LineDedup(max_rows=1), [FOOTER, f"{FOOTER}\n", f"{FOOTER}\nA text of its own that stands in one row alone.", "", "one two"])
    assert one.rows["text"].to_list() == ["A text of its own that stands in one row alone.", "", "one two"]
    assert one.fates.select("index", "rule", "value").rows() == [(0, "nothing_left", "1"), (1, "nothing_left", "1")]
    assert one.changed.select("index", "removed_pieces", "removed").rows() == [(i, 1, [FOOTER]) for i in range(3)]
    [two] = revised(LineDedup(max_rows=1, max_removed_share=0.3), [FOOTER + " and more", f"{FOOTER} and more\nA text of its own."])
    assert two.fates["rule"].to_list() == ["nothing_left", "mostly_repeated"]


def test_digits_may_count_as_one() -> None:
    texts = ["Page 3 of 9 of the report\nOne text here is this.", "Page 4 of 9 of the report\nAnother text here is that."]
    assert left(LineDedup(max_rows=1), texts) == texts
    assert left(LineDedup(max_rows=1, fold_digits=True), texts) == ["One text here is this.", "Another text here is that."]


def test_paragraphs_and_chinese() -> None:
    shared = "本文由健康网编辑整理，\n转载请注明出处。"
    texts = [f"{name}的病人应该多休息。\n\n{shared}\n\n再见。" for name in ("感冒", "头痛")]
    assert left(LineDedup(unit="paragraph", max_rows=1), texts) == [text.replace(f"{shared}\n\n", "") for text in texts]
    assert left(LineDedup(unit="line", max_rows=1), texts) == ["感冒的病人应该多休息。\n\n再见。", "头痛的病人应该多休息。\n\n再见。"]


def test_runs_of_three_sentences_as_c4() -> None:
    step = LineDedup(unit="sentences3", max_rows=1, keep="first")
    run = "We met at the gate. He spoke of rain! Did she hear him?"
    texts = [f"One day in May. {run} Then they left.", f"Another day. {run} Nobody knows."]
    assert left(step, texts) == [texts[0], "Another day. Nobody knows."]
    two = [text.replace("Did she hear him? ", "") for text in texts]
    assert left(step, two) == two


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.lists(st.lists(st.lists(st.integers(0, 6), max_size=5), max_size=4), max_size=4), st.integers(1, 3), st.booleans(), st.integers(1, 8)
)
def test_what_is_repeated_equals_counting(parts: list[list[list[int]]], most: int, first: bool, size: int) -> None:
    rows = [row for part in parts for row in part]
    counts = Counter(key for row in rows for key in set(row) if key)
    seen: set[int] = set()
    expected = [not (counts[key] <= most or (first and key not in seen and not seen.add(key))) for row in rows for key in row]  # type: ignore[func-returns-value]
    keys = [np.array([key for row in part for key in row], np.uint64) for part in parts]
    before, repeats.SLICE = repeats.SLICE, size
    try:
        found = repeated(keys, [np.array([len(row) for row in part], np.int64) for part in parts], most, first)
    finally:
        repeats.SLICE = before
    assert [value for one in found for value in one.tolist()] == expected
    assert [len(one) for one in found] == [len(one) for one in keys]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab .!?。！\n\"”胃"), max_size=40), st.sampled_from(["line", "paragraph", "sentence"]))
def test_pieces_are_all_of_a_text(text: str, kind: Any) -> None:
    found = pieces.begins(text, kind)
    assert found == sorted(set(found)) and found[:1] == [0][: len(text)]
    assert "".join(text[a:b] for a, b in zip(found, [*found[1:], len(text)], strict=False)) == text


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a b", "A  B!", "c d e", "胃痛", "", "..."]), max_size=5).map("\n".join), max_size=6), st.integers(1, 3))
def test_lines_that_go_are_those_of_more_rows(texts: list[str], most: int) -> None:
    """Against the plain way: lines by what they say, counted in rows."""
    said = {"a b": "a b", "A  B!": "a b", "c d e": "c d e", "胃痛": "胃 痛"}
    counts = Counter(word for text in texts for word in {said[line] for line in text.split("\n") if line in said})
    expected = []
    for text in texts:
        lines = text.split("\n")
        kept = [line for line in lines if counts.get(said.get(line, ""), 0) <= most]
        if len(kept) == len(lines):
            expected.append(text)
        elif stripped := "\n".join(kept).strip():
            while "\n\n\n" in stripped:
                stripped = stripped.replace("\n\n\n", "\n\n")
            expected.append(stripped)
    assert left(LineDedup(max_rows=most, min_tokens=2), texts) == expected


RECIPE = small.RECIPE.replace("      - gopher_quality: {min_words: 8}\n", "      - line_dedup: {max_rows: 2}\n      - gopher_quality: {min_words: 8, max_words: 27}\n")


def make(folder: Path, recipe: str = RECIPE) -> Path:
    path = small.make(folder, recipe)
    notes = [{**note, "text": f"{note['text']}\n{FOOTER}."} for note in small.notes()]
    small.write_jsonl(folder / "notes.jsonl", [*notes, {"id": "n5", "text": FOOTER}])
    building.lock_recipe(str(path))
    return path


def test_a_build_measures_what_is_left(tmp_path: Path) -> None:
    """Ids stay, the ledger adds up, the next rule sees the text without the footer, and trace shows what went."""
    path = make(tmp_path)
    built = building.build(str(path))
    rows = pl.read_parquet(built.path / "cpt" / "*.parquet")
    assert not any(FOOTER in text for text in rows["text"].to_list())
    lines = {line.step: line for line in built.record.funnel if line.corpus == "cpt"}
    assert [line.step for line in built.record.funnel if line.corpus == "cpt"] == ["read", "normalize", "line_dedup", "gopher_quality"]
    assert (lines["line_dedup"].rows_in, lines["line_dedup"].dropped, lines["line_dedup"].rows_out) == (6, 1, 5)
    drops = pl.read_parquet(built.path / "drops" / "*.parquet").filter(pl.col("corpus") == "cpt")
    assert ("line_dedup", "nothing_left", "1") in drops.select("step", "rule", "value").rows()
    assert "long_document" not in drops["rule"].to_list(), "without the footer no text is longer than 27 words"
    steps = trace(home(), "small", rows["id"][0])["steps"]
    [change] = [step["signals"] for step in steps if "removed" in step["signals"]]
    assert change["removed"] == [f"{FOOTER}."] and change["removed_pieces"] == 1
    original = pl.read_parquet(built.path / "cpt" / "*.parquet", columns=["id", "content_hash"])
    assert original["content_hash"].n_unique() == rows.height and set(schema("cpt")) >= set(rows.columns)


def test_another_limit_does_not_fold_again(tmp_path: Path) -> None:
    path = make(tmp_path)
    building.build(str(path))
    assert building.build(str(path)).stages_run == 0
    path.write_text(RECIPE.replace("max_rows: 2", "max_rows: 9"))
    waiting = [line.work for line in plan(building.layout(str(path))) if line.to_run]
    assert set(waiting) == {"cpt line_dedup", "cpt gopher_quality", "cpt decide", "cpt write"}
    assert building.build(str(path)).record.drops["cpt"]["gopher_quality/long_document"] == 4


def test_only_survivors_are_counted(tmp_path: Path) -> None:
    """Rows that an earlier step took do not make a line frequent: of six with the footer one comes so far."""
    lines = "      - line_dedup: {max_rows: 2}\n"
    recipe = RECIPE.replace(lines, "      - gopher_quality: {max_words: 20, min_words: 1}\n" + lines)
    rows = pl.read_parquet(building.build(str(make(tmp_path, recipe))).path / "cpt" / "*.parquet")
    assert [FOOTER in text for text in rows["text"].to_list()] == [True]


def test_the_same_on_two_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = building.build(str(make(tmp_path / "a")))
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "other"))
    two = building.build(str(make(tmp_path / "b")), workers=2)
    assert one.record.digest() == two.record.digest()
