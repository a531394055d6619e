"""What is installed: `tilth` and nothing else at the top level, with its recipes, schema and templates, without tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_holds_tilth_alone(tmp_path: Path) -> None:
    clone = tmp_path / "any-name"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), str(clone)], check=True)
    [wheel] = tmp_path.glob("tilth-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tilth"}
    for wanted in ("recipes/demo.yaml", "recipes/demo.lock", "recipes/demo/qa_zh.csv", "recipes/schema.json", "py.typed", "cards/report.html.jinja"):
        assert f"tilth/{wanted}" in names
    assert not any(name.startswith(("tilth/tests", "tilth/benchmarks", "tilth/docs")) for name in names)
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)], check=True)
    probe = (
        "import importlib.util as u, sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p or 'site' == p.rsplit('/', 1)[-1]];"
        "print([n for n in ('filters', 'train', 'cards', 'core', 'cli', 'registry', 'builders', 'recipes') if u.find_spec(n)])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
