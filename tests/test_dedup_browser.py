"""The cluster browser: what differs is marked, nothing is shown that the release does not say, no text leaves its cell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders import duplicates
from tilth.cards.duplicates import sides
from tilth.cards.word_diff import CHANGED_WORDS, MOST_BYTES, MOST_PIECES, diff
from tilth.core.builds import DuplicatesEntry

STORY = "the farmer of the valley keeps the seeds dry and sows them with care when the frost is over and the days are long"
WORDS = STORY.split()
TEXTS = st.lists(st.sampled_from(["a", "b", "胃", "<b>", "\n", " ", "5", "é", "&"]), max_size=30).map("".join)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(TEXTS, TEXTS)
def test_a_short_difference_holds_both_texts(kept: str, dropped: str) -> None:
    pieces = diff(kept, dropped)
    assert all(text for _, text in pieces)
    for side, text in (("-", kept), ("+", dropped)):
        mine = "".join(piece for op, piece in pieces if op in ("=", side))
        if not any(op.startswith("~") for op, _ in pieces):
            assert "".join(mine.split()) == "".join(text.split())


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 40))
def test_a_long_difference_is_short_to_read(start: int, end: int, every: int) -> None:
    one = [f"w{i}" for i in range(start)]
    two = ["changed" if every and i % (every + 20) == 0 else f"w{i}" for i in range(end)]
    pieces = diff(" ".join(one), " ".join(two))
    assert len(pieces) <= MOST_PIECES + 1
    assert all(len(text.split()) <= 2 * CHANGED_WORDS + 3 for _, text in pieces)
    assert sum(len(text.encode()) for _, text in diff("胃" * start + "x" * end, "胃" * end + "y " * start)) <= MOST_BYTES


def test_a_side_shows_its_own_and_what_is_shared() -> None:
    pieces = [("=", "a "), ("-", "<script>\u202e"), ("+", "new"), ("~", "12"), ("~-", "7"), ("~", "")]
    assert str(sides(pieces, "-")) == "a <del>&lt;script&gt; </del><i>… 12 words …</i><i>… 7 words …</i><i>…</i>"
    assert str(sides(pieces, "+")) == "a <ins>new</ins><i>… 12 words …</i><i>…</i>"


RECIPE = small.RECIPE.replace("      - gopher_quality: {min_words: 8}\n", "      - near_dedup: {}\n      - pii: {}\n")


def built(folder: Path, texts: list[str], recipe: str = RECIPE) -> list[DuplicatesEntry]:
    path = small.make(folder, recipe)
    small.write_jsonl(folder / "notes.jsonl", [{"id": f"n{i}", "text": text} for i, text in enumerate(texts)])
    building.lock_recipe(str(path))
    return building.build(str(path)).record.duplicates


def test_pairs_of_a_build(tmp_path: Path) -> None:
    story = " ".join(WORDS)
    [entry] = built(tmp_path, [story, story + " now", story.replace("over", "past"), story.upper(), "another text that stands alone here"])
    assert (entry.corpus, entry.step, entry.clusters, entry.rows_dropped) == ("cpt", "near_dedup", 1, 2)
    assert [(pair.shown_as, pair.similarity, pair.cluster_rows) for pair in entry.pairs] == [
        ("largest", pytest.approx(0.95, abs=0.05), 3), ("largest", 1.0, 3),
    ]  # fmt: skip
    assert entry.pairs[0].pieces[-1] == ("+", "now")
    assert {(pair.kept_source, pair.dropped_source) for pair in entry.pairs} == {("notes", "notes")}


def test_edits_behind_the_step_are_in_what_is_shown(tmp_path: Path) -> None:
    story = " ".join([*WORDS, *reversed(WORDS)])
    [entry] = built(tmp_path, [story, story + " write to jane.doe@example.com"])
    assert "jane.doe" not in str(entry.pairs) and "write to" in str(entry.pairs)


def test_no_text_is_shown_that_a_later_rule_takes(tmp_path: Path) -> None:
    """Neither of a row that it would have taken, nor where it took the row that stayed."""
    recipe = RECIPE.replace("- pii: {}", f"- gopher_quality: {{max_words: {len(WORDS) + 1}, min_words: 5}}")
    [entry] = built(tmp_path / "a", [" ".join(WORDS), " ".join([*WORDS, "now"]), " ".join([*WORDS, "now", "then"])], recipe)
    assert entry.rows_dropped == 2 and [pair.pieces[-1] for pair in entry.pairs] == [("+", "now")]
    [entry] = built(tmp_path / "b", [" ".join([*WORDS, "now", "then"]), " ".join(WORDS)], recipe)
    assert entry.rows_dropped == 1 and entry.pairs == []


def test_a_sample_is_bounded_and_the_same_twice(tmp_path: Path) -> None:
    texts = [" ".join([*WORDS, f"cluster{i // 8}", *[f"n{i}"] * (i % 8)]) for i in range(160)]
    texts = [re.sub(r"the (\w+) of", rf"the {chr(97 + i // 8)}\1 of", text) for i, text in enumerate(texts)]
    [one] = built(tmp_path / "a", texts)
    [two] = built(tmp_path / "b", texts)
    clusters, rows, band = duplicates.FEW
    most = clusters * rows + len(duplicates.BANDS) * band
    assert 10 < len(one.pairs) <= most and one == two
    assert len({pair.dropped_id for pair in one.pairs}) == len(one.pairs)
    assert sum(rows for _, rows in one.bands) == one.rows_dropped
