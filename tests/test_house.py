"""The house: arrows only fall, the package list is the tree, nothing generic is installed."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ({"core"}, {"filters", "annotators", "cards"}, {"builders", "registry"}, {"train", "review"}, {"cli"})
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Rooms that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {name.split(".")[1] for name in names if name.startswith("tilth.") and name.split(".")[1] in ROOMS}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_only_fall(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for other in imported(path) - {room}:
        assert ROOMS[other] < ROOMS[room], f"{path.relative_to(ROOT)} imports {other}, which is not below {room}"


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    tracked = subprocess.run(["git", "ls-files", "*__init__.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    packages = {".".join(["tilth", *Path(name).parent.parts]) for name in tracked if not name.startswith(("tests/", "benchmarks/"))}
    assert listed == packages


def test_data_files_are_packaged() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    for path in (ROOT / "recipes").rglob("*"):
        inside = path.relative_to(ROOT / "recipes")
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            assert any(inside.match(pattern) and len(inside.parts) == len(Path(pattern).parts) for pattern in patterns), inside


def test_no_machine_is_named() -> None:
    """No registry host, token or path of a developer's machine in what is committed."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(r"(?<![\w./])/(?:wor[k]|roo[t])/|/op[t]/|hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{20,}")
    assert "uv.lock" not in names
    for name in names:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yaml", ".yml", ".jinja", ".json", ".lock", "") and path.is_file():
            assert not (found := forbidden.search(path.read_text(encoding="utf-8", errors="replace"))), f"{name}: {found.group()}"
