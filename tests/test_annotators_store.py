"""The call store: what is answered is kept, is never lost, and is never replaced by something worse."""

from __future__ import annotations

import dataclasses
import sqlite3
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.annotators.calls import Asked, Call, Reading, Usage
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import APPLICATION_ID, CallStore
from tilth.core.errors import StorageError


def call(key: str, **changes: object) -> Call:
    made = Call(
        key=key, provider="openai", base_url="", model="m", request="{}", asked=Asked("difficulty@1", "", ()), raw='{"score": 8}',
        readings=(Reading(None, 8.0, "ok"),), status="ok", usage=Usage(10, 5, 2), usd=0.25, price_version="given", latency_s=0.5,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "calls.sqlite"


def test_a_call_comes_back_as_it_was_put(path: Path) -> None:
    with CallStore(path) as store:
        store.put(call("a"))
        store.put(call("b", status="refused", readings=None, usd=None)).result(10)
        found = store.get_many(["a", "b", "nowhere"])
    assert sorted(found) == ["a", "b"]
    assert dataclasses.replace(found["a"], created="") == call("a")
    assert found["b"].usd is None and found["b"].readings is None
    with CallStore(path) as store:
        assert len(store) == 2 and store.spent_usd == 0.25


@settings(max_examples=20, deadline=None)
@given(raw=st.text(), names=st.lists(st.text(max_size=4), max_size=4), tokens=st.integers(0, 10**9))
def test_any_reply_survives_the_round_trip(raw: str, names: list[str], tokens: int) -> None:
    put = call("k", raw=raw, asked=Asked("q@1", "1,0", tuple(names)), usage=Usage(tokens, 0, 0))
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "calls.sqlite") as store:
        store.put(put).result(10)
        assert dataclasses.replace(store.get_many(["k"])["k"], created="") == put


def test_a_failed_call_is_replaced_and_a_final_one_is_not(path: Path) -> None:
    with CallStore(path) as store:
        store.put(call("a", status="failed", raw="HTTP 500", usd=0.0))
        store.put(call("a", raw="first")).result(10)
        assert store.get_many(["a"])["a"].raw == "first"
        store.put(call("a", status="failed", raw="late", usd=0.0))
        store.put(call("a", raw="bought twice by another process")).result(10)
        assert store.get_many(["a"])["a"].raw == "first"
        assert store.spent_usd == 0.5  # the money of both counts


def test_more_keys_than_one_select_holds(path: Path) -> None:
    keys = [f"{index:05}" for index in range(1234)]
    with CallStore(path) as store:
        for key in keys:
            store.put(call(key, usd=0.001))
        store.flush()
        assert sorted(store.get_many(reversed(keys))) == keys
        assert [kept.key for kept in store] == keys
        assert store.spent_usd == pytest.approx(1.234)


def test_reservations_outlive_the_process_that_made_them(path: Path) -> None:
    with CallStore(path) as store:
        kept, settled, released = (store.reserve(key, 1.0).result(10) for key in "abc")
        store.put(call("b"), settles=settled)
        store.release(released)
        store.flush()
        assert kept != settled
    with CallStore(path) as store:
        assert store.at_risk_usd == 1.0
        assert (store.at_risk(["a"]), store.at_risk(["b", "c"])) == (1.0, 0.0)


def test_a_damaged_file_is_said_to_be_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StorageError, match=r"calls\.sqlite: damaged") as caught:
        CallStore(path)
    assert caught.value.hint


def test_damage_in_the_middle_is_found_when_it_is_read(path: Path) -> None:
    with CallStore(path) as store:
        for index in range(500):
            store.put(call(f"{index:04}", raw="x" * 500))
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 16384) + whole[-8192:])
    with pytest.raises(StorageError, match="damaged"), CallStore(path) as store:
        list(store)


def test_another_program_s_file_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StorageError, match="no call store"):
        CallStore(path)


def test_a_newer_schema_is_refused(path: Path) -> None:
    CallStore(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(StorageError, match="schema 99") as caught:
        CallStore(path)
    assert "upgrade" in str(caught.value.hint)
    assert APPLICATION_ID  # an empty file of ours is told from a stranger's by it


def test_a_folder_in_its_place_is_an_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=str(tmp_path)):
        CallStore(tmp_path)


def test_a_closed_store_takes_nothing(path: Path) -> None:
    store = CallStore(path)
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.put(call("a"))


def test_reading_again_is_free_and_changes_what_the_parser_changed(path: Path) -> None:
    with CallStore(path) as store:
        store.put(call("a", raw="type 2 diabetes ... Score: 8", readings=(Reading(None, 2.0, "ok"),)))
        store.put(call("b", raw="7.5", readings=(Reading(None, 7.0, "ok"),)))
        store.put(call("c", status="truncated", readings=None))
        store.put(call("d", asked=Asked("other@1", "", ()), raw="9", readings=None, status="unparsed"))
        assert store.reparse(Difficulty()) == 2
        assert store.reparse(Difficulty()) == 0
        found = store.get_many("abcd")
    assert found["a"].readings == (Reading(None, 8.0, "ok"),)
    assert (found["b"].status, found["c"].status, found["d"].status) == ("out_of_range", "truncated", "unparsed")


def test_export_holds_every_call_by_key(path: Path, tmp_path: Path) -> None:
    with CallStore(path) as store:
        for key in "cab":
            store.put(call(key, usd=None if key == "c" else 1.0))
        assert store.export(tmp_path / "calls.parquet") == 3
    frame = pl.read_parquet(tmp_path / "calls.parquet")
    assert frame["key"].to_list() == ["a", "b", "c"]
    assert frame["usd"].to_list() == [1.0, 1.0, None]
    assert frame["input_tokens"].dtype == pl.Int64
    with CallStore(tmp_path / "empty.sqlite") as empty:
        assert empty.export(tmp_path / "none.parquet") == 0
    assert pl.read_parquet(tmp_path / "none.parquet").columns == frame.columns
