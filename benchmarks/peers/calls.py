"""Run one task of a peer in its environment, and read what it measured."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import CACHE, HERE, Unavailable, ensure, environment, last_line

SECONDS = 3600.0


@dataclass(frozen=True)
class Measured:
    """One run of a peer: medians of its laps, in seconds; the decisions lie in `output`."""

    peer: str
    version: str
    seconds: float
    cpu_seconds: float
    laps: tuple[tuple[float, float], ...]
    documents: int
    bytes: int
    output: Path
    figures: dict[str, Any]
    """What else the runner said, such as `index_cpu_seconds`."""

    @property
    def mb_per_second(self) -> float:
        """Millions of bytes of UTF-8 text (of the file, in tasks over files) a CPU second."""
        return self.bytes / 1e6 / self.cpu_seconds

    def decisions(self) -> list[dict[str, Any]]:
        """{id, kept, reason, …} of every document, in order."""
        with self.output.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def call(
    peer: str, task: str, documents: Path, output: Path, *options: str, repeat: int = 1, seconds: float = SECONDS, cache: Path = CACHE
) -> Measured | Unavailable:
    """Run `task` on `documents`, on one thread; `options` are further arguments of the runner, such as `--questions FILE`."""
    python = ensure(peer, cache=cache)
    if isinstance(python, Unavailable):
        return python
    said = ["--task", task, "--input", str(documents), "--output", str(output), "--repeat", str(repeat), *options]
    try:
        command = [str(python), str(HERE / f"run_{peer}.py"), *said]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Unavailable(peer, f"{task} took longer than {seconds:.0f} s")
    if done.returncode:
        return Unavailable(peer, f"{task} failed: {last_line(done.stderr)}")
    found = json.loads(done.stdout.splitlines()[-1])
    laps = tuple((lap["seconds"], lap["cpu_seconds"]) for lap in found.pop("laps"))
    taken = {name: found.pop(name) for name in ("version", "seconds", "cpu_seconds", "documents", "bytes")}
    return Measured(peer=peer, laps=laps, output=output, figures=found, **taken)
