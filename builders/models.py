"""Models that steps read from files here: pinned by the lock as sources are, and found from the recipe's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tilth.core.errors import LockError, SourceError
from tilth.core.lock import Lock
from tilth.core.recipe import RecipeFile, named_unit
from tilth.core.steps import Step


def digests(recipe: RecipeFile) -> dict[str, str]:
    """Path as the recipe gives it → sha256, of every model whose step leaves `sha256` out.

    Raises:
        SourceError: one is not there, or is no model.
    """
    found: dict[str, str] = {}
    for _, step, said in _named(recipe):
        if step.sha256_said() is None and said not in found:
            try:
                found[said] = step.model_digest(_located(recipe, said))
            except OSError as error:
                raise SourceError(f"{step.name}: {_located(recipe, said)}: {error.strerror}", hint="paths count from the recipe's folder, or from --data-root; a model on the Hub is org/name@<commit>") from None
    return found


def pinned(recipe: RecipeFile, lock: Lock) -> RecipeFile:
    """The recipe with every model by its place on this machine and its sha256: as written, else as locked.

    Raises:
        LockError: the lock does not say.
    """
    if not any(True for _ in _named(recipe)):
        return recipe
    plain = recipe.recipe.model_dump(mode="json", by_alias=True)
    for (kind, place), step, said in _named(recipe):
        sha256 = step.sha256_said() or lock.models.get(said)
        if sha256 is None:
            raise LockError(f"{recipe.lock_path}: the model {said} of {step.name} is not locked", hint=f"tilth lock {recipe.path}")
        plain["corpora"][kind]["steps"][place][step.name] |= {str(step.model_field): str(_located(recipe, said)), "sha256": sha256}
    return RecipeFile(recipe.path, type(recipe.recipe).model_validate(plain, strict=False), recipe.data_root)


def _named(recipe: RecipeFile) -> Iterator[tuple[tuple[str, int], Step, str]]:
    """((corpus, place), step, path) of the steps that read a model from here."""
    for kind, corpus in recipe.recipe.corpora.items():
        for place, line in enumerate(corpus.steps):
            step = named_unit("step", line)
            assert isinstance(step, Step)
            if (said := step.model_here()) is not None:
                yield (kind, place), step, said


def _located(recipe: RecipeFile, said: str) -> Path:
    path = Path(said).expanduser()
    return path if path.is_absolute() else recipe.data_root / path
