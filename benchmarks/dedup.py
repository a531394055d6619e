"""Near-duplicates on real labelled sets: precision and recall of `near_dedup`'s pairs against the exact Jaccard of all pairs.

    .venv/bin/python -m benchmarks.dedup --data DIR [--json] [--similarity 0.8]

`DIR` holds folders `dup_*`, each with `*.jsonl.zst` (or `.jsonl`) whose records have a `text`. A pair counts as found
when `near_dedup`, with its defaults, keeps a verified edge of that similarity or more between the two, or gives them one
shingle set. What is true is found another way, without MinHash: by the prefix filter of Bayardo, Ma and Srikant,
"Scaling up all pairs similarity search" (WWW 2007), which misses no pair, and by intersecting the sets themselves.
Rows that are mostly Han or Kana are shingled by characters and reported apart (`zh`). Prints one object, item → figures;
exit 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
import zstandard

from tilth.core.batch import Batch
from tilth.core.steps import Context
from tilth.filters import clusters
from tilth.filters.folding import fold
from tilth.filters.near_dedup import EDGES, NearDedup
from tilth.filters.shingles import shingle_sets

MIN_PRECISION, MIN_RECALL = 0.99, 0.97
BATCH_ROWS = 500
NO_PAIRS = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Figures:
    """Pairs of one set in one language: those that are there, those that were found, and both."""

    rows: int
    pairs: int
    found: int
    both: int
    similarity: float

    @property
    def precision(self) -> float | None:
        """Share of the pairs found that are true; None where none was found."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the true pairs that were found; None where there is none."""
        return self.both / self.pairs if self.pairs else None

    @property
    def passed(self) -> bool:
        """Whether precision and recall reach their targets, as far as there is something to judge."""
        return (self.precision is None or self.precision >= MIN_PRECISION) and (self.recall is None or self.recall >= MIN_RECALL)

    def shown(self) -> dict[str, object]:
        """Plain JSON values."""
        targets = {"precision": MIN_PRECISION, "recall": MIN_RECALL}
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "target": targets, "passed": self.passed}


def main() -> None:
    """Measure every set of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--similarity", type=float, default=0.8)
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    found = measure(said.data, said.similarity)
    if not found:
        sys.exit(f"error: no folder dup_* with a .jsonl or .jsonl.zst file in {said.data}")
    if said.json:
        print(json.dumps({name: one.shown() for name, one in found.items()}, indent=2))
    for name, one in found.items() if not said.json else ():
        print(f"{name}: {one.rows} rows, {one.pairs} pairs, precision {_figure(one.precision)}, recall {_figure(one.recall)}")
    sys.exit(0 if all(one.passed for one in found.values()) else 1)


def measure(data: Path, similarity: float = 0.8) -> dict[str, Figures]:
    """`near_duplicates/SET/en` and `/zh` → figures, for every `dup_*` folder of `data`; a language without rows is left out."""
    items = {}
    for folder in sorted(data.glob("dup_*")):
        texts = [text for path in sorted(folder.glob("*.jsonl*")) for text in read_texts(path)]
        for language, figures in measure_texts(texts, similarity).items() if texts else ():
            items[f"near_duplicates/{folder.name}/{language}"] = figures
    return items


def measure_texts(texts: list[str], similarity: float, step: NearDedup | None = None) -> dict[str, Figures]:
    """`en` (shingles of words) and `zh` (of characters) → figures; a pair is of the language of its first row."""
    step = step or NearDedup()
    folded = fold(pl.Series(texts, dtype=pl.String))
    true = true_pairs(*shingle_sets(folded, step.shingle, step.zh_shingle), similarity)
    found = found_pairs(texts, similarity, step)
    every = {"pairs": true, "found": found, "both": np.intersect1d(true, found, assume_unique=True)}
    result = {}
    for language, here in (("en", ~folded.chinese), ("zh", folded.chinese)):
        if here.any():
            counts = {name: int(here[(pairs >> np.uint64(32)).astype(np.int64)].sum()) for name, pairs in every.items()}
            result[language] = Figures(rows=int(here.sum()), similarity=similarity, **counts)
    return result


def read_texts(path: Path) -> Iterator[str]:
    """The `text` of every record that has one; other records count as empty."""
    with path.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
        for line in io.TextIOWrapper(plain, encoding="utf-8"):
            yield str(json.loads(line).get("text") or "")


def found_pairs(texts: list[str], similarity: float, step: NearDedup) -> np.ndarray:
    """What the step finds, as `left << 32 | right`, sorted: every pair, also those that share one set of shingles."""
    context = Context("cpt", 0, pl.DataFrame())
    parts = [
        step.measure(Batch(pl.DataFrame({"text": texts[i : i + BATCH_ROWS]}, schema={"text": pl.String}), "cpt"), context)
        for i in range(0, len(texts), BATCH_ROWS)
    ]
    edges = step.link(pl.concat(parts), lambda positions: [texts[i] for i in positions.tolist()])
    left, right, value = (edges[name].to_numpy() for name in EDGES)
    same = value == 1
    chosen = ~same & (value >= np.float32(similarity))
    group = clusters.find_roots(len(texts), left[same], right[same])
    return _over_groups(group, group[left[chosen]], group[right[chosen]])


def true_pairs(values: np.ndarray, offsets: np.ndarray, similarity: float) -> np.ndarray:
    """All pairs of sets at least that similar (exact Jaccard), as `left << 32 | right`, sorted; empty sets have none."""
    rows = [values[offsets[i] : offsets[i + 1]] for i in range(len(offsets) - 1)]
    first: dict[bytes, int] = {}
    group = np.array([first.setdefault(row.tobytes(), i) if len(row) else i for i, row in enumerate(rows)], np.int64)
    heads = np.array([i for i in np.unique(group).tolist() if len(rows[i])], np.int64)
    pairs = _candidates([rows[i] for i in heads.tolist()], similarity)
    near = np.zeros(len(pairs), bool)
    for k, (a, b) in enumerate(zip((pairs >> np.uint64(32)).tolist(), (pairs & np.uint64(0xFFFFFFFF)).tolist(), strict=True)):
        one, two = rows[heads[a]], rows[heads[b]]
        shared = len(np.intersect1d(one, two, assume_unique=True))
        near[k] = shared / (len(one) + len(two) - shared) >= similarity
    pairs = pairs[near]
    return _over_groups(group, heads[pairs >> np.uint64(32)], heads[pairs & np.uint64(0xFFFFFFFF)])


def _candidates(rows: list[np.ndarray], similarity: float) -> np.ndarray:
    """Pairs whose prefixes meet: two sets of similarity t or more share one of the first n - ceil(tn) + 1 items of each, rarest first."""
    sizes = np.array([len(row) for row in rows], np.int64)
    if not len(rows):
        return NO_PAIRS
    _, item, counts = np.unique(np.concatenate(rows), return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    owner = np.repeat(np.arange(len(rows)), sizes)
    order = np.lexsort((rank[item], owner))
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = order[place < np.repeat(sizes - np.ceil(similarity * sizes - 1e-9).astype(np.int64) + 1, sizes)]
    kept = kept[np.lexsort((owner[kept], item[kept]))]
    cuts = np.flatnonzero(np.diff(item[kept])) + 1
    found, held = [NO_PAIRS], 0
    for members in np.split(owner[kept], cuts):
        if len(members) < 2:
            continue
        a, b = np.triu_indices(len(members), 1)
        a, b = members[a], members[b]
        small, large = np.minimum(sizes[a], sizes[b]), np.maximum(sizes[a], sizes[b])
        near = small >= similarity * large - 1e-9
        found.append(_packed(a[near], b[near]))
        held += len(found[-1])
        if held > 1 << 22:
            found = [np.unique(np.concatenate(found))]
            held = 0
    return np.unique(np.concatenate(found))


def _over_groups(group: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Pairs of rows: all within a group, and all across two groups of which the heads are paired."""
    order = np.argsort(group, kind="stable")
    heads, begins = np.unique(group[order], return_index=True)
    ends = np.append(begins[1:], len(order))[: len(heads)]
    members = {head: order[begin:end] for head, begin, end in zip(heads.tolist(), begins, ends, strict=True)}
    found = [NO_PAIRS]
    for rows in members.values():
        if len(rows) > 1:
            a, b = np.triu_indices(len(rows), 1)
            found.append(_packed(rows[a], rows[b]))
    for one, two in zip(left.tolist(), right.tolist(), strict=True):
        across = np.meshgrid(members[one], members[two])
        found.append(_packed(across[0].ravel(), across[1].ravel()))
    return np.unique(np.concatenate(found))


def _packed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    pairs: np.ndarray = np.minimum(a, b).astype(np.uint64) << np.uint64(32) | np.maximum(a, b).astype(np.uint64)
    return pairs


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    main()
