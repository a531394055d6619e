"""Parts of texts around bytes that stand close together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.filters import _kernels, text_buffer
from tilth.filters.near import Near, near

texts = st.lists(st.text("01a 患é😀", max_size=40), max_size=4)


def expected(series: list[str], members: bytes, least: int, within: int, around: int) -> list[tuple[int, int, str]]:
    """The definition: (place, characters before, part)."""
    found: list[list[int]] = []
    for place, text in enumerate(series):
        raw = text.encode()
        hits = [at for at, byte in enumerate(raw) if byte in members]
        for first, last in zip(hits, hits[least - 1 :], strict=False):
            if last - first < within:
                begin, end = max(0, first - around), min(len(raw), last + 1 + around)
                while begin and raw[begin] & 0xC0 == 0x80:
                    begin -= 1
                while end < len(raw) and raw[end] & 0xC0 == 0x80:
                    end += 1
                if found and found[-1][0] == place and begin <= found[-1][2]:
                    found[-1][2] = max(found[-1][2], end)
                else:
                    found.append([place, begin, end])
    raws = [text.encode() for text in series]
    return [(place, len(raws[place][:begin].decode()), raws[place][begin:end].decode()) for place, begin, end in found]


@given(texts, st.sampled_from([b"0123456789", b"a", bytes(range(0xE3, 0xEA))]), st.integers(1, 4), st.integers(1, 12), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_parts_follow_their_definition(series: list[str], members: bytes, least: int, within: int, around: int) -> None:
    parts = near(text_buffer.of(pl.Series(series, dtype=pl.String)), Near.of(members, least, within), around)
    assert list(zip(parts.places, parts.begins, parts.texts.to_list(), strict=True)) == expected(series, members, least, within, around)


def test_parts_of_parts_are_parts_of_the_texts() -> None:
    series = pl.Series(["患者 x 3, 4 x 患者电话12345678。", "none"])
    outer = near(text_buffer.of(series), Near.of(b"0123456789"), 4)
    inner = outer.within(near(text_buffer.of(outer.texts), Near.of(b"0123456789", 6, 8), 3))
    assert [(place, series[place][begin:][: len(text)]) for place, begin, text in zip(inner.places, inner.begins, inner.texts, strict=True)] == [
        (0, text) for text in inner.texts
    ]
    assert inner.texts.to_list() == ["话12345678。"]


def test_buffers_that_do_not_fit_are_refused() -> None:
    room = [np.empty(2, np.int64), np.empty(2, np.int64), np.empty(9, np.uint8), np.empty(3, np.int64)]
    data, offsets = np.frombuffer(b"1 2 3 4 5", np.uint8), np.array([0, 9])
    for members, least, within in ((b"1", 1, 1), (bytes(256), 0, 1), (bytes(256), 65, 1), (bytes(256), 1, 0)):
        with pytest.raises(ValueError, match="do not fit"):
            _kernels.near(data, offsets, members, least, within, 0, *room)
    with pytest.raises(ValueError, match="too little room"):
        _kernels.near(data, offsets, Near.of(b"12345").members, 1, 1, 0, *room)
