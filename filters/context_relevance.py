"""Context relevance: does the history of a dialogue help to say its next turn?

Aquila-Med (arXiv 2406.12182, SFT data, multi-turn): CR = L(t|H) / L(t). Above 1 the history hurts: the turns are unrelated. Far
below 1 the turn repeats what was said. The paper gives neither cut-off, nor the model, nor how the turns of a dialogue make one
number; the defaults here are our choice: no turn may be above `max_relevance` or below `min_relevance` (`of: worst`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.steps import Context, Rule, Step
from tilth.core.units import threshold
from tilth.filters import encoders, turn_losses


class ContextRelevance(Step, name="context_relevance", version=1):
    """Drops dialogues with a turn that has nothing to do with the turns before, or repeats them, by a language model's losses."""

    distributions = ("torch", "transformers", "tokenizers")
    corpora: ClassVar[tuple[Kind, ...]] = ("sft",)

    pins: ClassVar[dict[str, str]] = {"model": "sha256"}
    model: str = Field(description="folder of a causal `transformers` model, or `org/name@<commit>` on the Hub")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the folder; left out: as locked")
    max_tokens: int = Field(2048, ge=16, description="tokens that the model reads at once; history is cut from its beginning")
    device: str = Field("cpu", description="where torch runs the model: cpu, cuda …")
    of: Literal["worst", "mean"] = threshold("worst", "what must lie in the band: every turn, or the mean of the turns")
    min_relevance: float | None = threshold(0.2, "below it a turn repeats what was said (our choice; the paper gives none)", ge=0)
    max_relevance: float | None = threshold(1.0, "above it a turn is unrelated to what was said", gt=0)

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`relevance` (list of float: CR of the second turn, the third …), its least, mean and largest; null with fewer than two turns.

        A turn is a user message with the answers to it; a system message is history. A turn that the model cannot score (no
        token, a loss of 0 alone) has no number, and a dialogue without any has none.

        Raises:
            SourceError, RecipeError: the model is not there, or not the one named.
        """
        dialogues = [_turns(messages or []) for messages in batch.frame["messages"].to_list()]
        several = [i for i, turns in enumerate(dialogues) if len(turns) > 1]
        relevance: list[list[float | None] | None] = [None] * len(dialogues)
        if several:
            model = turn_losses.load(self.model, self.sha256, self.device)
            ids = iter(model.tokens([turn for i in several for turn in dialogues[i]]))
            tokens = [[next(ids) for _ in dialogues[i]] for i in several]
            limit = min(self.max_tokens, model.max_tokens or self.max_tokens)
            found = turn_losses.turn_losses(model.logits, tokens, begin=model.begin, max_tokens=limit, tokens_at_once=model.tokens_at_once)
            for i, (given, alone) in zip(several, found, strict=True):
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratio = given[1:] / alone[1:]
                relevance[i] = [float(one) if np.isfinite(one) else None for one in ratio]
        turns = pl.Series("relevance", relevance, dtype=pl.List(pl.Float64))
        numbers = {"least_relevance": turns.list.min(), "mean_relevance": turns.list.mean(), "most_relevance": turns.list.max()}
        return pl.DataFrame([turns, *(series.alias(name) for name, series in numbers.items())])

    def rules(self) -> Sequence[Rule]:
        """No turn, or not the mean of them, above the band or below it."""
        least, most = ("least_relevance", "most_relevance") if self.of == "worst" else ("mean_relevance", "mean_relevance")
        rules = []
        if self.max_relevance is not None:
            rules.append(Rule("unrelated_turn", most, pl.col(most) > self.max_relevance))
        if self.min_relevance is not None:
            rules.append(Rule("repeated_turn", least, pl.col(least) < self.min_relevance))
        return rules


def _turns(messages: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of a dialogue's turns: each from a user message to the next, a system message with the first.

    >>> _turns([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"}])
    ['Hi\\nHello\\n', 'Bye\\n']
    """
    turns: list[str] = []
    asked = False
    for message in messages:
        if (message["role"] == "user" and asked) or not turns:
            turns.append("")
        asked = asked or message["role"] == "user"
        turns[-1] += (message["content"] or "") + "\n"
    return turns
