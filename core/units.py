"""Units: the things a recipe can name, each in one file, found by walking the folders.

A unit is a frozen, validated set of parameters (its fields, with their docs) and the code that uses them.
Writing `class MyRule(Step, name="my_rule", version=1)` in `filters/my_rule.py` is all it takes: there is no
list to edit. `find("step", "my_rule")` returns the class, and imports no more than that file.
"""

from __future__ import annotations

import functools
import importlib.util
import pkgutil
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tilth.core.errors import RecipeError

ROOMS = {
    "step": ("tilth.filters", "tilth.builders.makers"),
    "question": ("tilth.annotators.questions",),
    "generator": ("tilth.annotators.generators",),
    "provider": ("tilth.annotators.providers",),
    "format": ("tilth.builders.formats",),
    "shape": ("tilth.builders.shapes",),
    "strategy": ("tilth.builders.strategies",),
}
"""Folders whose files hold the units of a kind; a unit's file bears its name."""


class Unit(BaseModel):
    """A named, versioned unit with keyword parameters. Subclass a kind (`Step`, `Format`, `Shape` …), not this.

    Raise `version` when the output changes for the same parameters in a way that the code digest cannot see.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    version: ClassVar[int] = 0
    distributions: ClassVar[tuple[str, ...]] = ()
    """Third-party distributions whose version decides the output."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()  # the keywords are for the hook below

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str = "", version: int = 0, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__()
        if not name:
            return
        assert cls.kind and version > 0, f"unit {cls.__name__} needs a kind and a version"
        cls.name, cls.version = name, version
        taken = _UNITS.setdefault(cls.kind, {}).setdefault(name, cls)
        assert taken.__module__ == cls.__module__, f"{cls.kind} {name!r} is in {taken.__module__} and {cls.__module__}"
        _UNITS[cls.kind][name] = cls

    def parameters(self) -> dict[str, Any]:
        """The parameters that decide what it makes (all but `execution` fields), as plain JSON values."""
        return {name: value for name, value in self.model_dump(mode="json").items() if not _marked(type(self), name, "execution")}

    def inner(self) -> list[Unit]:
        """Units that this one names among its parameters; they enter its key."""
        return []


_UNITS: dict[str, dict[str, type[Unit]]] = {}


def threshold(default: Any, description: str, **constraints: Any) -> Any:
    """A field that decides but does not measure: changing it re-decides and recomputes no signal."""
    return Field(default, description=description, json_schema_extra={"threshold": True}, **constraints)


def execution(default: Any, description: str, **constraints: Any) -> Any:
    """A field that says how the work is done and not what it makes (workers, caps, waits): it enters no key and no digest."""
    return Field(default, description=description, json_schema_extra={"execution": True}, **constraints)


def _marked(unit: type[Unit], field: str, mark: str) -> bool:
    extra = unit.model_fields[field].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(mark))


def is_threshold(unit: type[Unit], field: str) -> bool:
    """Whether the field was declared with `threshold`."""
    return _marked(unit, field, "threshold")


@functools.cache
def _import_own(kind: str, name: str) -> None:
    """Import the file that bears the name, where there is one: all of them take half a second."""
    for room in ROOMS.get(kind, ()) if name.isidentifier() else ():
        if importlib.util.find_spec(f"{room}.{name}"):
            importlib.import_module(f"{room}.{name}")


@functools.cache
def _walk(kind: str) -> None:
    for room in ROOMS.get(kind, ()):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, prefix=room + "."):
            importlib.import_module(module.name)


def find(kind: str, name: str) -> type[Unit]:
    """The unit class of that kind and name.

    Raises:
        RecipeError: there is none; the message lists the near ones.
    """
    _import_own(kind, name)
    if found := _UNITS.get(kind, {}).get(name):
        return found
    import difflib

    units = every(kind)
    near = difflib.get_close_matches(name, units, n=3) or sorted(units)
    raise RecipeError(f"unknown {kind} {name!r}", hint=f"did you mean {', '.join(near)}?")


def every(kind: str) -> dict[str, type[Unit]]:
    """All units of a kind by name, sorted."""
    _walk(kind)
    return dict(sorted(_UNITS.get(kind, {}).items()))
