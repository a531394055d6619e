"""What each step takes of every source and every language, counted where it decides or makes.

The counts lie among the facts of its stage; `alarms` holds them against the recipe's limits, so that changing those
decides nothing again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tilth.core.steps import Step


@dataclass(frozen=True)
class Groups:
    """The sources and the languages of rows: `names`, and `codes` (one a row, places in `names`), by `of`."""

    names: dict[str, list[str]]
    codes: dict[str, np.ndarray]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Groups:
        """Those of the columns source and language."""
        columns = {name: rows[name].fill_null("und") for name in ("source", "language")}
        names = {name: column.unique().sort().to_list() for name, column in columns.items()}
        return cls(names, {name: column.cast(pl.Enum(names[name])).to_physical().to_numpy() for name, column in columns.items()})


def taken(step: Step, groups: Groups, alive: np.ndarray, gone: pl.DataFrame) -> list[dict[str, Any]]:
    """For every source and every language that lost rows to the step: `AlarmEntry` fields, but corpus and reason.

    A rule over the signal `language` takes languages because the recipe says so: the rows that it takes are no loss of
    their language, only of their source. Rows over a budget (`Step.budgets`) are a loss of neither.

    Args:
        alive: bool, one a row: those that came to the step.
        gone: fates, `index` being the row.
    """
    gone = gone.filter(~pl.col("rule").is_in(step.budgets))
    if not gone.height:
        return []
    asked_for = [rule.name for rule in step.rules() if rule.signal == "language"]
    unasked = gone.filter(~pl.col("rule").is_in(asked_for)) if asked_for else gone
    came = alive.copy()
    by_source = _taken(step.name, "source", groups, came, gone)
    came[gone["index"].to_numpy()] = False
    came[unasked["index"].to_numpy()] = True
    return [*by_source, *_taken(step.name, "language", groups, came, unasked)]


def _taken(step: str, of: str, groups: Groups, came: np.ndarray, gone: pl.DataFrame) -> list[dict[str, Any]]:
    names, codes = groups.names[of], groups.codes[of]
    rows_in = np.bincount(codes[came], minlength=len(names))
    fates = pl.DataFrame({"group": codes[gone["index"].to_numpy()], "rule": gone["rule"]})
    counted = fates.group_by("group", "rule").len().sort("group", "len", "rule", descending=[False, True, False])
    found: dict[int, dict[str, int]] = {}
    for group, rule, rows in counted.iter_rows():
        found.setdefault(group, {})[rule] = rows
    return [
        {"step": step, "of": of, "name": names[group], "rows_in": int(rows_in[group]), "rows_gone": sum(rules.values()),
         "rule": next(iter(rules)), "rule_rows": next(iter(rules.values()))}
        for group, rules in found.items()
    ]  # fmt: skip
