"""What is not one filter against another: reading and writing, two workers against one, deciding again against building."""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import yaml

from benchmarks import peers, redecide
from benchmarks.peers import Unavailable

TILTH = Path(sys.executable).with_name("tilth")
Found = dict[str, Any]
PR_SET_CHILD_SUBREAPER = 36
STEPS: list[Any] = [
    {"gopher_repetition": {"words": "spacy"}},
    {"gopher_quality": {"words": "spacy", "alpha_share_of": "tokens"}},
    {"c4": {"sentences": "spacy"}},
    {"fineweb_quality": {"words": "spacy"}},
    {"near_dedup": {}},
]


class Setting(Protocol):
    """Of `benchmarks.filters`."""

    data: Path
    folder: Path
    quick: bool

    @property
    def rounds(self) -> int: ...

    def documents(self, language: Any) -> tuple[Path, Path, Any]: ...


def items(setting: Setting) -> Iterator[tuple[str, Callable[[], Found]]]:
    """Every item and how it is measured."""
    for name, peer, target, suffix in (
        ("read_write", "datatrove", 6.0, ".jsonl.zst"),
        ("read_write_parquet", "datatrove", 6.0, ".parquet"),
        ("read_write_vs_polars", "polars", 1 / 1.3, ".jsonl.zst"),
        ("read_write_parquet_vs_polars", "polars", 1 / 1.3, ".parquet"),
    ):
        yield name, lambda peer=peer, target=target, suffix=suffix: read_write(setting, peer, target, suffix)  # type: ignore[misc]
    yield "two_workers", lambda: two_workers(setting)
    yield "redecide", lambda: redecided(setting)


def read_write(setting: Setting, peer: str, target: float, suffix: str) -> Found:
    """The documents as a file, read and written whole; rows compared."""
    full, some, _ = setting.documents("english")
    files = {"tilth": _as_file(full, suffix), peer: _as_file(full if peer == "polars" else some, suffix)}
    rates: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(setting.rounds):
        for name, file in files.items():
            found = peers.call(name, "read_write", file, setting.folder / f"written-{name}{suffix}")
            if isinstance(found, Unavailable):
                return {"ratio": None, "target": round(target, 2), "reason": found.reason}
            rates[name].append(_text_bytes(file) / 1e6 / found.cpu_seconds)
    ours, theirs = rates["tilth"], rates[peer]
    rounds = [one / other for one, other in zip(ours, theirs, strict=True)]
    same = _texts(files["tilth"]).equals(_texts(setting.folder / f"written-tilth{suffix}"))
    return {
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 2), "target": round(target, 2), "identical": same, "mismatches": [],
        "ours": round(statistics.median(ours), 1), "peer": round(statistics.median(theirs), 1), "spread": [round(min(rounds), 2), round(max(rounds), 2)],
    }  # fmt: skip


def two_workers(setting: Setting) -> Found:
    """A build of English filters over shards of equal size, on one worker and on two: wall and CPU seconds of the command."""
    full, _, _ = setting.documents("english")
    sources = _sources(full, setting.folder / "scale")
    size = sum(_text_bytes(path) for path in sources.values())
    laps: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # Linux: orphans of a build come to us
    for _ in range(setting.rounds):
        for workers, found in laps.items():
            found.append(_build(sources, workers))
    wall = {workers: statistics.median(lap[0] for lap in found) for workers, found in laps.items()}
    cpu = {workers: statistics.median(lap[1] for lap in found) for workers, found in laps.items()}
    rounds = [one[0] / two[0] for one, two in zip(laps[1], laps[2], strict=True)]
    return {
        "ratio": round(wall[1] / wall[2], 2), "target": 1.7, "ours": round(size / 1e6 / wall[2], 2), "peer": round(size / 1e6 / wall[1], 2),
        "spread": [round(min(rounds), 2), round(max(rounds), 2)], "cpu_ratio": round(cpu[2] / cpu[1], 3), "cpu_target": 1.08, "load": os.getloadavg()[0],
    }  # fmt: skip


def redecided(setting: Setting) -> Found:
    """`benchmarks.redecide` on the real CPT corpus; a tenth of it with `--quick`."""
    with tempfile.TemporaryDirectory(prefix="redecide-") as home:
        found = redecide.measure(Path(home), setting.data, 0.1 if setting.quick else 1.0, setting.rounds)
    ratios = [round(found["build_seconds"] / seconds, 1) for seconds in reversed(found["spread"])]
    return {**found, "ours": found["redecide_seconds"], "peer": found["build_seconds"], "spread": ratios}


def _sources(full: Path, folder: Path) -> dict[str, Path]:
    """The documents dealt to eight files, so that reading them is no task of one worker."""
    folder.mkdir(exist_ok=True)
    lines = full.read_text(encoding="utf-8").rstrip("\n").split("\n")  # a line of JSON may hold other line ends
    files = {f"part_{i}": folder / f"part_{i}.jsonl" for i in range(8)}
    for i, path in enumerate(files.values()):
        path.write_text("\n".join(lines[i::8]) + "\n", encoding="utf-8")
    return files


def _build(sources: dict[str, Path], workers: int) -> tuple[float, float]:
    """(wall, CPU) seconds of a whole build in a fresh home."""
    with tempfile.TemporaryDirectory(prefix="workers-") as folder:
        recipe = Path(folder) / "recipe.yaml"
        said = {
            "name": "workers", "license": "cc-by-4.0",
            "sources": {name: {"path": str(path), "license": "CC-BY-4.0", "language": "en", "key": "id", "shape": {"text": {}}} for name, path in sources.items()},
            "corpora": {"cpt": {"from": list(sources), "steps": STEPS}},
        }  # fmt: skip
        recipe.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
        where = {**peers.environment(), "TILTH_HOME": f"{folder}/home"}
        subprocess.run([str(TILTH), "lock", str(recipe)], check=True, env=where, capture_output=True)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([str(TILTH), "build", str(recipe), "--workers", str(workers)], check=True, env=where, capture_output=True)
        seconds = time.monotonic() - started
        _reap()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _reap() -> None:
    """Wait for the workers too, whose fork server outlives the command: only who was waited for is counted."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _as_file(documents: Path, suffix: str) -> Path:
    """The same documents as a file of that kind, written once."""
    path = documents.with_suffix(suffix)
    if not path.exists():
        frame = pl.read_ndjson(documents)
        if suffix == ".parquet":
            frame.write_parquet(path)
        else:
            frame.write_ndjson(path, compression="zstd")
    return path


def _text_bytes(path: Path) -> int:
    return int(_texts(path).str.len_bytes().sum())


def _texts(path: Path) -> pl.Series:
    return (pl.read_parquet(path, columns=["text"]) if path.suffix == ".parquet" else pl.read_ndjson(path))["text"]
