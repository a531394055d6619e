"""Aggregations: what each does with votes, and the benchmark that measures them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import panel as bench
from tilth.annotators.agreement import effective_votes, krippendorff_alpha
from tilth.annotators.canaries import CanaryFields
from tilth.annotators.judge import JUDGEMENTS
from tilth.annotators.panel import aggregate, ruling
from tilth.annotators.panels.bradley_terry import bradley_terry
from tilth.annotators.panels.dawid_skene import estimate
from tilth.annotators.panels.strategies import WITH_GOLD, on_gold, scores
from tilth.annotators.panels.votes import Pairs, Votes, net, pairs_of, votes_of
from tilth.core.intervals import wilson


def panel(right: list[float], rows: int = 300, seed: int = 0, extras: Any = None) -> tuple[Votes, Pairs]:
    """Judges that are right so often, of pairs whose better one is drawn, asked in both orders."""
    random = np.random.default_rng(seed)
    best = random.integers(0, 2, rows)
    beats = np.zeros((rows, 2, 2, len(right)))
    for judge, share in enumerate(right):
        said = np.where(random.random(rows) < share, best, 1 - best)
        beats[np.arange(rows), said, 1 - said, judge] = 2
    names = tuple(f"judge-{k}" for k in range(len(right)))
    none = np.zeros((rows, 2, 0)) if extras is None else extras
    votes = Votes(tuple(map(str, range(rows))), (("a", "b"),) * rows, names, net(beats), beats, none)
    return votes, Pairs(np.arange(rows), best, 1 - best, np.ones(rows))


def accuracy(right: list[float], gold: int, **more: Any) -> float:
    votes, pairs = panel(right, **more)
    found = scores(votes, pairs.of_rows(np.arange(gold)))
    return float(pairs.of_rows(np.arange(gold, len(votes.rows))).accuracy(found))


@pytest.mark.parametrize(
    ("right", "at_least"),
    [
        ([0.9, 0.5, 0.5, 0.5, 0.5, 0.5], 0.86),  # one good judge among noise
        ([0.7] * 7, 0.83),  # equals, better together
        ([0.85, 0.2, 0.15], 0.9),  # judges best read upside down
        ([0.8], 0.76),
        ([1.0, 0.6], 0.99),
        ([0.65] * 60, 0.93),  # more judges than gold items
    ],
)
def test_with_gold_the_default_finds_what_the_panel_is(right: list[float], at_least: float) -> None:
    assert accuracy(right, 50) >= at_least


def test_one_item_of_gold_is_enough_to_go_on() -> None:
    votes, pairs = panel([0.9, 0.5])
    for name, way in WITH_GOLD.items():
        assert np.isfinite(way(votes, pairs.of_rows(np.arange(1)))).all(), name


def test_what_lies_beside_the_votes_can_tell() -> None:
    random = np.random.default_rng(3)
    votes, pairs = panel([0.6])
    longer = np.zeros((300, 2, 1))
    longer[pairs.row, pairs.better, 0] = random.normal(0.8, 1, 300)
    told, _ = panel([0.6], extras=longer - longer.mean(axis=1, keepdims=True))
    found = scores(told, pairs.of_rows(np.arange(60)))
    assert float(pairs.accuracy(found)) > float(pairs.accuracy(votes.votes[:, :, 0])) + 0.1


def test_labels_that_were_not_given_are_not_read() -> None:
    votes, pairs = panel([0.7, 0.6, 0.8])
    turned = Pairs(pairs.row, np.r_[pairs.better[:50], pairs.worse[50:]], np.r_[pairs.worse[:50], pairs.better[50:]], pairs.weight)
    first = np.arange(50)
    for name in WITH_GOLD:
        assert np.array_equal(scores(votes, pairs.of_rows(first), name), scores(votes, turned.of_rows(first), name))  # type: ignore[arg-type]


def test_names_of_places_mean_nothing_to_the_default() -> None:
    votes, pairs = panel([0.7, 0.6, 0.8])
    swapped = Votes(votes.rows, votes.candidates, votes.judges, votes.votes[:, ::-1], votes.beats[:, ::-1, ::-1], votes.extras)
    other = Pairs(pairs.row, pairs.worse, pairs.better, pairs.weight)
    gold = np.arange(40)
    assert np.allclose(scores(votes, pairs.of_rows(gold)), scores(swapped, other.of_rows(gold))[:, ::-1])


def test_cross_validation_is_honest() -> None:
    votes, pairs = panel([0.5] * 20, rows=60, seed=5)
    found = on_gold(votes, pairs)
    assert found["best_single"] < 0.62 and found["mean_of_stacks"] < 0.62, "on noise nothing is learned"
    assert on_gold(*panel([0.9, 0.5]))["best_single"] > 0.85


def test_dawid_skene_finds_who_confuses_what() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, 400)
    labels = np.zeros((400, 4, 3))
    for judge, share in enumerate((0.9, 0.8, 0.6, 0.4)):
        said = np.where(random.random(400) < share, truth, random.integers(0, 3, 400))
        labels[np.arange(400), judge, said] = 1
    found = estimate(labels, {})
    assert np.mean(found.argmax(axis=1) == truth) > np.mean(labels.sum(axis=1).argmax(axis=1) == truth)
    assert np.array_equal(estimate(labels, {0: 2})[0], [0, 0, 1])


def test_dawid_skene_is_that_of_crowd_kit() -> None:
    pandas, aggregation = pytest.importorskip("pandas"), pytest.importorskip("crowdkit.aggregation")
    random = np.random.default_rng(2)
    truth = random.integers(0, 2, 200)
    labels = np.zeros((200, 3, 2))
    lines = []
    for judge, share in enumerate((0.9, 0.7, 0.6)):
        said = np.where(random.random(200) < share, truth, 1 - truth)
        labels[np.arange(200), judge, said] = 1
        lines += [(task, judge, label) for task, label in enumerate(said)]
    oracle = aggregation.DawidSkene(n_iter=100).fit_predict(pandas.DataFrame(lines, columns=["task", "worker", "label"]))
    assert np.mean(oracle.sort_index().to_numpy() == estimate(labels, {}).argmax(axis=1)) > 0.98


def test_bradley_terry_ranks_what_was_never_compared() -> None:
    beats = np.zeros((1, 4, 4, 1))
    beats[0, 0, 1, 0], beats[0, 1, 2, 0] = 3, 3  # a > b > c; d was not compared
    votes = Votes(("r",), (("a", "b", "c", "d"),), ("j",), net(beats), beats, np.zeros((1, 4, 0)))
    a, b, c, d = bradley_terry(votes)[0]
    assert a > b > c and abs(d) < 1e-6 and np.isfinite([a, b, c, d]).all()


# -- from a table of judgements ---------------------------------------------------------------------------------------


def judged(lines: list[tuple[str, str, str, str, float | None]], ranks: list[int] | None = None) -> pl.DataFrame:
    """(row, judge, order, candidate, value)"""
    rows = [
        {"row_id": row, "question": "pairwise@1", "judge": judge, "is_llm": True, "order": order, "candidate": candidate, "value": value,
         "label": None, "rank": ranks[k] if ranks else None, "status": "ok" if value is not None else "refused", "call": f"{row}{judge}{order}"}
        for k, (row, judge, order, candidate, value) in enumerate(lines)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=JUDGEMENTS)


def test_a_vote_that_turns_with_the_order_is_none_and_a_rank_breaks_a_tie() -> None:
    turned = judged([("r", "j", "0,1", "x", 1), ("r", "j", "0,1", "y", 0), ("r", "j", "1,0", "x", 0), ("r", "j", "1,0", "y", 1)])
    assert votes_of(turned).votes.tolist() == [[[0], [0]]]
    tied = judged([("r", "j", "0,1", "x", 3), ("r", "j", "0,1", "y", 3)], ranks=[2, 1])
    assert votes_of(tied).votes.tolist() == [[[-0.5], [0.5]]]


def test_aspects_are_averaged_before_anything_is_compared() -> None:
    lines = [("r", "j", "0,1", name, value) for name, value in (("x", 5), ("y", 4), ("x", 1), ("y", 4))]
    several = judged(lines).with_columns(question=pl.Series(["q@1/truth", "q@1/truth", "q@1/style", "q@1/style"]))  # type: ignore[arg-type]
    assert aggregate(several)["score"].to_list() == [3, 4] and aggregate(several, aggregation="majority")["score"].to_list() == [-0.5, 0.5]


def test_gold_with_several_right_answers_compares_right_with_wrong() -> None:
    votes = votes_of(judged([("r", "j", "0,1,2", name, value) for name, value in (("x", 3), ("y", 2), ("z", 1))]))
    gold = pl.DataFrame({"row_id": ["r"] * 3, "candidate": ["x", "y", "z"], "value": [1.0, 1.0, 0.0]})
    pairs = pairs_of(votes, gold)
    assert len(pairs) == 2 and pairs.weight.sum() == 1 and float(pairs.accuracy(votes.votes[:, :, 0])) == 1


def test_a_judge_that_fails_canaries_is_flagged_or_counts_less_or_not_at_all() -> None:
    canary = [(f"canary/{k}", "bad", order, name, value) for k in range(4) for order, good in (("0,1", 0.0), ("1,0", 0.0))
              for name, value in (("canary-good", good), ("canary-bad", 1.0))]  # fmt: skip
    work = [("r", "bad", "0,1", "x", 1.0), ("r", "bad", "0,1", "y", 0.0), ("r", "good", "0,1", "x", 0.0), ("r", "good", "0,1", "y", 1.0)]
    table = judged([*canary, *work])  # type: ignore[list-item]
    assert ruling(table, canaries=CanaryFields()).failed == {"bad": 0.0} and ruling(table).failed == {}

    def best(action: str, aggregation: str = "default") -> list[str]:
        found = aggregate(table, judges=["bad", "good"], aggregation=aggregation, canaries=CanaryFields(action=action))  # type: ignore[arg-type]
        return found.filter(pl.col("score") == pl.col("score").max())["candidate"].to_list()

    assert best("flag") == ["x"] and best("downweight") == ["y"] and best("stop") == ["y"]
    assert best("flag", "mean") == ["x", "y"] and best("downweight", "mean") == ["y"] and best("stop", "mean") == ["y"]
    assert best("downweight", "majority") == ["y"]
    assert set(aggregate(table)["row_id"]) == {"r"}, "canaries are no rows of the job"


@pytest.mark.parametrize("name", ["majority", "dawid_skene", "bradley_terry", "log_odds", "logistic", "default"])
def test_every_aggregation_gives_a_table_of_scores(name: str) -> None:
    lines = [(f"r{k}", judge, order, candidate, value) for k in range(6) for judge in ("one", "two") for order in ("0,1", "1,0")
             for candidate, value in (("x", float(k % 2)), ("y", 1.0 - k % 2))]  # fmt: skip
    gold = pl.DataFrame({"row_id": ["r0", "r0", "r1", "r1"], "candidate": ["x", "y"] * 2, "value": [0.0, 1.0, 1.0, 0.0]})
    found = aggregate(judged(lines), aggregation=name, gold=gold)  # type: ignore[arg-type, arg-type]
    best = found.sort("score", descending=True).unique("row_id", keep="first", maintain_order=True).sort("row_id")
    assert best["candidate"].to_list() == ["y", "x"] * 3


# -- agreement --------------------------------------------------------------------------------------------------------


KRIPPENDORFF = np.array([  # the example of Computing Krippendorff's Alpha-Reliability (2011), C
    [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
    [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
])  # fmt: skip


def test_alpha_is_krippendorffs() -> None:
    for level, published in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)):
        assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(published, abs=6e-4)  # type: ignore[arg-type]
    assert krippendorff_alpha(np.array([[1.0, np.nan], [np.nan, 2.0]])) is None
    assert krippendorff_alpha(np.ones((3, 5))) is None, "where only one value was ever given, chance is all"


def test_echoes_are_one_vote() -> None:
    random = np.random.default_rng(0)
    one = (random.random(500) < 0.7).astype(float)
    assert effective_votes(np.stack([one, one, one], axis=1)) == pytest.approx(1)
    assert 2.6 < (effective_votes((random.random((500, 3)) < 0.7).astype(float)) or 0) <= 3
    assert wilson(0, 0) == (0.0, 1.0)


# -- the benchmark ----------------------------------------------------------------------------------------------------


def files(folder: Path, votes: str | None = None) -> list[str]:
    random = np.random.default_rng(0)
    items = ["dataset,item,label,len1,len2"]
    lines = ["dataset,item,judge,strategy,order,winner"]
    for k in range(60):
        best = int(random.integers(1, 3))
        items.append(f"A/b/{'c' if k % 2 else 'd'},{k},{best},100,{'' if k == 3 else 200}")
        for judge, share in (("good", 0.9), ("bad", 0.5)):
            for order in ("AB", "BA"):
                said = best if random.random() < share else 3 - best
                lines.append(f"A/b/{'c' if k % 2 else 'd'},{k},{judge},Vanilla_NoRules,{order},{'tie' if k == 5 else '' if k == 7 else said}")
    (folder / "items.csv").write_text("\n".join(items) + "\n")
    (folder / "votes.csv").write_text(votes if votes is not None else "\n".join(lines) + "\n")
    return ["--items", str(folder / "items.csv"), "--votes", str(folder / "votes.csv")]


def test_the_benchmark_prints_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([*files(tmp_path), "--gold", "20", "--splits", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["A/b"]
    row = found["A/b"]
    assert row["accuracy"] > row["majority"] > 60 and 0 < row["standard_error"] < 8 and row["best_judge"] == "good"
    assert bench.main([*files(tmp_path), "--gold", "20", "--splits", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found, "the same seed gives the same figures"


@pytest.mark.parametrize(
    ("more", "votes", "message"),
    [
        (["--gold", "60"], None, "--gold 60: no group of .* has more items than that"),
        (["--gold", "0"], None, "--gold 0"),
        (["--strategy", "CoT"], None, "--strategy CoT: no vote has it; all, or one of Vanilla_NoRules"),
        ([], "", "votes.csv: no CSV that can be read"),
        ([], "dataset,item,judge,strategy,order,winner\n", "votes.csv: no rows"),
        ([], "dataset,item,judge,order\nA/b/c,1,x,AB\n", "votes.csv: no column strategy, winner"),
        (["--items", "nowhere.csv"], None, "nowhere.csv: No such file"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], votes: str | None, message: str
) -> None:
    assert bench.main([*files(tmp_path, votes), *more]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert re.search(message, told[0])


@pytest.mark.data
def test_the_panel_holds_its_bounds_on_real_votes(data: Path) -> None:
    folder = data / "judge_votes_llmbar"
    found = bench.measure(folder / "items.csv", folder / "votes.csv.zst", 50, splits=60)
    least = {"LLMBar/Natural": 95.5, "LLMBar/Adversarial": 86.0, "Processed/MT-Bench": 79.5, "Processed/FairEval": 72.5}
    assert {name: row["accuracy"] >= least[name] for name, row in found.items()} == dict.fromkeys(sorted(least), True)
    for row in found.values():
        assert row["accuracy"] >= max(row["best_single"], row["majority"]) - row["standard_error"]
