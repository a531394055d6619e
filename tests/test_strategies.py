"""Strategies: hand cases with their counts, the laws that all keep, equal texts, ties, and judges of a candidate's own family."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.annotators.collector import JUDGEMENTS
from tilth.annotators.own_family import without_own_family
from tilth.builders.makers.judged_pairs import JudgedPairs
from tilth.builders.pairing import choose, scored_of
from tilth.builders.strategy import NoPair, Pair, Rules, Scored, Strategy
from tilth.core import units
from tilth.core.errors import RecipeError
from tilth.core.recipe import named_unit
from tilth.core.rows import conversation

EIGHT = ["gpt-3.5-turbo", "gpt-4-turbo", "llama-3-8b", "llama-3-70b", "qwen1.5-72b", "mixtral-8x7b", "mixtral-8x22b", "ultramedical-8b"]


def strategy(name: str, **parameters: Any) -> Strategy:
    found = named_unit("strategy", {name: parameters})
    assert isinstance(found, Strategy)
    return found


def row(*completions: tuple[str, str], identity: str = "r") -> dict[str, Any]:
    """A row with the completions (model, text)."""
    return {"id": identity, "prompt": conversation([("user", "Why?")]), "candidates": [{"model": m, "text": t} for m, t in completions]}


def pairs(name: str, *completions: tuple[str, float] | tuple[str, float, str], seed: int = 0, identity: str = "r", rules: Rules | None = None, **parameters: Any) -> list[tuple[str, str]] | str:  # fmt: skip
    """(chosen, rejected) of completions (model, score, text), or the rule why there is none."""
    asked = row(*((one[0], one[2] if len(one) == 3 else f"text of {one[0]}") for one in completions), identity=identity)
    scores = [{"candidate": one[0], "score": one[1], "rank": None, "agreement": None} for one in completions]
    found = choose(asked, scored_of(asked, scores), strategy(name, **parameters), rules or Rules(), seed)
    return found.rule if isinstance(found, NoPair) else [(pair.chosen.model, pair.rejected.model) for pair in found]


@pytest.mark.parametrize(
    ("name", "parameters", "scores", "wanted"),
    [
        ("best_vs_worst", {}, (5, 4, 2), [("a", "c")]),
        ("top_vs_lower", {}, (5, 3), [("a", "b")]),
        ("top_vs_lower", {}, (5, 5, 3), "tie"),
        ("top_vs_lower", {"prefer": ["b"]}, (5, 5, 3), [("b", "c")]),
        ("top_vs_lower", {"prefer": ["z*", "[bc]"]}, (5, 5, 3), [("b", "c")]),
        ("top_vs_lower", {"prefer": ["c"]}, (5, 5, 3), "tie"),
        ("top_vs_lower", {"prefer": ["a"]}, (5, 5), "small_margin"),
        ("top_vs_lower", {}, (5 + 1e-13, 5), "tie"),
        ("margin_band", {"low": 1.0, "high": 2.0}, (5, 4.5, 3, 1), [("a", "c")]),
        ("margin_band", {"low": 0.5, "high": 0.5}, (5, 4.5, 3, 1), [("a", "b")]),
        ("margin_band", {"low": 3.0, "high": 3.5}, (5, 4.5, 3, 1), "outside_band"),
        ("all_pairs", {}, (5, 4, 4), [("a", "b"), ("a", "c")]),
        ("all_pairs", {}, (4, 4, 4), "tie"),
        ("all_pairs", {}, (3, 2, 1), [("a", "b"), ("a", "c"), ("b", "c")]),
    ],
)  # fmt: skip
def test_hand_cases(name: str, parameters: dict[str, Any], scores: tuple[float, ...], wanted: list[tuple[str, str]] | str) -> None:
    assert pairs(name, *zip("abcd", scores, strict=False), **parameters) == wanted


def test_length_matched_takes_the_closest_of_like_length() -> None:
    texts = [("a", 5.0, "x" * 100), ("b", 4.0, "y" * 300), ("c", 3.0, "z" * 110), ("d", 1.0, "w" * 90)]
    assert pairs("length_matched", *texts) == [("a", "c")]
    assert pairs("length_matched", *texts, max_ratio=3.0) == [("a", "b")]
    assert pairs("length_matched", *texts[:2]) == "unlike_lengths"
    assert pairs("length_matched", ("a", 5.0, "多休息，多喝水。"), ("b", 4.0, "少休息，少喝水。")) == [("a", "b")]


def test_eight_completions_make_up_to_28_pairs() -> None:
    """UltraMedical: C(8, 2) = 28 where all scores differ; equal scores make none; a least margin takes the narrow ones."""
    assert pairs("all_pairs", *zip(EIGHT, range(8), strict=True)) == list(combinations(EIGHT[::-1], 2))
    five_point = list(zip(EIGHT, (5, 5, 4, 4, 4, 3, 2, 1), strict=True))
    assert len(pairs("all_pairs", *five_point)) == 28 - 1 - 3
    assert len(pairs("all_pairs", *five_point, rules=Rules(min_margin=2))) == 24 - 2 * 3 - 3 - 1 - 1


def test_at_a_tie_ultramedical_prefers_gpt_4() -> None:
    scores = list(zip(EIGHT, (5, 5, 4, 4, 4, 5, 2, 1), strict=True))
    assert pairs("best_vs_worst", *scores) == "tie"
    assert pairs("best_vs_worst", *scores, prefer=["gpt-4*"]) == [("gpt-4-turbo", "ultramedical-8b")]


def test_a_random_lower_one_is_any_of_them_equally_often_and_the_same_twice() -> None:
    scores = list(zip("abcd", (4, 3, 2, 1), strict=True))
    drawn = [pairs("top_vs_lower", *scores, identity=f"row {number}")[0] for number in range(3000)]
    assert drawn == [pairs("top_vs_lower", *scores, identity=f"row {number}")[0] for number in range(3000)]
    counts = Counter(rejected for _, rejected in drawn)
    assert set(counts) == set("bcd")
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 13.8, "chi-square, 2 degrees, p = 0.001"
    assert drawn != [pairs("top_vs_lower", *scores, identity=f"row {number}", seed=1)[0] for number in range(3000)]


def test_models_that_wrote_the_same_are_one_completion() -> None:
    """A judge that gives one text two scores makes no pair of it, nor two pairs that contradict each other."""
    same = [("a", 5.0, "Rest."), ("b", 3.0, "Drink."), ("c", 1.0, " Rest. ")]
    assert pairs("all_pairs", *same) == "tie", "Rest. has 5 and 1: 3, as Drink. has"
    assert pairs("best_vs_worst", ("a", 5.0, "Rest."), ("c", 1.0, "Rest.\n")) == "not_judged"
    assert pairs("all_pairs", *same[:2], ("c", 5.0, "Rest.")) == [("a", "b")]


def test_a_disputed_best_makes_no_pair() -> None:
    ranked = [Scored("a", "x", 5, agreement=0.3), Scored("b", "y", 4, agreement=0.9), Scored("c", "z", 2)]
    rules = Rules(min_agreement=0.5)
    found = strategy("top_vs_lower").choose(ranked, rules, list)
    assert found == NoPair("disputed", "0.30", "a")
    assert strategy("all_pairs").choose(ranked, rules, list) == [Pair(ranked[1], ranked[2])]
    assert strategy("all_pairs").choose(ranked, Rules(min_agreement=1.0), list) == NoPair("disputed", "0.90", "a")


@pytest.mark.parametrize("name", units.every("strategy"))
@settings(max_examples=120, derandomize=True, deadline=None)
@given(
    completions=st.lists(st.tuples(st.sampled_from([0.0, 1.0, 1.5, 2.0, 4.75, 5.0, 1 / 3, 1e9]), st.sampled_from(["", "a", "a ", "bb", "字字字"]) | st.text(max_size=8)), min_size=2, max_size=8),
    margin=st.sampled_from([0.0, 0.5, 2.0]), seed=st.integers(0, 3),
)  # fmt: skip
def test_the_laws_that_every_strategy_keeps(name: str, completions: list[tuple[float, str]], margin: float, seed: int) -> None:
    models = [f"m{place}" for place in range(len(completions))]
    asked = row(*zip(models, (text for _, text in completions), strict=True))
    scores = [{"candidate": m, "score": s, "rank": None, "agreement": None} for m, (s, _) in zip(models, completions, strict=True)]
    found = choose(asked, scored_of(asked, scores), strategy(name), Rules(min_margin=margin), seed)
    random.Random(seed).shuffle(scores)
    assert found == choose(asked, scored_of(asked, scores), strategy(name), Rules(min_margin=margin), seed), "the order of the scores decides nothing"
    if isinstance(found, NoPair):
        assert found.rule
        return
    assert 1 <= len(found) <= len(models) * (len(models) - 1) / 2
    sides = [(pair.chosen.text, pair.rejected.text) for pair in found]
    assert len({frozenset(texts) for texts in sides}) == len(sides), "no pair twice, nor turned round"
    for pair in found:
        assert pair.chosen.text.split() != pair.rejected.text.split()
        assert pair.margin > 0 and pair.margin >= margin


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"top_vs_lowr": {}}, "unknown strategy 'top_vs_lowr'; did you mean top_vs_lower"),
        ({}, "a strategy is one name"),
        ({"all_pairs": {}, "best_vs_worst": {}}, "here are 2"),
        ({"margin_band": {"low": 3.0, "high": 1.0}}, "low 3 lies above high 1"),
        ({"margin_band": {"low": -1.0}}, "greater than or equal to 0"),
        ({"length_matched": {"max_ratio": 0.5}}, "greater than or equal to 1"),
        ({"top_vs_lower": {"prefer": "gpt-4"}}, "prefer"),
        ({"top_vs_lower": {"worst": True}}, "no such field"),
    ],
)
def test_what_a_strategy_cannot_be_says_so(said: dict[str, Any], message: str) -> None:
    with pytest.raises((RecipeError, ValueError), match=message):
        JudgedPairs(strategy=said)


def judgements(*lines: tuple[str, str, str, float], order: str = "0,1") -> pl.DataFrame:
    """Lines (row, judge, candidate, value) of one question."""
    whole = [{"row_id": r, "question": "listwise@1", "judge": j, "is_llm": not j.startswith("human/"), "order": order, "candidate": c, "value": v, "rank": 1, "status": "ok"}
             for r, j, c, v in lines]  # fmt: skip
    return pl.DataFrame(whole, schema=JUDGEMENTS)


def test_what_a_judge_says_of_its_own_family_does_not_count() -> None:
    three = judgements(
        *[("r", "openai/gpt-5", name, value) for name, value in (("gpt-4-turbo", 5), ("qwen2-7b", 3), ("mystery", 2))],
        *[("r", "human/gpt-fan", name, value) for name, value in (("gpt-4-turbo", 5), ("qwen2-7b", 3))],
    )
    left = without_own_family(three).drop_nulls("value")
    assert left.select("judge", "candidate").rows() == [
        ("openai/gpt-5", "qwen2-7b"), ("openai/gpt-5", "mystery"), ("human/gpt-fan", "gpt-4-turbo"), ("human/gpt-fan", "qwen2-7b"),
    ]  # fmt: skip
    assert without_own_family(three)["status"].unique().to_list() == ["ok"]
    two = judgements(("r", "openai/gpt-5", "gpt-4", 1.0), ("r", "openai/gpt-5", "qwen2-7b", 0.0), ("r", "served", "llama-3", 1.0), ("r", "served", "qwen2-7b", 0.0))
    assert without_own_family(two)["value"].to_list() == [None, None, 1.0, 0.0], "a comparison of which one side is left says nothing"
    assert without_own_family(two, {"served": "meta"})["value"].to_list() == [None] * 4
    assert without_own_family(three, whole_rows=True).filter(pl.col("is_llm"))["value"].to_list() == [None] * 3


def test_own_family_changes_who_is_chosen_and_the_other_judge_decides() -> None:
    rows = pl.DataFrame([row(("gpt-4", "x"), ("qwen2-7b", "y"))]).with_columns(pl.lit("en").alias("language"))
    said = judgements(("r", "openai/gpt-5", "gpt-4", 5), ("r", "openai/gpt-5", "qwen2-7b", 2), ("r", "anthropic/claude-5", "gpt-4", 2), ("r", "anthropic/claude-5", "qwen2-7b", 4))
    judges = [{"openai": {"model": "gpt-5"}}, {"anthropic": {"model": "claude-5"}}]

    def best(**said_more: Any) -> str:
        scores = JudgedPairs(judges=judges, **said_more).scores(rows, said)["r"]
        return max(scores, key=lambda one: one["score"])["candidate"]

    assert best(own_family="count") == "gpt-4" and best() == "qwen2-7b"
    assert best(aggregation="mean", own_family="count") == "gpt-4" and best(aggregation="mean") == "qwen2-7b"
