"""A mix: shares within tolerance for any pool, budgets met or said to be short, stages apart or overlapping, tasks seen in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.core import rows
from tilth.core.batch import Batch
from tilth.core.builds import MixEntry
from tilth.core.errors import GateError, RecipeError
from tilth.core.home import home
from tilth.core.recipe import named_unit
from tilth.core.rows import conversation
from tilth.core.steps import Context, Revised
from tilth.filters import mixing
from tilth.filters.mix import Mix
from tilth.filters.tasks import tasks
from tilth.registry.releases import cut

CONTEXT = Context("cpt", 0, pl.DataFrame())
AQUILA = (("single_turn", "zh", 27.2), ("single_turn", "en", 14.0), ("multiple_choice", "zh", 24.8), ("multi_turn", "zh", 34.0))
"""Figure 3 of Aquila-Med (arXiv 2406.12182); zh:en is 86:14."""


def mixed(step: Mix, *shards: pl.DataFrame, kind: Any = "cpt") -> tuple[MixEntry, list[Revised]]:
    """What a mix says and leaves of shards of rows."""
    signals = [step.measure(Batch(one, kind), CONTEXT).with_columns(one["id"]) for one in shards]
    known = step.survey(signals)
    told = step.told(known)
    assert told is not None
    left = [step.revise(one, mine, taken, CONTEXT) for one, mine, taken in zip(shards, signals, known, strict=True)]
    return MixEntry(corpus=kind, **told), left


def documents(count: int, seed: int = 0) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    sizes = chance.integers(1, 200, count)
    return rows.frame(
        "cpt", id=[f"{i:032x}" for i in range(count)], source=[("medical", "general", "forum")[i % 3] for i in range(count)],
        language=[("zh", "en", "zh-Hant", "yue")[i % 4] for i in range(count)], text=["药 " * size for size in sizes.tolist()],
        scores=[[{"name": "quality", "value": value}] for value in (chance.random(count) * 6).tolist()],
    )  # fmt: skip


def mix(**said: Any) -> Mix:
    """As a recipe says it."""
    step = named_unit("step", {"mix": said})
    assert isinstance(step, Mix)
    return step


def two_stages(**more: Any) -> Mix:
    first = {"name": "one", "budget": "40k", "parts": [
        {"name": "medical", "share": 0.6, "sources": ["medical"], "languages": {"zh": 1, "en": 1}}, {"name": "general", "share": 0.4, "sources": ["general"]},
    ]}  # fmt: skip
    second = {"name": "two", "budget": 10_000, "parts": [{"name": "good", "share": 1, "sources": ["medical"], "min_scores": {"quality": 4}}]}
    return mix(stages=[first, second], **more)


# -- stages of documents ----------------------------------------------------------------------------------------------


def test_two_stages_meet_their_budgets_and_shares() -> None:
    """C13: general:domain and zh:en within the tolerance, the good ones kept for the second stage, no row in both."""
    pool = documents(3000)
    entry, left = mixed(two_stages(), pool.head(1000), pool.slice(1000, 1500), pool.tail(500))
    one, two = entry.stages
    assert one.short is None and two.short is None and one.off < 0.005 and abs(one.units - 40_000) < 400 and abs(two.units - 10_000) < 200
    assert [(part.part, part.language, part.asked) for part in one.parts] == [("medical", "zh", 0.3), ("medical", "en", 0.3), ("general", None, 0.4)]
    kept = pl.concat([shard.rows for shard in left])
    assert kept["id"].is_unique().all() and kept["id"].is_in(pool["id"].to_list()).all() and sum(shard.made for shard in left) == 0
    tokens = kept.with_columns(pl.col("text").str.count_matches("药").alias("tokens"))
    assert dict(tokens.group_by("stage").agg(pl.col("tokens").sum()).iter_rows()) == {"one": one.units, "two": two.units}
    good = kept.filter(pl.col("stage") == "two")
    assert (good["source"] == "medical").all() and min(score[0]["value"] for score in good["scores"]) >= 4
    fates = pl.concat([shard.fates for shard in left])
    assert set(fates["rule"]) == {"over_budget", "in_no_part"} and kept.height + fates.height == pool.height


def test_stages_may_overlap_by_copies() -> None:
    pool = documents(600)
    entry, [left] = mixed(two_stages(overlap=True), pool)
    new = left.rows.filter(~pl.col("id").is_in(pool["id"].to_list()))
    assert new.height == left.made > 0 and (new["stage"] == "two").all()
    assert left.rows["id"].is_unique().all()
    twins = left.rows.filter(pl.col("id").is_in(new["parents"].list.first().to_list()))
    assert (twins["stage"] == "one").all() and sorted(twins["text"]) == sorted(new["text"])
    assert sum(stage.rows for stage in entry.stages) == left.rows.height


def test_a_short_part_shrinks_all_repeats_or_stops() -> None:
    pool = documents(300)
    shrunk, [left] = mixed(two_stages(), pool)
    assert shrunk.stages[0].short == "one: medical, en" and shrunk.stages[0].units < 40_000 and shrunk.stages[0].off < 0.02 and left.made == 0
    assert any("short of one: medical, en" in line for line in shrunk.lines)
    repeated, [left] = mixed(two_stages(when_short="repeat", max_epochs=3), pool)
    assert shrunk.stages[0].units < repeated.stages[0].units and repeated.stages[0].copies + repeated.stages[1].copies == left.made > 0
    assert repeated.stages[0].off < 0.02 and left.rows["id"].is_unique().all()
    children = left.rows.filter(pl.col("parents").list.len() > 0)
    assert children.group_by(pl.col("parents").list.first(), "stage").len()["len"].max() == 2, "three epochs are two copies"
    with pytest.raises(RecipeError, match=r"mix: two: good: .* tokens, its share of the budget is 10,000"):
        mixed(two_stages(when_short="stop"), pool)
    with pytest.raises(RecipeError, match="mix: one: general: no row is left for it"):
        mixed(two_stages(), pool.filter(pl.col("source") != "general"))
    nothing, [left] = mixed(two_stages(), pool.head(0))
    assert [stage.units for stage in nothing.stages] == [0, 0] and left.rows.height == 0


def test_the_seed_draws_and_shards_do_not() -> None:
    pool = documents(500)
    whole = mixed(two_stages(), pool)[1][0].rows["id"].to_list()
    assert [one for part in mixed(two_stages(), pool.head(123), pool.slice(123))[1] for one in part.rows["id"]] == whole
    assert mixed(two_stages(seed=1), pool)[1][0].rows["id"].to_list() != whole
    fewer = two_stages().model_copy(update={"stages": (two_stages().stages[0].model_copy(update={"budget": 5000.0}),)})
    more = fewer.model_copy(update={"stages": (fewer.stages[0].model_copy(update={"budget": 9000.0}),)})
    assert set(mixed(fewer, pool)[1][0].rows["id"]) < set(mixed(more, pool)[1][0].rows["id"]), "a larger budget keeps what a smaller one took"


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 60)), min_size=1, max_size=120), st.lists(st.floats(0.05, 1), min_size=4, max_size=4),
    st.none() | st.integers(1, 4000), st.sampled_from(["shrink", "repeat", "stop"]), st.integers(1, 4),
)
def test_every_cell_is_within_half_a_row_of_its_share(
    pool: list[tuple[int, int]], shares: list[float], budget: int | None, when_short: Any, epochs: int
) -> None:
    """For any pool: shares hold for the size that is aimed at; that is the budget, or it is said which cell is short; nothing feasible is left."""
    cells, sizes = (np.array(one, np.int64) for one in zip(*pool, strict=True))
    keys = mixing.keys(np.arange(len(pool), dtype=np.uint64), 0, "")
    drawn = mixing.draw(keys, sizes, cells, shares, budget=budget, when_short=when_short, max_epochs=epochs)
    share = np.array(shares) / sum(shares)
    had = np.array([sizes[cells == cell].sum() for cell in range(4)])
    assert drawn.had.tolist() == had.tolist() and (drawn.times[cells < 0] == 0).all()
    feasible = budget is not None and (had >= budget * share).all()
    if feasible:
        assert drawn.size == budget and drawn.short is None
    else:
        assert drawn.short == int(np.argmin(had / share))
        most = min(had / share) * (epochs if when_short == "repeat" and budget else 1)
        expected = 0 if when_short == "stop" and budget else most if budget is None else min(budget, most)
        assert drawn.size == pytest.approx(expected)
    for cell in range(4):
        mine = cells == cell
        got = int((sizes * drawn.times)[mine].sum())
        largest = max(sizes[mine], default=0)
        assert got == drawn.got[cell] and abs(got - drawn.size * share[cell]) <= largest / 2 + 1e-6
        assert drawn.times[mine].max(initial=0) <= max(1, epochs if when_short == "repeat" else 1)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"stages": [{"parts": [{"name": "a", "share": 0}]}]}, "greater than 0"),
        ({"stages": [{"parts": [{"name": "a", "share": 1}, {"name": "a", "share": 1}]}]}, "two parts of one name"),
        ({"stages": [{"name": "x", "parts": [{"name": "a", "share": 1}]}] * 2}, "a name of its own"),
        ({"stages": [{"budget": "60 B", "parts": [{"name": "a", "share": 1}]}]}, "'60 B' is no valid number: write 2e6, or 60B"),
        ({"stages": [{"budget": ".inf", "parts": [{"name": "a", "share": 1}]}]}, "valid number"),
        ({"stages": [{"parts": [{"name": "a", "share": 1}]}], "when_short": "repeat"}, "needs a budget"),
        ({"stages": [{"parts": [{"name": "a", "share": 1, "languages": {"zh": -1}}]}]}, "greater than 0"),
        ({"stages": [{"parts": [{"name": "a", "share": 1, "languages": {"zh-Hant": 1}}]}]}, "'zh-Hant' is not told apart: say 'zh'"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, Any], wrong: str) -> None:
    with pytest.raises(RecipeError, match=wrong):
        named_unit("step", {"mix": said})


def test_tokens_by_a_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    from tilth.core.fingerprints import file_digest

    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.save(str(tmp_path / "tokenizer.json"))
    stages = [{"parts": [{"name": "all", "share": 1}]}]
    step = mix(stages=stages, tokenizer=str(tmp_path), sha256=file_digest(tmp_path / "tokenizer.json"))
    pool = rows.frame("cpt", id=["1", "2"], source=["s", "s"], text=["a b-c d.", None])
    assert step.measure(Batch(pool, "cpt"), CONTEXT)["size"].to_list() == [3, 0]
    assert mix(stages=stages).measure(Batch(pool, "cpt"), CONTEXT)["size"].to_list() == [6, 0]
    assert "tokenizer" not in step.parameters()


# -- language and task of conversations -------------------------------------------------------------------------------

CHOICES = [
    "哪种药物降低眼压？\nA. 噻吗洛尔\nB. 阿托品\nC. 肾上腺素", "下列说法正确的是（ ）A、头孢 B、青霉素 C、红霉素", "下列哪项？（A）发热（B）咳嗽（C）乏力",
    "Which drug?\nA) timolol\nB) atropine", "Which is it? (A) zinc (B) iron (C) salt (D) none", "题干\nＡ．是\nＢ．否", "Options:\n[A] one\n[B] two",
]  # fmt: skip
QUESTIONS = [
    "What is anaemia?", "头痛怎么办？", "Are vitamins A, B and C enough?", "A、B、C三种方案哪个好？", "Is hepatitis B. a virus?", "A: Hello, doctor, my son is ill.",
    "Compare plan A. It is old. Plan B. It is new.",
]  # fmt: skip


def asked(*questions: str) -> pl.DataFrame:
    return rows.frame("sft", messages=[conversation([("user", question), ("assistant", "A")]) for question in questions])


@pytest.mark.parametrize("question", CHOICES)
def test_options_in_the_text_are_seen(question: str) -> None:
    assert tasks(asked(question)).to_list() == ["multiple_choice"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_letters_in_prose_are_no_options(question: str) -> None:
    assert tasks(asked(question)).to_list() == ["single_turn"]


def test_tasks_by_turns_and_by_the_options_of_the_row() -> None:
    turns = conversation([("system", "You are kind."), ("user", CHOICES[0]), ("assistant", "A"), ("user", "Why?"), ("assistant", "因为。")])
    options = [{"label": "A", "text": "yes"}, {"label": "B", "text": "no"}]
    frame = rows.frame("sft", messages=[turns, turns[:3], turns[3:], None, []], options=[None, None, options, options, None])
    assert tasks(frame).to_list() == ["multi_turn", "multiple_choice", "multiple_choice", None, None]


def test_aquilas_target_mix() -> None:
    """C17: 27.2 / 14.0 / 24.8 / 34.0 over language and task, zh:en 86:14, whatever there is most of."""
    chance = np.random.default_rng(3)
    made: dict[str, list[Any]] = {"id": [], "language": [], "messages": [], "options": [], "source": []}
    for i in range(6000):
        task = ("single_turn", "multiple_choice", "multi_turn")[int(chance.integers(0, 3))]
        turns = [("user", "头痛怎么办？"), ("assistant", "多休息。")] * (3 if task == "multi_turn" else 1)
        options = [{"label": "A", "text": "是"}, {"label": "B", "text": "否"}] if task == "multiple_choice" else None
        for name, value in zip(made, (f"{i:032x}", "zh" if chance.random() < 0.6 else "en", conversation(turns), options, "s"), strict=True):
            made[name].append(value)
    parts = [{"name": f"{task}_{language}", "share": share, "tasks": [task], "languages": {language: 1}} for task, language, share in AQUILA]
    step = mix(unit="rows", tolerance=0.001, stages=[{"parts": parts}])
    entry, [left] = mixed(step, rows.frame("sft", **made), kind="sft")
    [stage] = entry.stages
    assert [round(100 * part.share, 1) for part in stage.parts] == [27.2, 14.0, 24.8, 34.0] and stage.off <= 0.001
    assert stage.languages["zh"] / stage.units == pytest.approx(0.86, abs=0.001)
    assert stage.short is not None and left.rows["stage"].null_count() == left.rows.height, "as many as the shares allow; no stage is named"
    kept = left.rows.with_columns(tasks(left.rows))
    assert kept.filter(pl.col("language") == "en")["task"].unique().to_list() == ["single_turn"]


# -- in a build -------------------------------------------------------------------------------------------------------

RECIPE = """\
name: mixed
license: cc0-1.0
sources:
  medical: {path: medical.jsonl, license: CC0-1.0, language: {field: language}, key: id, shape: {text: {}}}
  general: {path: general.jsonl, license: CC0-1.0, language: zh, key: id, shape: {text: {}}}
corpora:
  cpt:
    from: [medical, general]
    steps:
      - mix:
          stages:
            - {name: one, budget: 2k, parts: [{name: medical, share: 3, sources: [medical], languages: {zh: 1, en: 1}}, {name: general, share: 1, sources: [general]}]}
            - {name: two, budget: 500, parts: [{name: medical, share: 1, sources: [medical]}]}
      - exact_dedup: {}
"""


def make(folder: Path, recipe: str = RECIPE) -> str:
    folder.mkdir(exist_ok=True)
    for name, count in (("medical", 400), ("general", 100)):
        lines = [{"id": f"{name}{i}", "language": ("zh", "en")[i % 2], "text": f"第{i}位{name}病人应该多休息。" + "多喝水。" * (i % 7)} for i in range(count)]
        small.write_jsonl(folder / f"{name}.jsonl", lines)
    path = folder / "mixed.yaml"
    path.write_text(recipe)
    building.lock_recipe(str(path))
    return str(path)


def test_a_build_says_what_was_mixed(tmp_path: Path) -> None:
    """Stage in the released rows, shares in record, card and gaps, surplus among the drops, another budget measures nothing again."""
    path = make(tmp_path)
    built = building.build(path)
    [entry] = built.record.mixes
    kept = pl.read_parquet(built.path / "cpt" / "*.parquet")
    assert dict(kept["stage"].value_counts().iter_rows()) == {stage.stage: stage.rows for stage in entry.stages}
    assert built.record.drops["cpt"]["mix/over_budget"] == 500 - kept.height and not built.record.alarms, "a budget is no wipe-out"
    assert [gate.passed for gate in built.record.gates if gate.gate == "mix_tolerance"] == [True]
    steps = trace(home(), "mixed", kept["id"][0])["steps"]
    assert {"stage", "times"} <= next(set(step["signals"]) for step in steps if step["work"] == "cpt mix")
    release = cut(built.path, "1.0.0", home=home())
    card = (release.path / "README.md").read_text()
    assert "## Mix" in card and "| `medical` | `zh` | 37.50% |" in card
    assert "<h2" in (release.path / "report.html").read_text() and "配比" in (release.path / "report.html").read_text()
    Path(path).write_text(RECIPE.replace("budget: 2k", "budget: 90k"))
    assert {line.work for line in plan(building.layout(path)) if line.to_run} >= {"cpt mix"}
    assert not [line for line in plan(building.layout(path)) if line.to_run and line.work == "cpt mix signals"]
    short = cut(building.build(path).path, "1.1.0", home=home())
    assert "too little of one: general" in (short.path / "README.md").read_text()


def test_a_share_that_is_off_refuses_the_release(tmp_path: Path) -> None:
    """Ten rows of a hundred tokens cannot make 37.5 %: the build says so and the gate holds."""
    path = make(tmp_path, RECIPE.replace("budget: 2k", "budget: 90").replace("        stages:", "        tolerance: 0.001\n          stages:", 1))
    built = building.build(path)
    assert built.record.mixes[0].stages[0].off > 0.001
    with pytest.raises(GateError, match="mix_tolerance"):
        cut(built.path, "1.0.0", home=home())


def test_copies_stand_in_the_split_of_their_first(tmp_path: Path) -> None:
    recipe = RECIPE.replace("      - mix:\n", "      - mix:\n          overlap: true\n").replace("budget: 2k", "budget: 4k").replace("budget: 500", "budget: 4k").replace("      - exact_dedup: {}\n", "")
    built = building.build(make(tmp_path, recipe.replace("from: [medical, general]", "from: [medical, general]\n    splits: {test: 0.3}")))
    parts = {split: pl.concat([pl.read_parquet(built.path / file.path) for file in files]) for split, files in built.record.configs["cpt"].items()}
    copies = {split: set(rows["parents"].list.first().drop_nulls()) for split, rows in parts.items()}
    assert copies["test"] and copies["test"] <= set(parts["test"]["id"]) and copies["train"] <= set(parts["train"]["id"])


def test_the_same_on_two_workers_with_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPE.replace("      - mix:\n", "      - mix:\n          when_short: repeat\n          max_epochs: 2\n          overlap: true\n").replace("budget: 2k", "budget: 30k")
    one = building.build(make(tmp_path / "a", recipe))
    line = next(line for line in one.record.funnel if line.step == "mix")
    assert line.made > 0 and line.rows_out == line.kept + line.made
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "other"))
    assert building.build(make(tmp_path / "b", recipe), workers=2).record.digest() == one.record.digest()
