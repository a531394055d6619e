"""One digest, whatever happens: an unbroken build, one on two workers, one whose process group is killed again and again.

    .venv/bin/python -m benchmarks.real.kills --data-root ../shared/data --share 0.1 --kills 5 [--seed 0]

Each build has a home of its own. Kills are SIGKILL to the whole process group at random moments of the time that the
unbroken build took. Prints one JSON object; exit 1 where a digest differs, or a second build of what is there runs a stage.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.real.measure import HERE, ROOT, environment, measure, tilth


def main() -> None:
    """Build four ways and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    data = said.data_root.absolute()
    with tempfile.TemporaryDirectory() as folder:
        homes = Path(folder)
        unbroken = measure(homes / "one", data, 1, said.share)
        again = measure(homes / "one", data, 1, said.share)
        two = measure(homes / "two", data, 2, said.share)
        killed = kill(homes / "killed", data, said.share, said.kills, unbroken["seconds"], random.Random(said.seed))
    digests = {"unbroken": unbroken["digest"], "two_workers": two["digest"], "killed": killed["digest"]}
    print(json.dumps({
        "digests": digests, "equal": len(set(digests.values())) == 1, "kills": killed["kills"],
        "seconds": {"one_worker": unbroken["seconds"], "two_workers": two["seconds"], "again": again["seconds"]},
        "again_stages_run": again["stages_run"], "peak_mib": {"one_worker": unbroken["peak_mib"], "two_workers": two["peak_mib"]},
    }, indent=2))  # fmt: skip
    sys.exit(0 if len(set(digests.values())) == 1 and not again["stages_run"] else 1)


def kill(home: Path, data: Path, share: float, times: int, seconds: float, draw: random.Random) -> dict[str, object]:
    """Build in `home`, killed `times` times at random moments, then let it end; begun anew if it ends before that."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    recipe = home / "recipe.yaml"
    shutil.copyfile(HERE / "recipe.yaml", recipe)
    tilth(home, "lock", str(recipe), "--data-root", str(data), "--json")
    words = ["build", str(recipe), "--data-root", str(data), "--workers", "2", "--share", str(share), "--quiet", "--json"]
    moments = []
    while len(moments) < times:
        process = subprocess.Popen(
            [str(ROOT / ".venv/bin/tilth"), *words], env=environment(home), stdout=subprocess.PIPE, start_new_session=True
        )
        moment = draw.uniform(0.5, max(1.0, seconds / 2))
        try:
            process.communicate(timeout=moment)
            return kill(home, data, share, times, seconds * 0.7, draw)  # it came to its end before its moment
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            moments.append(round(moment, 1))
            time.sleep(0.2)
    return {"digest": json.loads(tilth(home, *words))["digest"], "kills": moments}


if __name__ == "__main__":
    main()
