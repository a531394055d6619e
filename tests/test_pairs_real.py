"""Strategies and bench on real tables: 805 prompts × 20 models judged by GPT-4 turbo (AlpacaEval), and the human labels of LLMBar."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tilth.annotators.collector import JUDGEMENTS
from tilth.annotators.own_family import without_own_family
from tilth.annotators.panel import aggregate
from tilth.annotators.reward_bench import bench
from tilth.builders import build as building
from tilth.builders.pair_survey import yields
from tilth.builders.pairing import scored_of
from tilth.builders.strategies.all_pairs import AllPairs
from tilth.builders.strategies.best_vs_worst import BestVsWorst
from tilth.builders.strategies.length_matched import LengthMatched
from tilth.builders.strategies.margin_band import MarginBand
from tilth.builders.strategies.top_vs_lower import TopVsLower
from tilth.builders.strategy import Rules
from tilth.core.rows import conversation

pytestmark = pytest.mark.data


def test_what_strategies_make_of_alpaca_eval(data: Path) -> None:
    """Chosen is the longer side in most pairs of a random lower one; a like length takes that away. Models of the judge's family are left out."""
    table = pl.read_ndjson(data / "pref_alpaca_eval_judged" / "annotations.jsonl.zst", infer_schema_length=None)
    table = table.select("instruction", "output_2", "generator_2", pl.col("preference") - 1).unique(["instruction", "generator_2"], maintain_order=True)
    judged = table.select(
        pl.col("instruction").alias("row_id"), pl.lit("pairwise@1").alias("question"), pl.lit("openai/gpt-4-turbo").alias("judge"),
        pl.lit(True).alias("is_llm"), pl.lit("0").alias("order"), pl.col("generator_2").alias("candidate"), pl.col("preference").alias("value"),
        pl.lit("ok").alias("status"),
    ).select((pl.col(name) if name in ("row_id", "question", "judge", "is_llm", "order", "candidate", "value", "status") else pl.lit(None)).cast(kind).alias(name)
             for name, kind in JUDGEMENTS.items())  # fmt: skip
    left = aggregate(without_own_family(judged)).filter(pl.col("score").is_not_null())
    assert set(judged["candidate"]) - set(left["candidate"]) == {"gpt-3.5-turbo-0301", "gpt-3.5-turbo-1106_verbose", "gpt4_gamed"}
    scores = {key[0]: list(part.iter_rows(named=True)) for key, part in left.group_by("row_id")}
    prompts = []
    for (instruction,), part in table.group_by("instruction", maintain_order=True):
        row = {"id": instruction, "prompt": conversation([("user", str(instruction))]),
               "candidates": [{"model": model, "text": text} for model, text in part.select("generator_2", "output_2").iter_rows()]}  # fmt: skip
        prompts.append((row, scored_of(row, scores[instruction])))
    strategies = [TopVsLower(), BestVsWorst(), MarginBand(low=0.1, high=0.5), LengthMatched(), AllPairs()]
    widest, found = yields(prompts, strategies, Rules(min_margin=0.02), seed=0)
    by = {one.strategy: one for one in found}
    for one in found:
        print(f"{one.strategy}: {one.prompts} prompts, {one.pairs} pairs, chosen longer {one.chosen_longer:.1%}, mean gap {one.mean_length_gap:+.0f}, median {one.median_length_gap:+.0f}, {one.without}")
    assert all(one.prompts + sum(one.without.values()) == 805 for one in found) and 0.9 < widest <= 1
    assert by["top_vs_lower"].pairs > 700 and by["all_pairs"].pairs > 30 * by["top_vs_lower"].pairs
    gap = {name: abs(one.mean_length_gap or 0) for name, one in by.items()}
    assert gap["length_matched"] < 0.25 * gap["top_vs_lower"], "characters"
    assert abs((by["length_matched"].chosen_longer or 0) - 0.5) < abs((by["top_vs_lower"].chosen_longer or 0) - 0.5)


def test_length_alone_as_a_reward_model_on_llmbar(data: Path) -> None:
    """A bench must tell a bad model: the longer answer is right by chance in Natural, and seldom in what was written to fool judges."""
    table = pl.read_ndjson(data / "pref_llmbar" / "dataset.jsonl.zst").with_row_index("id")
    first = pl.col("label") == 1
    lengths = [pl.col(f"output_{side}").str.len_chars() for side in (1, 2)]
    rows = table.select(
        pl.col("id").cast(pl.String), pl.col("path").str.extract(r"^Dataset/(?:LLMBar/|Processed/)?([\w^-]+)").alias("subset"),
        pl.when(first).then(lengths[0]).otherwise(lengths[1]).alias("chosen_score"), pl.when(first).then(lengths[1]).otherwise(lengths[0]).alias("rejected_score"),
    )  # fmt: skip
    found = bench(rows.select("id", "subset"), rows.drop("subset"), by="subset")
    said = {one.name: one for one in found.subsets}
    print({name: (one.pairs, round(100 * one.accuracy, 1)) for name, one in said.items()}, found.macro)
    assert {name: one.pairs for name, one in said.items()} == {"Adversarial": 319, "CaseStudy": 315, "FairEval": 66, "LLMEval^2": 200, "MT-Bench": 200, "Natural": 100}
    assert said["Adversarial"].high < 0.5 < said["MT-Bench"].low


MIRAGE = """\
name: mirage
license: other
sources:
  mirage: {path: pref_mirage_completions_a/predictions.jsonl.zst, license: other, language: en, key: path, shape: {prediction: {group: [dataset, id], model: [model, setting], text: predictions}}}
benchmarks:
  medmcqa: {path: bench_medmcqa_dev/dev.jsonl.zst, license: MIT, language: en, key: id, shape: {item: {options: [opa, opb, opc, opd], answer: cop, base: 1}}}
  pubmedqa: {path: bench_pubmedqa/ori_pqal.jsonl.zst, license: MIT, language: en, key: PMID, shape: {item: {question: QUESTION, options: {A: "yes", B: "no", C: maybe}, answer: final_decision}}}
corpora:
  preference:
    from: [mirage]
    steps: [{group_completions: {}}, {objective_pairs: {}}]
gates: {decontaminated: false}
"""


def test_objective_pairs_of_mirage_are_never_equal_and_each_prompt_has_its_reason(data: Path, tmp_path: Path) -> None:
    """4,183 MedMCQA and 500 PubMedQA prompts, four completions each: 1,747 and 336 make a pair; extraction failures have their own rule."""
    path = tmp_path / "mirage.yaml"
    path.write_text(MIRAGE)
    building.lock_recipe(str(path), data_root=data)
    built = building.build(str(path), data_root=data)
    rows = pl.concat([pl.read_parquet(built.path / file.path) for file in built.record.configs["preference"]["train"]])
    chosen, rejected = (rows[side].list.last().struct.field("content") for side in ("chosen", "rejected"))
    assert (chosen != rejected).all() and rows["strategy"].unique().to_list() == ["objective"]
    told = rows.select(rows["prompt"].list.first().struct.field("content").str.contains(r"\n\nA\. yes\nB\. no\nC\. maybe$").alias("pubmedqa"))
    assert dict(told.group_by("pubmedqa").len().iter_rows()) == {False: 1747, True: 336}
    drops = built.record.drops["preference"]
    print(drops)
    made = {rule: drops[f"objective_pairs/{rule}"] for rule in ("none_right", "none_wrong", "no_verdict")}
    assert sum(made.values()) == 4183 + 500 - rows.height and made["no_verdict"] > 0
