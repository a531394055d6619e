"""`tilth calls`: what was asked and answered, found again; hostile replies do nothing to the terminal."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from test_annotators_store import call

from tilth.annotators.calls import Reading
from tilth.annotators.store import CallStore
from tilth.cli.main import tilth
from tilth.core.errors import RecipeError, StorageError

REQUEST = json.dumps({"messages": [{"role": "user", "content": "How hard?\nSay \x1b[2J"}], "parameters": {"max_tokens": 9}})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CallStore:
    monkeypatch.setenv("TILTH_HOME", str(tmp_path))
    with CallStore(tmp_path / "calls.sqlite") as opened:
        opened.put(call("aa11", request=REQUEST))
        opened.put(call("aa22", request=REQUEST, raw="Score: \x1b[31m8\u202e", status="unparsed", readings=(Reading(None, None, "unparsed"),)))
        opened.put(call("bb33", request=REQUEST, model="n", raw="HTTP 500: busy", status="failed", readings=None, usd=0.0)).result(10)
        yield opened


def run(*words: str) -> str:
    done = CliRunner().invoke(tilth, ["calls", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def listed(*words: str) -> list[str]:
    return sorted(one["key"] for one in json.loads(run(*words, "--json"))["calls"])


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ((), ["aa11", "aa22", "bb33"]),
        (("--status", "unparsed", "--status", "failed"), ["aa22", "bb33"]),
        (("--judge", "openai/n"), ["bb33"]),
        (("--question", "difficulty"), ["aa11", "aa22", "bb33"]),
        (("--question", "difficulty@2"), []),
        (("--question", "diff"), []),
        (("--since", "1h"), ["aa11", "aa22", "bb33"]),
        (("--since", "2999-01-01"), []),
    ],
)
def test_calls_are_found_by_what_they_are(store: CallStore, words: tuple[str, ...], keys: list[str]) -> None:
    assert listed(*words) == keys


def test_a_call_is_shown_whole_and_cannot_move_the_cursor(store: CallStore) -> None:
    shown = run("show", "aa2")
    assert "How hard?\n" in shown and "unparsed" in shown and "0.25" in shown
    assert "\x1b" not in shown and "\u202e" not in shown and "\x1b" not in run()
    whole: dict[str, Any] = json.loads(run("show", "aa22", "--json"))
    assert whole["raw"] == "Score: \x1b[31m8\u202e" and whole["request"]["parameters"] == {"max_tokens": 9}
    for key, said in (("aa", "two calls or more"), ("cc", "no call begins")):
        with pytest.raises(RecipeError, match=said):
            run("show", key)


def test_failures_are_grouped(store: CallStore) -> None:
    found = json.loads(run("failures", "--json"))
    assert [(one["status"], one["calls"], one["example"]) for one in found] == [("unparsed", 1, "aa22"), ("failed", 1, "bb33")] or len(found) == 2
    assert "HTTP 500: busy" in run("failures")


def test_a_better_parser_reads_old_replies_for_free(store: CallStore) -> None:
    store.put(call("cc44", request=REQUEST, raw="Score: 8", status="unparsed", readings=(Reading(None, None, "unparsed"),))).result(10)
    assert json.loads(run("reparse", "--question", "difficulty", "--json")) == {"difficulty@1": 1}
    assert store.get_many(["cc44"])["cc44"].status == "ok"
    assert set(json.loads(run("reparse", "--json")).values()) == {0}


def test_calls_export_to_parquet(store: CallStore, tmp_path: Path) -> None:
    run("export", str(tmp_path / "calls.parquet"))
    assert pl.read_parquet(tmp_path / "calls.parquet")["key"].to_list() == ["aa11", "aa22", "bb33"]


@pytest.mark.parametrize("when", ["soon", "999999w", "0001-01-01T00:00+23:00"])
def test_a_time_that_is_none_is_said_to_be_none(store: CallStore, when: str) -> None:
    with pytest.raises(RecipeError, match="is no time"):
        run("--since", when)


@pytest.mark.parametrize("change", ["shown = 'x'", "parsed = '[{\"bogus\": 1}]'", "raw = x'ff00'"])
def test_a_call_that_somebody_damaged_is_named(store: CallStore, change: str) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"UPDATE calls SET {change} WHERE key = 'aa11'")
    with pytest.raises(StorageError, match="call aa11 is damaged"):
        run()


def test_the_calls_of_a_job(store: CallStore, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "r", "prompt": "Why?"}) + "\n")
    (tmp_path / "j.yaml").write_text("name: j\ninput: rows.jsonl\nquestion: {difficulty: {}}\njudges: [{openai: {model: m, base_url: \"http://127.0.0.1:9/v1\"}}]\n")
    from tilth.annotators.items import Items
    from tilth.annotators.job_file import load
    from tilth.annotators.plan import chunks
    from tilth.cli.annotate_verbs import rows_of

    said = load(tmp_path / "j.yaml")
    ((task,),) = chunks(said.judges[0], Items(rows_of(said)), said.question, 0)
    assert listed("--job", str(tmp_path / "j.yaml")) == []
    store.put(call(task.key, request=task.text.decode())).result(10)
    assert listed("--job", str(tmp_path / "j.yaml")) == [task.key]
