"""YAML as plain JSON values, with the line on which each value stands, so that an error can name it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from tilth.core.errors import RecipeError

Path_ = tuple[str | int, ...]

MAX_NODES = 100_000
MAX_BYTES = 4 << 20
"""A recipe is small; more values or text than this (aliases written out) is a bomb or the wrong file."""


class MarkedYaml:
    """A YAML document: `data` (dicts, lists, strings, numbers, booleans, None) and `line(path)`, from 1."""

    def __init__(self, file: Path, data: Any, lines: dict[Path_, int]) -> None:
        self.file = file
        self.data = data
        self.size = 0
        self._lines = lines

    def line(self, path: Path_) -> int:
        """The line of the value at `path`, or of the nearest parent that stands in the file."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def error(self, path: Path_, message: str, hint: str | None = None) -> RecipeError:
        """An error at that place: `file:line: a.b.c: message`."""
        where = ".".join(str(part) for part in path)
        return RecipeError(f"{self.file}:{self.line(path)}: {where + ': ' if where else ''}{message}", hint=hint)


def load(file: Path) -> MarkedYaml:
    """Read a YAML file.

    Raises:
        RecipeError: no such file, not UTF-8, not YAML, a key given twice, a value that JSON does not have.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{file}: no such file") from None
    except UnicodeDecodeError as error:
        raise RecipeError(f"{file}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from None
    except OSError as error:
        raise RecipeError(f"{file}: {error.strerror}") from None
    return parse(text, file)


def parse(text: str, file: Path) -> MarkedYaml:
    """A YAML document; `file` is what errors call it.

    Raises:
        RecipeError: not YAML, a key given twice, a value that JSON does not have.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise RecipeError(f"{file}: nested too deep", hint="is this a recipe?") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise RecipeError(f"{file}:{mark.line + 1 if mark else 1}: not YAML: {problem}") from None
    lines: dict[Path_, int] = {}
    marked = MarkedYaml(file, None, lines)
    if root is not None:
        try:
            marked.data = _plain(root, (), marked, lines)
        except RecursionError:
            raise RecipeError(f"{file}: nested too deep, or within itself", hint="is this a recipe?") from None
    return marked


def _plain(node: yaml.Node, path: Path_, marked: MarkedYaml, lines: dict[Path_, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    marked.size += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
    if len(lines) > MAX_NODES or marked.size > MAX_BYTES:
        raise RecipeError(f"{marked.file}: more than {MAX_NODES:,} values or {MAX_BYTES:,} characters", hint="is this a recipe?")
    if not isinstance(node, yaml.ScalarNode) and node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
        raise marked.error(path, f"tag {node.tag} is not allowed", hint="a recipe is plain data")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                raise marked.error(path, "keys must be plain words", hint="write the mapping out")
            if key in found:
                lines[(*path, key)] = key_node.start_mark.line + 1
                raise marked.error((*path, key), "given twice")
            found[key] = _plain(value_node, (*path, key), marked, lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), marked, lines) for i, item in enumerate(node.value)]
    return _scalar(node, path, marked)


def _scalar(node: yaml.Node, path: Path_, marked: MarkedYaml) -> Any:
    match node.tag.removeprefix("tag:yaml.org,2002:"):
        case "str" | "timestamp":  # a date stays the text that was written
            try:
                node.value.encode()
            except UnicodeEncodeError:
                raise marked.error(path, "half a surrogate pair is no text") from None
            if "\0" in node.value:  # nor is it, in any path, a path
                raise marked.error(path, "a NUL character is no text")
            return node.value
        case "int" | "float" | "bool" | "null":
            try:
                value = yaml.SafeLoader("").construct_object(node)
            except (ValueError, KeyError):
                raise marked.error(path, f"{node.value[:40]!r} is no {node.tag.rpartition(':')[2]}") from None
            if isinstance(value, float) and not math.isfinite(value):
                raise marked.error(path, f"{node.value} is not a finite number")
            return value
        case tag:
            raise marked.error(path, f"tag {tag} is not allowed", hint="a recipe is plain data")
