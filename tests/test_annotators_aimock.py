"""Both providers against `@copilotkit/aimock`, a server in Node that nobody here wrote, and which answers Anthropic's structured output.

It is installed by `npm install @copilotkit/aimock` into any folder; `TILTH_AIMOCK` names that folder.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import required
from test_annotators_providers import anthropic, ask, openai

from tilth.annotators.judge import Judged
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.questions.pairwise import Pairwise

SERVER = Path("node_modules/@copilotkit/aimock/dist/cli.js")
Aimock = Callable[..., str]


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[Aimock]:
    """Starts the server on fixtures and options; gives its address. Skipped where there is no Node, or no aimock."""
    node, script = shutil.which("node"), Path(os.environ.get("TILTH_AIMOCK") or "nowhere") / SERVER
    if node is None or not script.is_file():
        said = "no node" if node is None else "no aimock (npm install @copilotkit/aimock somewhere, and name the folder in TILTH_AIMOCK)"
        (pytest.fail if required("node") else pytest.skip)(said)
    running: list[subprocess.Popen[str]] = []

    def start(*fixtures: dict[str, Any], options: tuple[str, ...] = ()) -> str:
        path = tmp_path / "fixtures.json"
        path.write_text(json.dumps({"fixtures": fixtures}))
        command = [str(node), str(script), "-p", "0", "-f", str(path), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", lines.get(timeout=20))):
            pass
        return found[0]

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


def answer(words: str, content: str, **more: Any) -> dict[str, Any]:
    """A fixture: whoever asks with these words gets this text."""
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "input_tokens": 100, "output_tokens": 20}
    return {"match": {"userMessage": words}, "response": {"content": content, "usage": usage, **more}}


def journal(url: str) -> list[dict[str, Any]]:
    """The requests that it took."""
    with urllib.request.urlopen(f"{url}/__aimock/journal") as reply:
        told = json.load(reply)
    return told if isinstance(told, list) else told.get("entries") or told["requests"]


def found(judged: Judged) -> dict[tuple[str, str], tuple[float | None, str]]:
    """(judge, row) → value and status."""
    return {(judge.split("/")[0], row): (value, status)
            for judge, row, value, status in judged.judgements.select("judge", "row_id", "value", "status").iter_rows()}  # fmt: skip


def test_both_apis_answer_in_structure_and_what_they_say_is_checked(aimock: Aimock, tmp_path: Path) -> None:
    url = aimock(
        answer("Question 0:", json.dumps({"score": 8, "justification": "type 2 diabetes"})),
        answer("Question 1:", json.dumps({"score": 11, "justification": "off the scale"})),
        answer("Question 2:", '{"score": 1', finishReason="length"),
        answer("Question 3:", "I would rather not."),
    )
    judges = openai(f"{url}/v1"), anthropic(url)
    judged = ask(tmp_path, *judges, rows=4, question=Difficulty())
    wanted = {"row-0000": (8.0, "ok"), "row-0001": (None, "out_of_range"), "row-0002": (None, "truncated"), "row-0003": (None, "unparsed")}
    assert found(judged) == {(api, row): value for api in ("openai", "anthropic") for row, value in wanted.items()}
    bodies = [entry["body"] for entry in journal(url)]
    assert len(bodies) == judged.bought == 8
    assert ask(tmp_path, *judges, rows=4, question=Difficulty()).bought == 0 and len(journal(url)) == 8
    assert sum("response_format" in body for body in bodies) == 4  # of Anthropic's body the journal keeps what all APIs have
    usage = {judge.judge.split("/")[0]: judge.usd for judge in judged.judges}
    assert usage["openai"] == usage["anthropic"] == pytest.approx(4 * (100 * 1000 + 20 * 2000) / 1e6)


def test_a_judge_that_prefers_what_stands_first_is_seen_to(aimock: Aimock, tmp_path: Path) -> None:
    said = {"fluency": "A", "relevance": "tie", "completeness": "A", "proficiency": "A", "winner": "A"}
    judged = ask(tmp_path, anthropic(aimock(answer("A", json.dumps(said)))), rows=1, question=Pairwise())
    assert judged.bought == 6 and judged.statuses == {"ok": 12}
    assert judged.judgements.group_by("candidate").agg(pl.col("value").mean())["value"].to_list() == [0.5] * 3


def test_broken_connections_and_replies_lose_nothing(aimock: Aimock, tmp_path: Path) -> None:
    said = answer("Question", json.dumps({"score": 5, "justification": "so"}))
    url = aimock(said, options=("--chaos-drop", "0.2", "--chaos-disconnect", "0.2", "--chaos-malformed", "0.1"))
    judges = openai(f"{url}/v1"), anthropic(url)
    for _ in range(20):  # a call that failed six times over is asked again by the next run
        judged = ask(tmp_path, *judges, rows=10, question=Difficulty())
        if judged.statuses == {"ok": 20}:
            break
    assert judged.statuses == {"ok": 20} and len(journal(url)) > 20
