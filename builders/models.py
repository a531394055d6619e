"""Models that steps read from files here: pinned by the lock as sources are, and found from the recipe's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tilth.core.errors import LockError, SourceError
from tilth.core.lock import Lock
from tilth.core.recipe import Recipe, RecipeFile, named_unit
from tilth.core.steps import Step


def digests(recipe: RecipeFile) -> dict[str, str]:
    """Path as the recipe gives it → sha256, of every file or folder whose digest the recipe leaves out.

    Raises:
        SourceError: one is not there, or is no model.
    """
    found: dict[str, str] = {}
    for _, step, field, said in _named(recipe):
        if getattr(step, step.pins[field]) is None and said not in found:
            path = _located(recipe, said)
            try:
                found[said] = step.digest_of(path)
            except OSError as error:
                hint = "paths count from the recipe's folder, or from --data-root; a model on the Hub is org/name@<commit>"
                raise SourceError(f"{step.name}: {path}: {error.strerror}", hint=hint) from None
    return found


def pinned(recipe: RecipeFile, lock: Lock) -> RecipeFile:
    """The recipe with every such file by its place on this machine and its sha256: as written, else as locked.

    Raises:
        LockError: the lock does not say.
    """
    found = list(_named(recipe))
    if not found:
        return recipe
    plain = recipe.recipe.model_dump(mode="json", by_alias=True)
    for (kind, place), step, field, said in found:
        sha256 = getattr(step, step.pins[field]) or lock.models.get(said)
        if sha256 is None:
            raise LockError(f"{recipe.lock_path}: {said}, which {step.name} reads, is not locked", hint=f"tilth lock {recipe.path}")
        plain["corpora"][kind]["steps"][place][step.name] |= {field: str(_located(recipe, said)), step.pins[field]: sha256}
    return RecipeFile(recipe.path, Recipe.model_validate(plain, strict=False), recipe.data_root)


def _named(recipe: RecipeFile) -> Iterator[tuple[tuple[str, int], Step, str, str]]:
    """((corpus, place), step, field, path) of the files that steps read from here."""
    for kind, corpus in recipe.recipe.corpora.items():
        for place, line in enumerate(corpus.steps):
            step = named_unit("step", line)
            assert isinstance(step, Step)
            for field, said in step.files_here().items():
                yield (kind, place), step, field, said


def _located(recipe: RecipeFile, said: str) -> Path:
    path = Path(said).expanduser()
    return path if path.is_absolute() else recipe.data_root / path
