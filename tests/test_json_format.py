"""JSON arrays of objects, as datasets are published, read piece by piece."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import open_file
from tilth.builders.formats.json import Json
from tilth.builders.formats.jsonl import Jsonl
from tilth.builders.records import BadRecord
from tilth.core.errors import SourceError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read(folder: Path, data: bytes, name: str = "a.json") -> list[Any]:
    path = folder / name
    path.write_bytes(data)
    return [record for _, record in Json().records(path, name)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), max_size=6), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_any_array_is_read_whatever_the_pieces(tmp_path_factory: pytest.TempPathFactory, records: Any, piece: int, indent: Any, ascii: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_file, "CHUNK", piece)
        data = json.dumps(records, indent=indent, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
        assert read(tmp_path_factory.mktemp("json"), data) == records


def test_lines_under_this_name(tmp_path: Path) -> None:
    data = '{"a": "多休息"}\n\n{"a": 2}\nno\n'.encode()
    found = read(tmp_path, data)
    assert found[:2] == [{"a": "多休息"}, {"a": 2}] and isinstance(found[2], BadRecord)
    assert [str(one) for one in found] == [str(record) for _, record in Jsonl().records(tmp_path / "a.json", "a.json")]


def test_what_is_no_object_fails_alone(tmp_path: Path) -> None:
    found = read(tmp_path, b'\xef\xbb\xbf [ {"a": NaN}, 1, [2], {"b": 3} ] ')
    assert (found[0], found[3]) == ({"a": None}, {"b": 3})
    assert [str(one) for one in found[1:3]] == ["a JSON int, not an object", "a JSON list, not an object"]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b'[{"a": 1}, {"a": ', "after record 1"),
        (b'[{"a": 1}', "after record 1: the array is cut off"),
        (b'[{"a": 1} {"a": 2}]', "after record 1: no comma"),
        (b'[{"a": 1}]\n[{"a": 2}]', "after record 1: something stands behind the array"),
        (b'[{"a": \xff}]', "not utf-8"),
        (b"[" * 200_000, "nested without end"),
        (b"[", "the array is cut off"),
    ],
)
def test_damage_is_one_line(data: bytes, match: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=match) as caught:
        read(tmp_path, data)
    assert caught.value.hint and len(str(caught.value)) < 200


def test_a_record_without_end_does_not_fill_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tilth.builders.formats.json.MAX_CHARS", 1 << 20)
    with pytest.raises(SourceError, match="more than 1 Mi"):
        read(tmp_path, b'[{"a": "' + b"x" * (20 << 20))
