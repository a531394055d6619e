"""What the runners of all peers share: arguments, clock, one decision a document, one line of JSON on stdout.

    PYTHON benchmarks/peers/run_NAME.py --task TASK --input DOCS.jsonl --output OUT.jsonl [--repeat N] [--questions FILE] …
    PYTHON benchmarks/peers/run_NAME.py --version

Standard library only: this runs in a peer's own environment, where tilth is not. All documents are in memory before the
clock starts, and a few of them have warmed up imports, models and tokenizers. A line of OUT is {id, kept, reason, …}.
A task over files (`read_write`) takes and makes the data file itself instead.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

WARM_UP = 8  # documents
SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text(encoding="utf-8"))
Row = dict[str, Any]


@dataclass(frozen=True)
class Lap:
    """One run of the work alone: wall and CPU seconds, children included."""

    seconds: float
    cpu_seconds: float


class Task:
    """One kind of work. Made off the clock; then `work` on it, and `decisions` off it again.

    A subclass may set `kept` and `reason` of a document as it likes; the caller compares what it compares.
    """

    def __init__(self, said: argparse.Namespace) -> None:
        self.said = said
        self.figures: Row = {}
        """What else goes on the line on stdout."""

    def work(self, documents: list[Row]) -> Any:
        """What is measured: {id, text, source} → whatever `decisions` needs. Called more than once."""
        raise NotImplementedError

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        """{id, kept, reason, …} of every document, in order."""
        raise NotImplementedError


class FileTask:
    """Work from a file to a file; `work` gives the number of documents."""

    def __init__(self, said: argparse.Namespace) -> None:
        self.said = said

    def work(self, source: Path, target: Path) -> int:
        """What is measured."""
        raise NotImplementedError


def main(distribution: str, tasks: Mapping[str, type[Task | FileTask]], load: Callable[[], object] = lambda: None) -> None:
    """Run one task of a peer. `load` imports all that the tasks import."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="store_true", help="import everything, say the peer's version and end")
    parser.add_argument("--task", choices=sorted(tasks))
    parser.add_argument("--input", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--questions", type=Path, help="{id, benchmark, question} a line")
    parser.add_argument("--language", choices=("english", "chinese"), default="english")
    parser.add_argument("--relaxed", action="store_true", help="the thresholds `relaxed` of settings.json")
    parser.add_argument("--model", type=Path, help="fastText model of `language_id`")
    parser.add_argument("--url", help="the server that `calls` asks")
    parser.add_argument("--bytes", type=int, help="what a task over files reports as its size; left out, the size of the input file")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        said.folder = Path(folder)
        os.environ["HF_ASSETS_CACHE"] = str(said.folder / "assets")  # read when the hub's client is imported
        found = _main(parser, said, distribution, tasks, load)
    print(json.dumps(found))


def _main(
    parser: argparse.ArgumentParser,
    said: argparse.Namespace,
    distribution: str,
    tasks: Mapping[str, type[Task | FileTask]],
    load: Callable[[], object],
) -> Row:
    load()
    version = importlib.metadata.version(distribution) if distribution else sys.version.split()[0]
    if said.version:
        return {"version": version}
    if not (said.task and said.input and said.output and said.repeat > 0):
        parser.error("--task, --input, --output and a --repeat of 1 or more are needed")
    began = time.perf_counter()
    task = tasks[said.task](said)
    loaded = time.perf_counter() - began
    found = _run_files(task, said) if isinstance(task, FileTask) else _run(task, said)
    return {"task": said.task, "version": version, "load_seconds": loaded, **found}


def _run(task: Task, said: argparse.Namespace) -> Row:
    documents = read(said.input)
    task.work(copy.deepcopy(documents[:WARM_UP]))
    laps = []
    for _ in range(said.repeat):
        fresh = [dict(row) for row in documents]
        lap, result = timed(lambda fresh=fresh: task.work(fresh))
        laps.append(lap)
    with said.output.open("w", encoding="utf-8") as file:
        for row in task.decisions(documents, result):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    size = sum(len(row["text"].encode()) for row in documents)
    return {**summary(laps), "documents": len(documents), "bytes": size, **task.figures}


def _run_files(task: FileTask, said: argparse.Namespace) -> Row:
    task.work(said.input, said.output)
    laps = []
    for _ in range(said.repeat):
        lap, count = timed(lambda: task.work(said.input, said.output))
        laps.append(lap)
    return {**summary(laps), "documents": count, "bytes": said.input.stat().st_size if said.bytes is None else said.bytes}


def imports(*names: str) -> None:
    """Import modules, so that neither the clock nor a late surprise meets them."""
    for name in names:
        importlib.import_module(name)


def timed(work: Callable[[], Any]) -> tuple[Lap, Any]:
    """The work's result, and what it took."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    result = work()
    return Lap(time.perf_counter() - wall, _cpu_seconds() - cpu), result


def summary(laps: list[Lap]) -> Row:
    """Medians, and every lap."""
    return {
        "seconds": statistics.median(lap.seconds for lap in laps),
        "cpu_seconds": statistics.median(lap.cpu_seconds for lap in laps),
        "laps": [asdict(lap) for lap in laps],
    }


def read(path: Path) -> list[Row]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def bare_package(name: str) -> types.ModuleType:
    """Put an installed package in `sys.modules` without running its `__init__`, so that a module in it can be imported alone.

    For peers whose `__init__` imports a cluster or a GPU library that the module in question does not use.
    """
    parent, _, last = name.rpartition(".")
    folders = sys.modules[parent].__path__ if parent else None
    found = importlib.util.find_spec(name) if not parent else importlib.machinery.PathFinder.find_spec(name, list(folders or ()))
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {name}", name=name)
    module = types.ModuleType(name)
    module.__path__ = list(found.submodule_search_locations)
    module.__spec__ = found
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], last, module)
    return module


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
