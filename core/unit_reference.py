"""The reference of all units as Markdown, from their own docs: `docs/units.md`, held equal by a test."""

from __future__ import annotations

from typing import Any

from tilth.core import units
from tilth.core.units import Unit, is_threshold

KINDS = {
    "step": "Steps of a corpus",
    "shape": "Shapes: how a record becomes a row",
    "format": "Formats of files",
    "question": "Questions to judges",
    "generator": "Generators: what models are asked to write",
    "provider": "Providers of judges",
    "strategy": "Strategies: which completions make pairs",
}


def reference() -> str:
    """All units, by kind and name, with their parameters."""
    parts = ["# Units", "", "Everything that a recipe or a job can name. Written by `tilth units --markdown`; do not edit.",
             "A parameter marked *decides* re-decides when it changes; the others measure again.", ""]  # fmt: skip
    for kind, title in KINDS.items():
        parts += [f"## {title}", ""]
        for name, cls in units.every(kind).items():
            parts += [f"### `{name}`", "", *_words(cls), ""]
            rows = [_row(cls, field) for field in cls.model_fields]
            if rows:
                parts += ["| parameter | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(parts).rstrip() + "\n"


def _words(cls: type[Unit]) -> list[str]:
    import inspect

    said = inspect.cleandoc(cls.__doc__ or "").splitlines()
    corpora = getattr(cls, "corpora", None)
    return said + (["", f"Corpora: {', '.join(corpora)}. Version {cls.version}."] if corpora else [])


def _row(cls: type[Unit], field: str) -> str:
    info = cls.model_fields[field]
    default = "required" if info.is_required() else f"`{_plain(info.get_default(call_default_factory=True))}`"
    meaning = " ".join((info.description or "").split()).replace("|", "\\|")
    return f"| `{field}` | {default} | {meaning}{' *decides*' if is_threshold(cls, field) else ''} |"


def _plain(value: Any) -> str:
    if isinstance(value, Unit):
        return "{}"
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    text = text.replace("|", "\\|").replace("`", "'").replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
