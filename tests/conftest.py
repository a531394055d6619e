"""What all tests share: a home of their own, and the real data where it lies beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # read at import: our test server speaks plain LFS
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

ROOT = Path(__file__).parents[1]


def required(what: str) -> bool:
    """Whether `TILTH_REQUIRE` turns the skips of `what` into failures."""
    return what in os.environ.get("TILTH_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; tests that ask for it are skipped where it is absent."""
    folder = Path(os.environ.get("TILTH_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "INDEX.json").is_file():
        (pytest.fail if required("data") else pytest.skip)(f"real data is not at {folder} (set TILTH_DATA)")
    return folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may touch the developer's own home or keys."""
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
