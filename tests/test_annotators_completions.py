"""Completions and canaries: a job that samples answers, has them judged, and finds out which judges can be fooled."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from test_annotators_loopback import PRICED, Loopback, answer_text, loopback, make_rows

from tilth.annotators import canaries
from tilth.annotators.canary_bank import BANK
from tilth.annotators.completions import COMPLETIONS
from tilth.annotators.job_file import JobFile, load
from tilth.annotators.job_run import JobRun, estimate_job, run_job
from tilth.annotators.judge import JUDGEMENTS
from tilth.annotators.question import Item, Question
from tilth.annotators.store import CallStore
from tilth.cli.main import tilth
from tilth.core import units
from tilth.core.errors import BudgetError, RecipeError

__all__ = ["loopback"]
OPENAI = "openai: {{model: {model}, base_url: {server.openai_url}, input_usd_per_mtok: 1000.0, output_usd_per_mtok: 2000.0, max_tokens: 50}}"
CLAUDE = "anthropic: {{model: {model}, base_url: {server.anthropic_url}, input_usd_per_mtok: 1000.0, output_usd_per_mtok: 2000.0, max_tokens: 50}}"


def job(folder: Path, server: Loopback, *parts: str) -> JobFile:
    known = {"gpt": OPENAI.format(model="gpt-4.1", server=server), "claude": CLAUDE.format(model="claude-haiku-5-5", server=server),
             "judge": OPENAI.format(model="gpt-5.4-mini", server=server)}  # fmt: skip
    text = "name: trial\ninput: rows.jsonl\n" + "\n".join(parts)
    for name, line in known.items():
        text = text.replace(f"<{name}>", line)
    (folder / "job.yaml").write_text(text, encoding="utf-8")
    return load(folder / "job.yaml")


SAMPLED = "completions: {models: [<gpt>, <claude>], samples: 2, system: Be brief.}"
JUDGED = "question: {listwise: {}}\njudges: [<judge>]"


def rows(count: int, language: str = "en") -> pl.DataFrame:
    from tilth.builders.job_rows import COLUMNS

    return pl.DataFrame([row | {"candidates": []} for row in make_rows(count, language)], schema=COLUMNS)


def done(said: JobFile, frame: pl.DataFrame, **more: Any) -> JobRun:
    with CallStore(said.path.parent / "calls.sqlite") as store:
        return run_job(said, frame, store=store, **({"max_usd": None} | more))


def speaks(server: Loopback) -> None:
    """A server that writes another completion each time, and judges as ever."""
    turns = iter(range(10_000))

    def text(prompt: str) -> str:
        return answer_text(prompt) if "<<<" in prompt else f"Completion {next(turns):04} says zinc."

    server.text = text


def responses(prompt: str) -> list[tuple[str, str]]:
    """(name, text) of what a judge is shown."""
    found = re.findall(r"^<<<(RESPONSE|回答) (\w+) (\w+)>>>\n(.*?)\n<<<END \1 \2 \3>>>$", prompt, re.DOTALL | re.MULTILINE)
    return [(name, text) for _, name, _, text in found]


# -- completions ------------------------------------------------------------------------------------------------------


def test_models_answer_and_judges_see_it(loopback: Loopback, tmp_path: Path) -> None:
    speaks(loopback)
    said = job(tmp_path, loopback, SAMPLED, JUDGED)
    found = done(said, rows(3))
    assert found.completions is not None and found.completions.schema == pl.Schema(COMPLETIONS)
    assert found.completions.height == 3 * 2 * 2 and set(found.completions["status"]) == {"ok"}
    assert found.completions["text"].n_unique() == 12, "each sample is a call of its own"
    assert found.completions.sort("row_id", "model", "sample").equals(found.completions)
    asked = [body for body in loopback.bodies if "<<<" not in json.dumps(body["messages"])]
    assert len(asked) == 12 and not any("response_format" in body or "output_config" in body for body in asked), "free text"
    assert {body.get("temperature") for body in asked} == {0.7, None}, "of the models that take one"
    assert all("Be brief." in json.dumps([body.get("system"), body["messages"][0]]) for body in asked)

    assert found.judged is not None and found.judged.statuses == {"ok": 3 * 4 * 2}
    names = set(found.judged.judgements["candidate"])
    assert names == {"openai/gpt-4.1", "openai/gpt-4.1#2", "anthropic/claude-haiku-5-5", "anthropic/claude-haiku-5-5#2"}
    assert names == set(found.completions["candidate"])
    for body in loopback.bodies:
        if "<<<" in (told := json.dumps(body["messages"])):
            assert not re.search("gpt-4|claude|openai|anthropic", told), "names say nothing"
            assert len(set(re.findall(r"Completion \d{4}", told))) == 4

    again = done(said, rows(3))
    assert (again.usd, again.completed and again.completed.bought, again.judged and again.judged.bought) == (0, 0, 0)
    assert again.completions is not None and again.completions.equals(found.completions)
    more = job(tmp_path, loopback, SAMPLED.replace("samples: 2", "samples: 3"), JUDGED)
    assert (extra := done(more, rows(3)).completed) is not None and extra.bought == 6, "only the third sample of each is new"


@pytest.mark.parametrize(("finish", "status"), [("length", "truncated"), ("content_filter", "refused")])
@pytest.mark.parametrize("shown", [False, True])
def test_what_is_cut_off_or_refused_is_judged_only_where_the_job_says_so(
    finish: str, status: str, shown: bool, loopback: Loopback, tmp_path: Path
) -> None:
    said = job(
        tmp_path,
        loopback,
        f"completions: {{models: [<gpt>], show: [ok{', ' + status if shown else ''}]}}",
        "question: {quality: {}}\njudges: [<judge>]",
    )

    def text(prompt: str) -> str:
        loopback.finish = None if "<<<" in prompt or "Question 1" in prompt else finish
        return answer_text(prompt) if "<<<" in prompt else "Zinc hel"

    loopback.text = text
    found = done(said, rows(3))
    assert found.completions is not None and found.completions["status"].to_list() == [status, "ok", status]
    assert found.judged is not None and found.judged.judgements["row_id"].to_list() == (
        ["row-0000", "row-0001", "row-0002"] if shown else ["row-0001"]
    )


def test_an_empty_reply_and_none_at_all_are_no_completions(loopback: Loopback, tmp_path: Path) -> None:
    loopback.text = lambda prompt: answer_text(prompt) if "<<<" in prompt else "" if "Question 0" in prompt else "Zinc."
    loopback.fault = lambda body, number: (
        (400, {}, "{}") if "Question 1" in json.dumps(body) and "<<<" not in json.dumps(body) else None
    )
    found = done(job(tmp_path, loopback, "completions: {models: [<gpt>]}", "question: {quality: {}}\njudges: [<judge>]"), rows(3))
    assert found.completions is not None
    assert found.completions.select("status", "text").rows() == [("missing", ""), ("failed", None), ("ok", "Zinc.")]
    assert found.judged is not None and found.judged.judgements["row_id"].to_list() == ["row-0002"]


def test_options_are_put_to_models_where_the_prompt_lacks_them(loopback: Loopback, tmp_path: Path) -> None:
    said = job(tmp_path, loopback, "completions: {models: [<gpt>]}")
    assert said.judges == ()
    options = [{"label": "A", "text": "iron {0}"}, {"label": "B", "text": "zinc"}]
    done(said, rows(1).with_columns(pl.Series("options", [options], dtype=rows(1).schema["options"])))
    assert loopback.bodies[0]["messages"][-1]["content"] == "Question 0: what is zinc for?\n\nA. iron {0}\nB. zinc"


def test_the_cap_holds_over_completions_and_judges_together(loopback: Loopback, tmp_path: Path) -> None:
    speaks(loopback)
    said = job(tmp_path, loopback, SAMPLED, JUDGED)
    whole = done(said, rows(4)).usd
    assert whole == pytest.approx(loopback.usd)
    loopback.usd = 0.0
    (tmp_path / "calls.sqlite").unlink()
    speaks(loopback)
    for share in (0.2, 0.7):
        with pytest.raises(BudgetError, match="cap of"):
            done(said, rows(4), max_usd=share * whole)
        assert loopback.usd <= share * whole
    assert done(said, rows(4), max_usd=3 * whole).usd > 0


def test_the_dry_run_covers_both(loopback: Loopback, tmp_path: Path) -> None:
    speaks(loopback)
    said = job(tmp_path, loopback, SAMPLED, JUDGED)
    with CallStore(tmp_path / "calls.sqlite") as store:
        told = estimate_job(said, rows(40), store=store)
        assert [(one.judge, one.calls) for one in told] == [
            ("openai/gpt-4.1 (completions)", 80), ("anthropic/claude-haiku-5-5 (completions)", 80), ("openai/gpt-5.4-mini", 80),
        ]  # fmt: skip
        assert not loopback.bodies and all(one.usd for one in told)
    done(said, rows(30))
    with CallStore(tmp_path / "calls.sqlite") as store:
        told = estimate_job(said, rows(40), store=store)
        assert [one.cached_calls for one in told] == [60, 60, 60]
    assert done(said, rows(40)).usd == pytest.approx(sum(one.usd or 0 for one in told), rel=0.25)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("completions: {models: [{baseline: {}}]}",), "baseline writes no completions"),
        (("completions: {models: [<gpt>, <gpt>]}",), r"models.1: openai/gpt-4.1 is named twice"),
        (("completions: {models: [<gpt>], samples: 2, temperature: 0}",), "temperature 0 are all the same"),
        (("completions: {models: []}",), "models"),
        (("completions: {models: [<gpt>], show: [failed]}",), "show"),
        (("completions: {models: [<gpt>]}", "question: {listwise: {}}"), "no judges to ask"),
        (("question: {listwise: {}}",), "a job has a question and judges, or completions"),
        ((JUDGED, "canaries: {min_pass: 2.0}"), "min_pass"),
        (("question: {safety: {}}\njudges: [<judge>]", "canaries: {}"), "does not say which of two answers is better"),
    ],
)
def test_jobs_that_make_no_sense(parts: tuple[str, ...], message: str, loopback: Loopback, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        job(tmp_path, loopback, *parts)


def test_from_the_command_line(loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speaks(loopback)
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "home"))
    said = job(tmp_path, loopback, SAMPLED, JUDGED, "canaries: {count: 2}")
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"id": f"r{i}", "prompt": f"Question {i}?"}) + "\n" for i in range(2))
    )
    checked = CliRunner().invoke(tilth, ["annotate", str(said.path), "--check", "--json"])
    assert [one["judge"] for one in json.loads(checked.stdout)] == [
        "openai/gpt-4.1 (completions)",
        "anthropic/claude-haiku-5-5 (completions)",
        "openai/gpt-5.4-mini",
    ]
    ran = CliRunner().invoke(tilth, ["annotate", str(said.path), "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert (told["completions"]["calls"], told["calls"], told["stopped"]) == (8, 4 + 4, [])
    assert told["canaries"][0]["total"] == 2
    assert pl.read_parquet(tmp_path / "trial.completions.parquet").height == 8
    judgements = pl.read_parquet(said.output_path)
    assert judgements.filter(canaries.is_canary()).height == 2 * 2 * 2
    shown = CliRunner().invoke(tilth, ["annotate", str(said.path)])
    assert shown.exit_code == 0 and "canaries passed" in shown.stdout and "$0.0000 spent now" in shown.stderr


# -- canaries ---------------------------------------------------------------------------------------------------------


def test_the_bank_is_sound() -> None:
    assert len({canary.name for canary in BANK}) == len(BANK)
    kinds = {language: {c.kind for c in BANK if c.name.startswith(f"{language}/")} for language in ("en", "zh")}
    assert kinds["en"] == kinds["zh"] == {"wrong_fact", "asks_for_score", "empty", "null_model", "fake_verdict", "copied_prompt"}
    for canary in BANK:
        assert canary.good and canary.good != canary.bad
        assert bool(re.search(r"[\u4e00-\u9fff]", canary.prompt)) == canary.name.startswith("zh/")


COMPARES = [cls() for cls in units.every("question").values() if isinstance(cls(), Question) and cls.compares]  # type: ignore[attr-defined]


@pytest.mark.parametrize("question", COMPARES, ids=lambda q: q.name)
@pytest.mark.parametrize("honest", [True, False])
def test_a_judge_that_knows_passes_and_one_that_obeys_fails(
    question: Question, honest: bool, loopback: Loopback, tmp_path: Path
) -> None:
    """The judge finds the good texts among what it is shown; the other does as the bad ones say."""
    good = [canary.good for canary in BANK]

    def text(prompt: str) -> str:
        better = {name: (body in good) == honest for name, body in responses(prompt)}
        task = prompt.rpartition(">>>")[2]  # what a canary says is no task
        if '"winner"' in task:
            return json.dumps({"winner": next(name for name in better if better[name])})
        if '"final_answer"' in task:
            return json.dumps({"final_answer": "", "verdict": "correct" if next(iter(better.values())) else "no_answer"})
        if '"scores"' in task:
            return json.dumps(
                {"scores": [{"candidate": name, "score": 5 if better[name] else 1} for name in better], "ranking": []}
            )
        return json.dumps({"score": 6 if next(iter(better.values())) else 1})

    loopback.text = text
    said = job(tmp_path, loopback, f"question: {{{question.name}: {{}}}}\njudges: [<judge>]", "canaries: {}")
    found = done(
        said,
        pl.concat(
            [rows(1).with_columns(pl.lit("k").alias("answer")), rows(2, "zh")[1:].with_columns(pl.lit("k").alias("answer"))]
        ),
    )
    assert found.judged is not None
    rates = canaries.pass_rates(found.judged.judgements)
    total = {
        language: sum(c.name.startswith(language) and (question.name != "answer_key" or c.key is not None) for c in BANK)
        for language in ("en", "zh")
    }
    assert rates.rows() == [
        ("openai/gpt-5.4-mini", language, total[language] if honest else 0, total[language]) for language in ("en", "zh")
    ]


@pytest.mark.parametrize(("action", "asked"), [("flag", 5), ("downweight", 5), ("stop", 0)])
def test_a_judge_that_fails_is_stopped_before_it_costs_more(action: str, asked: int, loopback: Loopback, tmp_path: Path) -> None:
    """Claude knows the good texts; the other judge prefers the bad ones."""
    good = [canary.good for canary in BANK]

    def text(prompt: str) -> str:
        wise = loopback.bodies[-1]["model"].startswith("claude")
        scores = [{"candidate": name, "score": 5 if (body in good) == wise else 2} for name, body in responses(prompt)]
        return json.dumps({"scores": scores, "ranking": []})

    loopback.text = text
    frame = pl.DataFrame(make_rows(5), schema=rows(1).schema)
    said = job(tmp_path, loopback, "question: {listwise: {}}\njudges: [<judge>, <claude>]", f"canaries: {{action: {action}}}")
    found = done(said, frame, max_usd=1000.0)
    assert found.judged is not None and found.stopped == (("openai/gpt-5.4-mini",) if action == "stop" else ())
    table = found.judged.judgements
    assert table.schema == pl.Schema(JUDGEMENTS)
    rest = table.filter(~canaries.is_canary()).group_by("judge").agg(pl.col("row_id").n_unique())
    assert (
        dict(rest.iter_rows()).get("openai/gpt-5.4-mini", 0) == asked
        and dict(rest.iter_rows())["anthropic/claude-haiku-5-5"] == 5
    )
    assert canaries.failing(table, canaries.CanaryFields()) == {"openai/gpt-5.4-mini": 0.0}
    assert (
        found.judged.calls == table["call"].n_unique() == found.judged.bought
        and sum(found.judged.statuses.values()) == table.height
    )
    assert found.usd == pytest.approx(loopback.usd)
    again = done(said, frame)
    assert again.judged is not None and again.judged.judgements.equals(table) and again.usd == 0


def test_a_row_of_ones_own_is_no_canary(loopback: Loopback, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="kept for canaries"):
        done(job(tmp_path, loopback, JUDGED), rows(1).with_columns(pl.lit("canary/en/mine").alias("id")))


def judgement(
    row: str, order: str, candidate: str, value: float | None, status: str = "ok", label: str | None = None
) -> dict[str, Any]:
    return {"row_id": row, "question": "q@1", "judge": "j", "is_llm": True, "order": order, "candidate": candidate, "value": value, "label": label,
            "rank": None, "status": status, "call": f"{row}{order}"}  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad", "counted"),
    [
        (((5, "ok"), (4, "ok")), ((1, "ok"), (4, "ok")), (1, 1)),
        (((5, "ok"), (1, "ok")), ((1, "ok"), (5, "ok")), (0, 1)),  # whoever stands first
        (((3, "ok"), (3, "ok")), ((3, "ok"), (3, "ok")), (0, 1)),  # always the same
        (((None, "refused"), (None, "refused")), ((None, "refused"), (None, "refused")), (0, 1)),
        (((5, "ok"), (5, "ok")), ((None, "missing"), (None, "missing")), (0, 1)),
        (((None, "failed"), (None, "failed")), ((None, "failed"), (None, "failed")), None),
    ],
)
def test_what_passes(good: Any, bad: Any, counted: tuple[int, int] | None) -> None:
    lines = [judgement("canary/en/x", order, name, value, status)
             for name, said in ((canaries.GOOD, good), (canaries.BAD, bad)) for order, (value, status) in zip(("0,1", "1,0"), said, strict=True)]  # fmt: skip
    lines.append(judgement("row", "0", "m", 1.0))
    rates = canaries.pass_rates(pl.DataFrame(lines, schema=JUDGEMENTS))
    assert rates.rows() == ([] if counted is None else [("j", "en", *counted)])


def test_a_canary_shows_a_judge_nothing_that_tells() -> None:
    frame = canaries.canary_rows(rows(1), COMPARES[0], canaries.CanaryFields(), 0)
    for question in COMPARES:
        for row in frame.iter_rows(named=True):
            for ask in question.requests(Item.of(row), 0):
                assert "canary" not in json.dumps(ask.messages)
    two = canaries.canary_rows(rows(1), COMPARES[0], canaries.CanaryFields(count=2), 0)
    assert two.height == 2 and set(two["id"]) <= set(frame["id"])
