"""The compiled kernels: built from the sources that stand here, and safe with buffers that do not fit together."""

from __future__ import annotations

import hashlib
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core import fingerprints
from tilth.filters import _kernels, ngrams, words
from tilth.filters.char_classes import classes

SOURCES = Path(__file__).parents[1] / "filters" / "kernels"
STAMP = SOURCES / "digest.h"


def test_the_digest_is_that_of_the_sources() -> None:
    """`TILTH_STAMP=write pytest tests/test_kernels.py` after a change, then install again."""
    files = sorted(path for path in SOURCES.glob("*.[ch]") if path != STAMP)
    digest = hashlib.sha256(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in files)).hexdigest()[:16]
    if os.environ.get("TILTH_STAMP") == "write":
        STAMP.write_text(f'#define KERNELS_DIGEST "{digest}"\n')
    assert f'"{digest}"' in STAMP.read_text(), "run TILTH_STAMP=write pytest tests/test_kernels.py"
    assert digest == _kernels.DIGEST, "the extension is older than its sources: pip install -e . again"


def test_stage_keys_see_the_kernels() -> None:
    assert fingerprints.code_digests("tilth.filters.gopher_repetition")["tilth.filters._kernels"] == _kernels.DIGEST


def spans(data: np.ndarray, offsets: list[int], room: int = 100) -> int:
    begins, ends, rows = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(len(offsets), np.int64)
    return _kernels.script_spans(data, np.array(offsets, np.int64), classes(), begins, ends, rows)


def test_buffers_that_do_not_fit_are_refused() -> None:
    data = np.frombuffer(b"two words", np.uint8)
    assert spans(data, [0, 9]) == 2
    for offsets in ([0, 10], [5, 2], [-1, 9], []):
        with pytest.raises(ValueError, match="offsets"):
            spans(data, offsets)
    with pytest.raises(ValueError, match="one place for every byte"):
        spans(data, [0, 9], room=3)
    with pytest.raises(ValueError, match="do not fit"):
        _kernels.describe(data, np.array([0]), np.array([10]), classes(), np.empty(1, np.int32), np.empty(1, np.uint16), np.empty(1, np.uint64))
    with pytest.raises(ValueError, match="do not fit"):
        found = words.of(pl.Series(["a b c"]))
        _kernels.ngram_characters(
            np.array([0, 4]), found.lengths, found.polynomials, found.hashes, np.array([2]), *[np.zeros(0, np.int64)] * 3, np.empty((1, 3), np.int64)
        )


hashes = st.lists(st.sets(st.integers(0, 9) | st.integers(2**64 - 3, 2**64 - 1)).map(sorted), max_size=4)


@given(hashes, hashes, st.data())
@settings(max_examples=200, deadline=None)
def test_shared_counts_what_two_rows_have_in_common(one: list[list[int]], two: list[list[int]], data: st.DataObject) -> None:
    pairs = [(a, b) for a in range(len(one)) for b in range(len(two)) if data.draw(st.booleans())]
    left, right = (np.array(column, np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    counts = np.full(len(pairs), -1)
    _kernels.shared(*flat(one), *flat(two), left, right, counts)
    assert counts.tolist() == [len(set(one[a]) & set(two[b])) for a, b in pairs]
    with pytest.raises(ValueError, match="do not fit"):
        _kernels.shared(*flat(one), *flat(two), np.array([len(one)]), np.array([0]), np.zeros(1, np.int64))


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([value for row in rows for value in row], np.uint64), np.cumsum([0, *map(len, rows)])


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_utf8_are_read_within_their_bounds(raw: bytes) -> None:
    
    data = np.frombuffer(raw, np.uint8)
    lengths = sum(len(token) for token in _tokens(data))
    assert lengths <= len(raw)


def _tokens(data: np.ndarray) -> list[bytes]:
    begins, ends, rows = np.empty(len(data), np.int64), np.empty(len(data), np.int64), np.empty(2, np.int64)
    count = _kernels.whitespace_spans(data, np.array([0, len(data)]), classes(), begins, ends, rows)
    assert rows.tolist() == [0, count]
    found = list(zip(begins[:count].tolist(), ends[:count].tolist(), strict=True))
    assert all(0 <= a < b <= len(data) for a, b in found) and all(a[1] < b[0] + 1 for a, b in pairwise(found))
    return [data[a:b].tobytes() for a, b in found]


small = st.lists(st.sampled_from(["a", "b", "ab", "ba", "c"]), max_size=40).map(" ".join)


@given(st.lists(small, max_size=4))
@settings(max_examples=200, deadline=None)
def test_ngram_characters_follow_their_definition(texts: list[str]) -> None:
    found = words.of(pl.Series(texts, dtype=pl.String))
    counted = ngrams.count(found, top=(1, 2, 3), repeated=(2, 3, 5), covered=(2, 3, 5), shared=(2, 4))
    for (kind, n), column in counted.items():
        expected = [EXPECTED[kind](text.split(), n) for text in texts]
        assert column.tolist() == expected, (kind, n)


def _most(tokens: list[str], n: int) -> tuple[int, int, int]:
    """(place, times, characters) of the most frequent n-gram, the first of those."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    if not grams:
        return 0, 0, 0
    most = max(grams, key=lambda gram: (grams.count(gram), -grams.index(gram)))
    return grams.index(most), grams.count(most), len("".join(most)) * grams.count(most)


def _covered(tokens: list[str], n: int) -> int:
    """As NeMo Curator's RepeatingDuplicateNGramsFilter counts."""
    seen: set[tuple[str, ...]] = set()
    total = overlapping = 0
    for i in range(len(tokens) - n + 1):
        gram = tuple(tokens[i : i + n])
        if gram in seen:
            total += sum(map(len, gram[overlapping:])) + min(n - overlapping, n - 1)
            overlapping = n
        seen.add(gram)
        overlapping = max(overlapping - 1, 0)
    return total


def _repeated(tokens: list[str], n: int) -> int:
    seen: set[str] = set()
    total = place = 0
    while place + n <= len(tokens):
        gram = "".join(tokens[place : place + n])
        total += len(gram) * (gram in seen)
        place += n if gram in seen else 1
        seen.add(gram)
    return total


def _all(tokens: list[str], n: int) -> int:
    return sum(len("".join(tokens[i : i + n])) for i in range(len(tokens) - n + 1))


def _shared(tokens: list[str], n: int) -> int:
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return sum(len("".join(gram)) for gram in grams if grams.count(gram) > 1)


EXPECTED = {
    "place": lambda tokens, n: _most(tokens, n)[0],
    "times": lambda tokens, n: _most(tokens, n)[1],
    "top": lambda tokens, n: _most(tokens, n)[2],
    "repeated": _repeated,
    "covered": _covered,
    "shared": _shared,
    "all": _all,
}
