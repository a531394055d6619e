"""What changed between two recipes and their locks, as dotted paths: `corpora.cpt.steps.gopher_quality.min_words: 50 -> 80`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tilth.core.builds import BuildRecord
from tilth.core.fingerprints import canonical

ABSENT = "absent"
SHOWN = 60
"""Characters of a value."""
_LOCKED = ("revision", "sha256", "rows")
"""Facts of a locked source worth a line, in the order in which one explains a change."""


@dataclass(frozen=True)
class Change:
    """One value that differs: where, before, after."""

    path: tuple[str, ...]
    before: str
    after: str

    def text(self, skip: int = 0) -> str:
        """`path: before -> after`, without the first `skip` parts of the path."""
        return f"{'.'.join(self.path[skip:])}: {self.before} -> {self.after}"


def changes(a: BuildRecord, b: BuildRecord) -> list[Change]:
    """All changes of recipe and lock, in the order of the recipe's paths; what another line implies is left out."""
    before, after = _flat(a), _flat(b)
    paths = [*before, *(path for path in after if path not in before)]
    found = [
        Change(path, before.get(path, ABSENT), after.get(path, ABSENT))
        for path in paths
        if before.get(path, ABSENT) != after.get(path, ABSENT)
    ]
    changed = {change.path for change in found}
    return [c for c in found if not _implied(c.path, changed) and not (c.path[-1] == "steps" and _same_order(c))]


def _implied(path: tuple[str, ...], changed: set[tuple[str, ...]]) -> bool:
    """A parameter of a step that came or went; the digest of a source whose revision moved."""
    if path[0] == "lock" and path[2] == "sha256":
        return (*path[:2], "revision") in changed
    return len(path) > 4 and path[2] == "steps" and path[:4] in changed


def _same_order(change: Change) -> bool:
    """Whether the steps that are on both sides stand in the same order."""
    before, after = change.before.split(", "), change.after.split(", ")
    return [step for step in before if step in after] == [step for step in after if step in before]


def of_step(found: list[Change], corpus: str, step: str) -> list[Change]:
    """The changes of one step's parameters, or its coming and going."""
    return [c for c in found if c.path[:3] == ("corpora", corpus, "steps") and c.path[3:4] and c.path[3].split("#")[0] == step]


def _flat(record: BuildRecord) -> dict[tuple[str, ...], str]:
    out: dict[tuple[str, ...], str] = {}
    _flatten(record.recipe, (), out)
    for name, locked in record.lock.get("sources", {}).items():
        facts = {key: locked[key] for key in _LOCKED if key in locked}
        _flatten(facts, ("lock", name), out)
    return out


def _flatten(value: Any, path: tuple[str, ...], out: dict[tuple[str, ...], str]) -> None:
    if path[-1:] == ("steps",) and isinstance(value, list):
        _flatten_steps(value, path, out)
    elif isinstance(value, dict) and value:
        for key in value:
            _flatten(value[key], (*path, str(key)), out)
    else:
        out[path] = _text(value)


def _flatten_steps(steps: list[Any], path: tuple[str, ...], out: dict[tuple[str, ...], str]) -> None:
    """Steps by name; the second of a name is `name#2`. Their order is a value of its own."""
    seen: Counter[str] = Counter()
    order = []
    for line in steps:
        for name, params in line.items():
            seen[name] += 1
            label = name if seen[name] == 1 else f"{name}#{seen[name]}"
            order.append(label)
            out[(*path, label)] = "present"
            for key, value in (params or {}).items():
                _flatten(value, (*path, label, str(key)), out)
    out[path] = ", ".join(order)  # never cut short: `_same_order` reads it


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
