"""Labels of pairs: the rules and their order, people who contradict the judges, and a label's way into a release."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st
from review_fixture import desk, make_job

from tilth.annotators import human_plan
from tilth.annotators.human_store import ReviewStore
from tilth.builders import build as building
from tilth.builders.makers.label_pairs import LabelPairs, sides
from tilth.core.errors import RecipeError
from tilth.core.home import home
from tilth.core.rows import conversation, schema
from tilth.core.steps import Made, MakeContext
from tilth.registry.releases import cut


def pair(identity: str, chosen: str = "yes", rejected: str = "no.", margin: float | None = 3.0, **more: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(schema("preference")), "id": identity, "source": "judged", "prompt": conversation([("user", more.pop("asked", identity))]),
        "chosen": conversation([("assistant", chosen)]), "rejected": conversation([("assistant", rejected)]), "margin": margin,
        "chosen_model": "a", "rejected_model": "b", **more,
    }  # fmt: skip


def made(*rows: dict[str, Any], **parameters: Any) -> Made:
    context = MakeContext("preference", 0, pl.DataFrame(), Path("calls.sqlite"), None)
    return LabelPairs(**parameters).make(pl.DataFrame(rows, schema=schema("preference")), context)


@pytest.mark.parametrize(
    ("chosen", "rejected", "margin", "parameters", "wanted"),
    [
        ("yes", "no.", 2.0, {}, "easy"),
        ("yes", "no.", 1.5, {}, "hard"),
        ("yes", "no.", 1.5, {"hard_margin": 1.0}, None),
        ("yes", "no.", 1.0, {"hard_margin": 1.0}, "hard"),
        ("yes", "no.", None, {}, None),
        ("x" * 60, "y" * 30, 2.0, {}, "length"),
        ("x" * 30, "y" * 60, 2.0, {}, "length"),
        ("x" * 59, "y" * 30, 2.0, {}, "easy"),
        ("x" * 60, "y" * 30, None, {}, "length"),
        ("x" * 60, "y" * 30, 2.0, {"length_side": "rejected"}, "easy"),
        ("x" * 30, "y" * 60, 0.5, {"length_side": "chosen"}, "hard"),
        ("", "是", 0.5, {}, "hard"),
        ("多喝水", "多喝水，多休息，如未好转请就医。", 0.5, {}, "length"),
    ],
)
def test_the_rules_in_their_order(chosen: str, rejected: str, margin: float | None, parameters: dict[str, Any], wanted: str | None) -> None:
    assert made(pair("r", chosen, rejected, margin), **parameters).rows["label"].to_list() == [wanted]


def test_people_who_contradict_the_judges_turn_a_pair_round() -> None:
    """UltraMedical's `human`: of the pairs that people agree on, those where the judges preferred the other answer."""
    rows = [
        pair("agreed", "x" * 10, "y" * 11, 0.5),
        pair("contradicted", "x" * 10, "y" * 99, 3.0),
        pair("unseen", "x" * 10, "y" * 11, 3.0),
        pair("p1", "x" * 10, "y" * 11, None, asked="agreed", source="people"),
        pair("p2", "y" * 99, "x" * 10, None, asked="contradicted", source="people"),
        pair("p3", "theirs", "alone", None, source="people"),
    ]
    found = made(*rows, people="people")
    assert found.merged == 2 and not found.fates.height
    assert found.rows.select("id", "label", "margin").rows() == [
        ("agreed", "hard", 0.5), ("contradicted", "human", -3.0), ("unseen", "easy", 3.0), ("p3", None, None),
    ]  # fmt: skip
    turned = found.rows.row(1, named=True)
    assert turned["chosen"] == conversation([("assistant", "y" * 99)]) and (turned["chosen_model"], turned["rejected_model"]) == ("b", "a")

    bench = made(*rows, people="people", unreviewed="drop")
    assert bench.rows["id"].to_list() == ["agreed", "contradicted", "p3"]
    assert bench.fates.select("index", "rule").rows() == [(2, "unreviewed")]
    assert made(pair("kept", label="length"), people="people").rows["label"].to_list() == ["length"]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.text(max_size=9), st.text(max_size=9), st.floats(-10, 10) | st.none(), st.sampled_from(["either", "chosen", "rejected"]))
def test_every_pair_with_a_margin_has_a_label_and_two_sides_have_one_key(chosen: str, rejected: str, margin: float | None, side: str) -> None:
    row = pair("r", chosen, rejected, margin)
    [label] = made(row, length_side=side).rows["label"]
    assert label in ("length", "easy", "hard") if margin is not None else label in ("length", None)
    assert sides(row) == sides({**row, "chosen": row["rejected"], "rejected": row["chosen"]})


@pytest.mark.parametrize(
    ("said", "message"),
    [({"hard_margin": 2.0}, "is not below"), ({"length_ratio": 1.0}, "greater than 1"), ({"unreviewed": "drop"}, "name the source"), ({"easy_margin": -1.0}, "equal to 0")],
)
def test_rules_that_cannot_be_are_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelPairs(**said)


def test_the_label_is_published(tmp_path: Path) -> None:
    path = small.make(tmp_path, small.EMPTIED.replace("exact_dedup: {}", "label_pairs: {length_ratio: 1.5}"))
    long = small.exam("A", "B")
    long["completions"][1]["text"] = "It depends on very many things. The answer is B."
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam("A", "B"), long])
    building.lock_recipe(str(path))
    released = cut(building.build(str(path)).path, "1.0.0", home=home())
    rows = pl.read_parquet(released.files("preference")["train"])
    assert rows.schema["label"] == pl.String and rows["label"].to_list() == [None, "length"]
    path.write_text(path.read_text().replace("length_ratio: 1.5", "people: nobody"))
    with pytest.raises(RecipeError, match="which the corpus does not have"):
        building.lock_recipe(str(path))


def rows_of(built: building.Build) -> dict[str, dict[str, Any]]:
    """The pairs of a build by id."""
    files = built.record.configs["preference"]["train"]
    return {row["id"]: row for file in files for row in pl.read_parquet(built.path / file.path).iter_rows(named=True)}


BENCH = """\
name: clinic
license: cc0-1.0
sources:
  talks: {path: talks.jsonl, license: CC0-1.0, language: en, key: id, shape: {completions: {reference: reference}}}<more>
corpora:
  preference:
    from: [talks<reviewed>]
    steps:
      - judged_pairs: {}<labels>
"""
LABELS = "\n      - label_pairs: {people: reviewed, unreviewed: drop, length_ratio: 9.0, easy_margin: 9.0}"
MORE = """
  reviewed: {path: labels.jsonl, license: CC0-1.0, language: {field: language}, key: id, shape: {pair: {chosen_model: chosen_model, rejected_model: rejected_model}}}"""


def test_from_judged_pairs_over_reviewers_to_a_bench(tmp_path: Path) -> None:
    """A build's pairs are reviewed; what two people agree on comes back as a source; the bench holds those, turned where people say so."""
    words = "zinc helps the body grow and heal wounds".split()  # noqa: SIM905
    talks = [
        {"id": f"t{k}", "question": f"What does zinc do, {k}?", "reference": " ".join(words),
         "completions": [{"model": f"m{n}", "text": " ".join(words[: 3 * n + 2]) + f" ({k})"} for n in range(2)]}
        for k in range(4)
    ]  # fmt: skip
    small.write_jsonl(tmp_path / "talks.jsonl", talks)
    path = tmp_path / "clinic.yaml"
    path.write_text(BENCH.replace("<more>", "").replace("<reviewed>", "").replace("<labels>", ""))
    building.lock_recipe(str(path))
    pairs = rows_of(building.build(str(path)))
    assert {row["chosen_model"] for row in pairs.values()} == {"m1"}

    shown = [{"id": row["id"], "prompt": row["prompt"], "language": "en", "completions": [{"model": row[f"{side}_model"], "text": row[side][-1]["content"]} for side in ("rejected", "chosen")]}
             for row in pairs.values()]  # fmt: skip
    job = make_job(tmp_path / "job", shown)
    ids = sorted(pairs)
    likes = {ids[0]: "m1", ids[1]: "m0", ids[2]: "m1"}
    with desk(job) as made_desk, ReviewStore(home().reviews) as store:
        store.keep_plan("clinic", made_desk.question, human_plan.draw(made_desk.sheets, sample=None))
        for who in ("ann", "bob"):
            for sheet in made_desk.sheets:
                choice = "m0" if sheet.item.id == ids[2] and who == "bob" else likes.get(sheet.item.id)
                order = sheet.order(who, made_desk.seed)
                answer = "cannot_say" if choice is None else "first" if sheet.item.models[order[0]] == choice else "second"
                made_desk.judge({"reviewer": who, "sheet": sheet.key, "order": list(order), "answer": answer, "seconds": 2})
    done = subprocess.run([sys.executable, "-c", "from tilth.cli.main import main; main()", "review", str(job), "--export", str(tmp_path / "labels.jsonl")],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr

    path.write_text(BENCH.replace("<more>", MORE).replace("<reviewed>", ", reviewed").replace("<labels>", LABELS))
    building.lock_recipe(str(path))
    built = building.build(str(path))
    rows = rows_of(built)
    assert set(rows) == {ids[0], ids[1]}, "the two that both reviewers agree on"
    assert (rows[ids[0]]["label"], rows[ids[0]]["chosen"]) == ("hard", pairs[ids[0]]["chosen"])
    assert (rows[ids[1]]["label"], rows[ids[1]]["chosen"], rows[ids[1]]["chosen_model"]) == ("human", pairs[ids[1]]["rejected"], "m0")
    assert built.record.drops["preference"] == {"label_pairs/unreviewed": 2}
