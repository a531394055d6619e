"""Rephrased benchmark items: rows of which a passage means nearly what an item says, in whatever words.

The second stage of decontamination, after n-grams and alignment, which a rephrasing escapes (Yang et al. 2023,
arXiv:2311.04850): every passage of a row is compared with every item by the cosine of their vectors (`near_items`).
A hit is a suspicion: the threshold is the encoder's own, and `docs/decontamination.md` says how to find it. `judged_leaks` asks judges.
"""

from __future__ import annotations

import polars as pl
from pydantic import model_validator

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.steps import Context, Rule
from tilth.filters import allowed
from tilth.filters.folding import batch_tokens
from tilth.filters.near_items import NearItems
from tilth.filters.row_vectors import TERMS


class Rephrased(NearItems, name="rephrased", version=1):
    """Drops rows with a passage that is very like an item of a benchmark."""

    min_similarity: float | None = units.threshold(
        None, "cosine of a passage to an item from which the row goes; left out: 0.4 by terms, 0.8 by an encoder", gt=0, le=1
    )
    allow: dict[str, str] = units.threshold({}, "benchmark → reason why rows that are like it stay")

    @model_validator(mode="after")
    def _gives_reasons(self) -> Rephrased:
        allowed.check_reasons(self.allow, {})
        return self

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`similarity` (highest cosine, 0 where nothing is like an item), `item`, `benchmark`, `start` and `end` (characters).

        Raises:
            RecipeError: `against` names a benchmark that the recipe does not have.
        """
        items = allowed.wanted(self.name, context.benchmarks, self.against, {}, {})
        found: list[tuple[float, str | None, str | None, int, int]] = []
        folded, texts = batch_tokens(batch), batch.texts.to_list()
        cosines = self.cosines(items) if items.height else None
        for row, text in enumerate(texts):
            passages = self.passages(int(folded.offsets[row]), int(folded.offsets[row + 1]))
            if cosines is None or not passages:
                found.append((0.0, None, None, 0, 0))
                continue
            scored = [(int(one.argmax()), float(one.max())) for one in cosines(passages, folded, text)]
            best = max(range(len(passages)), key=lambda k: scored[k][1])
            item, similarity = scored[best]
            first, last = passages[best]
            name = items["item"][item], items["benchmark"][item]
            found.append((round(similarity, 4), *name, int(folded.starts[first]), int(folded.ends[last - 1])))
        schema = {"similarity": pl.Float64, "item": pl.String, "benchmark": pl.String, "start": pl.UInt32, "end": pl.UInt32}
        return pl.DataFrame(found, schema=schema, orient="row")

    def rules(self) -> list[Rule]:
        least = self.min_similarity or (0.4 if self.encoder == TERMS else 0.8)
        may_stay = pl.col("benchmark").is_in(list(self.allow)).fill_null(False)
        return [Rule("rephrased", "similarity", (pl.col("similarity") >= least) & ~may_stay)]
