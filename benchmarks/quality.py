"""The quality of what is kept and found: recall, precision and counts, on any folder with the layout of the real data.

    .venv/bin/python -m benchmarks.quality --data DIR [--only PART ...] [--json]

Prints part → what `python -m benchmarks.PART --data DIR --json` prints, each in a process of its own; a part that cannot be
measured on that folder has the `reason`. Parts: `dedup` (near-duplicates against exact Jaccard), `decontamination` (recall by kind of
edit, precision of what is flagged), `rephrased` (rephrased exam items), `chinese` (share kept of each source, of bad text dropped),
`pii` (a labelled set of our own, and hits on real text), `extraction` (HTML, JATS, WARC, encodings).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PARTS = ("dedup", "decontamination", "rephrased", "chinese", "pii", "extraction")


def measure(part: str, data: Path) -> Any:
    """What one part prints, or the reason why it did not."""
    command = [sys.executable, "-m", f"benchmarks.{part}", "--data", str(data), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"reason": (done.stderr.strip().splitlines() or ["it said nothing"])[-1]}
    return json.loads(done.stdout)


def main() -> None:
    """Measure all parts, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cpt_*, sft_*, bench_*, dup_* …")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts alone")
    parser.add_argument("--json", action="store_true", help="one line")
    said = parser.parse_args()
    if not said.data.is_dir():
        parser.error(f"{said.data}: no such folder")
    found = {}
    for part in said.only:
        print(f"measuring {part} …", file=sys.stderr)
        found[part] = measure(part, said.data.absolute())
    print(json.dumps(found, ensure_ascii=False, indent=None if said.json else 2))


if __name__ == "__main__":
    main()
