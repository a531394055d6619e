"""Memory of a build as its corpus grows: a worker, the main process that decides, and all of them together.

    .venv/bin/python -m benchmarks.memory --data DIR [--documents 10000 100000 1000000] [--workers 2] [--json]

Documents are windows of real ones (about a kilobyte each, no two alike), English and Chinese by turns, in eight files a source.
Every filter that a CPT recipe has runs over them. Prints for each size {documents, bytes, seconds, worker_mib, main_mib, together_mib}: PSS
(shared pages count once), sampled four times a second.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks import corpus
from benchmarks.peers import environment
from benchmarks.processes import Peak

TILTH = Path(sys.executable).with_name("tilth")
FILES = 8
WINDOW = {"english": 1000, "chinese": 350}
"""Characters: about a kilobyte."""
STEPS: list[Any] = [
    {"normalize": {}}, {"language": {"keep": ["en", "zh"]}}, {"gopher_quality": {"min_words": 10}}, {"gopher_repetition": {}}, {"c4": {"require_terminal": False}},
    {"fineweb_quality": {}}, {"chinese_quality": {"min_chars": 20}}, {"exact_dedup": {}}, {"near_dedup": {}}, {"decontaminate": {}}, {"pii": {}},
]  # fmt: skip


def main() -> None:
    """Measure each size, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cpt_* and bench_*")
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one line")
    said = parser.parse_args()
    sources = {name: corpus.documents(said.data, name) for name in WINDOW}
    found = [measure(said.data, sources, size, said.workers) for size in said.documents]
    print(json.dumps(found, indent=None if said.json else 2))


def measure(data: Path, sources: dict[Any, list[corpus.Document]], size: int, workers: int) -> dict[str, Any]:
    """Build `size` documents in a fresh home."""
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        home = Path(folder)
        files = _write(home, sources, size)
        size_bytes = sum(path.stat().st_size for path in files.values())
        items = home / "items.jsonl"
        corpus.write(items, [one for name in WINDOW for one in corpus.questions(data, name)])
        recipe = home / "recipe.yaml"
        recipe.write_text(yaml.safe_dump(_recipe(files, items), sort_keys=False), encoding="utf-8")
        where = {**environment(), "TILTH_HOME": f"{folder}/home"}
        subprocess.run([str(TILTH), "lock", str(recipe)], check=True, env=where, capture_output=True)
        started = time.monotonic()
        command = [str(TILTH), "build", str(recipe), "--workers", str(workers), "--json"]
        process = subprocess.Popen(command, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = Peak(process)
        process.wait()
        together = peak.stop()
        if process.returncode:
            sys.exit(f"the build of {size} documents ended with {process.returncode}")
        seconds = round(time.monotonic() - started, 1)
    return {"documents": size, "workers": workers, "bytes": size_bytes, "seconds": seconds, "worker_mib": round(peak.below), "main_mib": round(peak.root), "together_mib": round(together)}


def _write(folder: Path, sources: dict[Any, list[corpus.Document]], size: int) -> dict[str, Path]:
    """{source: glob of its files}."""
    globs = {}
    for language, rows in sources.items():
        texts = _windows([one.text for one in rows], WINDOW[language], language)
        for number in range(FILES):
            with (folder / f"{language}-{number}.jsonl").open("w", encoding="utf-8") as file:
                for place in range(size // (2 * FILES)):
                    file.write(json.dumps({"id": f"{number}-{place}", "text": next(texts)}, ensure_ascii=False) + "\n")
            globs[f"{language}_{number}"] = folder / f"{language}-{number}.jsonl"
    return globs


def _windows(texts: list[str], size: int, language: str) -> Iterator[str]:
    """Windows of documents, each with a word of its own every few sentences, so that hardly two are near-duplicates."""
    draw = random.Random(language)
    while True:
        text = draw.choice(texts)
        first = draw.randrange(max(1, len(text) - size))
        pieces = text[first : first + size].split(". " if language == "english" else "。")
        yield (". " if language == "english" else "。").join(f"{piece} {draw.randrange(1 << 40):x}" for piece in pieces)


def _recipe(files: dict[str, Path], items: Path) -> dict[str, Any]:
    sources = {
        name: {"path": str(path), "license": "CC0-1.0", "language": "en" if name.startswith("english") else "zh", "key": "id", "shape": {"text": {}}}
        for name, path in files.items()
    }
    items_source = {"path": str(items), "license": "CC0-1.0", "key": "id", "shape": {"item": {}}}
    return {"name": "memory", "license": "cc0-1.0", "sources": sources, "benchmarks": {"exams": items_source}, "corpora": {"cpt": {"from": list(sources), "steps": STEPS}}}


if __name__ == "__main__":
    main()
