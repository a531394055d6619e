"""Tasks of lm-eval as data: the YAML that names a task, and what it includes. No Python of theirs is imported or run."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tilth.core.errors import SourceError
from tilth.core.recipe import Task

MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class PythonFunction:
    """A `!function` tag: Python, which is not run."""

    name: str


@dataclass(frozen=True)
class TaskFile:
    """A task as its files give it: the merged mapping, and the sha256 of each file by its name in the tasks' folder."""

    config: dict[str, Any]
    files: dict[str, str]


class _Loader(yaml.SafeLoader):
    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge keys grow without bound; without this they are an unknown tag."""


def _function(loader: _Loader, node: yaml.ScalarNode) -> PythonFunction:
    return PythonFunction(str(loader.construct_scalar(node)))


_Loader.add_constructor("!function", _function)


def folder_of(task: Task, root: Path) -> Path | None:
    """Where the tasks' files are: the folder that the recipe names, or the installed lm-eval's; None where there is none."""
    if task.tasks is not None:
        folder = root / task.tasks
    else:
        found = importlib.util.find_spec("lm_eval")
        if found is None or not found.submodule_search_locations:
            return None
        folder = Path(found.submodule_search_locations[0]) / "tasks"
    return folder.resolve() if folder.is_dir() else None


def read_task(source: str, task: Task, root: Path) -> TaskFile:
    """The task of that name.

    Raises:
        SourceError: there are no tasks, none of that name, or its files cannot be read as data.
    """
    folder = folder_of(task, root)
    if folder is None:
        where = f"{root / task.tasks}: no such folder" if task.tasks is not None else "lm-eval is not installed"
        raise SourceError(f"source {source}: {where}", hint="pip install lm_eval, or name a folder of task YAMLs as `tasks`")
    scalar = rb"""[ \t]*:[ \t]*["']?%s["']?[ \t\r]*(?:#.*)?$""" % re.escape(task.lm_eval.encode())
    named = re.compile(rb"""^["']?task["']?""" + scalar, re.MULTILINE)
    within = task.lm_eval.encode()
    holding = [(path, data) for path in sorted(folder.rglob("*.yaml")) if within in (data := _bytes(source, path, folder))]
    found = [path for path, data in holding if named.search(data)]
    if len(found) > 1:
        raise SourceError(f"source {source}: task {task.lm_eval!r} is in {_shown(found[0], folder)} and {_shown(found[1], folder)}", hint="rename one")
    if not found:
        raise _no_task(source, task.lm_eval, [path for path, _ in holding], folder)
    files: dict[str, str] = {}
    config = _merged(source, found[0], folder, files, ())
    if config.get("task") != task.lm_eval:
        raise SourceError(f"source {source}: {_shown(found[0], folder)} holds several tasks", hint="give each a file of its own")
    return TaskFile(config, files)


def changed(files: dict[str, str], folder: Path) -> str | None:
    """The first of a task's files that is no longer as it was read; None where all are."""
    for name, sha256 in files.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            return name
    return None


def yaml_data(text: str | bytes) -> Any:
    """A YAML document of the kind that lm-eval and the Hub write, without running anything.

    Raises:
        ValueError: it is none.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(str(getattr(error, "problem", None) or error).splitlines()[0]) from None


def _merged(source: str, path: Path, folder: Path, files: dict[str, str], above: tuple[Path, ...]) -> dict[str, Any]:
    """The mapping of a file over those that it includes, the later over the earlier."""
    shown = _shown(path, folder)
    if path in above:
        raise SourceError(f"source {source}: {shown} includes itself")
    data = _bytes(source, path, folder)
    files[shown] = hashlib.sha256(data).hexdigest()
    try:
        own = yaml_data(data)
    except ValueError as error:
        raise SourceError(f"source {source}: {shown}: not YAML: {error}") from None
    if not isinstance(own, dict):
        raise SourceError(f"source {source}: {shown}: not a mapping")
    config: dict[str, Any] = {}
    for name in _listed(own.pop("include", None)):
        config |= _merged(source, Path(os.path.normpath(path.parent / name)), folder, files, (*above, path))
    return {**config, **own}


def _bytes(source: str, path: Path, folder: Path) -> bytes:
    if not path.is_relative_to(folder):
        raise SourceError(f"source {source}: {path.name} is outside of the tasks' folder", hint="name the folder that holds both as `tasks`")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"source {source}: {_shown(path, folder)}: larger than {MAX_BYTES:,} bytes", hint="is this a task?")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"source {source}: {_shown(path, folder)}: {error.strerror}") from None


def _no_task(source: str, name: str, holding: list[Path], folder: Path) -> SourceError:
    """What a name that is no task is: a group or a tag, whose tasks are told; or nothing."""
    members: list[str] = []
    for path in holding:
        try:
            config = _merged(source, path, folder, {}, ())
        except SourceError:
            continue  # it is not the file that is asked for
        if config.get("group") == name:
            members += [str(one.get("task", one.get("group"))) if isinstance(one, dict) else one for one in _listed(config.get("task"), dict)]
        elif name in _listed(config.get("tag")) and isinstance(config.get("task"), str):
            members.append(config["task"])
    if members:
        more = f" and {len(members) - 8} more" if len(members) > 8 else ""
        return SourceError(
            f"source {source}: {name!r} is a group of {len(members)} tasks, not a task",
            hint=f"a benchmark each: {', '.join(members[:8])}{more}",
        )
    return SourceError(f"source {source}: {folder.name}: no task {name!r}", hint="lm_eval ls tasks")


def _listed(said: Any, *kinds: type) -> list[Any]:
    """One name or a list of names, as a list; what is something else is left out."""
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, (str, *kinds))]


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
