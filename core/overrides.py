"""Overrides: `gopher_quality.min_words=80` on a command line, in place of what the recipe says. Nothing is written.

Only fields that decide (`units.threshold`) can be overridden; what enters a signal, or makes rows, needs a build.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core import marked_yaml
from tilth.core.errors import RecipeError
from tilth.core.recipe import RecipeFile, named_unit, step_misfit
from tilth.core.rows import Kind
from tilth.core.steps import Step
from tilth.core.units import is_threshold

FORM = re.compile(r"(?P<step>\w+)(\[(?P<number>\d{1,4})\])?\.(?P<field>\w+)=(?P<value>.*)", re.DOTALL)
HINT = "STEP.FIELD=VALUE, as in gopher_quality.min_words=80; the value is YAML, null for none"


@dataclass(frozen=True)
class Override:
    """One field of one step of one corpus: its place among the corpus's steps, the value in the recipe and the new one."""

    corpus: Kind
    place: int
    step: str
    field: str
    now: Any
    then: Any


def override(found: RecipeFile, said: Sequence[str], corpus: str | None = None) -> tuple[dict[Kind, list[Step]], list[Override]]:
    """The steps of the corpora that `said` touches, with its values, and what changed.

    Args:
        said: `STEP.FIELD=VALUE`. A step may be given by the beginning of its name where only one step that has the
            field begins so, and by its number among those of one name: `exact_dedup[1]` is the second.
        corpus: only this one; without it every corpus that has the step.

    Raises:
        RecipeError: no such corpus, step or field, a value that the field does not take, or a field that enters the
            signals.
    """
    kinds: list[Kind] = sorted(kind for kind in found.recipe.corpora if corpus in (None, kind))
    if not kinds:
        raise RecipeError(f"{found.path}: no corpus {corpus!r}", hint=f"it has {', '.join(sorted(found.recipe.corpora))}")
    steps = {kind: found.recipe.steps(kind) for kind in kinds}
    values: dict[tuple[Kind, int], dict[str, Any]] = {}
    for one in said:
        match = FORM.fullmatch(one)
        if match is None or not match["value"].strip():
            raise RecipeError(f"--set {one}: not STEP.FIELD=VALUE", hint=HINT)
        value = marked_yaml.parse(match["value"], Path(f"--set {match['field']}")).data
        for kind, place in _places(match, steps, found.path):
            _refuse_signals(steps[kind][place], match["field"], found.path)
            held = values.setdefault((kind, place), {})
            if match["field"] in held:
                raise RecipeError(f"--set {one}: {match['field']} is given twice")
            held[match["field"]] = value
    made = [change for (kind, place), held in sorted(values.items()) for change in _put(found, steps[kind], kind, place, held)]
    return {kind: steps[kind] for kind in kinds if any(change.corpus == kind for change in made)}, made


def _places(match: re.Match[str], steps: dict[Kind, list[Step]], path: Path) -> list[tuple[Kind, int]]:
    """(corpus, place) of every step that is meant: one of a name in each corpus that has it."""
    said, field = match["step"], match["field"]
    every = {step.name: step for found in steps.values() for step in found}
    names = [said] if said in every else [name for name in every if name.startswith(said)]
    if len(names) > 1:
        names = [name for name in names if field in type(every[name]).model_fields] or names
    if len(names) > 1:
        raise RecipeError(f"--set {said}.{field}: {said!r} begins {' and '.join(sorted(names))}", hint="write the whole name")
    if not names:
        near = difflib.get_close_matches(said, every, n=2)
        raise RecipeError(
            f"--set {said}.{field}: {path} has no step {said!r}" + (f" in {', '.join(steps)}" if len(steps) == 1 else ""),
            hint=f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(every))}",
        )
    [name] = names
    meant = []
    for kind, found in steps.items():
        places = [place for place, step in enumerate(found) if step.name == name]
        if match["number"] is not None:
            meant += [(kind, place) for place in places[int(match["number"]) :][:1]]
        elif len(places) > 1:
            raise RecipeError(
                f"--set {name}.{field}: {kind} has {len(places)} steps {name}", hint=f"name one: {name}[0] is the first, {name}[{len(places) - 1}] the last"
            )
        else:
            meant += [(kind, place) for place in places]
    if not meant:
        raise RecipeError(f"--set {name}[{match['number']}].{field}: there is no such {name}", hint=f"{name}[0] is the first")
    return meant


def _refuse_signals(step: Step, field: str, path: Path) -> None:
    if field not in type(step).model_fields or (is_threshold(type(step), field) and not step.ends_segment()):
        return  # an unknown field is refused with the rest of the schema
    what = "decides what rows become" if step.ends_segment() else "enters the signals"
    raise RecipeError(f"--set {step.name}.{field}: {field} {what}, which needs a build", hint=f"change it in {path}, then: tilth build {path}")


def _put(found: RecipeFile, steps: list[Step], kind: Kind, place: int, values: dict[str, Any]) -> Iterator[Override]:
    """Put the step with the new values, held to the same rules as a recipe, into `steps`."""
    corpus = found.recipe.corpora[kind]
    [(name, parameters)] = corpus.steps[place].items()
    try:
        made = named_unit("step", {name: {**parameters, **values}})
    except RecipeError as error:
        raise RecipeError(f"--set {error.message}", hint=error.hint) from None
    assert isinstance(made, Step)
    if misfit := step_misfit(made, kind, corpus, found.recipe.earlier):
        raise RecipeError(f"--set {name}: {misfit[0]}", hint=misfit[1])
    before, after = steps[place].model_dump(mode="json"), made.model_dump(mode="json")
    steps[place] = made
    for field in values:
        yield Override(kind, place, name, field, before[field], after[field])
