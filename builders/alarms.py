"""Alarms: a step that takes most of a source or of a language. Usually its thresholds do not fit that text.

A wipe-out hides in a funnel: 2 of 859,092 documents of one source left, and the totals looked well. So every build
counts by source and by language (`wipeouts`), says loudly where a step took more than the recipe's `alarms` allow, and
a gate (`gates.max_wipeout`) can refuse the release.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tilth.builders.layout import CorpusLayout, Layout
from tilth.core.builds import AlarmEntry
from tilth.core.gates import Alarms
from tilth.core.stages import read_table

MOST_TOLD = 10
"""Alarms that a build says one by one."""


def entries(layout: Layout) -> list[AlarmEntry]:
    """Every source and language of a finished build, step by step, that lost rows and had enough of them to judge by."""
    found = []
    for corpus in layout.corpora:
        lines = _read(corpus, layout)
        for segment in corpus.segments:
            for stage in filter(None, (segment.decide, segment.make)):
                lines += stage.facts()["taken"]
        found += of_lines(corpus.kind, lines, layout.recipe.recipe.alarms)
    return found


def _read(corpus: CorpusLayout, layout: Layout) -> list[dict[str, Any]]:
    """What reading took of each source; the language of what could not be read is not known."""
    found = []
    for name in corpus.sources:
        stage = layout.reads[name].stage
        failed = read_table(stage.folder / "failed.parquet", ["rule"])
        if failed.height:
            rule, rows = failed.group_by("rule").len().sort("len", "rule", descending=[True, False]).row(0)
            found.append({"step": "read", "of": "source", "name": name, "rows_in": stage.facts()["rows"] + failed.height,
                          "rows_gone": failed.height, "rule": rule, "rule_rows": rows})  # fmt: skip
    return found


def of_lines(corpus: str, lines: Iterable[dict[str, Any]], limits: Alarms) -> list[AlarmEntry]:
    """The lines of `taken` as entries, those of groups with too few rows left out."""
    return [
        AlarmEntry(corpus=corpus, expected=limits.expected.get(f"{line['step']}/{line['name']}"), **line)
        for line in lines
        if line["rows_in"] >= limits.min_rows
    ]


def alarms(found: Iterable[AlarmEntry], limits: Alarms) -> list[AlarmEntry]:
    """Those over the limit, the largest share first; expected ones, which are no alarm but are told of, last."""
    over = [entry for entry in found if entry.share > limits.wipeout]
    return sorted(over, key=lambda one: (one.expected is not None, -one.share, -one.rows_gone, one.corpus, one.step, one.of, one.name))


def told(found: Iterable[AlarmEntry]) -> list[str]:
    """One line for each alarm, the worst `MOST_TOLD` of them."""
    unexpected = [entry for entry in found if entry.expected is None]
    lines = [f"ALARM {entry.text}" for entry in unexpected[:MOST_TOLD]]
    more = len(unexpected) - len(lines)
    return [*lines, f"ALARM and {more:,} more, in build.json"] if more else lines
