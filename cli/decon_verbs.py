"""decon: what decontamination met, item beside row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output
from tilth.core.text import printable

COLUMNS = ("items", "items_found", "rows_dropped", "rows_allowed", "rows_common", "rows_unjudged")


@click.group()
def decon() -> None:
    """Look at what decontamination met."""


@decon.command()
@options.recipe
@click.option("--benchmark", help="Only items of that benchmark.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Hits to show; 0 for the table only.")
@click.option("--allowed", is_flag=True, help="Show the rows that stay too: allowed for, or common phrases of their source.")
@click.option("--write", "write_to", type=click.Path(path_type=Path, dir_okay=False), help="Write an allow-list of the dropped rows' items to fill in.")
@options.data_root
@options.as_json
def review(
    recipe: str, benchmark: str | None, limit: int, allowed: bool, write_to: Path | None, data_root: Path | None, json_: bool
) -> None:
    """Show which benchmark items stood in which rows of R's last build, with the words that both share and what judges said."""
    from tilth.builders import contamination_review as reviewing
    from tilth.core.errors import StorageError

    if write_to is not None and write_to.exists():
        raise StorageError(f"{write_to} is there already", hint="name another file, or remove it")
    fates: tuple[reviewing.Fate, ...] = ("dropped", "unjudged", *(("allowed", "common") if allowed else ()))
    found = reviewing.review(recipe, benchmark=benchmark, fates=fates, data_root=data_root)
    if write_to is not None:
        write_to.write_text(reviewing.allow_list([hit for hit in found.hits if hit.fate == "dropped"]), encoding="utf-8")
        output.say(f"{write_to}: give each item its reason and copy it under the step that its comment names", err=True)
    if json_:
        output.as_json(found.to_json())
        return
    lines = [
        [entry["corpus"], entry.get("step", "decontaminate"), entry["benchmark"], *(entry.get(name, 0) for name in COLUMNS)]
        for entry in found.benchmarks
    ]
    output.table(["corpus", "step", "benchmark", *(name.replace("_", " ") for name in COLUMNS)], lines, right=range(3, 3 + len(COLUMNS)))
    for hit in found.hits[:limit]:
        _show(hit)
    if limit and len(found.hits) > limit:
        output.say(f"and {len(found.hits) - limit} more: --limit {len(found.hits)}, or --json", err=True)


def _show(hit: Any) -> None:
    """One hit: the item on the left, the row on the right; on a terminal with what both share in colour."""
    import shutil

    from rich.cells import chop_cells

    click.echo()
    share = f"{hit.coverage:.2f} of the {'judges say same' if hit.verdicts else 'question'}, {hit.needed:.2f} needed"
    output.say(f"{hit.fate}: {hit.corpus} {hit.row} ({hit.source or 'no source'}), {hit.benchmark}/{hit.item}: {hit.how}, {share}")
    for said in hit.verdicts:
        output.say(f"  {said['judge']}: {said['verdict']}" + (f": {said['reason']}" if "reason" in said else ""))
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table("item", "row", expand=True, show_edge=False)
        table.add_row(_marked(hit.question, hit.item_words), _marked(hit.span, hit.row_words))
        Console(width=shutil.get_terminal_size().columns).print(table)
        return
    width = 58
    left, right = (chop_cells(" ".join(printable(text).split()), width) for text in (hit.question, hit.span))
    output.table(["item", "row"], [[left[k] if k < len(left) else "", right[k] if k < len(right) else ""] for k in range(max(len(left), len(right)))])


def _marked(text: str, words: list[tuple[int, int]]) -> Any:
    """The text with those stretches in colour; what a terminal would act on is shown and not done."""
    from rich.text import Text

    made, at = Text(), 0
    for start, end in words:
        made.append(printable(text[at:start]))
        made.append(printable(text[start:end]), style="bold red")
        at = end
    made.append(printable(text[at:]))
    return made


VERBS = (decon,)
