"""What if: the answer is what a build with that value gives, row for row, and nothing is written or measured for it."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.whatif import WhatIf, whatif
from tilth.cli import main as cli
from tilth.core.errors import RecipeError, StorageError
from tilth.core.home import Home
from tilth.filters.gopher_quality import GopherQuality

RECIPE = """\
name: mixed
license: cc0-1.0
sources:
  notes: {path: notes.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
  wards: {path: wards.jsonl, license: CC0-1.0, language: {field: lang}, key: id, shape: {text: {}}}
corpora:
  cpt:
    from: [notes, wards]
    steps:
      - normalize: {}
      - language: {keep: [en, zh, de]}
      - gopher_quality: {min_words: 22, min_stop_words: 1}
      - chinese_quality: {min_chars: 20, max_short_line_share: null, min_ended_line_share: null}
      - exact_dedup: {}
      - near_dedup: {}
"""
CHINESE = "病人今天早上来到医院，医生看了检查结果，说要多休息，也要按时吃药，三天以后再来复诊。"


def documents(seed: int) -> list[dict[str, Any]]:
    """English documents of one to six sentences and Chinese ones, most with a copy or two that differ by a word or so."""
    draw = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(24):
        if number % 4 == 3:
            lang, text = "zh", CHINESE[: draw.randint(4, len(CHINESE))] + f"第{number}号。"
        else:
            lang, text = "en", " ".join([*draw.sample(small.SENTENCES, draw.randint(1, 5)), f"Case {number} was closed."])
        copies = [text, *(" ".join([text, *["again"] * draw.randint(0, 2)]) for _ in range(draw.randint(0, 2)))]
        found += [{"id": f"{seed}-{number}-{copy}", "lang": lang, "text": one} for copy, one in enumerate(copies)]
    draw.shuffle(found)
    return found


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Home]:
    """A recipe over two sources and two languages, and the home in which it is built."""
    folder = tmp_path_factory.mktemp("mixed")
    for seed, name in enumerate(("notes", "wards")):
        small.write_jsonl(folder / f"{name}.jsonl", [row for row in documents(seed) if name == "wards" or row["lang"] == "en"])
    recipe, where = folder / "mixed.yaml", Home(folder / "home")
    recipe.write_text(RECIPE, encoding="utf-8")
    building.lock_recipe(str(recipe))
    building.build(str(recipe), where=where)
    return recipe, where


def edited(recipe: Path, values: dict[str, Any], folder: Path) -> Path:
    """A copy of a recipe, beside the same data, with `step.field` set in every corpus that has the step."""
    plain = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    for corpus in plain["corpora"].values():
        for line in corpus["steps"]:
            for name, parameters in line.items():
                parameters |= {field.split(".")[1]: value for field, value in values.items() if field.split(".")[0] == name}
    copy = folder / "edited.yaml"
    copy.write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
    shutil.copyfile(recipe.with_suffix(".lock"), copy.with_suffix(".lock"))
    return copy


def said(values: dict[str, Any]) -> list[str]:
    return [f"{field}={json.dumps(value)}" for field, value in values.items()]


def held(build: building.Build, corpus: str = "cpt") -> set[tuple[str, str]]:
    """(id, content hash) of what a build holds."""
    files = [build.path / file.path for shards in build.record.configs[corpus].values() for file in shards]
    return set(pl.concat([pl.read_parquet(path) for path in files] or [pl.DataFrame({"id": [], "content_hash": []})]).select("id", "content_hash").rows())


def answered(found: WhatIf, when: str) -> set[tuple[str, str]]:
    [effect] = found.corpora
    return set(effect.rows.filter(pl.col(when)).select("id", "content_hash").rows())


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "language.keep": st.sampled_from([None, ["en"], ["zh"], ["de"], ["en", "zh"]]),
    "gopher_quality.min_words": st.none() | st.integers(0, 60),
    "gopher_quality.max_words": st.none() | st.integers(10, 100),
    "gopher_quality.min_mean_word_length": st.none() | st.floats(3, 5),
    "gopher_quality.min_stop_words": st.none() | st.integers(0, 8),
    "chinese_quality.min_chars": st.none() | st.integers(0, 50),
    "chinese_quality.min_han_share": st.none() | st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]),
    "near_dedup.min_similarity": st.floats(0.7, 1),
    "near_dedup.keep": st.sampled_from(["first", "longest"]),
}
VALUES = st.lists(st.one_of([st.tuples(st.just(name), values) for name, values in FIELDS.items()]), min_size=1, max_size=3).map(dict)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES)
@example(values={"near_dedup.min_similarity": 1.0})
@example(values={"chinese_quality.min_chars": 40, "near_dedup.keep": "longest"})
def test_it_is_what_a_build_with_those_values_gives(mixed: tuple[Path, Home], values: dict[str, Any]) -> None:
    recipe, where = mixed
    found = whatif(str(recipe), said(values), where=where)
    build = building.build(str(edited(recipe, values, recipe.parent)), where=where)
    assert answered(found, "then") == held(build)
    drops = pl.concat([pl.read_parquet(build.path / file.path) for file in build.record.configs["drops"]["train"]])
    rules = dict(drops.select("id", pl.concat_str("step", "rule", separator="/").alias("rule")).iter_rows())
    [effect] = found.corpora
    assert rules == dict(effect.rows.filter(~pl.col("then")).select("id", "then_rule").iter_rows())
    assert (effect.now - effect.lost + effect.gained, effect.then) == (effect.then, len(held(build)))


def test_it_is_what_a_build_from_nothing_gives(mixed: tuple[Path, Home], tmp_path: Path) -> None:
    """In a home that has no signal of the first build: no signal may depend on a threshold."""
    recipe, where = mixed
    values = {"gopher_quality.min_words": 40, "chinese_quality.min_chars": 30, "near_dedup.min_similarity": 0.9}
    found = whatif(str(recipe), said(values), where=where)
    assert answered(found, "now") == held(building.build(str(recipe), where=Home(tmp_path / "one")))
    then = held(building.build(str(edited(recipe, values, recipe.parent)), where=Home(tmp_path / "other")))
    assert answered(found, "then") == then != answered(found, "now")


def test_nothing_is_written_and_nothing_measured(mixed: tuple[Path, Home], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, where = mixed

    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for root in (where.root, recipe.parent) for path in sorted(root.rglob("*"))}

    def measured(*_: object) -> None:
        raise AssertionError("a signal is computed")

    before = state()
    monkeypatch.setattr(GopherQuality, "measure", measured)
    whatif(str(recipe), ["gopher_quality.min_words=33"], where=where)
    assert state() == before


def test_the_keeper_of_a_cluster_is_chosen_again(tmp_path: Path) -> None:
    """Two near-duplicates, the first kept; a higher limit takes the first, so the second comes back."""
    recipe = small.make(tmp_path, small.RECIPE.replace("gopher_quality: {min_words: 8}", "gopher_quality: {min_words: 8}\n      - near_dedup: {}"))
    text = " ".join(small.SENTENCES[:3])
    twins = [{"id": "short", "text": text}, {"id": "long", "text": f"{text} So it was."}]
    small.write_jsonl(tmp_path / "notes.jsonl", [*small.notes(), *twins])
    building.lock_recipe(str(recipe))
    building.build(str(recipe))
    words = len(text.split())
    found = whatif(str(recipe), [f"gopher_quality.min_words={words + 1}"])
    [effect] = found.corpora
    [gained] = effect.gained_samples
    assert gained.text.endswith("So it was.")
    assert gained.rule == "near_dedup/near_duplicate"
    assert effect.lost_samples[-1].value == str(words)
    assert effect.lost_samples[-1].limits == {"min_words": (8, words + 1)}
    rules = {one.name: one for one in effect.rules}
    assert (rules["near_dedup/near_duplicate"].now, rules["near_dedup/near_duplicate"].then, rules["near_dedup/near_duplicate"].gained) == (1, 0, 1)
    assert rules["gopher_quality/short_document"].lost == effect.lost == 5


def test_counts_by_source_and_language_add_up(mixed: tuple[Path, Home]) -> None:
    recipe, where = mixed
    [effect] = whatif(str(recipe), ["language.keep=[en]"], where=where, samples=2).corpora
    for groups in (effect.sources, effect.languages):
        for count in ("now", "then", "lost", "gained"):
            assert sum(getattr(one, count) for one in groups) == getattr(effect, count)
    assert {one.name: one.then for one in effect.languages}["zh"] == 0
    assert len(effect.lost_samples) == 2
    assert all(sample.rule == "language/other_language" and sample.signal == "language" and sample.value == "zh" for sample in effect.lost_samples)


def test_a_value_that_wipes_out_a_source_is_an_alarm(mixed: tuple[Path, Home]) -> None:
    recipe, where = mixed
    [effect] = whatif(str(recipe), ["gopher_quality.min_stop_words=8"], where=where).corpora
    assert {(one.step, one.of, one.name, one.rule) for one in effect.alarms} >= {("gopher_quality", "source", "notes", "few_stop_words")}
    assert not whatif(str(recipe), ["gopher_quality.min_words=4"], where=where).corpora[0].alarms


TWICE = small.RECIPE.replace("      - normalize: {}\n  ", "      - normalize: {}\n      - gopher_quality: {min_words: 4}\n      - gopher_quality: {}\n  ", 1)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--set", "gophr_quality.min_words=8"), ("no step 'gophr_quality'", "did you mean gopher_quality")),
        (("--set", "gopher_quality.min_wrds=8"), ("gopher_quality.min_wrds: no such field", "known here: ")),
        (("--set", "gopher_quality.min_words=many"), ("--set gopher_quality.min_words: 'many'", "valid integer")),
        (("--set", "gopher_quality.min_words=[1"), ("--set min_words:1: not YAML",)),
        (("--set", "gopher_quality.min_words="), ("not STEP.FIELD=VALUE", "null for none")),
        (("--set", "min_words=8"), ("not STEP.FIELD=VALUE",)),
        (("--set", "gopher_quality.stop_words=[the]"), ("stop_words enters the signals", "tilth build")),
        (("--set", "near_dedup.shingle=4"), ("near_dedup.shingle: shingle enters the signals",)),
        (("--set", "near_dedup.min_similarity=0.5"), ("--set near_dedup: min_similarity 0.5 is under floor 0.7",)),
        (("--set", "gopher_quality[1].min_words=8"), ("there is no such gopher_quality", "gopher_quality[0] is the first")),
        (("--set", "gopher_quality.min_words=8", "--set", "gopher.min_words=9"), ("min_words is given twice",)),
        (("--set", "gopher_quality.min_words=8", "--corpus", "ctp"), ("no corpus 'ctp'", "it has cpt")),
        (("--set", "n.min_words=8"), ("'n' begins near_dedup and normalize", "write the whole name")),
        ((), ("Missing option '--set'",)),
    ],
)
def test_what_cannot_be_set_is_said(words: tuple[str, ...], wanted: tuple[str, ...], mixed: tuple[Path, Home], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, where = mixed
    monkeypatch.setenv("TILTH_HOME", str(where.root))
    code, output = shown(str(recipe), *words)
    assert code == 2
    for word in wanted:
        assert word in output


def shown(recipe: str, *words: str) -> tuple[int, str]:
    """Exit code, and stdout and stderr together, of `tilth whatif` in this process."""
    done: Result = CliRunner().invoke(cli.tilth, ["whatif", recipe, *words])
    error = done.exception
    if isinstance(error, (RecipeError, StorageError)):
        return error.exit_code, f"{error.message}\n{error.hint}"
    assert error is None or isinstance(error, SystemExit), error
    return done.exit_code, done.output


def test_a_step_may_be_given_by_its_beginning(mixed: tuple[Path, Home]) -> None:
    recipe, where = mixed
    [change] = whatif(str(recipe), ["gopher.min_words=20"], where=where).set
    assert (change.corpus, change.step, change.field, change.now, change.then) == ("cpt", "gopher_quality", "min_words", 22, 20)


def test_several_steps_of_one_name_are_told_apart(tmp_path: Path) -> None:
    recipe = small.make(tmp_path, TWICE)
    with pytest.raises(RecipeError, match="cpt has 3 steps gopher_quality"):
        whatif(str(recipe), ["gopher_quality.min_words=9"])
    building.lock_recipe(str(recipe))
    building.build(str(recipe))
    second = whatif(str(recipe), ["gopher_quality[1].min_words=null"])
    recipe.write_text(TWICE.replace("gopher_quality: {}", "gopher_quality: {min_words: null}"), encoding="utf-8")
    assert answered(second, "then") == held(building.build(str(recipe))) != answered(second, "now")


PAIRS = """\
name: pairs
license: cc0-1.0
sources:
  exams: {path: exams.jsonl, license: CC0-1.0, language: en, shape: {completions: {options: options, answer: answer}}}
corpora:
  preference:
    from: [exams]
    steps:
      - gopher_quality: {min_words: 4, min_stop_words: null, min_mean_word_length: null}
      - objective_pairs: {}
      - gopher_quality: {min_words: 4, min_stop_words: null, min_mean_word_length: null}
"""


def test_a_maker_is_looked_up_to(tmp_path: Path) -> None:
    """Before a maker: the effect on the rows it would get. After it, or where it would get the same rows: on the corpus."""
    recipe = small.make(tmp_path, PAIRS)
    exams = [{**small.exam(right="A", wrong="B"), "question": f"Which {'very ' * number}one?"} for number in range(8)]
    small.write_jsonl(tmp_path / "exams.jsonl", exams)
    building.lock_recipe(str(recipe))
    build = building.build(str(recipe))
    [before] = whatif(str(recipe), ["gopher_quality[0].min_words=20"]).corpora
    assert before.up_to == "objective_pairs"
    with pytest.raises(RecipeError, match="per_prompt decides what rows become, which needs a build"):
        whatif(str(recipe), ["objective_pairs.per_prompt=2"])
    assert 0 < before.lost < 8
    [same] = whatif(str(recipe), ["gopher_quality[0].min_words=3"]).corpora
    assert (same.up_to, same.lost, same.gained) == (None, 0, 0)
    assert set(same.rows.filter("then").select("id", "content_hash").rows()) == held(build, "preference")
    found = whatif(str(recipe), ["gopher_quality[1].min_words=18"])
    recipe.write_text(PAIRS[::-1].replace("4 :sdrow_nim", "81 :sdrow_nim", 1)[::-1], encoding="utf-8")
    assert answered(found, "then") == held(building.build(str(recipe)), "preference") != held(build, "preference")


def test_a_recipe_that_was_never_built(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    code, output = shown(str(recipe), "--set", "gopher_quality.min_words=4")
    assert code == 2
    assert "small was never built in" in output
    assert f"tilth build {recipe}" in output


def test_signals_that_are_not_there(tmp_path: Path) -> None:
    """Built, and then a parameter changed that enters signals: no answer from half of them."""
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    building.build(str(recipe))
    recipe.write_text(small.RECIPE.replace("gopher_quality: {", "gopher_quality: {stop_words: [the, of], "), encoding="utf-8")
    code, output = shown(str(recipe), "--set", "gopher_quality.min_words=4")
    assert code == 2
    assert "cpt gopher_quality of notes: not there" in output
    assert f"tilth build {recipe}" in output


def test_a_threshold_changed_since_the_build_is_the_now(tmp_path: Path) -> None:
    """The recipe as it stands, not as it was built, is what other values are compared with."""
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    building.build(str(recipe))
    recipe.write_text(small.RECIPE.replace("min_words: 8", "min_words: 24"), encoding="utf-8")
    [effect] = whatif(str(recipe), ["gopher_quality.min_words=8"]).corpora
    assert (effect.then, effect.gained, effect.lost) == (4, 4 - effect.now, 0)
    assert effect.now == 3


def test_of_a_trial_it_is_a_trial(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    building.build(str(recipe), limit=3)
    found = whatif(str(recipe), ["gopher_quality.min_words=100"])
    assert found.trial == "--limit 3"
    assert [(one.rows_in, one.now, one.then) for one in found.corpora] == [(3, 3, 0)]


def test_what_a_user_sees(tmp_path: Path) -> None:
    """Tables and samples on stdout, a hostile text harmless; the same as JSON."""
    recipe = small.make(tmp_path)
    notes = small.notes()
    notes[0]["text"] = "\x1b]0;owned\x07 " + notes[0]["text"]
    small.write_jsonl(tmp_path / "notes.jsonl", notes)
    recipe.write_text(small.RECIPE.replace("      - normalize: {}\n      - gopher", "      - gopher", 1), encoding="utf-8")
    building.lock_recipe(str(recipe))
    building.build(str(recipe))
    code, output = shown(str(recipe), "--set", "gopher_quality.min_words=200")
    assert code == 0
    assert "cpt: 4 → 0 of 5 rows kept, 4 lost, 0 gained" in output
    assert "(min_words 8 → 200)" in output
    assert "\x1b" not in output
    assert "\x07" not in output
    code, output = shown(str(recipe), "--set", "gopher_quality.min_words=200", "--samples", "1", "--json")
    found = json.loads(output)
    [effect] = found["corpora"]
    assert (effect["now"], effect["then"], effect["lost"]) == (4, 0, 4)
    assert [one["name"] for one in effect["sources"]] == ["notes"]
    assert effect["rules"] == [{"name": "gopher_quality/short_document", "now": 1, "then": 5, "lost": 4, "gained": 0}]
    assert len(effect["lost_samples"]) == 1
    assert found["set"] == [{"corpus": "cpt", "place": 0, "step": "gopher_quality", "field": "min_words", "now": 8, "then": 200}]
