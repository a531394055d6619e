"""Calls a second and CPU a call: jobs of ours, the SDKs alone, aiohttp alone, Bespoke Curator and datatrove, by turns on one server."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.annotate.server import ROOT, Running
from benchmarks.peers import Unavailable, call

PEERS = {"curator": "curator", "datatrove": "datatrove_inference"}
CLIENTS = ("bare", "sdk_openai", "openai", "sdk_anthropic", "anthropic")
TEXT = "A 54-year-old man comes to the clinic with chest pain that began an hour ago while he climbed stairs. " * 15
"""About 1.5 KB, as much as a judge is usually shown."""


def measure(folder: Path, calls: int, rounds: int) -> dict[str, Any]:
    """Rates of all, interleaved; ratios are medians over rounds."""
    prompts, documents = folder / "prompts.jsonl", folder / "documents.jsonl"
    texts = [f"{i}. {TEXT}" for i in range(calls)]
    prompts.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts), encoding="utf-8")
    documents.write_text("".join(json.dumps({"id": f"d{i}", "text": text, "source": "s"}) + "\n" for i, text in enumerate(texts)), encoding="utf-8")
    laps: dict[str, list[dict[str, float]]] = {}
    missing: dict[str, str] = {}
    with Running() as server:
        for _ in range(rounds):
            for client in CLIENTS:
                laps.setdefault(client, []).append(run(client, server.url, prompts))
            for name, peer in PEERS.items():
                if name in missing:
                    continue
                found = call(peer, "calls", documents, folder / f"{name}.jsonl", "--url", server.url, seconds=300)
                if isinstance(found, Unavailable):
                    missing[name] = found.reason
                elif (answered := sum(row["kept"] for row in found.decisions())) != calls:
                    missing[name] = f"it answered {answered} of {calls}"
                else:
                    laps.setdefault(name, []).append({"seconds": found.seconds, "cpu_seconds": found.cpu_seconds, "calls": calls})
    return _figures(laps, missing)


def run(client: str, url: str, prompts: Path, *options: str) -> dict[str, Any]:
    """One client in its own process."""
    command = [sys.executable, "-m", "benchmarks.annotate.client", client, "--url", url, "--input", str(prompts), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{client}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def memory(folder: Path, calls: int) -> dict[str, Any]:
    """MiB of a job at a twentieth of its calls and at the last, and bytes a call between: what grows is the table of judgements."""
    prompts = folder / "many.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"Question {i}: is {i} a prime?"}) + "\n" for i in range(calls)), encoding="utf-8")
    with Running() as server:
        found = run("openai", server.url, prompts)["pss_kib"]
    (first, low), (last, high) = sorted((int(done), kib) for done, kib in found.items())
    return {"calls": [first, last], "mib": [low / 1024, high / 1024], "bytes_a_call": (high - low) * 1024 / (last - first)}


def _figures(laps: dict[str, list[dict[str, float]]], missing: dict[str, str]) -> dict[str, Any]:
    rates = {name: [lap["calls"] / lap["seconds"] for lap in each] for name, each in laps.items()}
    cpu = {name: statistics.median(lap["cpu_seconds"] / lap["calls"] * 1000 for lap in each) for name, each in laps.items()}

    def ratio(ours: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[ours], rates[other], strict=False))

    slower = min(("openai", "anthropic"), key=lambda sdk: statistics.median(rates[sdk]))
    both = {sdk: cpu[sdk] / cpu[f"sdk_{sdk}"] for sdk in ("openai", "anthropic")}
    dearer = max(both, key=both.__getitem__)
    return {
        "calls_per_s": statistics.median(rates[slower]),
        "calls_per_s_bare": statistics.median(rates["bare"]),
        "share_of_bare": ratio(slower, "bare"),
        "cpu_ms_per_call": cpu[dearer],
        "cpu_ms_per_call_sdk": cpu[f"sdk_{dearer}"],
        "cpu_vs_sdk": both,
        **{f"vs_{name}": ratio(slower, name) if name in rates else None for name in PEERS},
        "peers_missing": missing,
        "calls_per_s_each": {name: statistics.median(each) for name, each in rates.items()},
        "cpu_ms_each": cpu,
    }
