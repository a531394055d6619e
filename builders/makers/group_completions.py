"""Completions of one benchmark item, one a row → one row an item, with its question, options and key."""

from __future__ import annotations

from typing import Any

import polars as pl

from tilth.builders.shapes.choices import LABELS, asked
from tilth.core.rows import conversation, row_id, schema
from tilth.core.steps import FATES, Made, MakeContext, Step


class GroupCompletions(Step, name="group_completions", version=1):
    """Joins rows by `group` (`benchmark/item`) to the recipe's benchmark items; rows without a group pass as they are.

    A completion whose item is not among the benchmarks is dropped (`unknown_item`), a second completion of one
    model for one item too (`repeated_model`).
    """

    corpora = ("preference",)
    reads_benchmarks = True

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        items = {f"{item['benchmark']}/{item['item']}": item for item in context.benchmarks.iter_rows(named=True)}
        groups: dict[str, list[dict[str, Any]]] = {}
        fates: list[tuple[int, str, str, str]] = []
        out: list[dict[str, Any]] = []
        order: dict[str, int] = {}
        for index, row in enumerate(rows.iter_rows(named=True)):
            group = row["group"]
            if group is None:
                out.append(row)
            elif group not in items:
                fates.append((index, "dropped", "unknown_item", group))
            elif row["candidates"][0]["model"] in {one["candidates"][0]["model"] for one in groups.get(group, ())}:
                fates.append((index, "dropped", "repeated_model", f"{group} {row['candidates'][0]['model']}"))
            else:
                if group not in groups:
                    order[group] = len(out)
                    out.append({})
                groups.setdefault(group, []).append(row)
        for group, members in groups.items():
            out[order[group]] = _grouped(group, members, items[group])
        merged = sum(len(members) - 1 for members in groups.values())
        gone = pl.DataFrame([(*fate, None) for fate in fates], schema=FATES, orient="row")
        return Made(pl.DataFrame(out, schema=schema("preference")), gone, merged=merged)


def _grouped(group: str, members: list[dict[str, Any]], item: dict[str, Any]) -> dict[str, Any]:
    options = [{"label": label, "text": text} for label, text in zip(LABELS, item["options"] or [], strict=False)]
    first = members[0]
    return {
        **first,
        "id": row_id("group_completions", group),
        "license": " AND ".join(sorted({member["license"] for member in members})),
        "parents": [member["id"] for member in members],
        "prompt": conversation([("user", asked(item["question"], options))]),
        "options": options or None,
        "answer": item["answer"] if options else None,
        "candidates": [candidate for member in members for candidate in member["candidates"]],
    }
