"""Sources on the Hub, against a Hub on loopback: a tag is resolved to its commit once, and that commit is what is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import small
from hub_server import HubServer

NAME = "hf://datasets/org/notes@v1/data/*.jsonl"


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as running:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=running.endpoint, token=running.TOKEN)
        api.create_repo("org/notes", repo_type="dataset")
        api.upload_file(path_or_fileobj=jsonl(small.notes()), path_in_repo="data/notes.jsonl", repo_id="org/notes", repo_type="dataset")
        api.create_tag("org/notes", repo_type="dataset", tag="v1")
        yield running


def tilth(hub: HubServer, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub.TOKEN, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run([sys.executable, "-m", "tilth.cli.main", *words], capture_output=True, text=True, check=False, env=env)


def recipe(tmp_path: Path, path: str = NAME) -> Path:
    return small.make(tmp_path, small.RECIPE.replace("path: notes.jsonl", f"path: {path}"))


def test_a_tag_is_locked_to_its_commit(hub: HubServer, tmp_path: Path) -> None:
    path = recipe(tmp_path)
    locked = tilth(hub, tmp_path, "lock", str(path), "--json")
    assert locked.returncode == 0, locked.stderr
    said = json.loads(locked.stdout)["sources"]["notes"]
    assert said["revision"] == hub.repositories["org/notes"].tags["v1"]
    assert len(said["revision"]) == 40
    assert said["rows"] == 5
    built = tilth(hub, tmp_path, "build", str(path), "--json")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["configs"]["cpt"] == {"train": 4}


def test_a_tag_that_moves_changes_nothing_that_is_locked(hub: HubServer, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    path = recipe(tmp_path)
    assert tilth(hub, tmp_path, "lock", str(path)).returncode == 0
    digest = json.loads(tilth(hub, tmp_path, "build", str(path), "--json").stdout)["digest"]
    api = HfApi(endpoint=hub.endpoint, token=hub.TOKEN)
    api.upload_file(path_or_fileobj=jsonl(small.notes()[:2]), path_in_repo="data/notes.jsonl", repo_id="org/notes", repo_type="dataset")
    api.delete_tag("org/notes", repo_type="dataset", tag="v1")
    api.create_tag("org/notes", repo_type="dataset", tag="v1")
    again = tilth(hub, tmp_path, "build", str(path), "--json")
    assert json.loads(again.stdout)["digest"] == digest
    assert json.loads(again.stdout)["stages_run"] == 0


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("hf://datasets/org/notes@v9/data/*.jsonl", "no such revision"),
        ("hf://datasets/org/notes@v1/data/*.parquet", "no file matches"),
        ("hf://datasets/org/nobody/data/*.jsonl", "no such dataset"),
        ("hf://org/notes", "hf://org/notes"),
    ],
)
def test_what_is_not_there_is_one_line(hub: HubServer, tmp_path: Path, path: str, wanted: str) -> None:
    done = tilth(hub, tmp_path, "lock", str(recipe(tmp_path, path)))
    assert done.returncode == 2, done.stderr
    assert wanted in done.stderr.splitlines()[0], done.stderr
    assert "Traceback" not in done.stderr


def test_a_commit_that_is_gone(hub: HubServer, tmp_path: Path) -> None:
    path = recipe(tmp_path)
    assert tilth(hub, tmp_path, "lock", str(path)).returncode == 0
    lock = path.with_suffix(".lock")
    text = lock.read_text()
    commit = json.loads(text)["sources"]["notes"]["revision"]
    lock.write_text(text.replace(commit, "0" * 40))
    done = tilth(hub, tmp_path, "build", str(path))
    assert done.returncode == 2, done.stderr
    assert "is gone" in done.stderr.splitlines()[0]


