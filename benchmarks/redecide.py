"""Change one threshold of the real CPT corpus: what deciding again takes, against building it.

    .venv/bin/python -m benchmarks.redecide --data-root ../shared/data [--share 0.2] [--repeats 5] --json

Builds the CPT corpus of `benchmarks/real/recipe.yaml` into a fresh home on one worker. Then, with another
`gopher_quality.min_words` each time and in a process of its own: a build of a copy of the recipe, of which the
decision (`redecide_seconds` with the ledger) and the writing of shards and tables are timed beside each other, and
`tilth whatif` with that value. Both must keep the same number of rows. Medians; wall clock, and CPU beside it.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.real.measure import HERE, ROOT, environment, tilth

NAME = "cpt.yaml"
MIN_WORDS = (80, 65, 100, 40, 120, 30, 150)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder with cpt_raw_mix and bench_*")
    parser.add_argument("--share", type=float, default=1.0, help="that part of the documents, by id hash")
    parser.add_argument("--repeats", type=int, default=5, choices=range(1, len(MIN_WORDS) + 1))
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--again", nargs=3, metavar=("HOME", "HOW", "MIN_WORDS"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    data = said.data_root.absolute()
    if said.again:
        home, how, words = said.again
        print(json.dumps({"build": _rebuild, "whatif": _whatif}[how](Path(home), data, said.share, int(words))))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), data, said.share, said.repeats), indent=None if said.json else 2))


def measure(home: Path, data: Path, share: float, repeats: int = 5) -> dict[str, Any]:
    """Build once, decide again `repeats` times either way."""
    (home / NAME).write_text(yaml.safe_dump(_recipe(), allow_unicode=True, sort_keys=False), encoding="utf-8")
    tilth(home, "lock", str(home / NAME), "--data-root", str(data), "--json")
    started, before = time.monotonic(), _children()
    built = json.loads(tilth(home, "build", str(home / NAME), "--data-root", str(data), "--workers", "1", "--share", str(share), "--json"))
    build_seconds, build_cpu = time.monotonic() - started, _children() - before
    builds, whatifs = [], []
    for words in MIN_WORDS[:repeats]:
        whatifs.append(_again(home, data, share, "whatif", words))
        builds.append(_again(home, data, share, "build", words))
    found = {f"{name}_seconds": _median(builds, name) for name in ("redecide", "redecide_cpu", "decide", "ledger", "write", "tables", "rebuild")}
    found |= {"whatif_seconds": _median(whatifs, "whatif"), "whatif_effect_seconds": _median(whatifs, "effect")}
    return {
        "documents": built["funnel"][0]["kept"], "share": share, "build_seconds": round(build_seconds, 2), **found,
        "build_cpu_seconds": round(build_cpu, 2),
        "ratio": round(build_seconds / found["redecide_seconds"], 1), "cpu_ratio": round(build_cpu / found["redecide_cpu_seconds"], 1),
        "whatif_ratio": round(build_seconds / found["whatif_seconds"], 1), "target": 50,
        "spread": [min(one["redecide"] for one in builds), max(one["redecide"] for one in builds)],
        "min_words": list(MIN_WORDS[:repeats]), "kept": [one["kept"] for one in builds], "same_rows": [one["kept"] for one in builds] == [one["kept"] for one in whatifs],
    }  # fmt: skip


def _recipe() -> dict[str, Any]:
    """The real recipe, its CPT corpus only."""
    plain: dict[str, Any] = yaml.safe_load((HERE / "recipe.yaml").read_text(encoding="utf-8"))
    corpus = plain["corpora"]["cpt"]
    return {**plain, "name": "real-cpt", "corpora": {"cpt": corpus}, "sources": {name: plain["sources"][name] for name in corpus["from"]}}


def _again(home: Path, data: Path, share: float, how: str, words: int) -> dict[str, Any]:
    """One way of deciding again, in a fresh process: what a command pays, start-up aside."""
    command = [sys.executable, "-m", "benchmarks.redecide", "--data-root", str(data), "--share", str(share), "--again", str(home), how, str(words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment(home))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _rebuild(home: Path, data: Path, share: float, words: int) -> dict[str, Any]:
    """Build a copy of the recipe with that value; seconds of its parts."""
    from tilth.builders import build as building
    from tilth.builders import decide, record, write
    from tilth.core.home import Home

    copy = home / f"cpt-{words}.yaml"
    plain = yaml.safe_load((home / NAME).read_text(encoding="utf-8"))
    for step in plain["corpora"]["cpt"]["steps"]:
        if "gopher_quality" in step:
            step["gopher_quality"]["min_words"] = words
    copy.write_text(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
    shutil.copyfile((home / NAME).with_suffix(".lock"), copy.with_suffix(".lock"))
    spent = dict.fromkeys(("decide", "ledger", "write", "tables", "decide_cpu", "ledger_cpu", "write_cpu", "tables_cpu"), 0.0)
    for name, module, function in (("decide", decide, "decide"), ("ledger", record, "funnel"), ("write", write, "write"), ("tables", write, "write_table")):
        setattr(module, function, _timed(getattr(module, function), name, spent))
    made = building.build(str(copy), data_root=data, share=share, where=Home(home))
    assert made.stages_run == 3, f"{made.stages_run} stages ran: decide, write and tables were to run"
    kept = sum(file.rows for file in made.record.configs["cpt"]["train"])
    both = {f"redecide{unit}": spent[f"decide{unit}"] + spent[f"ledger{unit}"] for unit in ("", "_cpu")}
    return {**spent, **both, "rebuild": made.seconds, "kept": kept}


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*words: Any) -> Any:
        started, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*words)
        finally:
            spent[name] += time.perf_counter() - started
            spent[f"{name}_cpu"] += time.process_time() - cpu

    return timed


def _whatif(home: Path, data: Path, share: float, words: int) -> dict[str, Any]:
    from tilth.builders import whatif
    from tilth.core.home import Home

    spent = {"effect": 0.0, "effect_cpu": 0.0}
    whatif._effect = _timed(whatif._effect, "effect", spent)
    found = whatif.whatif(str(home / NAME), [f"gopher_quality.min_words={words}"], data_root=data, where=Home(home))
    return {"whatif": found.seconds, **spent, "kept": found.corpora[0].then}


def _children() -> float:
    """CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(found: list[dict[str, Any]], name: str) -> float:
    return round(float(statistics.median(one[name] for one in found)), 3)


if __name__ == "__main__":
    main()
