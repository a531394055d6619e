"""The filters against every peer: the same documents, interleaved runs, decisions compared.

    .venv/bin/python -m benchmarks.filters [--quick] [--rounds N] [--data DIR] [--only ITEM ...] [--json]

Prints item → {ratio, target, identical, mismatches, ours, peer, spread}: throughputs in MB/s (millions of bytes of UTF-8 text a
CPU second, one thread each), the ratio of their medians and its smallest and largest in a round; `identical` where the
definitions are the same, `mismatches` the documents that differ, at most 50 of them. A peer that cannot be run has a null
ratio and the `reason`. Ours always runs on all documents (20,000 or more), and once more on those of the peer, where decisions are
compared. `--quick` gives the peers a fixed one in 20 of the documents and takes three rounds instead of five, unless
`--rounds` says otherwise. Environments of
peers are made where they are missing (`python -m benchmarks.peers`). Raw results go to `.cache/benchmarks/filters.json`.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpus, peers, scale
from benchmarks.corpus import Document, Language
from benchmarks.peers import Measured, Unavailable

ROOT = Path(__file__).parents[1]
RAW = ROOT / ".cache" / "benchmarks" / "filters.json"
SHOWN = 50
Found = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """Where the documents lie, and how often each side runs."""

    data: Path
    folder: Path
    quick: bool
    rounds: int

    @functools.cache  # noqa: B019
    def documents(self, language: Language) -> tuple[Path, Path, list[Document]]:
        """(file of all documents, file of the peer's, the latter), written once."""
        full, some = self.folder / f"{language}.jsonl", self.folder / f"{language}-peer.jsonl"
        rows = corpus.documents(self.data, language)
        given = corpus.sample(rows) if self.quick else rows
        corpus.write(some, given)
        corpus.write(self.questions(language), corpus.questions(self.data, language))
        corpus.write(full, rows)
        return full, some, given

    def questions(self, language: Language) -> Path:
        return self.folder / f"{language}-questions.jsonl"


Compare = Callable[[Measured, Measured, list[Document]], list[str]]
"""(ours, the peer's, documents of both) → documents decided otherwise, each with what was said."""


@dataclass(frozen=True)
class Item:
    """One line of the result."""

    name: str
    target: float
    language: Language
    peer: str
    task: str
    ours: str
    compare: Compare | None
    options: tuple[str, ...] = ()
    questions: bool = False


def measure(item: Item, setting: Setting) -> Found:
    """Interleaved rounds of one item."""
    full, some, given = setting.documents(item.language)
    options = [*item.options, "--language", item.language]
    if item.questions:
        options += ["--questions", str(setting.questions(item.language))]
    if item.ours == "language_id":
        model = peers.language_model()
        if isinstance(model, Unavailable):
            return _absent(item, model.reason)
        options += ["--model", str(model)]
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for place in range(setting.rounds):
        for side, peer, task, rows in ((ours, "tilth", item.ours, full), (theirs, item.peer, item.task, some)):
            found = peers.call(peer, task, rows, setting.folder / f"{item.name}-{peer}-{place}.jsonl", *options)
            if isinstance(found, Unavailable):
                return _absent(item, found.reason)
            side.append(found)
    result = compared(item.target, [one.mb_per_second for one in ours], [one.mb_per_second for one in theirs])
    if item.compare is not None:
        same = peers.call("tilth", item.ours, some, setting.folder / f"{item.name}-same.jsonl", *options)
        if isinstance(same, Unavailable):
            return _absent(item, same.reason)
        differ = item.compare(same, theirs[-1], given)
        result |= {"identical": not differ, "mismatches": differ[:SHOWN], "num_mismatches": len(differ), "compared": len(given)}
    return result | {"peer_version": theirs[0].version, "documents": ours[0].documents, "peer_documents": theirs[0].documents}


def compared(target: float, ours: list[float], theirs: list[float]) -> Found:
    """The ratio of the medians, and the spread of the ratios of the rounds."""
    rounds = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 2),
        "target": target,
        "ours": round(statistics.median(ours), 3),
        "peer": round(statistics.median(theirs), 3),
        "spread": [round(min(rounds), 2), round(max(rounds), 2)],
        "rounds": [[round(one, 3), round(other, 3)] for one, other in zip(ours, theirs, strict=True)],
    }


def _absent(item: Item, reason: str) -> Found:
    return {"ratio": None, "target": item.target, "reason": reason}


def same_fate(ours: Measured, theirs: Measured, given: list[Document]) -> list[str]:
    """Kept or dropped for the same reason by the same step, the same text kept, the same MinHash duplicates."""
    differ = []
    for mine, other in zip(ours.decisions(), theirs.decisions(), strict=True):
        for name in ("kept", "step", "reason", "text_hash"):
            if name in other and mine.get(name) != other[name]:
                differ.append(f"{mine['id']}: {name} {mine.get(name)!r}, theirs {other[name]!r}")
                break
    return differ


def same_attributes(ours: Measured, theirs: Measured, given: list[Document]) -> list[str]:
    """dolma's attributes, name for name."""
    return [
        f"{mine['id']}: {name} {mine['attributes'].get(name)}, theirs {value}"
        for mine, other in zip(ours.decisions(), theirs.decisions(), strict=True)
        for name, value in other["attributes"].items()
        if (name in mine["attributes"] and abs(mine["attributes"][name] - value) > 1e-5) or (name not in mine["attributes"] and name != "character_count")
    ]


def same_labels(ours: Measured, theirs: Measured, given: list[Document]) -> list[str]:
    """Languages, and their scores to the last bit of a float32."""
    return [
        f"{mine['id']}: {mine['label']} {mine['score']}, theirs {other['label']} {other['score']}"
        for mine, other in zip(ours.decisions(), theirs.decisions(), strict=True)
        if (mine["label"], np.float32(mine["score"])) != (other["label"], np.float32(other["score"]))
    ]


def same_signatures(ours: Measured, theirs: Measured, given: list[Document]) -> list[str]:
    """MinHash values bit for bit."""
    mine, other = (np.load(one.output.with_suffix(".npy")) for one in (ours, theirs))
    differ = []
    for row, said in zip(ours.decisions(), theirs.decisions(), strict=True):
        a, b = row["signature"], said["signature"]
        if (a is None) != (b is None) or (a is not None and not np.array_equal(mine[a], other[b])):
            differ.append(f"{row['id']}: signatures differ")
    return differ


def true_hits(ours: Measured, theirs: Measured, given: list[Document]) -> list[str]:
    """The planted leaks that the peer finds and we do not."""
    kept = {row["id"] for row in ours.decisions() if row["kept"]}
    missed = {row["id"] for row in theirs.decisions() if not row["kept"]} & kept
    return [f"{one.id}: holds {one.leak}, which the peer finds" for one in given if one.leak and one.id in missed]


ITEMS = (
    Item("english_chain", 12, "english", "datatrove", "english_chain", "english_chain", same_fate, questions=True),
    Item("chinese_chain", 12, "chinese", "datatrove", "chinese_chain", "chinese_chain", same_fate, ("--relaxed",), questions=True),
    Item("whitespace_vs_nemo", 4, "english", "nemo_curator", "heuristics", "heuristics", same_fate),
    Item("gopher_vs_dolma", 6, "english", "dolma", "gopher_v1", "gopher_v1", same_attributes),
    Item("decontamination_vs_script", 3, "english", "script", "decontamination", "decontamination", true_hits, questions=True),
    Item("decontamination_vs_janitor", 10, "english", "lm_eval", "janitor", "decontamination", true_hits, questions=True),
    Item("minhash_identical", 9, "english", "datatrove", "minhash", "minhash", same_signatures),
    Item("minhash_identical_chinese", 9, "chinese", "datatrove", "minhash", "minhash", same_signatures),
    Item("minhash_own_vs_rensa", 2, "english", "rensa", "minhash", "minhash_own", None),
    Item("language_id", 2, "english", "datatrove", "language_id", "language_id", same_labels),
    Item("language_id_chinese", 2, "chinese", "datatrove", "language_id", "language_id", same_labels),
)


def items(setting: Setting) -> Iterator[tuple[str, Callable[[], Found]]]:
    """Every item and how it is measured."""
    for item in ITEMS:
        yield item.name, lambda item=item: measure(item, setting)  # type: ignore[misc]
    yield from scale.items(setting)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with cpt_* and bench_*")
    parser.add_argument("--quick", action="store_true", help="peers on one document in 20, three rounds")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of both sides [5, with --quick 3]")
    parser.add_argument("--only", nargs="+", metavar="ITEM", help="these items alone")
    parser.add_argument("--json", action="store_true", help="one line")
    said = parser.parse_args()
    if not said.data.is_dir():
        parser.error(f"{said.data}: no such folder")
    for peer in peers.names() if said.only is None else ():  # else those that are called
        if isinstance(made := peers.ensure(peer), Unavailable):
            print(f"{peer}: {made.reason}", file=sys.stderr)
    results: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix="filters-") as folder:
        setting = Setting(said.data.absolute(), Path(folder), said.quick, said.rounds or (3 if said.quick else 5))
        for name, run in items(setting):
            if said.only is None or name in said.only:
                results[name] = run()
                print(f"{name}: {json.dumps({k: v for k, v in results[name].items() if k not in ('mismatches', 'rounds')})}", file=sys.stderr)
    RAW.parent.mkdir(parents=True, exist_ok=True)
    RAW.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    print(json.dumps(results, indent=None if said.json else 2, ensure_ascii=False))


if __name__ == "__main__":
    main()
