"""People as judges: sheets and orders, the plan, the table they share with models, agreement and the labels they share."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_fixture import desk, make_job, record, sheets_of

from tilth.annotators import human, human_plan, human_table
from tilth.annotators.collector import JUDGEMENTS
from tilth.annotators.human_agreement import agreement, kappa
from tilth.annotators.human_labels import human_labels
from tilth.annotators.human_store import ReviewStore, Verdict
from tilth.annotators.question import Item
from tilth.builders import job_rows
from tilth.core.errors import StorageError
from tilth.core.home import home
from tilth.review.marks import texts, tree

PROBE = "from tilth.cli.main import main; main()"


def tilth(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROBE, *map(str, arguments)], capture_output=True, text=True, check=False)


def said(path: Path, choices: dict[str, dict[str, str | None]]) -> None:
    """Have reviewers choose: reviewer → row → model it prefers, `tie`, or None for cannot say."""
    with desk(path) as made:
        for reviewer, rows in choices.items():
            for sheet in made.sheets:
                if sheet.item.id in rows:
                    order = sheet.order(reviewer, made.seed)
                    choice = rows[sheet.item.id]
                    first = sheet.item.models[order[0]] == choice
                    answer = "cannot_say" if choice is None else "tie" if choice == "tie" else "first" if first else "second"
                    made.judge({"reviewer": reviewer, "sheet": sheet.key, "order": list(order), "answer": answer, "seconds": 2})


def test_each_reviewer_has_an_order_of_their_own_and_the_same_twice(tmp_path: Path) -> None:
    _, shown = sheets_of(make_job(tmp_path, [record(n) for n in range(64)]))
    orders = {name: [sheet.order(name, 0) for sheet in shown] for name in ("ann", "bob")}
    assert orders["ann"] == [sheet.order("ann", 0) for sheet in shown] != orders["bob"]
    assert 16 < sum(order == (0, 1) for order in orders["ann"]) < 48
    _, again = sheets_of(make_job(tmp_path, [record(n) for n in reversed(range(64))]))
    assert [sheet.key for sheet in again] == [sheet.key for sheet in shown], "a sample does not hang on the order of the rows"


def test_every_pair_of_many_candidates_is_a_sheet_and_another_text_another_sheet(tmp_path: Path) -> None:
    one = record(1)
    one["completions"].append({"model": "third", "text": "Perhaps."})
    _, shown = sheets_of(make_job(tmp_path, [one]))
    assert sorted(sheet.shown for sheet in shown) == [(0, 1), (0, 2), (1, 2)]
    one["completions"][2]["text"] = "Perhaps not."
    _, after = sheets_of(make_job(tmp_path, [one]))
    assert len({sheet.key for sheet in shown} & {sheet.key for sheet in after}) == 1


def test_people_stand_in_the_same_table_and_judging_again_keeps_them(tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n, reference="Zinc helps growth.") for n in range(3)])
    said(path, {"ann": {"row-0": "good", "row-1": "tie", "row-2": None}})
    for _ in range(2):
        assert tilth("annotate", path, "-q").returncode == 0
        table = pl.read_parquet(tmp_path / "judged.parquet")
        assert table.schema == pl.Schema(JUDGEMENTS)
        people = table.filter(human.is_human()).select("row_id", "candidate", "value", "status", "is_llm", "question").unique()
        assert sorted(people.rows()) == sorted(
            [("row-0", "good", 1.0, "ok", False, "pairwise@1"), ("row-0", "bad", 0.0, "ok", False, "pairwise@1")]
            + [("row-1", name, 0.5, "ok", False, "pairwise@1") for name in ("good", "bad")]
            + [("row-2", name, None, "refused", False, "pairwise@1") for name in ("good", "bad")]
        )
        assert table["judge"].unique().sort().to_list() == ["baseline", "human/ann"]
    said(path, {"ann": {"row-0": "bad"}})  # said again: the last word holds
    job, _ = sheets_of(path)
    table = human_table.write(job.output_path, None, rows=job_rows.of_file(job), question=job.question, seed=0, reviews=home().reviews)
    assert table.filter(pl.col("judge") == "baseline").height == 6
    assert table.filter(human.is_human(), pl.col("row_id") == "row-0", pl.col("value") == 1)["candidate"].to_list() == ["bad"]


def test_a_sample_is_drawn_once_and_what_is_judged_stays(tmp_path: Path) -> None:
    _, shown = sheets_of(make_job(tmp_path, [record(n) for n in range(20)]))
    five = human_plan.draw(shown, sample=5)
    assert [sheet.key for sheet in human_plan.listed(five, shown)] == [sheet.key for sheet in shown[:5]]
    assert human_plan.draw(shown, sample=8).sheets[:5] == five.sheets
    late = shown[17].key
    assert human_plan.draw(shown, sample=2, judged={late}).sheets == (late, shown[0].key)
    assert human_plan.draw(shown, sample=1, judged={s.key for s in shown[:3]}).sheets == tuple(s.key for s in shown[:3])
    everything = human_plan.draw(shown[:10], sample=None)
    assert human_plan.listed(everything, shown) == shown, "a plan over all takes in new rows"


def test_disagreements_come_first_and_people_do_not_make_them(tmp_path: Path) -> None:
    _, shown = sheets_of(make_job(tmp_path, [record(n) for n in range(4)]))
    lines = []

    def vote(row: str, judge: str, order: str, good: float) -> None:
        for candidate, value in (("good", good), ("bad", 1 - good)):
            lines.append({"row_id": row, "question": "pairwise@1", "judge": judge, "is_llm": not judge.startswith("human/"),
                          "order": order, "candidate": candidate, "value": value, "status": "ok"})  # fmt: skip

    for row in ("row-0", "row-1", "row-2", "row-3"):
        vote(row, "a", "0,1", 1.0)
        vote(row, "a", "1,0", 0.0 if row == "row-2" else 1.0)  # turns with the order
        vote(row, "b", "0,1", 0.5 if row == "row-3" else 1.0)
        vote(row, "human/ann", "0,1", 0.0 if row == "row-0" else 1.0)
    plan = human_plan.draw(shown, sample=3, judgements=pl.DataFrame(lines, schema=JUDGEMENTS))
    rows = [sheet.item.id for sheet in human_plan.listed(plan, shown)]
    assert rows[:2] == ["row-2", "row-3"] and rows[2] == next(s.item.id for s in shown if s.item.id in ("row-0", "row-1"))


def test_agreement_in_known_figures() -> None:
    assert kappa([(0, 0)] * 20 + [(0, 1)] * 5 + [(1, 0)] * 10 + [(1, 1)] * 15) == pytest.approx(0.4)
    assert kappa([(0.5, 0.5)]) is None
    # Krippendorff's own example (2011), three observers: nominal 0.691, interval 0.811
    rows = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]
    for question, wanted in (("pairwise", 0.691), ("quality", 0.811)):
        scale = None if question == "pairwise" else (1, 4)
        item = Item("r", (), (), (), (), None, None, "en")
        shown = [human.Sheet(f"s{place}", question, item, (), "", scale) for place in range(15)]
        given = [Verdict(f"o{number}", f"s{place}", "r", (0, 1) if scale is None else (), (float(mark), 0.0) if scale is None else (float(mark),))
                 for number, row in enumerate(rows) for place, mark in enumerate(row) if mark != "*"]  # fmt: skip
        assert agreement(given, shown).alpha == pytest.approx(wanted, abs=5e-4)
    assert agreement([], []).alpha is None


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=2), min_size=2, max_size=20))
def test_agreement_is_one_where_all_agree_and_never_more(units: list[list[float]]) -> None:
    for squared in (False, True):
        value = kappa([(a, b) for a, b in units], squared=squared)
        assert value is None or (value <= 1 and (any(a != b for a, b in units) or value == pytest.approx(1)))


def test_status_tells_agreement_only_of_those_who_have_finished(tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n) for n in range(2)])
    assert "nobody has reviewed" in tilth("review", path, "--status").stderr
    with desk(path) as made, ReviewStore(home().reviews) as store:
        store.keep_plan("clinic", made.question, human_plan.draw(made.sheets, sample=None))
    said(path, {"ann": {"row-0": "good", "row-1": "bad"}, "bob": {"row-0": "good"}})
    told = json.loads(tilth("review", path, "--status", "--json").stdout)
    assert told["agreement"] is None and [(one["reviewer"], one["judged"]) for one in told["reviewers"]] == [("ann", 2), ("bob", 1)]
    said(path, {"bob": {"row-1": None}})
    told = json.loads(tilth("review", path, "--status", "--json").stdout)
    assert told["agreement"]["pairs"][0] | {"kappa": 0} == {"reviewers": ["ann", "bob"], "compared": 1, "agree_share": 1.0, "kappa": 0}


def test_labels_that_two_share(tmp_path: Path) -> None:
    """Two of three carry it; one voice, two against two, or a tie make no pair; what the panel says stands beside it."""
    path = make_job(tmp_path, [record(n, reference="Zinc helps growth.") for n in range(5)])
    said(path, {
        "ann": {"row-0": "good", "row-1": "good", "row-2": "good", "row-3": "tie", "row-4": "bad"},
        "bob": {"row-0": "good", "row-1": None, "row-2": "bad", "row-3": "tie", "row-4": "bad"},
        "eve": {"row-0": "bad", "row-2": "good", "row-4": "good"},
        "dan": {"row-2": "bad"},
    })  # fmt: skip
    done = tilth("review", path, "--export", tmp_path / "labels.jsonl", "--json")
    assert done.returncode == 2 and "nobody" in done.stderr, "there is no plan yet"
    with ReviewStore(home().reviews) as store:
        store.keep_plan("clinic", "pairwise@1", human_plan.draw(sheets_of(path)[1], sample=None))
    done = tilth("review", path, "--export", tmp_path / "labels.jsonl", "--json")
    assert json.loads(done.stdout) | {"output": ""} == {"output": "", "rows": 2, "ties": 1, "agreed": 3}
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [(one["id"], one["chosen_model"], one["agreeing"], one["reviewers"], one["label_type"]) for one in lines] == [
        ("row-0", "good", 2, 3, "human"), ("row-4", "bad", 2, 3, "human"),
    ]  # fmt: skip
    assert lines[0]["chosen"] == [{"role": "assistant", "content": "Zinc helps growth. (0)"}] and lines[0]["panel_agrees"] is None
    table = pl.read_parquet(tmp_path / "judged.parquet")
    models = pl.DataFrame(
        [{"row_id": row, "question": "pairwise@1", "judge": "m", "is_llm": True, "order": "0,1", "candidate": name, "value": value, "status": "ok"}
         for row in ("row-0", "row-4") for name, value in (("good", 1.0), ("bad", 0.0))], schema=JUDGEMENTS,
    )  # fmt: skip
    assert human_labels(pl.concat([table, models]))["panel_winner"].to_list() == ["good", None, "good"]


def test_labels_from_scores() -> None:
    for question in ("listwise", "quality"):
        rows = [{"row_id": "r", "question": f"{question}@1", "judge": f"human/{who}", "is_llm": False, "order": order, "candidate": name, "value": value}
                for who, scores in (("ann", (5, 3)), ("bob", (4, 1)), ("eve", (2, 2)))
                for name, value, order in zip("xy", scores, ("0,1", "0,1") if question == "listwise" else "01", strict=True)]  # fmt: skip
        labels = human_labels(pl.DataFrame(rows, schema=JUDGEMENTS))
        assert labels.rows() == [("r", f"{question}@1", ["x", "y"], "x", 3, 2, None)]


def test_reviewers_write_from_many_processes(tmp_path: Path) -> None:
    """Every line that `add` returned for is there, whoever else writes."""
    code = (
        "import sys; from pathlib import Path; from tilth.annotators.human_store import ReviewStore, Verdict\n"
        "with ReviewStore(Path(sys.argv[1])) as store:\n"
        "  for n in range(40): store.add('j', 'q@1', Verdict(sys.argv[2], f's{n}', f'r{n}', (0, 1), (1.0, 0.0)))"
    )
    path = tmp_path / "reviews.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("ann", "bob", "eve")]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with ReviewStore(path) as store:
        assert len(store.verdicts("q@1")) == 120 and len(store.verdicts("q@1", "bob")) == 40


def test_what_was_taken_back_is_gone_and_the_one_before_it_next(tmp_path: Path) -> None:
    with ReviewStore(tmp_path / "reviews.sqlite") as store:
        one, two = (Verdict("ann", key, key, (0, 1), (1.0, 0.0)) for key in "ab")
        for verdict in (one, two):
            store.add("j", "q@1", verdict)
        assert store.last("j", "q@1", "ann") == two
        store.add("j", "q@1", two, "taken_back")
        assert store.verdicts("q@1") == [one] and store.last("j", "q@1", "ann") == one
        assert store.last("j", "q@1", "bob") is None is store.last("k", "q@1", "ann")
        store.add("j", "q@1", Verdict("ann", "", "", (), ()), "agreement_seen")
        assert store.last("j", "q@1", "ann") is None and store.verdicts("q@1") == [one]


def test_a_file_that_is_no_review_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello, this is a text and no database at all")
    with pytest.raises(StorageError, match="x:"):
        ReviewStore(tmp_path / "x")
    assert (tmp_path / "x").read_bytes().startswith(b"hello")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--disagreements"], "no judgements that could disagree"),
        (["--reviewer", "../x"], "is no name"),
        (["--reviewer", "a\x1b[31m"], "is no name"),
        (["--port", "70000"], "70000"),
    ],
)
def test_what_cannot_be_says_so(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = tilth("review", make_job(tmp_path, [record(1)]), "--no-browser", *arguments)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr and "\x1b" not in done.stderr


def test_rows_with_nothing_to_compare_say_so(tmp_path: Path) -> None:
    done = tilth("review", make_job(tmp_path, [record(1) | {"completions": ["only one"]}]), "--no-browser")
    assert done.returncode == 2 and "two candidates" in done.stderr


PARTS = st.sampled_from(["word", "胃", " ", "\n", "\n\n", "*", "**", "_", "`", "```", "#", "- ", "1. ", "7) ", "> ", "|", "|---|", "<b>", "&lt;", "\\", "[x]: y", "![a](b)",
                         "\t", "$x_1$", "~~", "\u202e", "\ufffd", "3", "é", "===", "---", "@", "\\|"])  # fmt: skip


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(PARTS, max_size=30).map("".join))
def test_formatting_loses_no_letter(text: str) -> None:
    nodes = tree(text)
    if nodes is not None:
        shown = "".join(texts(nodes))
        assert [c for c in shown if c.isalnum()] == [c for c in text if c.isalnum()]
        assert shown.count("<") == text.count("<") and shown.count("\\") == text.count("\\")
