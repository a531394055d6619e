"""Alarms: a step that takes most of a source or of a language is called out, listed on the card, and can stop a release."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders import wipeouts
from tilth.cli import main as cli
from tilth.core import recipe
from tilth.core.builds import AlarmEntry
from tilth.core.errors import GateError, RecipeError
from tilth.core.home import home
from tilth.core.steps import FATES
from tilth.filters.language import Language
from tilth.filters.normalize import Normalize
from tilth.registry.releases import cut

RECIPE = """\
name: wards
license: cc0-1.0
sources:
  notes: {path: notes.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
  laws: {path: laws.jsonl, license: CC0-1.0, language: LANGUAGE, key: id, shape: {text: {}}}
corpora:
  cpt:
    from: [notes, laws]
    steps:
      - normalize: {}
      - gopher_quality: {min_words: 5, min_mean_word_length: null}
"""
LAW = "第{}条　国家保护公民的合法权益，任何组织和个人不得侵犯，违反规定的，依法承担法律责任。"


def made(folder: Path, recipe: str = RECIPE, language: str = "en", laws: int = 24, notes: int = 80) -> Path:
    """English notes and Chinese laws; the laws' language is as stated, rightly or wrongly."""
    path = small.make(folder, recipe.replace("LANGUAGE", language))
    small.write_jsonl(folder / "notes.jsonl", [{"id": f"n{i}", "text": f"{small.SENTENCES[i % 4]} It was the {i}th of the month."} for i in range(notes)])
    small.write_jsonl(folder / "laws.jsonl", [{"id": f"l{i}", "text": LAW.format(i)} for i in range(laws)])
    building.lock_recipe(str(path))
    return path


def said(*words: str) -> Result:
    """A command, in this process: stdout and stderr apart."""
    done = CliRunner().invoke(cli.tilth, words)
    assert done.exit_code == 0, done.output
    return done


def short(alarms: list[AlarmEntry]) -> list[tuple[str, str, str, int, int, str]]:
    return [(one.step, one.of, one.name, one.rows_gone, one.rows_in, one.rule) for one in alarms]


def test_english_stop_words_on_chinese_text(tmp_path: Path) -> None:
    """Chinese laws said to be English: the totals look well, the source is gone. Said on stderr, whatever goes to stdout."""
    path = made(tmp_path)
    done = said("build", str(path), "--workers", "1", "--json")
    assert "ALARM cpt: gopher_quality took 100.0% of the source laws (24 of 24 rows), most by few_stop_words (24)" in done.stderr
    [alarm] = json.loads(done.stdout)["alarms"]
    assert (alarm["name"], alarm["rows_gone"], alarm["expected"]) == ("laws", 24, None)


def test_the_language_stated_rightly_raises_none(tmp_path: Path) -> None:
    assert building.build(str(made(tmp_path, language="zh"))).record.alarms == []


def test_few_rows_and_a_higher_limit_raise_none(tmp_path: Path) -> None:
    assert building.build(str(made(tmp_path / "few", laws=19))).record.alarms == []
    lower = RECIPE + "alarms: {min_rows: 19}\n"
    assert short(building.build(str(made(tmp_path / "lower", lower, laws=19))).record.alarms) == [
        ("gopher_quality", "source", "laws", 19, 19, "few_stop_words"),
    ]  # fmt: skip
    off = RECIPE + "alarms: {wipeout: 1}\n"
    assert building.build(str(made(tmp_path / "off", off))).record.alarms == []


def test_another_limit_decides_nothing_again(tmp_path: Path) -> None:
    path = made(tmp_path)
    building.build(str(path))
    path.write_text(path.read_text() + "alarms: {wipeout: 0.1, min_rows: 1}\n")
    again = building.build(str(path))
    assert again.stages_run == 1  # the build's own folder
    assert ("gopher_quality", "language", "en", 24, 104, "few_stop_words") in short(again.record.alarms)


def test_a_gate_refuses_the_release(tmp_path: Path) -> None:
    path = made(tmp_path, RECIPE + "gates: {max_wipeout: 0.9}\n")
    build = building.build(str(path))
    [gate] = [one for one in build.record.gates if one.gate == "max_wipeout"]
    assert (gate.corpus, gate.limit, gate.value, gate.passed) == ("cpt", 0.9, 1.0, False)
    with pytest.raises(GateError, match="max_wipeout"):
        cut(build.path, "1.0.0", home=home())
    assert not home().registry.exists()


def test_what_is_expected_is_released_with_its_reason(tmp_path: Path) -> None:
    path = made(tmp_path, RECIPE + "gates: {max_wipeout: 0.9}\nalarms: {expected: {gopher_quality/laws: 'only the | notes are wanted'}}\n")
    done = said("build", str(path), "--workers", "1")
    assert "ALARM" not in done.stderr
    released = cut(building.latest(str(path), home()), "1.0.0", home=home())
    for page in ("README.md", "report.html"):
        text = (released.path / page).read_text(encoding="utf-8")
        assert "only the" in text
        assert "notes are wanted" in text
    assert "expected: cpt: gopher_quality took 100.0% of the source laws" in said("show", "wards@1.0.0").stdout


def test_an_alarm_is_on_card_page_and_show(tmp_path: Path) -> None:
    released = cut(building.build(str(made(tmp_path))).path, "1.0.0", home=home())
    card = (released.path / "README.md").read_text(encoding="utf-8")
    assert "| `cpt` | `gopher_quality` | source `laws` | 24 | 24 | 100.0% | `few_stop_words` 24 | **not expected** |" in card
    assert "- cpt: gopher\\_quality took 100.0% of the source laws" in card.split("## Known gaps")[1]
    assert "alarm 告警" in (released.path / "report.html").read_text(encoding="utf-8")
    assert "ALARM cpt: gopher_quality took 100.0% of the source laws" in said("show", "wards@1.0.0").stdout
    assert json.loads(said("show", "wards@1.0.0", "--json").stdout)["alarms"][0]["name"] == "laws"


def test_languages_that_a_recipe_does_not_keep_are_no_alarm(tmp_path: Path) -> None:
    """`keep: [en]` takes all of zh, as it should; that it takes all of a source is still said."""
    path = made(tmp_path, RECIPE.replace("- gopher_quality: {min_words: 5, min_mean_word_length: null}", "- language: {keep: [en]}"), language="zh")
    assert short(building.build(str(path)).record.alarms) == [("language", "source", "laws", 24, 24, "other_language")]


def test_what_cannot_be_read_counts(tmp_path: Path) -> None:
    path = made(tmp_path, language="zh")
    small.write_jsonl(tmp_path / "laws.jsonl", [{"id": f"l{i}", "text": LAW if i % 4 == 0 else " "} for i in range(40)])
    building.lock_recipe(str(path))
    assert short(building.build(str(path)).record.alarms) == [("read", "source", "laws", 30, 40, "blank")]


def test_a_maker_counts(tmp_path: Path) -> None:
    path = small.make(tmp_path, small.EMPTIED)
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam(right="A", wrong="A" if i % 5 else "B") for i in range(30)])
    building.lock_recipe(str(path))
    found = short(building.build(str(path)).record.alarms)
    assert ("objective_pairs", "source", "exams", 24, 30, "none_wrong") in found


def test_a_recipe_that_says_nothing_of_alarms_is_what_it_was(tmp_path: Path) -> None:
    """Its canonical form, and so the digest of its releases, has no word of them; another limit has."""
    plain = recipe.load(str(made(tmp_path))).recipe.canonical()
    assert "alarms" not in plain
    assert "max_wipeout" not in plain["gates"]
    other = recipe.load(str(made(tmp_path, RECIPE + "alarms: {wipeout: 0.6}\ngates: {max_wipeout: 1}\n"))).recipe.canonical()
    assert other["alarms"] == {"wipeout": 0.6, "min_rows": 20, "expected": {}}
    assert other["gates"]["max_wipeout"] == 1.0


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("alarms: {expected: {gopher/laws: x}}", "no corpus has that step"),
        ("alarms: {expected: {laws: x}}", "step/source or step/language"),
        ("alarms: {expected: {gopher_quality/laws: ' '}}", "gives no reason"),
        ("alarms: {wipeout: 2}", "alarms.wipeout: 2"),
        ("gates: {max_wipeout: -1}", "gates.max_wipeout: -1"),
    ],
)
def test_a_recipe_that_cannot_be(line: str, wanted: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=wanted):
        made(tmp_path, f"{RECIPE}{line}\n")


ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, "en", "zh"]), st.sampled_from([None, None, "gone", "rule", "other_language"])))


@given(rows=ROWS, dead=st.integers(0, 2**20))
def test_counts_are_those_of_a_plain_loop(rows: list[tuple[str, str | None, str | None]], dead: int) -> None:
    """Rows are (source, language, the rule that takes it); every third bit or so marks one that was gone before."""
    alive = np.array([not dead >> place & 1 for place in range(len(rows))], bool)
    frame = pl.DataFrame({"source": [row[0] for row in rows], "language": [row[1] for row in rows]}, schema={"source": pl.String, "language": pl.String})
    taken = [(place, row[2]) for place, row in enumerate(rows) if alive[place] and row[2]]
    gone = pl.DataFrame([(place, "dropped", rule, None, None) for place, rule in taken], schema=FATES, orient="row")
    for step, meant in ((Normalize(), ()), (Language(keep=("en",)), ("other_language",))):
        expected: list[dict[str, Any]] = []
        for of, at in (("source", 0), ("language", 1)):
            skipped = meant if of == "language" else ()
            came = Counter(row[at] or "und" for place, row in enumerate(rows) if alive[place] and row[2] not in skipped)
            for name in sorted(came):
                rules = Counter(rule for place, rule in taken if (rows[place][at] or "und") == name and rule not in skipped)
                if rules:
                    rule, most = min(rules.items(), key=lambda item: (-item[1], item[0]))
                    expected.append({"step": step.name, "of": of, "name": name, "rows_in": came[name], "rows_gone": rules.total(), "rule": rule, "rule_rows": most})  # fmt: skip
        assert wipeouts.taken(step, wipeouts.Groups.of(frame), alive, gone) == expected
