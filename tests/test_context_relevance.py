"""Context relevance: the losses of one pass equal those of one turn at a time; planted dialogues fall outside the band."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import small
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.builders import build as building
from tilth.core.batch import Batch
from tilth.core.errors import SourceError
from tilth.core.rows import frame
from tilth.core.steps import Context
from tilth.filters import encoders, turn_losses
from tilth.filters.context_relevance import ContextRelevance

CONTEXT = Context("sft", 0, pl.DataFrame())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.make(tmp_path_factory.mktemp("causal"))


@functools.cache
def opened(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def one_by_one(network: Any, dialogues: list[list[list[int]]], begin: int | None, max_tokens: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each turn by itself, as the paper words it: transformers' own loss, everything but the turn masked."""
    import torch

    opening = [] if begin is None else [begin]

    def loss(before: list[int], turn: list[int]) -> float:
        turn = turn[: max_tokens - len(opening)]
        room = max_tokens - len(opening) - len(turn)
        before = before[max(0, len(before) - room) :] if room else []
        ids = [*opening, *before, *turn]
        labels = [-100] * (len(ids) - len(turn)) + turn
        if begin is None and turn:
            labels[len(before)] = -100  # the turn alone has nothing to predict its first token from
        if not any(label != -100 for label in labels[1:]):
            return float("nan")
        with torch.inference_mode():
            return float(network(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss)

    found = []
    for turns in dialogues:
        alone = [loss([], turn) for turn in turns]
        before = [[token for turn in turns[:i] for token in turn] for i in range(len(turns))]
        found.append((np.array([loss(b, t) if b else a for b, t, a in zip(before, turns, alone, strict=True)]), np.array(alone)))
    return found


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    dialogues=st.lists(st.lists(st.lists(st.integers(3, 250), min_size=1, max_size=9), max_size=5), max_size=5),
    begin=st.sampled_from([None, 2]), max_tokens=st.sampled_from([10, 17, 512]), at_once=st.sampled_from([1, 32, 4096]),
)  # fmt: skip
def test_one_pass_equals_one_turn_at_a_time(folder: Path, dialogues, begin, max_tokens, at_once) -> None:
    model = turn_losses.load(str(folder), encoders.digest(folder), "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn_losses, "LOSSES_AT_ONCE", at_once << 8)
        found = turn_losses.turn_losses(model.logits, dialogues, begin=begin, max_tokens=max_tokens, tokens_at_once=at_once)
    for one, other in zip(found, one_by_one(opened(folder), dialogues, begin, max_tokens), strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def talk(*turns: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]


def batch(*dialogues: list[dict[str, str]] | None) -> Batch:
    return Batch(frame("sft", messages=list(dialogues)), "sft")


def test_what_has_no_second_turn_has_no_number(folder: Path) -> None:
    step = ContextRelevance(model=str(folder), sha256=encoders.digest(folder), max_relevance=1e-9)
    found = step.measure(batch(None, [], talk("a", "b"), talk("a", "b", "c", "d")), CONTEXT)
    assert found["relevance"].is_null().to_list() == found["most_relevance"].is_null().to_list() == [True, True, True, False]
    signals = found.with_columns(id=pl.Series(list("abcd")), source=pl.lit("x"))
    assert step.decide(signals, np.ones(4, bool), None).select("index", "rule").rows() == [(3, "unrelated_turn")]
    assert step.measure(batch(), CONTEXT).height == 0


def test_a_model_is_held_by_its_digest(folder: Path) -> None:
    with pytest.raises(SourceError, match="its sha256 is"):
        ContextRelevance(model=str(folder), sha256="0" * 64).measure(batch(talk("a", "b", "c", "d")), CONTEXT)
    with pytest.raises(SourceError, match="org/name@main: which is meant"):
        ContextRelevance(model="org/name@main").measure(batch(talk("a", "b", "c", "d")), CONTEXT)
    assert "model" not in ContextRelevance(model=str(folder), sha256=encoders.digest(folder)).parameters()


def test_a_build_drops_dialogues_and_keeps_what_it_cannot_ask(folder: Path, tmp_path: Path) -> None:
    """A dialogue of one turn has no number and stays; another band is decided from the losses that are there."""
    talks = [talk("发烧怎么办？", "多休息。"), talk("Which drug?", "Timolol.", "How often?", "Twice a day."), talk("头痛？", "休息。", "咳嗽？", "多喝水。")]
    small.write_jsonl(tmp_path / "talks.jsonl", [{"id": f"t{i}", "messages": one} for i, one in enumerate(talks)])
    recipe = "name: relevant\nlicense: cc0-1.0\nsources:\n  talks: {path: talks.jsonl, license: CC0-1.0, language: zh, key: id, shape: {chat: {}}}\n"

    def built(band: str) -> building.Build:
        (tmp_path / "relevant.yaml").write_text(f"{recipe}corpora:\n  sft:\n    from: [talks]\n    steps:\n      - context_relevance: {{model: {folder}, {band}}}\n")
        building.lock_recipe(str(tmp_path / "relevant.yaml"))
        return building.build(str(tmp_path / "relevant.yaml"))

    assert built("max_relevance: 0.000001").record.drops["sft"] == {"context_relevance/unrelated_turn": 2}
    again = built("max_relevance: 1000, min_relevance: 100")
    assert again.record.drops["sft"] == {"context_relevance/repeated_turn": 2} and again.stages_run <= 4, "the model is not asked again"


TOPICS, WORDS = 12, 10


def dialogue(draw: np.random.Generator, *, switch: bool = False, repeat: bool = False) -> list[list[int]]:
    """Three turns of eight words of one topic; or the last of another topic, or the last a turn said again."""
    topic = int(draw.integers(TOPICS))
    turns = [(3 + topic * WORDS + draw.integers(WORDS, size=8)).tolist() for _ in range(3)]
    if switch:
        turns[2] = (3 + (topic + draw.integers(1, TOPICS)) % TOPICS * WORDS + draw.integers(WORDS, size=8)).tolist()
    return [*turns[:2], turns[1]] if repeat else turns


def cache_model(ids):
    """Logits of a cache language model (Kuhn and De Mori, 1990): what was said is said again, most of all after the same word."""
    import torch

    width = 3 + TOPICS * WORDS
    out = torch.empty((*ids.shape, width))
    for row, sequence in enumerate(ids.tolist()):
        said, after = np.zeros(width), np.zeros((width, width))
        for place, token in enumerate(sequence):
            said[token] += 1
            if place:
                after[sequence[place - 1], token] += 1
            follows = after[token]
            guess = 0.6 * follows / follows.sum() + 0.2 * said / said.sum() if follows.any() else 0.8 * said / said.sum()
            out[row, place] = torch.from_numpy(np.log(guess + 0.2 / width))
    return out


def test_unrelated_and_repeated_turns_fall_outside_the_band() -> None:
    """A hundred dialogues of each kind: related ones lie below 1, a change of topic above, a repeated turn far below."""
    draw = np.random.default_rng(1)
    found = {}
    for kind, said in (("related", {}), ("unrelated", {"switch": True}), ("repeated", {"repeat": True})):
        dialogues = [dialogue(draw, **said) for _ in range(100)]
        losses = turn_losses.turn_losses(cache_model, dialogues, begin=1, max_tokens=64)
        found[kind] = np.array([float(given[2] / alone[2]) for given, alone in losses])
    print({kind: np.quantile(ratios, [0.05, 0.5, 0.95]).round(2).tolist() for kind, ratios in found.items()})
    assert (found["unrelated"] > 1).mean() >= 0.95
    assert (found["repeated"] < 0.5).mean() >= 0.95
    assert ((found["related"] > 0.5) & (found["related"] < 1)).mean() >= 0.95
