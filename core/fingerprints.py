"""Identity: canonical JSON, content digests, and the digest of a unit's code.

Nothing hashed here may hold a clock, a host or a path of this machine: `canonical` refuses every value whose
text form is not stable.

>>> canonical({"b": 1, "a": [1.5, None, "é"]})
b'{"a":[1.5,null,"\\xc3\\xa9"],"b":1}'
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

PACKAGE = "tilth"


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; refuses what has no stable text (sets, NaN, paths, objects).

    Raises:
        TypeError: a value of a type that JSON does not have, or a number that is not finite.
    """
    if _checked(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _checked(value: object) -> bool:
    """Whether orjson writes it as `json` does: it writes other floats (1e16), and no whole numbers of more than 64 bits.

    Raises:
        TypeError: it has no canonical form.
    """
    match value:
        case None | bool() | str():
            return True
        case int():
            return -(1 << 63) <= value < 1 << 63
        case float():
            if not math.isfinite(value):
                raise TypeError(f"{value!r} has no canonical form")
            return False
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"key {key!r} is not a string")
            # A list, so that every item is looked at: the first float must not hide a set behind it.
            return all([_checked(item) for item in value.values()])  # noqa: C419
        case list() | tuple():
            return all([_checked(item) for item in value])  # noqa: C419
        case _:
            raise TypeError(f"{type(value).__name__} {value!r} has no canonical form")


def digest(value: object) -> str:
    """sha256 (64 hex digits) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def distribution_version(name: str) -> str:
    """The installed version of a distribution, `absent` where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions of the named distributions, sorted by name."""
    return {name: distribution_version(name) for name in sorted(set(names))}


def code_digests(module: str) -> dict[str, str]:
    """Digest of the code of `module` and of every `tilth` module it imports, however far away.

    The digest is taken over the syntax tree without comments, docstrings and positions: a reworded comment
    re-runs nothing, a changed helper two imports away re-runs what depends on it.

    Returns:
        module name → 16 hex digits, sorted by module.
    """
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        found = _module_code(name)
        if found is None:
            continue
        seen[name], imported = found
        waiting.extend(imported)
    return dict(sorted(seen.items()))


@functools.cache
def _module_code(name: str) -> tuple[str, tuple[str, ...]] | None:
    """(digest, names that may be tilth modules) of one module; None where `name` is no module."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None  # `from tilth.core.rows import ROLES` offers `tilth.core.rows.ROLES`, which is no module
    if spec is None or spec.origin is None:
        return None
    if not spec.origin.endswith(".py"):  # an extension says which sources it was compiled from
        return str(importlib.import_module(name).DIGEST), ()
    tree = ast.parse(Path(spec.origin).read_bytes())
    imported: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:] or [ast.Pass()]
    ours = tuple(item for item in imported if item == PACKAGE or item.startswith(PACKAGE + "."))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16], ours


def code_commit() -> str | None:
    """Commit (40 hex digits, `-dirty` behind it where tracked files differ) of the checkout that this code runs from; None outside one."""
    import subprocess

    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "--no-optional-locks", "-C", str(root)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=30)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False, capture_output=True, timeout=60).returncode
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("-dirty" if changed else "")
