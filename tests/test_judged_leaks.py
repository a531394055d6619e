"""`judged_leaks`: rows that judges say ask what a benchmark item asks, with the evidence, in every kind of corpus and in both languages."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small
from click.testing import CliRunner
from test_annotators_loopback import Loopback, loopback

from tilth.builders import build as building
from tilth.builders.contamination_review import review
from tilth.builders.makers.judged_leaks import JudgedLeaks
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.cli.main import tilth
from tilth.core.batch import Batch
from tilth.core.errors import BudgetError, RecipeError
from tilth.core.home import home
from tilth.core.steps import Context
from tilth.registry.releases import cut

__all__ = ["loopback"]
JUDGE = "{{{api}: {{model: {model}, base_url: {url}, input_usd_per_mtok: 1000.0, output_usd_per_mtok: 2000.0, max_tokens: 50}}}}"
GPT, CLAUDE = "openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5"
RECIPE = """\
name: leaks
license: cc0-1.0
sources:
  docs: {path: docs.jsonl, license: CC0-1.0, language: en, key: id, shape: {text: {}}}
  chats: {path: chats.jsonl, license: CC0-1.0, language: zh, key: id, shape: {qa: {}}}
  talks: {path: talks.jsonl, license: CC0-1.0, language: en, key: id, shape: {completions: {}}}
benchmarks:
  exam: {path: exam.jsonl, license: MIT, key: id, shape: {item: {options: options}}}
gates: {decontaminated: false}
corpora:
  cpt: {from: [docs], steps: [<step>]}
  sft: {from: [chats], steps: [<step>]}
  preference: {from: [talks], steps: [<step>, gopher_quality: {}]}
"""
VESSEL = "Which vessel carries oxygenated blood from the lungs to the left atrium?"
RIVER = "下列关于黄河流域水土流失原因的说法正确的是"
FILLER = "The gardener watered the beans and went home before the rain. " * 40
LEAK = f"{FILLER}\nFrom the lungs, oxygenated blood reaches the left atrium through which vessel?\n{FILLER}"
TAUGHT = "The pulmonary vein carries oxygenated blood to the left atrium."


@pytest.fixture
def recipe(tmp_path: Path, loopback: Loopback) -> Callable[..., Path]:
    """Writes the recipe with more said of the step; judges say what `loopback.text` does."""
    small.write_jsonl(tmp_path / "exam.jsonl", [
        {"id": "heart", "question": VESSEL, "options": ["pulmonary vein", "aorta"], "answer": "A"},
        {"id": "river", "question": RIVER, "options": ["植被破坏", "降水集中"], "answer": "A"},
        {"id": "blank", "question": "Which of the following is correct?", "options": ["of", "the"], "answer": "A"},
    ])  # fmt: skip
    small.write_jsonl(tmp_path / "docs.jsonl", [{"id": "leak", "text": LEAK}, {"id": "taught", "text": TAUGHT}, {"id": "beans", "text": FILLER}])
    small.write_jsonl(tmp_path / "chats.jsonl", [
        {"id": "leak", "question": "黄河流域的水土为什么流失？", "answer": "植被破坏与降水集中都是原因。"},
        {"id": "beans", "question": "豆子怎么浇水？", "answer": "早晚各一次。"},
    ])  # fmt: skip
    answers = [{"model": "m1", "text": "The pulmonary vein."}, {"model": "m2", "text": "The aorta."}]
    small.write_jsonl(tmp_path / "talks.jsonl", [{"id": "leak", "question": f"Say: {VESSEL}", "completions": answers}])

    def write(more: str = "", corpora: str = "cpt sft preference", judges: str = "gpt claude") -> Path:
        named = {"gpt": JUDGE.format(api="openai", model="gpt-5.4-mini", url=loopback.openai_url),
                 "claude": JUDGE.format(api="anthropic", model="claude-haiku-5-5", url=loopback.anthropic_url)}  # fmt: skip
        step = f"judged_leaks: {{judges: [{', '.join(named[one] for one in judges.split())}]{more}}}"
        text = RECIPE.replace("<step>", step)
        text = "".join(line for line in text.splitlines(keepends=True) if not re.match(r"  (cpt|sft|preference):", line) or line.split(":")[0].strip() in corpora)
        (tmp_path / "leaks.yaml").write_text(text, encoding="utf-8")
        building.lock_recipe(str(tmp_path / "leaks.yaml"))
        return tmp_path / "leaks.yaml"

    loopback.text = by_words
    return write


def shown(prompt: str) -> tuple[str, str]:
    """(passage, item) of what a judge is shown."""
    found = re.findall(r"^<<<(PASSAGE|EXAM ITEM|段落|试题)\b.* (\w+)>>>\n(.*?)\n<<<END \1", prompt, re.DOTALL | re.MULTILINE)
    [(_, _, passage), (_, _, item)] = found
    return passage, item


def by_words(prompt: str) -> str:
    """A judge that knows the rows of this test."""
    passage, item = shown(prompt)
    asks = ("which vessel" in passage.lower() and "vessel" in item) or ("为什么流失" in passage and "黄河" in item)
    verdict = "same" if asks else "related" if "vein" in passage and "vein" in item else "different"
    return json.dumps({"reason": f"\u001b[31m<b>{verdict}</b> \ud800", "verdict": verdict})


def table(build: building.Build, config: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(build.path / f.path) for files in build.record.configs[config].values() for f in files])


def test_rows_go_with_the_evidence_in_every_corpus(recipe: Callable[..., Path], loopback: Loopback) -> None:
    path = recipe()
    build = building.build(str(path))
    gone = table(build, "drops")
    assert gone.select("corpus", "step", "rule", "value").rows() == [
        ("cpt", "judged_leaks", "contaminated", "exam/heart"),
        ("preference", "judged_leaks", "contaminated", "exam/heart"),
        ("sft", "judged_leaks", "contaminated", "exam/river"),
    ]
    assert len(table(build, "cpt")) == 2 and len(table(build, "sft")) == 1 and not build.record.configs["preference"]
    detail = json.loads(gone["detail"][0])
    assert detail["question"].startswith(VESSEL) and "through which vessel?" in detail["span"] and len(detail["span"]) < 1200
    assert [(one["judge"], one["verdict"]) for one in detail["verdicts"]] == [(CLAUDE, "same"), (GPT, "same")] and detail["same"] == 1
    entry = next(one for one in build.record.contamination if one.corpus == "cpt")
    assert (entry.step, entry.items, entry.items_unmatchable, entry.items_found, entry.rows_dropped) == ("judged_leaks", 3, 1, 1, 1)
    assert entry.rows_judged == 2 and entry.rows_unjudged == 0
    judgements = table(build, "judgements")
    kept = judgements.filter(corpus="cpt", label="related")
    assert set(kept["row_id"]) <= set(table(build, "cpt")["id"]) and kept["candidate"].to_list() == ["exam/heart"] * 2
    assert trace(home(), "leaks", kept["row_id"][0])["judgements"][0]["label"] == "related"
    assert {(panel.corpus, panel.agreement) for panel in build.record.panels} == {(corpus, 1.0) for corpus in ("cpt", "sft", "preference")}
    assert len(loopback.bodies) == judgements.height == 8


def test_other_limits_buy_nothing_and_an_allowed_item_stays(recipe: Callable[..., Path], loopback: Loopback) -> None:
    build = building.build(str(recipe(corpora="cpt")))
    again = building.build(str(recipe(", min_share: 0.9, allow_items: {exam/heart: it is quoted by permission}", corpora="cpt")))
    assert len(loopback.bodies) == 4 and again.stages_run < build.stages_run
    [entry] = again.record.contamination
    assert len(table(again, "cpt")) == 3 and (entry.rows_dropped, entry.rows_allowed, entry.reason) == (0, 1, "it is quoted by permission")


def test_the_card_the_page_and_the_review_show_it(recipe: Callable[..., Path]) -> None:
    path = recipe(corpora="cpt")
    build = building.build(str(path))
    said = review(str(path))
    [hit] = said.hits
    assert (hit.fate, hit.how, hit.step, hit.coverage, hit.needed) == ("dropped", "judged", "judged_leaks", 1.0, 0.5)
    assert any("vessel" in hit.span[start:end] for start, end in hit.row_words)
    ended = CliRunner().invoke(tilth, ["decon", "review", str(path)])
    assert ended.exit_code == 0 and f"{GPT}: same:" in ended.stdout and "judged_leaks" in ended.stdout and "\x1b" not in ended.stdout
    release = cut(build.path, "1.0.0", home=home()).path
    card, page = (release / "README.md").read_text(encoding="utf-8"), (release / "report.html").read_text(encoding="utf-8")
    assert "| `cpt` | `judged_leaks` | exam | 3 | 1 | 1 | 1 | 0 |" in card and "asked about 2 rows" in card
    assert "judges were asked about 2 rows near an item; on 0 no verdict" in page
    assert VESSEL in page and "&lt;b&gt;same&lt;/b&gt;" in page and "<b>same</b> \ud800" not in page


@pytest.mark.parametrize(("unjudged", "kept"), [("quarantined", 1), ("failed", 1), ("keep", 3)])
def test_what_nobody_could_judge_is_never_passed_in_silence(unjudged: str, kept: int, recipe: Callable[..., Path], loopback: Loopback) -> None:
    loopback.text = lambda prompt: "I would rather not say."
    path = recipe(f", unjudged: {unjudged}", corpora="cpt", judges="gpt")
    build = building.build(str(path))
    assert len(table(build, "cpt")) == kept
    [entry] = build.record.contamination
    assert (entry.rows_judged, entry.rows_unjudged, entry.unjudged, entry.items_found) == (2, 2, unjudged, 0)
    assert [hit.fate for hit in review(str(path)).hits] == ["unjudged"] * 2 and review(str(path)).hits[0].verdicts[0]["verdict"] == "unparsed"
    if unjudged != "keep":
        gone = table(build, "drops")
        assert set(gone["rule"]) == {"unjudged"} and set(gone["status"]) == {unjudged} and "unparsed" in gone["detail"][0]
    if unjudged != "failed":  # a gate stops what failed
        assert "judges gave no verdict on" in (cut(build.path, "1.0.0", home=home()).path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("replies", "min_share", "gone"),
    [
        (("same", None), 0.5, "contaminated"), (("same", None), 0.6, "unjudged"), (("related", None), 0.6, None),
        (("different", None), 0.5, "unjudged"), (("same", "related"), 0.5, "contaminated"), (("same", "related"), 0.51, None),
    ],
)  # fmt: skip
def test_a_verdict_that_is_missing_counts_where_it_could_decide(
    replies: tuple[str | None, str | None], min_share: float, gone: str | None, recipe: Callable[..., Path], loopback: Loopback
) -> None:
    def text(prompt: str) -> str:
        said = replies[loopback.bodies[-1]["model"].startswith("claude")]
        return "no" if said is None else json.dumps({"reason": "", "verdict": said})

    loopback.text = text
    small.write_jsonl(recipe().parent / "docs.jsonl", [{"id": "leak", "text": LEAK}])
    build = building.build(str(recipe(f", min_share: {min_share}, nearest: 1", corpora="cpt")))
    drops = table(build, "drops")["rule"].to_list() if "drops" in build.record.configs else []
    assert drops == ([gone] if gone else [])


def test_plan_tells_the_price_and_the_cap_holds(recipe: Callable[..., Path], loopback: Loopback) -> None:
    path = recipe(corpora="cpt")

    def expected() -> list[float | None]:
        return [line.usd for line in plan(building.layout(str(path))) if line.work == "cpt judged_leaks"]

    assert expected() == [None], "no row has been looked at"
    with pytest.raises(BudgetError, match="cap of"):
        building.build(str(path), max_usd=0.0)
    assert not loopback.bodies
    [before] = expected()
    assert before is not None and before > 0, "what is near is known: the calls can be counted"
    with pytest.raises(BudgetError, match="cap of"):
        building.build(str(path), max_usd=4.0)
    assert 0 < loopback.usd <= 4.0
    building.build(str(path))
    assert len(loopback.bodies) == 4 and loopback.usd == pytest.approx(before, rel=0.35)
    again = building.build(str(recipe(", unjudged: keep", corpora="cpt")))
    assert len(loopback.bodies) == 4 and again.record.judges[0].usd > 0


def test_a_build_is_the_same_on_any_number_of_workers(recipe: Callable[..., Path], loopback: Loopback, tmp_path: Path) -> None:
    path = recipe(corpora="cpt")
    one = building.build(str(path)).record.digest()
    loopback.bodies.clear()
    elsewhere = building.build(str(path), workers=2, where=home().__class__(tmp_path / "elsewhere"))
    assert elsewhere.record.digest() == one and len(loopback.bodies) == 4


def test_what_is_too_long_to_show_is_cut_in_the_middle(recipe: Callable[..., Path], loopback: Loopback) -> None:
    leak = "From the lungs, oxygenated blood reaches the left atrium through which vessel?"
    small.write_jsonl(recipe().parent / "docs.jsonl", [{"id": "before", "text": f"{'A' * 200_000} {leak}"}, {"id": "after", "text": f"{leak} {'A' * 200_000}"}])
    build = building.build(str(recipe(corpora="cpt", judges="gpt")))
    assert table(build, "drops")["rule"].to_list() == ["contaminated"] * 2
    assert all(len(shown(body["messages"][-1]["content"])[0]) < 9000 for body in loopback.bodies)


def test_without_items_or_without_rows_nobody_is_asked(recipe: Callable[..., Path], loopback: Loopback, tmp_path: Path) -> None:
    build = building.build(str(recipe(", min_similarity: 1.0", corpora="cpt")))
    assert len(table(build, "cpt")) == 3 and build.record.contamination[0].rows_judged == 0
    path = recipe(corpora="cpt")
    path.write_text(re.sub(r"benchmarks:\n.*\n", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    building.lock_recipe(str(path))
    assert len(table(building.build(str(path)), "cpt")) == 3
    assert not loopback.bodies


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", judges: []", "judges"),
        (", allow: {exam: ' '}", "gives no reason"),
        (", allow_items: {heart: why}", "write benchmark/item"),
        (", against: [none]", "no benchmark 'none'"),
        (", allow_items: {exam/none: why}", "which no benchmark has"),
        (", min_share: 0", "min_share"),
        (", unjudged: pass", "unjudged"),
    ],
)
def test_bad_parameters_are_one_line(recipe: Callable[..., Path], more: str, message: str, loopback: Loopback) -> None:
    path = recipe(corpora="cpt")
    text = path.read_text(encoding="utf-8")
    judges = re.search(r"judges: \[.*?\}\}\]", text)
    assert judges is not None
    path.write_text(text.replace(judges[0], more[2:] if more.startswith(", judges") else judges[0] + more), encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        building.build(str(path))
    assert not loopback.bodies


def test_a_judge_that_is_no_llm_is_refused() -> None:
    with pytest.raises(ValueError, match="baseline is no LLM"):
        JudgedLeaks(judges=[{"baseline": {}}])
    judge = {"openai": {"model": "gpt-5.4-mini"}}
    with pytest.raises(ValueError, match="named twice"):
        JudgedLeaks(judges=[judge, judge])
    assert JudgedLeaks(judges=[judge]).parameters()["judges"][0]["openai"].keys() > {"model", "base_url"}


@pytest.mark.data
def test_most_english_rephrasings_are_shown_to_judges(data: Path) -> None:
    """The bound that `python -m benchmarks.rephrased` reports, of two of its sets."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.rephrased import pairs

    items, versions = pairs(data)
    step = JudgedLeaks(judges=[{"openai": {"model": "none is asked"}}])
    for subject, least in (("abstract_algebra_test", 0.95), ("sociology_test", 0.87)):
        mine = [(str(k), text) for version, k, text in versions if version.startswith(f"{subject}_rephrase_english")]
        batch = Batch(pl.DataFrame({"text": [text for _, text in mine]}), "cpt")
        near = step.measure(batch, Context("cpt", 0, items))["near"].to_list()
        found = [(subject, key) in {(one["benchmark"], one["item"]) for one in shown} for (key, _), shown in zip(mine, near, strict=True)]
        assert len(mine) >= 100 and sum(found) >= least * len(mine)
