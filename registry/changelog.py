"""The changelog of a release: what came, went and changed since its parent, and why; newest version first."""

from __future__ import annotations

from collections.abc import Sequence

from tilth.core.builds import BuildRecord
from tilth.registry.diff import Diff
from tilth.registry.integrity import rows_held

FILE = "CHANGELOG.md"
CAUSES = 10
"""Causes that one config lists; the rest are summed."""


def first_lines(record: BuildRecord, notes: Sequence[str]) -> list[str]:
    """Lines of a release without a parent."""
    rows = ", ".join(f"`{config}` {rows:,} rows" for config, rows in rows_held(record).items())
    return [*_notes(notes), f"- first release: {rows}"]


def lines(diff: Diff, notes: Sequence[str]) -> list[str]:
    """Lines of a release that follows another."""
    out = _notes(notes)
    for config in diff.configs:
        counts = [f"{n:,} {what}" for what, n in config.counts().items() if n and what != "unchanged"]
        out.append(
            f"- `{config.config}`: {config.rows_before:,} → {config.rows_after:,} rows: {', '.join(counts) or 'unchanged'}"
        )
        out += [f"  - {cause.rows:,} {cause.change}: {cause.cause}" for cause in config.causes[:CAUSES]]
        if rest := config.causes[CAUSES:]:
            out.append(f"  - {sum(cause.rows for cause in rest):,} more, for {len(rest)} other causes")
    return out + [f"- recipe: {change}" for change in diff.recipe]


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"- {' '.join(note.split())}" for note in notes if note.strip()]


def page(name: str, version: str, entry: Sequence[str], parent: str | None) -> str:
    """`CHANGELOG.md`: this version's entry above the parent's page."""
    title = f"# Changelog of {name}\n\n"
    older = "" if parent is None else parent.partition("\n## ")[2]
    text = title + f"## {version}\n\n" + "\n".join(entry) + "\n"
    return text + (f"\n## {older}" if older else "")
