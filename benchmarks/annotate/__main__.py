"""The annotation runner beside its peers, and under SIGKILL.

    .venv/bin/python -m benchmarks.peers                          # the peers' environments, once
    .venv/bin/python -m benchmarks.annotate [--quick] [--json]

→ {calls_per_s, calls_per_s_bare, cpu_ms_per_call, vs_curator, vs_datatrove, lost, bought_twice, lost_in_flight, overspend_usd, kills, calls, …}.
Rates are of the slower of the two SDKs, against a server that answers at once; a peer that cannot run is null, with the reason in
`peers_missing`. Exit 1 where an answer was lost, bought twice, or a cap was passed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.annotate import kills, rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.annotate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3,000 calls and 3 kills, in five minutes")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout (else a line each)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    said = parser.parse_args()
    calls, num_kills, lap, rounds, many = (3000, 3, 1000, 2, 4000) if said.quick else (20_000, 10, 5000, 5, 200_000)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = rates.measure(Path(folder), lap, rounds)
        found["memory"] = rates.memory(Path(folder), many)
    report, more = kills.measure(calls, num_kills, said.seed)
    found |= {**asdict(report), "kills_run": more, "calls": calls, "seconds": time.monotonic() - began}
    if said.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name}: {value}")
    within = report.most_lost_by_one_kill <= report.in_flight_limit and report.overspend_usd <= 0 and report.stopped_at_cap
    sys.exit(0 if report.lost == report.bought_twice == 0 and within else 1)


if __name__ == "__main__":
    main()
