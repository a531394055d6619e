"""bench: how good a reward model is on the pairs of a release."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tilth.cli import options, output

if TYPE_CHECKING:
    import polars as pl


@click.command()
@click.argument("data", metavar="DATA")
@click.argument("scores", metavar="SCORES", type=click.Path(path_type=Path))
@click.option("--split", help="Split of the release's preference pairs [test, or the only one].")
@click.option("--by", default="label", show_default=True, help="Column that names a pair's subset: label, source, language, strategy …")
@click.option("--ties", type=click.Choice(["wrong", "half"]), default="wrong", show_default=True, help="What two equal scores count.")
@options.as_json
def bench(data: str, scores: Path, split: str | None, by: str, ties: Any, json_: bool) -> None:
    """Show how often a reward model scores chosen above rejected, by subset and as the mean over subsets.

    DATA is a release (NAME@V, hf://org/name@V) or a file of pairs (Parquet or jsonl with `id` and the column of --by). SCORES is a Parquet or
    jsonl file of one line a pair: id, chosen_score, rejected_score. A pair without two scores is an error: nothing is left out.
    """
    from tilth.annotators import reward_bench

    path = Path(data)
    is_file = path.suffix in (".parquet", ".jsonl", ".zst", ".gz")
    pairs = reward_bench.table(path) if is_file else _of_release(data, split)
    found = reward_bench.bench(pairs, reward_bench.table(scores), by=by, ties=ties)
    if json_:
        output.as_json(asdict(found))
        return
    lines = [_line(one.name or "(none)", one) for one in found.subsets] + [_line("all pairs", found.overall)]
    if found.macro is not None:
        lines.append(["mean of subsets", None, None, None, _percent(found.macro), None])
    output.table([found.by, "pairs", "right", "ties", "accuracy", "95 %"], lines, right=range(1, 6))
    if found.overall.ties:
        output.say(f"{found.overall.ties:,} ties count as {'wrong' if ties == 'wrong' else 'half right'}", err=True)
    if any(one.name is None for one in found.subsets) and found.macro is not None:
        output.say(f"pairs without a {by} are in `all pairs` and not in the mean of subsets", err=True)


def _of_release(ref: str, split: str | None) -> pl.DataFrame:
    import polars as pl

    from tilth.core.errors import RegistryError
    from tilth.core.home import home
    from tilth.registry.releases import resolve

    found = resolve(ref, home=home())
    files = found.files("preference")
    name = split or ("test" if "test" in files else next(iter(files)) if len(files) == 1 else None)
    if name is None or name not in files:
        raise RegistryError(f"{found.ref} has no split {name or 'test'!r} of pairs", hint=f"--split {' or '.join(files)}")
    return pl.read_parquet(files[name])


def _line(name: str, one: Any) -> list[Any]:
    return [name, one.pairs, one.right, one.ties, _percent(one.accuracy), f"{_percent(one.low)}–{_percent(one.high)}"]


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


VERBS = (bench,)
