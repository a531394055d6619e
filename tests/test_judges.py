"""`tilth judges`: what is measured of judges, where gold comes from, and what the card shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tilth.annotators import gold as golds
from tilth.annotators.canaries import is_canary
from tilth.annotators.gold import GoldFields, of_people
from tilth.annotators.judge import JUDGEMENTS
from tilth.annotators.judge_report import report, shown_of
from tilth.annotators.panel import SCORES, aggregate, ruling
from tilth.annotators.question import Item
from tilth.cli.main import main
from tilth.core.errors import RecipeError, SourceError

JOB = """\
name: measured
input: rows.jsonl
question: {pairwise: {}}
judges:
  - openai: {model: gpt-5.4-mini}
  - anthropic: {model: claude-haiku-5-5}
gold: {file: gold.csv}
output: out.parquet
"""
GPT, CLAUDE = "openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5"


def item(number: int, language: str = "en") -> dict[str, Any]:
    return {
        "id": f"r{number}", "prompt": "Which?", "language": language,
        "completions": [{"model": "gpt-4.1", "text": "long " * (10 + number)}, {"model": "qwen3-8b", "text": "short"}],
    }  # fmt: skip


def verdicts(judge: str, row: str, winners: tuple[str | None, str | None]) -> list[dict[str, Any]]:
    """Both orders of a pair; a winner None is a refusal."""
    lines = []
    for order, winner in zip(("0,1", "1,0"), winners, strict=True):
        for candidate in ("gpt-4.1", "qwen3-8b"):
            value = None if winner is None else 0.5 if winner == "tie" else float(winner == candidate)
            lines.append({
                "row_id": row, "question": "pairwise@1", "judge": judge, "is_llm": not judge.startswith("human/"), "order": order,
                "candidate": candidate, "value": value, "label": None, "rank": None, "status": "ok" if value is not None else "refused",
                "call": f"{judge}/{row}/{order}",
            })  # fmt: skip
    return lines


def table() -> pl.DataFrame:
    """gpt always prefers its own family; claude is right, but refuses one; r3 turns with the order for gpt; canaries fail gpt."""
    lines = []
    for k in range(6):
        lines += verdicts(GPT, f"r{k}", ("gpt-4.1", "qwen3-8b" if k == 3 else "gpt-4.1"))
        lines += verdicts(CLAUDE, f"r{k}", ("qwen3-8b" if k % 2 else "gpt-4.1",) * 2 if k != 5 else (None, None))
    frame = pl.DataFrame(lines, schema=JUDGEMENTS)
    names = pl.col("candidate").replace({"gpt-4.1": "canary-bad", "qwen3-8b": "canary-good"})
    canary = pl.DataFrame(verdicts(GPT, "canary/1", ("gpt-4.1", "gpt-4.1")), schema=JUDGEMENTS).with_columns(names)
    return pl.concat([frame, canary])


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "home"))
    rows = [item(k, "zh" if k >= 4 else "en") for k in range(6)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "gold.csv").write_text("id,winner\n" + "".join(f"r{k},{'qwen3-8b' if k % 2 else 1}\n" for k in range(6)) + "elsewhere,1\n")
    (tmp_path / "job.yaml").write_text(JOB)
    table().write_parquet(tmp_path / "out.parquet")
    return tmp_path / "job.yaml"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    def told(job: Path, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tilth", "judges", str(job), *more])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return told


Run = Callable[..., tuple[int, str, str]]


def test_what_is_measured_of_each_judge(job: Path, run: Run) -> None:
    code, out, err = run(job, "--json")
    assert code == 0, err
    (found,) = json.loads(out)
    lines = {(line["judge"], line["language"]): line for line in found["judges"]}
    gpt, claude = lines[GPT, None], lines[CLAUDE, None]
    assert found["gold_rows"] == 6 and (gpt["gold_rows"], claude["gold_rows"]) == (6, 5)
    assert gpt["accuracy"] == pytest.approx(3.5 / 6) and claude["accuracy"] == 1
    assert gpt["accuracy_low"] < gpt["accuracy"] < gpt["accuracy_high"]
    assert gpt["order_flip_rate"] == pytest.approx(1 / 6) and claude["order_flip_rate"] == 0
    assert gpt["first_share"] == pytest.approx(7 / 12) and claude["first_share"] == 0.5
    assert gpt["length_slope"] > claude["length_slope"] + 0.2
    assert gpt["family"] == "openai" and gpt["own_family_win_rate"] == pytest.approx(5.5 / 6)
    assert gpt["own_family_others"] == pytest.approx(3 / 5), "claude lets them win in three of its five"
    assert claude["own_family_win_rate"] is None, "none of its family was judged"
    assert claude["status_shares"] == pytest.approx({"ok": 10 / 12, "refused": 2 / 12})
    assert (gpt["canaries"], gpt["canary_pass_rate"]) == (1, 0)
    assert {language for _, language in lines} == {None, "en", "zh"} and lines[CLAUDE, "zh"]["gold_rows"] == 1
    whole = found["panel"][0]
    assert (whole["rows"], whole["judges"]) == (6, 2) and 1 <= (whole["effective_votes"] or 1) <= 2
    assert set(found["aggregations"]) >= {"strongest", "majority", "best_single", "mean_of_stacks"}


def test_the_tables_say_what_they_rest_on(job: Path, run: Run) -> None:
    code, out, err = run(job)
    assert code == 0 and "58.3" in out and "effective votes" in out
    assert "accuracy on 6 rows of gold" in err and f"{GPT} passes 0% of its canaries: do not trust it" in err
    job.write_text(JOB.replace("gold: {file: gold.csv}\n", ""))
    assert "no gold: nothing here says who is right" in run(job)[2]


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ("gold.csv", "nowhere.csv", "nowhere.csv: No such file"),
        ("{file: gold.csv}", "{file: gold.csv, answer_key: true}", "job.yaml:7: gold: name one of file, answer_key, reviewers"),
        ("{file: gold.csv}", "{file: gold.csv, id: key}", "gold.csv:1: no field 'key'"),
        ("{file: gold.csv}", "{file: gold.csv, winner: best}", "gold.csv:1: neither 'best' nor 'score'"),
        ("{file: gold.csv}", "{file: rows.jsonl, winner: prompt}", "rows.jsonl:1: 'Which?' is none of the row's candidates"),
        ("out.parquet", "rows.jsonl", "rows.jsonl' is its input"),
        ("out.parquet", "gold.csv", "gold.csv' is its gold"),
    ],
)
def test_bad_gold_is_one_line(job: Path, run: Run, change: str, to: str, message: str) -> None:
    job.write_text(JOB.replace(change, to))
    code, _, err = run(job)
    assert code == 2 and message in err and "Traceback" not in err


def scores_of(job: Path, run: Run, *more: str) -> tuple[pl.DataFrame, str]:
    file = job.parent / "panel" / "scores.parquet"
    code, _, err = run(job, "--scores", str(file), *more)
    assert code == 0, err
    return pl.read_parquet(file), err


def test_the_panel_becomes_one_score_a_candidate(job: Path, run: Run) -> None:
    frame, err = scores_of(job, run)
    assert frame.schema == pl.Schema(SCORES) and set(frame["row_id"]) == {f"r{k}" for k in range(6)} and frame.height == 12
    best = dict(frame.sort("score").unique("row_id", keep="last", maintain_order=True).select("row_id", "candidate").iter_rows())
    assert [best[f"r{k}"] for k in range(4)] == ["gpt-4.1", "qwen3-8b"] * 2, "gold has told whom to believe"
    assert "scores by mean_of_stacks: the default with gold, learned from 6 rows of gold" in err and "12 scores; " in err
    job.write_text(JOB + "aggregation: majority\n")
    assert "scores by majority: as the job says\n" in scores_of(job, run)[1]


@pytest.mark.parametrize(
    ("action", "told", "first"),
    [
        ("flag", "do not trust it", "gpt-4.1"),
        ("downweight", "its votes count half, after all others", "qwen3-8b"),
        ("stop", "its votes count for nothing", "qwen3-8b"),
    ],
)
def test_a_judge_that_fails_its_canaries_counts_less(job: Path, run: Run, action: str, told: str, first: str) -> None:
    job.write_text(JOB.replace("gold: {file: gold.csv}\n", f"canaries: {{action: {action}}}\n"))
    frame, err = scores_of(job, run, "--json")
    assert "scores by strongest: the default without gold\n" in err and f"{GPT} passes 0% of its canaries: {told}" in err
    own = frame.filter(pl.col("row_id") == "r1").sort("score")
    assert own["candidate"].to_list()[-1] == first and own["num_votes"].to_list() == [2 if action == "stop" else 4] * 2
    (found,) = json.loads(run(job, "--json")[1])
    weight = {"flag": 1.0, "downweight": 0.5, "stop": 0.0}[action]
    assert found["ruling"] == {"aggregation": "strongest", "gold_rows": 0, "failed": {GPT: 0.0}, "weight": weight} and found["scores"] is None


def test_a_judge_that_was_stopped_is_told_of_though_it_judged_no_row(job: Path, run: Run) -> None:
    job.write_text(JOB.replace("gold: {file: gold.csv}\n", "canaries: {action: stop}\n"))
    table().filter((pl.col("judge") != GPT) | is_canary()).write_parquet(job.parent / "out.parquet")
    frame, err = scores_of(job, run)
    (found,) = json.loads(run(job, "--json")[1])
    assert [(line["judge"], line["judgements"], line["canary_pass_rate"]) for line in found["judges"] if line["judge"] == GPT] == [(GPT, 0, 0.0)]
    assert f"{GPT} passes 0% of its canaries: its votes count for nothing" in err and frame["num_votes"].max() == 2
    table().filter((pl.col("judge") == GPT) & is_canary()).write_parquet(job.parent / "out.parquet")
    assert scores_of(job, run)[0].is_empty()


def test_people_are_no_judges_of_the_panel(job: Path, run: Run) -> None:
    people = pl.DataFrame([line for n in (1, 2) for line in verdicts(f"human/{n}", "r0", ("qwen3-8b", "qwen3-8b"))], schema=JUDGEMENTS)
    job.write_text(JOB.replace("gold: {file: gold.csv}", "aggregation: majority"))
    before = scores_of(job, run)[0]
    pl.concat([table(), people]).write_parquet(job.parent / "out.parquet")
    assert scores_of(job, run)[0].equals(before)


@pytest.mark.parametrize(
    ("change", "scores", "message"),
    [
        ("aggregation: median\n", "s.parquet", "job.yaml:9: aggregation"),
        ("aggregation: [mean]\n", "s.parquet", "job.yaml:9: aggregation"),
        ("", "s.csv", "s.csv: scores are a Parquet file"),
        ("", "out.parquet", "the job's own file"),
        ("", "gold.csv/s.parquet", "gold.csv/s.parquet: "),
        ("", "n" * 300 + ".parquet", "File name too long"),
        ("", "taken.parquet", "taken.parquet: Is a directory"),
    ],
)
def test_scores_that_cannot_be_written_are_one_line(job: Path, run: Run, change: str, scores: str, message: str) -> None:
    (job.parent / "taken.parquet").mkdir()
    job.write_text(JOB + change)
    code, _, err = run(job, "--scores", str(job.parent / scores))
    assert code == 2 and message in err and "Traceback" not in err
    assert pl.read_parquet(job.parent / "out.parquet").equals(table())


def test_an_aggregation_that_learns_says_that_there_is_nothing_to_learn_from(job: Path, run: Run) -> None:
    job.write_text(JOB.replace("gold: {file: gold.csv}", "aggregation: log_odds"))
    code, _, err = run(job)
    assert code == 0 and "scores by log_odds: it learns from gold, and there is none" in err
    code, _, err = run(job, "--scores", str(job.parent / "s.parquet"))
    assert code == 2 and "aggregation: log_odds learns from gold" in err


def test_gold_that_prefers_nobody_is_no_gold() -> None:
    alike = pl.DataFrame({"row_id": ["r0"] * 2, "candidate": ["gpt-4.1", "qwen3-8b"], "value": [1.0, 1.0]})
    assert ruling(table(), gold=alike).aggregation == "strongest"
    assert aggregate(table(), gold=alike).equals(aggregate(table()))


def test_gold_of_answer_keys_and_of_scores(tmp_path: Path) -> None:
    options = [{"label": "A", "text": "zinc"}, {"label": "B", "text": "iron"}]
    texts = ["The answer is B.", "答案：A", "I do not know."]
    candidates = [{"model": f"m{k}", "text": text} for k, text in enumerate(texts)]
    row = Item.of({"id": "r", "prompt": [{"role": "user", "content": "?"}], "candidates": candidates, "options": options, "answer": "B"})
    assert golds.of_keys([row]).rows() == [("r", "m0", 1.0), ("r", "m1", 0.0)], "without a verdict it is neither"
    (tmp_path / "g.jsonl").write_text('{"id":"r","candidate":"m0","score":4}\n{"id":"r","candidate":2,"score":"2.5"}\n')
    assert golds.of_file(tmp_path / "g.jsonl", GoldFields(), [row]).rows() == [("r", "m0", 4.0), ("r", "m1", 2.5)]
    (tmp_path / "g.jsonl").write_text('{"id":"r","candidate":"m0","score":"high"}\n')
    with pytest.raises(SourceError, match=r"g\.jsonl:1: score 'high' is no number"):
        golds.of_file(tmp_path / "g.jsonl", GoldFields(), [row])


def test_people_are_gold_where_two_agree_and_more_than_disagree() -> None:
    lines = []
    for row, said in {"r0": ["gpt-4.1", "gpt-4.1"], "r1": ["gpt-4.1", "qwen3-8b"], "r2": ["gpt-4.1"], "r3": ["qwen3-8b", "qwen3-8b", "tie"],
                      "r4": ["tie", "tie"]}.items():  # fmt: skip
        for number, winner in enumerate(said):
            lines += verdicts(f"human/{number}", row, (winner, winner))
    found = of_people(pl.DataFrame(lines, schema=JUDGEMENTS))
    best = found.filter(pl.col("value") > 0)
    assert best.select("row_id", "candidate").rows() == [("r0", "gpt-4.1"), ("r3", "qwen3-8b")]


def test_a_question_without_candidates_is_measured_by_its_scale() -> None:
    said = {"one": [3, 5, 7, 8], "two": [3, 6, 7, 2]}
    lines = [
        {"row_id": f"r{k}", "question": "difficulty@1", "judge": judge, "is_llm": True, "order": "", "candidate": None, "value": value,
         "label": None, "rank": None, "status": "ok", "call": "k"}
        for judge, values in said.items() for k, value in enumerate(values)
    ]  # fmt: skip
    gold = pl.DataFrame({"row_id": ["r0", "r3"], "candidate": [None, None], "value": [3.0, 2.0]}, schema={"row_id": pl.String, "candidate": pl.String, "value": pl.Float64})
    judged = pl.DataFrame(lines, schema=JUDGEMENTS)
    found = report(judged, shown=shown_of([]), gold=gold)
    assert {line.judge: line.accuracy for line in found.judges} == {"one": 0.5, "two": 1.0}
    assert found.panel[0].agreement == 0.5 and found.panel[0].alpha is not None
    assert aggregate(judged, gold=gold, judges=["two"])["score"].to_list() == said["two"]
    with pytest.raises(RecipeError, match="majority compares candidates"):
        aggregate(judged, aggregation="majority")


def test_nothing_judged_is_a_table_of_nothing() -> None:
    found = report(pl.DataFrame(schema=JUDGEMENTS))
    assert found.judges == () and found.panel[0].rows == 0
