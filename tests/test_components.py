"""docs/components.md names what is there: files, and tests that run by default."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [line.split(" | ") for line in (ROOT / "docs" / "components.md").read_text(encoding="utf-8").splitlines() if re.match(r"\| C\d", line)]
WANTED = [f"C{number:02}" for number in range(1, 29) if number != 25]


def test_every_component_has_its_row() -> None:
    assert [row[0].removeprefix("| ") for row in ROWS] == WANTED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].removeprefix("| "))
def test_what_a_row_names_is_there(row: list[str]) -> None:
    places, tests = re.findall(r"`([\w/]+(?:\.py|/))`", row[2]), re.findall(r"`(tests/\w+\.py)::(test_\w+)`", " ".join(row[3:]))
    assert places and tests
    for place in places:
        assert (ROOT / place).exists(), place
    for file, name in tests:
        found = [node for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef) and node.name == name]
        assert len(found) == 1, (file, name)
        assert not any("slow" in ast.unparse(mark) for mark in found[0].decorator_list), f"{name} does not run by default"
