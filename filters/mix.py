"""A target mix: stages with a budget, each made of parts with shares, the rest of the corpus dropped.

Continued pretraining in two stages after Aquila-Med (arXiv 2406.12182, section 2): 60B tokens of rule-filtered medical and general
text, then 20B of the quality-filtered; the ratios are not published, so every number here is the recipe's. SFT by language and task
after its figure 3: 27.2 single_turn zh, 14.0 single_turn en, 24.8 multiple_choice zh, 34.0 multi_turn zh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import file_digest
from tilth.core.rows import Kind, row_id
from tilth.core.steps import FATES, Context, Revised, Step
from tilth.filters import mixing, token_counts
from tilth.filters.chinese import base_language
from tilth.filters.mix_pool import Pool
from tilth.filters.mix_stages import MixStage
from tilth.filters.mixing import Drawn
from tilth.filters.tasks import tasks


class Mix(Step, name="mix", version=1):
    """Draws the corpus to a target: stages with budgets, in each parts with shares, by source, language, task or score.

    Rows are drawn by seeded hash; what no part takes, and what is over a budget, is dropped and listed. The last stage draws first:
    it is the pickiest. A row stands in one stage, unless stages `overlap`. What was asked and what came of it stands in the
    record, the card and `tilth show`; a release is refused where a share is off by more than `tolerance`.
    """

    corpora: ClassVar[tuple[Kind, ...]] = ("cpt", "sft", "preference")
    budgets: ClassVar[tuple[str, ...]] = ("over_budget",)

    stages: tuple[MixStage, ...] = Field(min_length=1, description="{name, budget, parts: [{name, share, sources, languages, tasks, min_scores, max_scores}]}")
    overlap: bool = Field(False, description="whether a row may stand in several stages: then each draws from all, and the later ones get copies with ids of their own")
    unit: Literal["tokens", "rows"] = Field("tokens", description="what budgets and shares count")
    pins: ClassVar[dict[str, str]] = {"tokenizer": "sha256"}
    tokenizer: str | None = Field(
        None, description="`tokenizer.json`, its folder, or `org/name@<commit>`; left out: words and signs, characters of Han and Kana one by one"
    )
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the file `tokenizer.json`, where it lies here; left out: as locked")
    when_short: mixing.WhenShort = Field(
        "shrink", description="where a part has too little: `shrink` the whole stage in proportion, `repeat` the part's rows, or `stop` the build"
    )
    max_epochs: int = Field(4, ge=1, le=100, description="with `repeat`, how often a row may come; 4 is nearly as good as fresh text (Muennighoff et al. 2023)")
    tolerance: float = Field(0.01, gt=0, lt=1, description="how far a share may be from what was asked, of the stage")
    seed: int = Field(0, description="of the order in which rows are drawn")

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names) or (len(names) > 1 and "" in names):
            raise ValueError("stages: each needs a name of its own")
        if self.when_short != "shrink" and any(stage.budget is None for stage in self.stages):
            raise ValueError(f"when_short: {self.when_short}: every stage needs a budget to be short of")
        if self.tokenizer is None and self.sha256 is not None:
            raise ValueError("sha256 is of `tokenizer`, which is not given")
        return self

    def digest_of(self, path: Path) -> str:
        return file_digest(token_counts.file_of(path))

    def measured_parameters(self) -> dict[str, Any]:
        """What decides how rows are counted: another budget or share counts nothing again."""
        return {name: value for name, value in self.parameters().items() if name in ("unit", "tokenizer", "sha256")}

    def sources_named(self) -> Sequence[str]:
        return [source for stage in self.stages for part in stage.parts for source in part.sources]

    @property
    def counted_by(self) -> str:
        """What one unit is, in words."""
        if self.unit == "rows":
            return "rows"
        return "tokens (words and signs)" if self.tokenizer is None else f"tokens of {self.tokenizer if self.sha256 is None else self.sha256[:12]}"

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`size` (units of the row), and what parts ask about: source, base_language (Chinese is zh), task, scores."""
        frame = batch.frame
        size = np.ones(len(batch), np.int64) if self.unit == "rows" else token_counts.counts(batch, self.tokenizer, self.sha256)
        named = frame.select("source", base_language(pl.col("language")).alias("base_language"), "scores")
        task = pl.Series("task", [None] * len(batch), dtype=pl.String) if batch.kind == "cpt" else tasks(frame)
        return named.with_columns(pl.Series("size", size, dtype=pl.Int64), task)

    def survey(self, signals: Iterable[pl.DataFrame]) -> list[Any]:
        """For each shard, how often each stage takes each of its rows; with it what is told of the whole."""
        pool = Pool.of(self.stages, signals)
        drawn = self._drawn(pool)
        entry = {"step": self.name, "counted_by": self.counted_by, "tolerance": self.tolerance, "stages": pool.told(self.stages, drawn)}
        return pool.by_shard(np.stack([one.times for one in drawn]), entry)

    def _drawn(self, pool: Pool) -> list[Drawn]:
        """What each stage takes. The last draws first."""
        drawn: list[Drawn] = []
        free = np.ones(len(pool.keys), bool)
        for stage, cells in zip(reversed(self.stages), reversed(pool.cells), strict=True):
            one = mixing.draw(
                mixing.keys(pool.keys, self.seed, stage.name), pool.sizes, cells if self.overlap else np.where(free, cells, -1), [share for *_, share in stage.cells],
                budget=stage.budget, when_short=self.when_short, max_epochs=self.max_epochs,
            )  # fmt: skip
            if one.short is not None and len(pool.keys):
                self._see_that_it_can_be(stage, int(one.had[one.short]), one.short)
            free &= one.times == 0
            drawn.append(one)
        return drawn[::-1]

    def _see_that_it_can_be(self, stage: MixStage, had: int, cell: int) -> None:
        """A part without anything, or, with `stop`, with too little, ends the build."""
        called = f"mix: {stage.called(cell)}"
        if not had:
            raise RecipeError(f"{called}: no row is left for it", hint="look at its conditions, and at what the steps before took")
        if self.when_short == "stop" and stage.budget is not None:
            wanted = stage.budget * stage.cells[cell][2] / sum(share for *_, share in stage.cells)
            raise RecipeError(f"{called}: {had:,} {self.unit}, its share of the budget is {wanted:,.0f}", hint="lower `budget`, or say `when_short: shrink`")

    def told(self, known: Sequence[Any]) -> dict[str, Any] | None:
        return known[0].entry if known else None

    def revise(self, rows: pl.DataFrame, signals: pl.DataFrame, known: Any, context: Context) -> Revised:
        """The rows that a stage takes, with its name; behind them the copies that further stages and epochs take."""
        times, total = known.times, known.times.sum(axis=0, dtype=np.int64)
        first = np.argmax(times > 0, axis=0)
        kept, gone = np.flatnonzero(total), np.flatnonzero(total == 0)
        frames = [rows[kept]]
        if self.stages[0].name:
            names = pl.Series("stage", [stage.name for stage in self.stages], dtype=pl.String)
            frames = [frames[0].with_columns(names.gather(first[kept]))]
        for place, stage in enumerate(self.stages):
            further = times[place] - ((first == place) & (total > 0))
            frames += [_copied(rows[np.flatnonzero(further >= number)], stage.name, number) for number in range(1, int(further.max(initial=0)) + 1)]
        fates = {
            "index": gone, "status": "dropped", "rule": np.where((known.cells[:, gone] < 0).all(axis=0), "in_no_part", "over_budget"),
            "value": signals["size"].gather(gone).cast(pl.String), "detail": None,
        }  # fmt: skip
        changed = {"index": kept, "stage": [self.stages[place].called(known.cells[place, row]) for place, row in zip(first[kept], kept, strict=True)], "times": total[kept]}
        return Revised(
            pl.concat(frames), pl.DataFrame(fates, schema=FATES),
            pl.DataFrame(changed, schema={"index": pl.UInt32, "stage": pl.String, "times": pl.Int64}), made=sum(map(len, frames[1:])),
        )  # fmt: skip


def _copied(rows: pl.DataFrame, stage: str, number: int) -> pl.DataFrame:
    """Rows once more, as rows of their own: children of those that they are copies of."""
    ids = pl.Series("id", [row_id(f"mix/{stage}", one, number) for one in rows["id"]], dtype=pl.String)
    parents = pl.concat_list(pl.col("parents").fill_null([]), "id").alias("parents")
    staged = [pl.lit(stage).alias("stage")] if stage else []
    return rows.with_columns(parents, *staged).with_columns(ids)
