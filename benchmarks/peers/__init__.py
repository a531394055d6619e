"""Peers: one environment each, one runner script each (`run_NAME.py`), so that the benchmarks measure them beside ours.

To add a peer, add `run_NAME.py` and, unless it runs on the project's own Python, `NAME.txt`: a closed list of exact
versions, without registry addresses and without CUDA, which is installed without dependencies.
"""

from benchmarks.peers.calls import Measured, call
from benchmarks.peers.environments import Unavailable, ensure, environment, language_model, names

__all__ = ["Measured", "Unavailable", "call", "ensure", "environment", "language_model", "names"]
