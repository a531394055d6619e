"""A causal language model trained to answer with a digit: the value to expect over the tokens `1` … `6` at its first place.

Deita's scorers (Liu et al., arXiv:2312.15685; hkust-nlp/deita, `selection/scorer`): the softmax over the logits of the six tokens
alone, times 1 … 6, summed. Their code names the tokens by number for Llama and Mistral; here they come from the tokenizer, and one
that does not write a digit as one token is refused. Where their code answers 3.0, here there is no number, and a state.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tilth.core.errors import RecipeError, SourceError
from tilth.filters import encoders
from tilth.filters.encoders import Precision

State = Literal["ok", "empty", "too_long", "not_finite"]
DIGITS = "123456"
BATCH_TOKENS = 1 << 14


@dataclass(frozen=True)
class Scorer:
    """A scorer and its tokenizer, loaded."""

    tokenizer: Any
    network: Any
    digits: tuple[int, ...]
    """Token of each of `DIGITS`."""
    max_tokens: int | None
    """Positions that the model has; None where it does not say."""

    def scores(self, prompts: Sequence[str], max_tokens: int) -> list[tuple[float | None, State]]:
        """The score of each prompt, 1 to 6; or None and why: it has more tokens than `max_tokens` or the model reads, or a logit is no number."""
        tokens: list[list[int]] = self.tokenizer(list(prompts), verbose=False)["input_ids"] if len(prompts) else []
        limit = min(max_tokens, self.max_tokens or max_tokens)
        found: list[tuple[float | None, State]] = [(None, "too_long")] * len(tokens)
        for some in _batches(tokens, limit):
            for place, logits in zip(some, self._logits([tokens[place] for place in some]), strict=True):
                found[place] = (None, "not_finite") if not np.isfinite(logits).all() else (_expected(logits), "ok")
        return found

    def _logits(self, sequences: list[list[int]]) -> np.ndarray:
        """float64 [sequences, 6]: the logits of the digits after each sequence, which are padded on the left."""
        import torch

        width = max(map(len, sequences))
        ids = torch.zeros((len(sequences), width), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, width - len(sequence) :] = torch.tensor(sequence)
            mask[row, width - len(sequence) :] = 1
        places = (mask.cumsum(1) - 1).clamp(min=0)
        given = {name: one.to(self.network.device) for name, one in (("input_ids", ids), ("attention_mask", mask), ("position_ids", places))}
        with torch.inference_mode():
            last = self.network(**given, use_cache=False, logits_to_keep=1).logits[:, -1]
        logits: np.ndarray = last[:, list(self.digits)].double().cpu().numpy()
        return logits


def _batches(tokens: Sequence[Sequence[int]], limit: int) -> Iterator[list[int]]:
    """Places of the sequences that are not too long, like lengths together, about `BATCH_TOKENS` in each batch."""
    batch: list[int] = []
    for place in sorted((place for place, one in enumerate(tokens) if 0 < len(one) <= limit), key=lambda place: (len(tokens[place]), place)):
        if batch and (len(batch) + 1) * len(tokens[place]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _expected(logits: np.ndarray) -> float:
    weights = np.exp(logits - logits.max())
    return float((weights * np.arange(1, len(logits) + 1)).sum() / weights.sum())


@functools.cache
def load(model: str, sha256: str | None, device: str, precision: Precision) -> Scorer:
    """A scorer out of a folder as `save_pretrained` writes it, or `org/name@<commit>` on the Hub; once a process.

    Raises:
        RecipeError: torch and transformers are not installed.
        SourceError: the folder is not what the recipe says, holds no causal model, or its tokenizer does not write digits as tokens.
    """
    missing = RecipeError("deita_score: a scorer needs torch and transformers", hint="pip install 'tilth[train]'")
    tokenizer, network = encoders.pretrained("AutoModelForCausalLM", "scorer", model, sha256, device, missing, precision)
    return Scorer(tokenizer, network, digit_tokens(tokenizer, model), getattr(network.config, "max_position_embeddings", None))


def digit_tokens(tokenizer: Any, model: str) -> tuple[int, ...]:
    """The token of each digit, as it stands after the end of a prompt.

    Raises:
        SourceError: a digit is no token there.
    """
    found = []
    for digit in DIGITS:
        token = tokenizer.convert_tokens_to_ids(digit)
        after = tokenizer(f"##Quality: {digit}", add_special_tokens=False)["input_ids"]
        if token is None or token == tokenizer.unk_token_id or after[-1:] != [token]:
            raise SourceError(f"scorer {model}: its tokenizer does not write {digit} as a token of its own", hint="a scorer of Deita's kind answers with one digit")
        found.append(int(token))
    return tuple(found)
