"""Build the real recipe and say what it took.

    benchmarks/real/run --data-root ../shared/data --workers 2 [--share 0.1] [--json]

Prints {digest, seconds, peak_mib, funnel}; a whole build (share 1) is also released as `real@1.0.z` and verified.
Everything lies in $TILTH_HOME (by default .tilth/real under the repository), the recipe and its lock too, so two
runs with different homes share nothing, and nothing is written into the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # for `benchmarks`, which is not installed

from benchmarks.processes import Peak


def main() -> None:
    """Parse, build, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder with cpt_raw_mix, sft_*, bench_* …")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="that part of the documents, by id hash")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    said = parser.parse_args()
    home = Path(os.environ.get("TILTH_HOME") or ROOT / ".tilth" / "real").absolute()
    measured = measure(home, said.data_root.absolute(), said.workers, said.share)
    if said.share == 1:
        measured |= release(home, measured["digest"])
    if said.json:
        print(json.dumps(measured))
        return
    for line in measured.pop("funnel"):
        print("{corpus:10} {step:18} {rows_in:>8} in {kept:>8} kept {dropped:>8} dropped {failed:>6} failed {rows_out:>8} out".format(**line))
    print(json.dumps(measured, indent=2))


def measure(home: Path, data_root: Path, workers: int, share: float) -> dict[str, Any]:
    """Lock (outside the time) and build; seconds are wall clock of the whole command."""
    home.mkdir(parents=True, exist_ok=True)
    recipe = home / "recipe.yaml"
    shutil.copyfile(HERE / "recipe.yaml", recipe)
    tilth(home, "lock", str(recipe), "--data-root", str(data_root), "--json")
    command = ["build", str(recipe), "--data-root", str(data_root), "--workers", str(workers), "--share", str(share), "--json"]
    started = time.monotonic()
    process = subprocess.Popen([str(ROOT / ".venv/bin/tilth"), *command], env=environment(home), stdout=subprocess.PIPE)
    peak = Peak(process)
    output, _ = process.communicate()
    seconds, mib = time.monotonic() - started, peak.stop()
    if process.returncode:
        sys.exit(process.returncode)
    built = json.loads(output)
    return {
        "digest": built["digest"], "seconds": round(seconds, 2), "peak_mib": round(mib), "workers": workers, "share": share,
        "stages_run": built["stages_run"], "configs": built["configs"], "funnel": built["funnel"],
    }  # fmt: skip


def release(home: Path, digest: str) -> dict[str, Any]:
    """Release the build under the next free patch version, unless a release has that digest; verify it."""
    listed = [one for one in json.loads(tilth(home, "ls", "--json")) if one["name"] == "real"]
    version = next((one["version"] for one in listed if one["digest"] == digest), f"1.0.{len(listed)}")
    if version not in {one["version"] for one in listed}:
        tilth(home, "release", str(home / "recipe.yaml"), "--version", version, "--json")
    started = time.monotonic()
    tilth(home, "verify", f"real@{version}")
    return {"release": f"real@{version}", "verify_seconds": round(time.monotonic() - started, 2)}


def tilth(home: Path, *words: str) -> str:
    """Run the repository's own tilth; its talk goes to stderr."""
    done = subprocess.run([str(ROOT / ".venv/bin/tilth"), *words], check=False, env=environment(home), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def environment(home: Path) -> dict[str, str]:
    """The environment of the measured command."""
    return {**os.environ, "TILTH_HOME": str(home)}


if __name__ == "__main__":
    main()
