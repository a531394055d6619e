"""Canonical JSON: the bytes that every digest is made of never depend on what writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.fingerprints import canonical

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(values)
@settings(max_examples=300, deadline=None)
def test_canonical_json_is_that_of_the_standard_library(value: Any) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, {"a": {3}}, [object()], b"bytes"])
def test_what_has_no_stable_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)
