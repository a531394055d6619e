"""Printing: data to stdout, as JSON or as a table that a pipe can read too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from tilth.core.text import printable


def as_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """Columns padded to the width that a terminal shows (a Chinese character takes two); `right` columns flush right."""
    from rich.cells import cell_len

    lines = [list(map(str, headers)), *([_cell(value) for value in row] for row in rows)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(headers))]
    for line in lines:
        cells = []
        for i, text in enumerate(line):
            pad = " " * (widths[i] - cell_len(text))
            cells.append(pad + text if i in right else text + pad)
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
    return printable(str(value))


def say(line: str, *, err: bool = False) -> None:
    """One line that may hold text of a dataset, a model or the Hub."""
    click.echo(printable(line), err=err)


def size(count: int) -> str:
    """Bytes for people.

    >>> size(1536)
    '1.5 KiB'
    """
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError
