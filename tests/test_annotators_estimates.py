"""Estimates: tokens by rule of thumb, and what earlier calls of the same judge make of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.annotators import tokens
from tilth.annotators.calls import Asked, Call, Usage
from tilth.annotators.items import Items
from tilth.annotators.judge import JudgeEstimate, estimate
from tilth.annotators.plan import chunks
from tilth.annotators.providers.openai import OpenAI
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import CallStore

ENGLISH = "A 54-year-old man comes to the clinic with chest pain that began an hour ago. "
CHINESE = "患者男，五十四岁，胸痛一小时，既往有高血压病史，请问首选检查是什么？"
JUDGE = OpenAI(model="gpt-4.1")


@given(st.text(), st.sampled_from(["gpt-4.1", "claude-opus-5", "qwen3-8b", "unheard-of"]))
def test_any_text_has_a_count_that_only_grows(text: str, model: str) -> None:
    once, twice = tokens.count(text, model), tokens.count(text + text, model)
    assert 0 <= once <= 5 * len(text) and twice == pytest.approx(2 * once)


def test_families_count_chinese_as_their_tokenizers_do() -> None:
    """o200k takes 0.7 tokens a character, Claude's about 1.05, Qwen's 0.55; English differs little."""
    han = {model: tokens.count("汉" * 1000, model) for model in ("gpt-5.4-mini", "claude-haiku-4-5", "Qwen/Qwen3-8B", "gpt-4-turbo")}
    assert han["Qwen/Qwen3-8B"] < han["gpt-5.4-mini"] < han["claude-haiku-4-5"] < han["gpt-4-turbo"]
    english = [tokens.count(ENGLISH, model) for model in han]
    assert max(english) < 1.25 * min(english)


def frame(count: int, draw: random.Random) -> pl.DataFrame:
    made: list[dict[str, Any]] = []
    for i in range(count):
        language = draw.choice(["en", "zh"])
        text = (ENGLISH if language == "en" else CHINESE) * draw.randint(1, 30)
        made.append({"id": f"r{i}", "prompt": [{"role": "user", "content": f"{i} {text}"}], "language": language})
    return pl.DataFrame(made)


def bill(store: CallStore, rows: pl.DataFrame, draw: random.Random) -> float:
    """What another tokenizer, framing and talkative answers come to: 1.3 tokens where we count one of English, 0.6 of Chinese, and 90 more."""
    total = 0.0
    for tasks in chunks(JUDGE, Items(rows), Difficulty(), 0):
        for task in tasks:
            latin, han = tokens.split_count(task.request.messages[1]["content"].encode(), tokens.weights_of("gpt-4.1"))
            chinese = han > latin
            usage = Usage(round(90 + 1.3 * latin + 0.6 * han), max(5, round(draw.gauss(320 if chinese else 180, 60))))
            usd = (usage.input_tokens * 2 + usage.output_tokens * 8) / 1e6
            store.put(Call(
                key=task.key, provider="openai", base_url="", model="gpt-4.1", request=task.text.decode(), raw="", readings=(), status="ok",
                asked=Asked("difficulty@1", "", ()), usage=usage, usd=usd, price_version="given", latency_s=0.0,
            ))  # fmt: skip
            total += usd
    store.flush()
    return total


def told(rows: pl.DataFrame, store: CallStore) -> JudgeEstimate:
    judge = JUDGE.model_copy(update={"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 8.0})
    return estimate(rows, question=Difficulty(), judges=[judge], store=store, seed=0)[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_twenty_calls_bring_an_estimate_within_a_tenth(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rows = frame(500, draw)
    with CallStore(tmp_path / "calls.sqlite") as store:
        blind = told(rows, store)
        assert blind.known_calls == 0 and blind.usd and blind.batch_usd == pytest.approx(blind.usd / 2)
        bill(store, rows[:25], draw)
        better = told(rows, store)
        settled = bill(store, rows[25:], draw)
    assert (better.known_calls, better.cached_calls) == (25, 25)
    assert better.usd == pytest.approx(settled, rel=0.1)
    assert blind.usd != pytest.approx(settled, rel=0.1), "else there was nothing to learn"


def test_too_few_calls_teach_nothing(tmp_path: Path) -> None:
    rows = frame(60, random.Random(0))
    with CallStore(tmp_path / "calls.sqlite") as store:
        before = told(rows[20:], store)
        bill(store, rows[:19], random.Random(0))
        assert told(rows[20:], store) == before
