"""A small annotation job, and its review page served on loopback."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tilth.annotators import human, human_plan
from tilth.annotators.human_store import ReviewStore
from tilth.annotators.items import Items
from tilth.annotators.job_file import JobFile, load
from tilth.builders import job_rows
from tilth.core.home import home
from tilth.review.desk import Desk
from tilth.review.server import ReviewServer

WORDS = {"en": ("Question {}: what is zinc for?", "Zinc helps growth.", "Nothing is known."), "zh": ("问题{}：锌有什么用？", "锌促进生长。", "尚不清楚。")}


def record(number: int, language: str = "en", **more: Any) -> dict[str, Any]:
    """A row with two answers: `good` and `bad`."""
    prompt, good, bad = WORDS[language]
    completions = [{"model": "good", "text": f"{good} ({number})"}, {"model": "bad", "text": f"{bad} ({number})"}]
    return {"id": f"row-{number}", "prompt": prompt.format(number), "completions": completions, "language": language, **more}


def make_job(folder: Path, records: list[dict[str, Any]], question: str = "pairwise", judge: str = "baseline: {}") -> Path:
    """A job file beside its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text("\n".join(json.dumps(one) for one in records), encoding="utf-8")
    path = folder / "job.yaml"
    path.write_text(f"name: clinic\ninput: rows.jsonl\nquestion: {{{question}: {{}}}}\njudges: [{{{judge}}}]\noutput: judged.parquet\n")
    return path


def sheets_of(path: Path) -> tuple[JobFile, list[human.Sheet]]:
    """A job and everything in it that people can judge."""
    said = load(path)
    return said, human.sheets(Items(job_rows.of_file(said)), said.question, said.job.seed)


@contextlib.contextmanager
def desk(path: Path, *, sample: int | None = None, reviewer: str | None = None) -> Iterator[Desk]:
    """The desk of a job."""
    said, shown = sheets_of(path)
    with ReviewStore(home().reviews) as store:
        plan = human_plan.draw(shown, sample=sample)
        listed = human_plan.listed(plan, shown)
        yield Desk(said.job.name, said.question.label, said.job.seed, tuple(listed), store, reviewer)


@contextlib.contextmanager
def serving(path: Path, *, sample: int | None = None, reviewer: str | None = None) -> Iterator[ReviewServer]:
    """The page of a job, served by a thread."""
    with desk(path, sample=sample, reviewer=reviewer) as made, ReviewServer(made) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
