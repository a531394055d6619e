"""Make the environments of the peers under `.cache/peers/`; those that are there already are left alone.

    .venv/bin/python -m benchmarks.peers [NAME …] [--json]

Exit 0 when all are there, 1 when some could not be made (each with its reason; the others are made all the same).
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from benchmarks.peers import Unavailable, ensure, names


def main() -> None:
    """Make all, or those named."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}")
    parser.add_argument("--json", action="store_true", help="{name: {python} or {reason}} on stdout")
    said = parser.parse_args()
    if unknown := sorted(set(said.names) - set(names())):
        parser.error(f"no peer is called {unknown[0]!r}; there are {', '.join(names())}")
    found = {}
    for name in said.names or names():
        began = time.monotonic()
        found[name] = ensure(name)
        print(f"{name}: {_shown(found[name])} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    if said.json:
        values = {name: {"reason": one.reason} if isinstance(one, Unavailable) else {"python": str(one)} for name, one in found.items()}
        print(json.dumps(values, indent=2))
    sys.exit(1 if any(isinstance(one, Unavailable) for one in found.values()) else 0)


def _shown(found: object) -> str:
    return f"could not be made: {found.reason}" if isinstance(found, Unavailable) else str(found)


if __name__ == "__main__":
    main()
