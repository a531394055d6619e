"""The builders' figures: classifiers, selection, context relevance, objective pairs, published shapes, and no score made up.

    .venv/bin/python -m benchmarks.builders [--quick] [--data DIR] [--only ITEM ...] [--json]

Prints item → {value, target, met, …}: `value` as the item's own words say, `met` whether the target is reached. Speeds are CPU seconds of one
process beside its wall time and the load average, for other work on the machine counts in the latter alone. `--quick` leaves out
the selection from a million rows and reads at most 2,000 records of each published set.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import classifiers, corpus
from tilth.annotators.answers import named, verdict
from tilth.annotators.replies import score as read_score
from tilth.builders.makers.objective_pairs import ObjectivePairs
from tilth.core.batch import Batch
from tilth.core.rows import conversation, frame
from tilth.core.scores import over_turns
from tilth.core.steps import Context, MakeContext
from tilth.filters import digit_scorer, diversity, encoders, turn_losses
from tilth.filters.diverse_selection import DiverseSelection
from tilth.filters.score_filter import ScoreFilter

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the references are those of the tests

Found = dict[str, Any]
WIDTH = 384
SIMPLE = re.compile(r'"answer_choice"\s*:\s*"?\s*([A-D])')
UNREADABLE = ("", "I cannot say.", "type 2 diabetes", "Score: 11", "Score: 7.5", "either 6 or 7", '{"score": null}', '{"score": "high"}', "评分：很高", "3 steps, 2 drugs")
"""Replies that state no score from 1 to 10."""


@dataclass(frozen=True)
class Setting:
    """Where the data lie, a folder to work in, and whether to be quick."""

    data: Path
    folder: Path
    quick: bool


def classified(setting: Setting) -> Found:
    """Macro F1 over both English swaps of sources that a fastText classifier has not seen, and what the filter reads, MB a CPU second.

    `sources_below` names those of which less than 0.95 get their label; docs/selection.md says why.
    """
    swaps = {name: classifiers.measure(setting.data, *swap) for name, swap in classifiers.SWAPS.items()}
    english = statistics.mean(found["macro_f1"] for name, found in swaps.items() if name.startswith("english"))
    speed = min(found["mb_per_s"] for found in swaps.values())
    failing = {source: one["recall"] for found in swaps.values() for source, one in found["sources"].items() if one["recall"] < 0.95}
    values = {"english_macro_f1": round(english, 4), "chinese_macro_f1": swaps["chinese"]["macro_f1"], "mb_per_s": speed}
    return {"value": values, "target": {"macro_f1": 0.95, "mb_per_s": 25}, "met": english >= 0.95 and speed >= 25, "sources_below": failing, "swaps": swaps}  # fmt: skip


def diversity_equal(setting: Setting) -> Found:
    """Rows chosen otherwise than by a walk one by one in double precision, of 20,000 × 384."""
    from test_diversity import gathered, one_by_one

    vectors, order = gathered(20_000, 9_000, WIDTH, 0.3, 1), np.random.default_rng(2).permutation(20_000)
    ours, theirs = diversity.select(vectors, order, 0.9).kept.tolist(), one_by_one(vectors, order, 0.9, None)
    return {"value": len(set(ours) ^ set(theirs)), "target": 0, "met": ours == theirs, "kept": len(ours)}


def vectors_of(rows: int, groups: int | None, noise: float) -> np.ndarray:
    """float16 [rows, 384]: around the centres of so many groups, or anywhere."""
    draw = np.random.default_rng(1)
    centres = None if groups is None else draw.standard_normal((groups, WIDTH), dtype=np.float32)
    made = np.empty((rows, WIDTH), np.float16)
    for start in range(0, rows, 50_000):
        some = min(50_000, rows - start)
        around = 0 if centres is None else centres[draw.integers(0, len(centres), some)]
        made[start : start + some] = around + noise * draw.standard_normal((some, WIDTH), dtype=np.float32)
    return made


def walk(rows: int, groups: int | None, noise: float, count: int) -> Found:
    """Seconds of one selection, in a process of its own, and the memory that it came to."""
    vectors, order = vectors_of(rows, groups, noise), np.random.default_rng(2).permutation(rows)
    wall, cpu = time.monotonic(), time.process_time()
    found = diversity.select(vectors, order, 0.9, count)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"wall": round(wall, 2), "cpu": round(cpu, 2), "peak_gib": round(peak, 2), "kept": len(found.kept), "passed": len(found.passed),
            "load": round(os.getloadavg()[0], 1)}  # fmt: skip


def walks(rows: int, count: int, kinds: dict[str, tuple[int | None, float]], seconds: float, gib: float | None) -> Found:
    """The slowest of several kinds of vectors; `met` by CPU seconds on two cores, or by the clock."""
    made = {}
    for name, (groups, noise) in kinds.items():
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            made[name] = pool.apply(walk, (rows, groups, noise, count))
    clock, cpu, peak = (max(one[name] for one in made.values()) for name in ("wall", "cpu", "peak_gib"))
    target = {"seconds": seconds} | ({} if gib is None else {"peak_gib": gib})
    met = min(clock, cpu) <= seconds and (gib is None or peak <= gib)
    return {"value": {"wall": clock, "cpu": cpu, "peak_gib": peak}, "target": target, "met": met, "kinds": made}


def diversity_200k(setting: Setting) -> Found:
    """10,000 rows chosen of 200,000 × 384: scattered, in groups, and most of them copies."""
    return walks(200_000, 10_000, {"scattered": (None, 1), "groups": (20_000, 0.2), "copies": (10_500, 0.2)}, 3, None)


def diversity_million(setting: Setting) -> Found:
    """100,000 rows chosen of 1,000,000 × 384."""
    return walks(1_000_000, 100_000, {"scattered": (None, 1), "copies": (120_000, 0.2)}, 120, 6)


def context_relevance(setting: Setting) -> Found:
    """How many times as fast as one turn at a time by transformers' own loss (median of interleaved rounds), and the largest difference of a loss."""
    import tiny_model

    folder = tiny_model.make(setting.folder / "causal")
    draw = np.random.default_rng(0)
    rounds = 3 if setting.quick else 5
    made = {}
    for name, turns, tokens, count in (("six turns of 30 tokens", 6, 30, 60), ("ten turns of 20 tokens", 10, 20, 40)):
        dialogues = [[draw.integers(3, 250, draw.integers(tokens // 2, 3 * tokens // 2)).tolist() for _ in range(turns)] for _ in range(count)]
        made[name] = _raced(folder, dialogues, 512, rounds)
    ratio, apart = min(one["ratio"] for one in made.values()), max(one["difference"] for one in made.values())
    return {"value": {"ratio": ratio, "difference": apart}, "target": {"ratio": 5, "difference": 1e-4}, "met": ratio >= 5 and apart <= 1e-4, "kinds": made}


def context_relevance_long(setting: Setting) -> Found:
    """The same for real dialogues (SMILE: six turns, 800 characters, each a token) and a model of 4 layers × 256, where tokens and not calls are what costs."""
    import tiny_model
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    folder = tiny_model.make(setting.folder / "larger")
    config = LlamaConfig(vocab_size=4096, hidden_size=256, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=2048)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    rows = list(corpus.records(setting.data / "sft_zh_smile" / "smile.jsonl.zst"))[:6]
    talks = [[turn["content"] for turn in row["dialog"]] for row in rows]
    turns = [["".join(talk[place : place + 2]) for place in range(0, len(talk), 2)] for talk in talks]
    dialogues = [[[3 + ord(character) % 4000 for character in turn] for turn in talk] for talk in turns]
    found = _raced(folder, dialogues, 2048, 3)
    tokens = sum(len(turn) for talk in dialogues for turn in talk)
    before = sum(sum(map(len, talk[: place + 1])) for talk in dialogues for place in range(1, len(talk))) + tokens
    ours = 2 * tokens - sum(len(talk[0]) for talk in dialogues)
    return {"value": {"ratio": found["ratio"]}, "target": None, "met": None, **found, "tokens_read_ratio": round(before / ours, 2)}


def _raced(folder: Path, dialogues: list[list[list[int]]], max_tokens: int, rounds: int) -> Found:
    from test_context_relevance import one_by_one, opened

    model, network = turn_losses.load(str(folder), encoders.digest(folder), "cpu"), opened(folder)
    ratios, apart = [], 0.0
    for _ in range(rounds):
        started = time.process_time()
        ours = turn_losses.turn_losses(model.logits, dialogues, begin=2, max_tokens=max_tokens)
        middle = time.process_time()
        theirs = one_by_one(network, dialogues, 2, max_tokens)
        ratios.append((time.process_time() - middle) / (middle - started))
        apart = max(apart, *(float(np.abs(a - b).max()) for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True)))
    return {"ratio": round(statistics.median(ratios), 2), "spread": [round(min(ratios), 2), round(max(ratios), 2)], "difference": apart}


def objective_pairs(setting: Setting) -> Found:
    """Prompts of MIRAGE with a right and a wrong completion: pairs made; and with those without a verdict called wrong, beside a simple regular expression."""
    predictions = pl.read_ndjson(setting.data / "pref_mirage_completions_a" / "predictions.jsonl.zst")
    made = {}
    for dataset, target, items in (("medmcqa", 2094, _medmcqa(setting.data)), ("pubmedqa", 336, _pubmedqa(setting.data))):
        candidates: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in predictions.filter(pl.col("dataset") == dataset).iter_rows(named=True):
            candidates[row["id"]].append({"model": f"{row['model']}/{row['setting']}", "text": next(iter(row["predictions"]), "")})
        lines = [{"id": key, "prompt": conversation([("user", key)]), "options": items[key][0], "answer": items[key][1], "candidates": candidates[key]} for key in sorted(candidates)]
        rows = frame("preference", **pl.DataFrame(lines).to_dict(as_series=True))
        pairs = ObjectivePairs().make(rows, MakeContext("preference", 0, pl.DataFrame(), setting.folder, None))
        ours, simple = defaultdict(set), defaultdict(set)
        differ: Counter[str] = Counter()
        for line in lines:
            labels, texts = ([option[part] for option in line["options"]] for part in ("label", "text"))
            for candidate in line["candidates"]:
                found, match = verdict(candidate["text"], labels, texts), SIMPLE.search(candidate["text"])
                mine = found.label if found.rule else named(candidate["text"], labels, texts)
                theirs = match[1] if match else None
                ours[line["id"]].add(mine == line["answer"])
                simple[line["id"]].add(theirs == line["answer"])
                if mine != theirs:
                    differ["another option" if mine and theirs else "found by us alone" if mine else f"no verdict, by the rule {found.rule}"] += 1
        both = {name: sum(len(kinds) == 2 for kinds in table.values()) for name, table in (("ours", ours), ("regex", simple))}
        alike = pairs.rows.filter(pl.col("chosen") == pl.col("rejected")).height
        made[dataset] = {"pairs": pairs.rows.height, "unclear_called_wrong": both["ours"], "regex": both["regex"], "asked": target, "chosen_equals_rejected": alike,
                         "no_pair": dict(Counter(pairs.fates["rule"].to_list())), "differences": dict(differ)}  # fmt: skip
    met = all(not one["chosen_equals_rejected"] and one["regex"] == one["asked"] and one["unclear_called_wrong"] >= one["asked"] - sum(one["differences"].values()) for one in made.values())
    return {"value": {name: one["pairs"] for name, one in made.items()}, "target": {"medmcqa": 2094, "pubmedqa": 336}, "met": met, "sets": made}


Item = tuple[list[dict[str, str]], str]


def _medmcqa(data: Path) -> dict[str, Item]:
    rows = pl.read_ndjson(data / "bench_medmcqa_dev" / "dev.jsonl.zst").iter_rows(named=True)
    return {row["id"]: ([{"label": letter.upper(), "text": row[f"op{letter}"]} for letter in "abcd"], "ABCD"[int(row["cop"]) - 1]) for row in rows}


def _pubmedqa(data: Path) -> dict[str, Item]:
    words = ("yes", "no", "maybe")
    options = [{"label": label, "text": word} for label, word in zip("ABC", words, strict=True)]
    rows = pl.read_ndjson(data / "bench_pubmedqa" / "ori_pqal.jsonl.zst").iter_rows(named=True)
    return {str(row["PMID"]): (options, "ABC"[words.index(row["final_decision"])]) for row in rows}


def round_trips(setting: Setting) -> Found:
    """Records of the published sets that are written otherwise than they were read; every one that is no row is counted, by why."""
    from test_shapes import REAL, round_trip

    made = {file: round_trip(setting.data / f"{file}.jsonl.zst", name, 2000 if setting.quick else None) for file, (name, _) in REAL.items()}
    lost = sum(found["different"] for found in made.values())
    return {"value": lost, "target": 0, "met": lost == 0, "records": sum(found["equal"] for found in made.values()), "sets": {file: dict(found) for file, found in made.items()}}


def no_made_up_score(setting: Setting) -> Found:
    """Scores that stand where nothing could be scored: by judges' replies, Deita's models, sums over turns, and the steps that choose."""
    import tiny_model

    folder = tiny_model.make(setting.folder / "scorer")
    scorer = digit_scorer.load(str(folder), encoders.digest(folder), "cpu", "float32")
    rows = frame("cpt", id=["a", "b"], text=["one", "two"], source=["x", "x"], scores=[[{"name": "other", "value": 9.0}], None])
    seen = {
        "replies": [read_score(reply, 1, 10)[0] for reply in UNREADABLE],
        "scorer": [value for value, _ in scorer.scores(["word " * 200, ""], 64)],
        "turns": [over_turns(parts, "sum") for parts in ([[1.0, None]], [[]], [[2.0], [float("nan")]])],
    }
    made_up = {name: sum(value is not None for value in values) for name, values in seen.items()}
    for name, step in (("score_filter", ScoreFilter(score="q", min_score=0)), ("diverse_selection", DiverseSelection(score="q"))):
        signals = step.measure(Batch(rows, "cpt"), Context("cpt", 0, pl.DataFrame())).with_columns(rows["id"], rows["source"])
        made_up[name] = rows.height - (step.decide(signals, np.ones(rows.height, bool), None)["rule"] == "no_score").sum()
    return {"value": sum(made_up.values()), "target": 0, "met": not any(made_up.values()), "looked_at": sum(map(len, seen.values())) + 4, "by": made_up}


ITEMS: dict[str, Callable[[Setting], Found]] = {
    "classifiers": classified, "diversity_equal": diversity_equal, "diversity_10k_of_200k": diversity_200k, "diversity_100k_of_1m": diversity_million,
    "context_relevance": context_relevance, "context_relevance_long": context_relevance_long, "objective_pairs": objective_pairs, "round_trips": round_trips, "no_made_up_score": no_made_up_score,
}  # fmt: skip
SLOW = ("diversity_100k_of_1m",)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with cpt_raw_mix, pref_* and sft_*")
    parser.add_argument("--quick", action="store_true", help="no selection from a million rows, 2,000 records of each published set")
    parser.add_argument("--only", nargs="+", metavar="ITEM", choices=ITEMS, help="these items alone")
    parser.add_argument("--json", action="store_true", help="one line")
    said = parser.parse_args()
    if not (said.data / "cpt_raw_mix").is_dir():
        parser.error(f"{said.data}: no cpt_raw_mix there")
    results: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix="builders-") as folder:
        setting = Setting(said.data.absolute(), Path(folder), said.quick)
        for name, measure in ITEMS.items():
            if name in said.only if said.only else not (said.quick and name in SLOW):
                results[name] = measure(setting)
                print(f"{name}: {json.dumps({k: results[name][k] for k in ('value', 'target', 'met')})}", file=sys.stderr)
    print(json.dumps(results, indent=None if said.json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()
