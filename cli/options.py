"""Options that several verbs share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click


class Amount(click.FloatRange):
    """A number within bounds; never NaN, which no bound holds, nor infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is no finite number.", param, ctx)
        return number


data_root = click.option(
    "--data-root", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder that a recipe's paths count from [its own]."
)
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
recipe = click.argument("recipe", metavar="R")


def talk(quiet: bool) -> Any:
    """Where this command talks to people."""
    from tilth.core.progress import Talk

    return Talk(quiet=quiet)
