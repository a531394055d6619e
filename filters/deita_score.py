"""Deita's scores by its own models: the complexity of each question and the quality of each answer, 1 to 6, and their product.

Liu et al., arXiv:2312.15685; prompts and arithmetic are those of hkust-nlp/deita (`selection/scorer/llama_scorer.py`, `base.py`). The score
of a conversation is the sum of complexity × quality over its turns (Deita), or their mean (Aquila-Med, arXiv 2406.12182); a turn is
scored alone. Theirs answers 3.0 where it cannot score; here the row has no score, and fails or stays without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from tilth.core.batch import Batch
from tilth.core.rows import Kind
from tilth.core.scores import OverTurns, over_turns, with_scores
from tilth.core.steps import FATES, Context, Revised, Step
from tilth.core.turns import Turn, turns
from tilth.core.units import threshold
from tilth.filters import digit_scorer, encoders
from tilth.filters.encoders import Precision

COMPLEXITY = "You are a helpful assistant. Please identify the complexity score of the following user query. \n##Query: {asked}  \n##Complexity: "
QUALITY = (
    "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n"
    " #Question#:\n{asked}\n#Response#:\n{answered} \n##Quality: "
)
PARTS = {"complexity": COMPLEXITY, "quality": QUALITY}


class DeitaScore(Step, name="deita_score", version=1):
    """Scores conversations by Deita's scorers: `complexity`, `quality` and their product `deita`, among the rows' `scores`."""

    distributions = ("torch", "transformers", "tokenizers")
    corpora: ClassVar[tuple[Kind, ...]] = ("sft",)

    pins: ClassVar[dict[str, str]] = {"complexity": "complexity_sha256", "quality": "quality_sha256"}
    complexity: str = Field(description="scorer of questions: a folder, or `org/name@<commit>` (theirs: hkust-nlp/deita-complexity-scorer)")
    complexity_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of its folder; left out: as locked")
    quality: str = Field(description="scorer of answers: a folder, or `org/name@<commit>` (theirs: hkust-nlp/deita-quality-scorer)")
    quality_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of its folder; left out: as locked")
    max_tokens: int = Field(2048, ge=16, description="tokens of the longest turn that is scored, prompt included; a longer one is not")
    precision: Precision = Field("float32", description="of the weights: float32, or bfloat16 at half the memory")
    device: str = Field("cpu", description="where torch runs the scorers: cpu, cuda …")
    over_turns: OverTurns = threshold("sum", "how the turns of a conversation become one: their sum (Deita) or mean (Aquila-Med)")
    unscored: Literal["fail", "keep"] = threshold("fail", "conversations with a turn that could not be scored: they fail, counted, or stay without the score")

    def digest_of(self, path: Path) -> str:
        return encoders.digest(path)

    def _scorers(self) -> list[tuple[str, str, str | None]]:
        return [("complexity", self.complexity, self.complexity_sha256), ("quality", self.quality, self.quality_sha256)]

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`complexity` and `quality`, a number or null for each turn; of each turn its state: ok, empty, too_long, not_finite.

        A last question that nobody answered is no turn.

        Raises:
            SourceError, RecipeError: a scorer is not there, is not the one named, or answers with no digits.
        """
        said = [[turn for turn in turns(messages or []) if turn.answered is not None] for messages in batch.frame["messages"].to_list()]
        every = [turn for one in said for turn in one]
        states: list[str] = ["ok" if turn.asked.strip() else "empty" for turn in every]
        columns = []
        for part, model, sha256 in self._scorers():
            found: list[float | None] = [None] * len(every)
            ready = [place for place, state in enumerate(states) if state == "ok"]
            prompts = [PARTS[part].format(asked=every[place].asked, answered=every[place].answered) for place in ready]
            told = digit_scorer.load(model, sha256, self.device, self.precision).scores(prompts, self.max_tokens)
            for place, (value, state) in zip(ready, told, strict=True):
                found[place], states[place] = value, state
            columns.append(_lists(part, found, said, pl.Float64))
        return pl.DataFrame([*columns, _lists("states", states, said, pl.String)])

    def survey(self, signals: Iterable[pl.DataFrame]) -> list[Any]:
        """Nothing: every row is scored by itself."""
        return [None for _ in signals]

    def revise(self, rows: pl.DataFrame, signals: pl.DataFrame, known: Any, context: Context) -> Revised:
        """The rows with their scores; those without fail as `not_scored`, by how many of their turns were, and why the others were not."""
        parts = {part: signals[part].to_list() for part in PARTS}
        found = {part: [over_turns([one], self.over_turns) for one in values] for part, values in parts.items()}
        found["deita"] = [over_turns(one, self.over_turns) for one in zip(*parts.values(), strict=True)]
        after = with_scores(rows, found)
        fates = []
        if self.unscored == "fail":
            for index, states in enumerate(signals["states"].to_list()):
                if any(values[index] is None for values in found.values()):
                    why = ", ".join(f"{state} {count}" for state, count in sorted(Counter(states).items()) if state != "ok")
                    fates.append((index, "failed", "not_scored", f"{states.count('ok')} of {len(states)} turns", why or "no turn"))
        gone = pl.DataFrame(fates, schema=FATES, orient="row")
        kept = after.with_row_index("_place").join(gone, left_on="_place", right_on="index", how="anti", maintain_order="left").drop("_place")
        return Revised(kept, gone, pl.DataFrame(schema={"index": pl.UInt32}))


def _lists(name: str, values: list[Any], said: list[list[Turn]], inner: Any) -> pl.Series:
    """The values of all turns, as a list for each conversation."""
    left = iter(values)
    return pl.Series(name, [[next(left) for _ in one] for one in said], dtype=pl.List(inner))
