"""Memory of a process and all its children: the sum of PSS (shared pages count once), sampled. Linux."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path


def tree(root: int) -> list[int]:
    """Process ids of `root` and everything below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it ended between the listing and the reading
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = [], [root]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def pss_kib(process: int) -> int:
    """Proportional set size in KiB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Peak:
    """Samples a running process's tree until told to stop: the largest sum seen (`mib`), of the process itself (`root`), of the
    largest below it (`below`), in MiB."""

    def __init__(self, process: subprocess.Popen[bytes], every: float = 0.25) -> None:
        self.mib = self.root = self.below = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(process, every), daemon=True)
        self._thread.start()

    def _watch(self, process: subprocess.Popen[bytes], every: float) -> None:
        while not self._stop.wait(every):
            root, *below = (pss_kib(one) / 1024 for one in tree(process.pid))
            self.mib, self.root, self.below = max(self.mib, root + sum(below)), max(self.root, root), max(self.below, *below, 0.0)

    def stop(self) -> float:
        """The peak in MiB."""
        self._stop.set()
        self._thread.join()
        return self.mib
