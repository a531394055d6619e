"""Losses of the turns of dialogues under a causal language model: given the turns before, and alone.

Aquila-Med (arXiv 2406.12182, SFT data, multi-turn): L(t|H), the mean token cross-entropy of a turn given all earlier ones, and
L(t), the same without history. A turn's tokens are the same in both, so that the ratio compares like with like. One pass over a
dialogue gives L(t|H) of all its turns; a dialogue that is longer than the model reads is taken turn by turn, with as much of the
history as fits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilth.core.errors import RecipeError
from tilth.filters import encoders

Tokens = Sequence[int]
TurnLosses = tuple[np.ndarray, np.ndarray]
"""(given the turns before, alone): float64, nats a token, one a turn; NaN where a turn has no token to predict."""
TOKENS_AT_ONCE = 1 << 10
"""Tokens of a batch on a CPU: what a layer makes of them stays in its caches. Sixteen times as many take twice the time."""
LOGITS_AT_ONCE = 1 << 26
"""Numbers of a batch's output elsewhere: 256 MiB in single precision."""
LOSSES_AT_ONCE = 1 << 20
"""Numbers of the output that are made losses at once, on a CPU."""


@dataclass(frozen=True)
class _Pass:
    """One sequence for the model, and where in it the turns lie whose losses it tells."""

    tokens: list[int]
    spans: tuple[tuple[int, int, int, int], ...]
    """(dialogue, turn, first token, end)"""
    alone: bool


def turn_losses(logits: Callable[[Any], Any], dialogues: Sequence[Sequence[Tokens]], *, begin: int | None, max_tokens: int, tokens_at_once: int = TOKENS_AT_ONCE) -> list[TurnLosses]:
    """The losses of every turn of every dialogue.

    Args:
        logits: token ids (int64 tensor [sequences, tokens]) → logits [sequences, tokens, vocabulary] of a causal model.
        dialogues: tokens of each turn of each dialogue.
        begin: token that opens every sequence. None: the first token of a sequence is predicted by nothing, and counts in neither loss.
        max_tokens: tokens that the model reads at once; of a longer turn, its beginning.
        tokens_at_once: tokens of a batch, about.
    """
    found = [(np.full(len(turns), np.nan), np.full(len(turns), np.nan)) for turns in dialogues]
    passes = [one for number, turns in enumerate(dialogues) for one in _passes(number, turns, [] if begin is None else [begin], max_tokens)]
    for batch in _batches(passes, tokens_at_once):
        for one, losses in zip(batch, _token_losses(logits, [one.tokens for one in batch]), strict=True):
            for dialogue, turn, first, end in one.spans:
                skip = first if begin is None else first - 1  # losses[i] is of token i + 1
                if end - 1 > skip:
                    found[dialogue][one.alone][turn] = losses[skip : end - 1].mean(dtype=np.float64)
    for given, alone in found:  # before the first turn there is nothing
        given[:1] = alone[:1] = given[:1] if np.isnan(alone[:1]).all() else alone[:1]
    return found


def _passes(number: int, turns: Sequence[Tokens], opening: list[int], max_tokens: int) -> Iterator[_Pass]:
    room = max_tokens - len(opening)
    ends = np.cumsum([len(tokens) for tokens in turns])
    whole = len(turns) > 1 and ends[-1] <= room
    for turn, tokens in enumerate(turns):
        if turn or not whole:  # a pass over the whole dialogue begins with the first turn
            held = list(tokens[:room])
            yield _Pass(opening + held, ((number, turn, len(opening), len(opening) + len(held)),), True)
    if len(turns) < 2:
        return
    if whole:
        starts = [len(opening) + int(end) - len(tokens) for end, tokens in zip(ends, turns, strict=True)]
        spans = tuple((number, turn, start, start + len(turns[turn])) for turn, start in enumerate(starts))
        yield _Pass(opening + [token for tokens in turns for token in tokens], spans, False)
        return
    history: list[int] = list(turns[0])
    for turn, tokens in enumerate(turns[1:], 1):
        held = list(tokens[:room])
        before = history[max(0, len(history) - (room - len(held))) :] if len(held) < room else []
        first = len(opening) + len(before)
        yield _Pass(opening + before + held, ((number, turn, first, first + len(held)),), False)
        history += tokens


def _batches(passes: list[_Pass], tokens: int) -> Iterator[list[_Pass]]:
    """Passes of like length together, about so many tokens in each batch, padding counted."""
    batch: list[_Pass] = []
    for one in sorted((one for one in passes if len(one.tokens) > 1), key=lambda one: (len(one.tokens), one.spans)):
        if batch and (len(batch) + 1) * len(one.tokens) > tokens:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _token_losses(logits: Callable[[Any], Any], sequences: list[list[int]]) -> list[np.ndarray]:
    """For each sequence float32 [tokens - 1]: the cross-entropy of each token but the first, in nats."""
    import torch

    width = max(map(len, sequences))
    ids = torch.zeros((len(sequences), width), dtype=torch.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
    with torch.inference_mode():
        out = logits(ids).flatten(0, 1)  # padding stands at the end, where a causal model does not look back from
        follows = ids.roll(-1, 1).flatten().to(out.device)  # what follows the last is no loss, and is not read
        some = max(1, LOSSES_AT_ONCE // out.shape[1]) if out.device.type == "cpu" else len(out)
        parts = [slice(start, start + some) for start in range(0, len(out), some)]
        losses = torch.cat([torch.nn.functional.cross_entropy(out[part].float(), follows[part], reduction="none") for part in parts])
    return [row[: len(sequence) - 1] for row, sequence in zip(losses.view(len(sequences), -1).cpu().numpy(), sequences, strict=True)]


@dataclass(frozen=True)
class CausalModel:
    """A causal language model and its tokenizer, loaded."""

    tokens: Callable[[Sequence[str]], list[list[int]]]
    """Texts → their token ids, nothing added."""
    logits: Callable[[Any], Any]
    begin: int | None
    max_tokens: int | None
    """Positions that the model has; None where it does not say."""
    tokens_at_once: int
    """Tokens of a batch that it reads fastest, about."""


@functools.cache
def load(model: str, sha256: str | None, device: str) -> CausalModel:
    """A model out of a folder as `save_pretrained` writes it, or `org/name@<commit>` on the Hub; once a process.

    Raises:
        RecipeError: torch and transformers are not installed.
        SourceError: the folder is not what the recipe says, or holds no causal model.
    """
    missing = RecipeError("context_relevance: a model needs torch and transformers", hint="pip install 'tilth[train]'")
    tokenizer, network = encoders.pretrained("AutoModelForCausalLM", "model", model, sha256, device, missing)
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id

    def tokens(texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"] if len(texts) else []
        return ids

    return CausalModel(
        tokens, lambda ids: network(input_ids=ids.to(device), use_cache=False).logits, begin,
        getattr(network.config, "max_position_embeddings", None),
        TOKENS_AT_ONCE if network.device.type == "cpu" else max(1, LOGITS_AT_ONCE // int(network.config.vocab_size)),
    )  # fmt: skip
