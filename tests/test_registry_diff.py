"""Diff: every row that came, went or changed, each with the rule, the value and the change that explains it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builds_fixture import Drop, Row, build, first, home, plain_card, row_id, rows, second

from tilth.core.errors import VerifyError
from tilth.core.home import Home
from tilth.registry import diff as diffs
from tilth.registry.releases import cut


def test_a_diff_names_rule_value_and_recipe_change(home: Home, first: Path, second: Path) -> None:
    one, two = cut(first, "1.0.0", home=home), cut(second, "1.1.0", home=home)
    found = diffs.diff(one, two)
    cpt, sft = found.configs
    assert (cpt.added, cpt.dropped, cpt.changed, cpt.unchanged) == (0, 3, 1, 16)
    assert (sft.unchanged, sft.causes) == (9, ())
    dropped = next(c for c in cpt.causes if c.change == "dropped")
    assert dropped.cause == "gopher_quality/min_words (gopher_quality.min_words: 50 -> 80)"
    assert {(s.id, s.value) for s in dropped.samples} == {(row_id(f"r{i}"), str(60 + i)) for i in (17, 18, 19)}
    assert "corpora.cpt.steps.gopher_quality.min_words: 50 -> 80" in found.recipe == tuple(diffs.recipe_changes(one, two))
    assert json.loads(json.dumps(found.to_json()))["configs"][0]["dropped"] == 3
    back = diffs.diff(two, one).configs[0]
    assert next(c for c in back.causes if c.change == "added").cause.startswith("no longer dropped by gopher_quality/min_words (")
    assert (back.added, back.dropped, back.changed) == (3, 0, 1)
    assert "  - 3 dropped: gopher_quality/min_words (gopher_quality.min_words: 50 -> 80)" in two.manifest.changes


def test_a_diff_against_a_build_equals_that_against_its_release(home: Home, first: Path, second: Path) -> None:
    one = cut(first, "1.0.0", home=home)
    against_build = diffs.diff(one, diffs.Build.at(second))
    against_release = diffs.diff(one, cut(second, "1.1.0", home=home))
    assert against_build.configs == against_release.configs and against_build.after == "demo (build)"
    assert diffs.diff(one, one).identical and not against_build.identical
    table = diffs.rows(one, diffs.Build.at(second), "cpt")
    assert table["change"].to_list() == ["changed", "dropped", "dropped", "dropped"]


def test_causes_beyond_rules(home: Home, tmp_path: Path) -> None:
    pinned = {"notes": "sha256:0000000000000000", "wards": "sha256:1111111111111111"}
    held = [Row("n1", "a"), Row("n2", "b"), Row("w1", "c", "wards"), Row("p1", "made", "wards", parents=(row_id("w9"),))]
    one = cut(build(tmp_path / "a", cpt=held, revisions=pinned), "1.0.0", home=home)
    moved = build(tmp_path / "b", cpt=[Row("n1", "A"), Row("n3", "new")], revisions={"notes": "sha256:2222222222222222"})
    causes = {c.change: c.cause for c in diffs.diff(one, diffs.Build.at(moved)).configs[0].causes if "wards" not in c.cause}
    revision = "source notes revision changed: sha256:0000000000000000 -> sha256:2222222222222222"
    assert causes == dict.fromkeys(("added", "dropped", "changed"), revision)
    gone = [c for c in diffs.diff(one, diffs.Build.at(moved)).configs[0].causes if "wards" in c.cause]
    assert [(c.cause, c.rows) for c in gone] == [("source wards removed", 2)]
    drop = [Drop("cpt", "w9", "minhash", "similarity", "0.93", "wards"), Drop("cpt", "n2", "minhash", "similarity")]
    parent = build(tmp_path / "c", cpt=held[:1] + held[2:3], drops=drop, revisions=pinned)
    causes = {s.id: c.cause for c in diffs.diff(one, diffs.Build.at(parent)).configs[0].causes for s in c.samples}
    assert causes == {row_id("p1"): "a parent went: minhash/similarity", row_id("n2"): "minhash/similarity"}


def test_a_row_that_only_changed_its_split_is_moved(tmp_path: Path) -> None:
    a = build(tmp_path / "a", cpt=rows(4))
    b = build(tmp_path / "b", cpt=[*rows(3), Row("r3", "a line of text 3", split="test")])
    found = diffs.diff(diffs.Build.at(a), diffs.Build.at(b)).configs[0]
    assert (found.moved, found.unchanged, found.added, found.dropped, found.changed) == (1, 3, 0, 0, 0)


def test_a_config_that_comes_and_one_that_goes(tmp_path: Path) -> None:
    a, b = build(tmp_path / "a", cpt=rows(4)), build(tmp_path / "b", sft=rows(5, "s"))
    found = {
        c.config: (c.rows_before, c.rows_after, c.dropped, c.added)
        for c in diffs.diff(diffs.Build.at(a), diffs.Build.at(b)).configs
    }
    assert found == {"cpt": (4, 0, 4, 0), "sft": (0, 5, 0, 5)}


def test_a_step_that_came_is_one_line(tmp_path: Path) -> None:
    a = build(tmp_path / "a", cpt=rows(4))
    steps = {"gopher_quality": {"min_words": 50}, "minhash": {"n": 5, "threshold": 0.8}}
    b = build(tmp_path / "b", cpt=rows(3), drops=[Drop("cpt", "r3", "minhash", "similarity")], steps=steps)
    found = diffs.diff(diffs.Build.at(a), diffs.Build.at(b))
    assert found.recipe == ("corpora.cpt.steps.minhash: absent -> present",)
    assert found.configs[0].causes[0].cause == "minhash/similarity (minhash: absent -> present)"


def test_a_changed_row_is_put_down_to_edits_not_to_thresholds(tmp_path: Path) -> None:
    before = {"normalize": {"entities": True}, "gopher_quality": {"min_words": 50}}
    after = {"normalize": {"entities": False}, "gopher_quality": {"min_words": 80}}
    a = build(tmp_path / "a", cpt=[Row("r0", "a &amp; b")], steps=before)
    b = build(tmp_path / "b", cpt=[Row("r0", "a & b")], steps=after)
    found = diffs.diff(diffs.Build.at(a), diffs.Build.at(b)).configs[0]
    assert [(c.change, c.cause) for c in found.causes] == [("changed", "recipe changed: normalize.entities: true -> false")]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    a, b = build(tmp_path / "a", cpt=rows(4)), build(tmp_path / "b", cpt=rows(5))
    (b / "cpt/train-00000-of-00001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(VerifyError, match="cannot be read"):
        diffs.diff(diffs.Build.at(a), diffs.Build.at(b))
