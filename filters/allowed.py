"""Allow-lists: benchmarks and items that rows may hold, each for a reason; and the benchmarks a step names, held against the recipe's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tilth.core.errors import RecipeError


def check_reasons(allow: Mapping[str, str], allow_items: Mapping[str, str]) -> None:
    """
    Raises:
        ValueError: a benchmark or an item without a reason, or an item that is not `benchmark/item`.
    """
    for name in allow_items:
        if "/" not in name:
            raise ValueError(f"allow_items names {name!r}; write benchmark/item")
    for field, said in (("allow", allow), ("allow_items", allow_items)):
        for name, reason in said.items():
            if not reason.strip():
                raise ValueError(f"{field}.{name} gives no reason")


def wanted(
    step: str, benchmarks: pl.DataFrame, against: Sequence[str] | None, allow: Mapping[str, str], allow_items: Mapping[str, str]
) -> pl.DataFrame:  # fmt: skip
    """The items of the benchmarks that a step is told to look for; all where `against` is None.

    Raises:
        RecipeError: a benchmark or an item is named that the recipe does not have.
    """
    known = benchmarks["benchmark"].unique().sort().to_list() if benchmarks.height else []
    if missing := sorted({*(against or ()), *allow} - set(known)):
        raise RecipeError(f"{step}: no benchmark {missing[0]!r}", hint=f"known: {', '.join(known) or 'none'}")
    if allow_items:
        keys = set(benchmarks.select(pl.concat_str("benchmark", "item", separator="/")).to_series())
        if unknown := sorted(set(allow_items) - keys):
            raise RecipeError(f"{step}: allow_items names {unknown[0]!r}, which no benchmark has", hint="tilth decon review")
    return benchmarks if against is None else benchmarks.filter(pl.col("benchmark").is_in(against))


def reason(benchmark: str, allow: Mapping[str, str], allow_items: Mapping[str, str]) -> str | None:
    """Why rows that match a benchmark stay: its own reason, then those of its items; None where nothing is allowed."""
    of_items = [said for item, said in allow_items.items() if item.split("/")[0] == benchmark]
    return "; ".join(dict.fromkeys([*filter(None, [allow.get(benchmark)]), *of_items])) or None
