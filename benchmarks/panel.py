"""How often a panel of judges is right about pairs, with a few gold items to learn its weights from.

`python -m benchmarks.panel --items items.csv --votes votes.csv[.zst] --gold 50 [--strategy NAME] [--splits 200] [--seed 0] [--json]`

items.csv: dataset, item, label (the better output, from 1), len1, len2 … (characters, may be missing). votes.csv: dataset, item, judge,
strategy, order (`AB`, `BA`), winner (from 1; `tie` or 0 for neither; empty: no answer). A judge is judge × strategy; `--strategy` takes
one prompting strategy or `all` [Vanilla, and Vanilla_NoRules in groups without it].

In each split K items of a group are drawn as gold, the panel's default is fitted to them, and the other items are decided; a
tie is half right. No label but those of the K is read. In percent, by dataset group: `accuracy`; its `standard_error` over items;
`best_single`, the judge (judge × strategy) that is right most often over *all* items, which nobody can know beforehand; `majority`,
all judges alike. All three are means over the same splits.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import zstandard

from tilth.annotators.panels.strategies import WITH_GOLD, WITHOUT_GOLD, scores
from tilth.annotators.panels.votes import Floats, Pairs, Votes, pairs_of, votes_of

DEFAULTS = ("Vanilla", "Vanilla_NoRules")
ITEMS = ("dataset", "item", "label")
VOTES = ("dataset", "item", "judge", "strategy", "order", "winner")
NEITHER = ("0", "tie", "c")


class BadInputError(Exception):
    """The files or the options are wrong; one line says how."""


def main(argv: list[str] | None = None) -> int:
    """Print the figures; exit 2 for bad input."""
    parser = argparse.ArgumentParser(prog="benchmarks.panel")
    parser.add_argument("--items", type=Path, required=True)
    parser.add_argument("--votes", type=Path, required=True)
    parser.add_argument("--gold", type=int, default=50, metavar="K", help="gold items to fit to [50]")
    parser.add_argument("--strategy", help="prompting strategy of the votes, or all")
    parser.add_argument("--aggregation", default="default", choices=["default", *sorted({*WITHOUT_GOLD, *WITH_GOLD})])
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args(argv)
    try:
        found = measure(said.items, said.votes, said.gold, said.strategy, said.splits, said.seed, said.aggregation)
    except BadInputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if said.json:
        print(json.dumps(found, indent=1))
        return 0
    print(f"{'group':28} {'items':>6} {'judges':>6} {'accuracy':>9} {'error':>6} {'best_single':>12} {'majority':>9}")
    for name, row in found.items():
        print(f"{name:28} {row['items']:6} {row['judges']:6} {row['accuracy']:9.1f} {row['standard_error']:6.1f} {row['best_single']:12.1f} {row['majority']:9.1f}")
    return 0


def measure(
    items_path: Path, votes_path: Path, gold: int, strategy: str | None = None, splits: int = 200, seed: int = 0, aggregation: str = "default"
) -> dict[str, dict[str, Any]]:
    """group → {accuracy, standard_error, best_single, majority} in percent, with items, judges, and the name of the best judge.

    Raises:
        BadInputError: what is wrong with the files or the numbers.
    """
    if gold < 1 or splits < 1 or seed < 0:
        raise BadInputError(f"--gold {gold} --splits {splits} --seed {seed}: at least 1, 1 and 0")
    items, votes = _items(items_path), _votes(votes_path)
    if strategy not in (None, "all") and strategy not in votes["strategy"].unique():
        known = ", ".join(sorted(votes["strategy"].drop_nulls().unique()))
        raise BadInputError(f"--strategy {strategy}: no vote has it; all, or one of {known}")
    found: dict[str, dict[str, Any]] = {}
    for name in items["group"].unique().sort():
        group, mine = items.filter(pl.col("group") == name), _of_strategy(votes.filter(pl.col("group") == name), strategy)
        panel, pairs = _panel(group, mine)
        labelled = len(np.unique(pairs.row))
        if not panel.judges:
            print(f"{name}: no votes of that strategy, left out", file=sys.stderr)
        elif labelled <= gold:
            print(f"{name}: {labelled} items with a label and votes, {gold} wanted for gold: left out", file=sys.stderr)
        else:
            found[name] = _measured(panel, pairs, gold, splits, seed, aggregation)
    if not found:
        raise BadInputError(f"--gold {gold}: no group of {items_path} has more items than that with a label and votes")
    return found


def _measured(panel: Votes, pairs: Pairs, gold: int, splits: int, seed: int, aggregation: str) -> dict[str, Any]:
    rows = np.unique(pairs.row)
    best = int(np.argmax(pairs.accuracy(panel.votes)))
    single = _right(panel.votes[:, :, best], pairs, rows)
    majority = _right(panel.votes.mean(axis=2), pairs, rows)
    random = np.random.default_rng(seed)
    right, tested = np.zeros(len(rows)), np.zeros(len(rows))
    means: list[tuple[float, float, float]] = []
    for _ in range(splits):
        drawn = random.permutation(len(rows))
        learn, test = drawn[:gold], drawn[gold:]
        decided = scores(panel, pairs.of_rows(rows[learn]), aggregation)  # type: ignore[arg-type]
        ours = _right(decided, pairs, rows)[test]
        right[test] += ours
        tested[test] += 1
        means.append((ours.mean(), single[test].mean(), majority[test].mean()))
    seen = tested > 0
    by_item = right[seen] / tested[seen]
    error = by_item.std(ddof=1) / np.sqrt(len(by_item)) if len(by_item) > 1 else 0.5
    figures = 100 * np.array([*np.mean(means, axis=0), error])
    accuracy, best_single, plain, standard_error = (round(float(figure), 2) for figure in figures)
    return {
        "accuracy": accuracy, "standard_error": standard_error, "best_single": best_single, "majority": plain,
        "items": len(rows), "judges": len(panel.judges), "best_judge": panel.judges[best],
    }  # fmt: skip


def _right(decided: Floats, pairs: Pairs, rows: np.ndarray) -> Floats:
    """(rows): the share of an item's comparisons that is right."""
    total = np.zeros(int(rows.max()) + 1)
    np.add.at(total, pairs.row, pairs.weight * pairs.right(decided))
    found: Floats = total[rows]
    return found


def _panel(items: pl.DataFrame, votes: pl.DataFrame) -> tuple[Votes, Pairs]:
    """Votes of a group's items, and its labels as pairs."""
    wide = max(2, int(items["label"].max()))  # type: ignore[arg-type]
    candidates = pl.DataFrame({"candidate": [str(k) for k in range(1, wide + 1)], "place": list(range(wide))})
    lines = votes.join(items.select("row_id"), on="row_id", how="semi").join(candidates, how="cross")
    winner = pl.col("winner")
    neither = winner.is_in(NEITHER) | winner.is_in([str(k) for k in range(wide + 1, 10)])
    value = pl.when(winner == pl.col("candidate")).then(1.0).when(neither | winner.is_in(candidates["candidate"].implode())).then(0.0)
    shown = pl.col("order").map_elements(_places, return_dtype=pl.List(pl.Float64)).list.get(pl.col("place"), null_on_oob=True)
    lines = lines.with_columns(value=value, shown=shown, rank=pl.lit(None, pl.Int64))
    lengths = [
        items.select("row_id", pl.lit(str(k)).alias("candidate"), pl.col(f"len{k}").log1p().alias("length"))
        for k in range(1, wide + 1) if f"len{k}" in items.columns
    ]  # fmt: skip
    extras = lines.group_by("row_id", "candidate").agg(pl.col("shown").mean())
    if lengths:
        extras = extras.join(pl.concat(lengths), on=["row_id", "candidate"], how="left")
    panel = votes_of(lines.select("row_id", "judge", "order", "candidate", "value", "rank"), extras=extras)
    gold = items.select("row_id", "label").join(candidates, how="cross")
    gold = gold.with_columns((pl.col("candidate") == pl.col("label").cast(pl.String)).cast(pl.Float64).alias("value"))
    return panel, pairs_of(panel, gold)


def _places(order: str) -> list[float]:
    """Place at which each candidate was shown, 0.5 first to -0.5 last: of `BA`, -0.5 and 0.5."""
    last = max(1, len(order) - 1)
    return [0.5 - order.index(letter) / last for letter in "ABCDEFGHI" if letter in order]


def _of_strategy(votes: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    if strategy == "all":
        return votes.with_columns(pl.concat_str("judge", "strategy", separator=" × ", ignore_nulls=True).alias("judge"))
    there = set(votes["strategy"].to_list())
    wanted = strategy or next((name for name in DEFAULTS if name in there), None)
    if wanted is None and len(there) == 1:
        return votes
    return votes.filter(pl.col("strategy") == wanted)


def _items(path: Path) -> pl.DataFrame:
    frame = _table(path, ITEMS)
    lengths = [name for name in frame.columns if name.startswith("len")]
    frame = frame.with_columns(
        pl.col("label").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False), *(pl.col(name).cast(pl.Float64, strict=False) for name in lengths)
    ).with_columns([pl.when(pl.col(name) >= 0).then(pl.col(name)).alias(name) for name in lengths])
    labelled = frame.filter(pl.col("label").is_between(1, 9))
    if labelled.is_empty():
        raise BadInputError(f"{path}: no item has a label from 1")
    if labelled["row_id"].is_duplicated().any():
        raise BadInputError(f"{path}: item {labelled.filter(pl.col('row_id').is_duplicated())['row_id'][0]} comes twice")
    if labelled.height < frame.height:
        print(f"{path}: {frame.height - labelled.height} items without a label (or labelled a tie) are left out", file=sys.stderr)
    return labelled


def _votes(path: Path) -> pl.DataFrame:
    frame = _table(path, VOTES)
    winner = pl.col("winner").str.strip_chars().str.to_lowercase().str.replace(r"\.0+$", "")
    letters = {"a": "1", "b": "2"}
    return frame.with_columns(winner.replace(letters).alias("winner"), pl.col("order").fill_null("")).filter(pl.col("judge").is_not_null())


def _table(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The file as strings, with row_id and group."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".zst":
            raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
        frame = pl.read_csv(raw, infer_schema=False)
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from None
    except (pl.exceptions.PolarsError, zstandard.ZstdError, ValueError) as error:
        raise BadInputError(f"{path}: no CSV that can be read: {str(error).splitlines()[0]}") from None
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise BadInputError(f"{path}: no column {', '.join(missing)}")
    if frame.is_empty():
        raise BadInputError(f"{path}: no rows")
    return frame.filter(pl.col("dataset").is_not_null(), pl.col("item").is_not_null()).with_columns(
        pl.concat_str("dataset", "item", separator="#").alias("row_id"),
        pl.col("dataset").str.split("/").list.head(2).list.join("/").alias("group"),
    )


if __name__ == "__main__":
    raise SystemExit(main())
