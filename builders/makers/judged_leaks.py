"""Judged leaks: judges say whether a row asks what a benchmark item asks, in other words. The last stage of decontamination.

After the LLM decontaminator (Yang et al. 2023, arXiv:2311.04850, section 4), with three differences. It takes the rows nearest to
each item; we take the items nearest to each row, so that a row is looked at whatever else is like the item. Its rows are compared whole;
here a long one is cut into passages, and judges see the passage with as much again around it. And a pair that no judge could be
had for is a state of its own there where theirs is "not contaminated".

The items near a row are signals, found once by the workers (`near_items`): another judge or limit finds nothing again and buys nothing
twice. A perfect judge finds what is among them and no more: `python -m benchmarks.rephrased` says how much that is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from tilth.annotators.agreement import effective_votes, krippendorff_alpha
from tilth.annotators.judge import Judged, estimate, judge, total_usd
from tilth.annotators.provider import Provider
from tilth.annotators.questions.rephrasing import Rephrasing, reason_of
from tilth.annotators.spend import lowest
from tilth.annotators.store import CallStore
from tilth.builders.asked import entry
from tilth.core.batch import Batch
from tilth.core.recipe import named_unit, units_named
from tilth.core.rows import CANDIDATES, MESSAGES, conversation
from tilth.core.steps import FATES, LEAKS, Context, Made, MakeContext
from tilth.core.units import Unit, execution
from tilth.filters import allowed
from tilth.filters.folding import batch_tokens
from tilth.filters.near_items import NearItems, words
from tilth.filters.row_vectors import TERMS

NEAR = pl.Struct({"benchmark": pl.String, "item": pl.String, "similarity": pl.Float64, "start": pl.UInt32, "end": pl.UInt32})
"""An item near a row; start and end: characters of the row's text (`Batch.texts`) that judges see."""
MOST_SHOWN = 8000
"""Characters of a passage or an item that judges see at most: of a longer one, its beginning and its end."""
RETRIEVAL = ("against", "encoder", "sha256", "pooling", "device", "passage", "nearest", "min_similarity")
"""Parameters that decide which items are near."""


class JudgedLeaks(NearItems, name="judged_leaks", version=1):
    """Drops rows that ask what an item of a benchmark asks, in whatever words, by the verdict of LLM judges."""

    passage: int = Field(64, ge=16, description="words or characters of a passage; a longer row is cut into overlapping ones")
    nearest: int = Field(3, ge=1, le=50, description="items that a row is compared with, at most: the nearest")
    min_similarity: float | None = Field(
        None, gt=0, le=1, description="cosine of a passage to an item from which judges are asked; left out: 0.1 by terms, 0.5 by an encoder"
    )
    judges: list[dict[str, dict[str, Any]]] = Field(min_length=1, description="LLM judges, each {provider: parameters}")
    language: Literal["row", "en", "zh"] = Field("row", description="language of the question: the row's own, or always this")
    min_share: float = Field(0.5, gt=0, le=1, description="share of the judges that say `same` from which the row goes")
    unjudged: Literal["quarantined", "failed", "keep"] = Field(
        "quarantined", description="what becomes of a row where judges that gave no verdict could decide"
    )
    allow: dict[str, str] = Field({}, description="benchmark → reason why rows that ask the same stay")
    allow_items: dict[str, str] = Field({}, description="benchmark/item → reason why rows that ask the same stay")
    max_usd: float | None = execution(None, "cap on what this step's calls cost, all runs together", ge=0)

    @model_validator(mode="after")
    def _can_be_asked(self) -> JudgedLeaks:
        allowed.check_reasons(self.allow, self.allow_items)
        with units_named():
            judges = self.inner()
        for one in judges:
            if not (isinstance(one, Provider) and one.is_llm):
                raise ValueError(f"judges: {one.name} is no LLM; `rephrased` compares texts without one")
        labels = [one.label for one in self._judges()]
        if len(set(labels)) != len(labels):
            raise ValueError(f"judges: one is named twice: {', '.join(sorted(labels))}")
        return self

    def inner(self) -> list[Unit]:
        """The judges."""
        return [named_unit("provider", one) for one in self.judges]

    def parameters(self) -> dict[str, Any]:
        """Those of the judges spelled out: another default is another recipe."""
        return {**super().parameters(), "judges": [{one.name: one.parameters()} for one in self.inner()]}

    def measured_parameters(self) -> dict[str, Any]:
        """Those that decide which items are near a row."""
        return {name: value for name, value in self.parameters().items() if name in RETRIEVAL}

    def _judges(self) -> list[Provider]:
        return [one for one in self.inner() if isinstance(one, Provider)]

    def measure(self, batch: Batch, context: Context) -> pl.DataFrame:
        """`similarity` (highest cosine, 0 where nothing is like an item), `near` (list of `NEAR`, the nearest first).

        Raises:
            RecipeError: a benchmark or an item is named that the recipe does not have.
        """
        items = allowed.wanted(self.name, context.benchmarks, self.against, self.allow, self.allow_items)
        names = items.select("benchmark", "item").rows()
        folded, texts = batch_tokens(batch), batch.texts.to_list()
        cosines = self.cosines(items) if names else None
        least = self.min_similarity or (0.1 if self.encoder == TERMS else 0.5)
        found: list[tuple[float, list[dict[str, Any]]]] = []
        for row, text in enumerate(texts):
            begin, end = int(folded.offsets[row]), int(folded.offsets[row + 1])
            passages = self.passages(begin, end)
            best, where = np.zeros(len(names)), np.zeros(len(names), np.int64)
            for number, cosine in enumerate(cosines(passages, folded, text) if cosines and passages else ()):
                where[cosine > best] = number
                best = np.maximum(best, cosine)
            near = []
            for item in np.argsort(-best, kind="stable")[: self.nearest].tolist():
                if best[item] < least:
                    break
                first, last = passages[where[item]]
                wide = max(begin, first - self.passage // 2), min(end, last + self.passage // 2)
                if folded.ends[wide[1] - 1] - folded.starts[wide[0]] > MOST_SHOWN:  # what would be cut off could be the passage itself
                    wide = first, last
                start, stop = int(folded.starts[wide[0]]), int(folded.ends[wide[1] - 1])
                near.append(dict(zip(NEAR.to_schema(), (*names[item], round(float(best[item]), 4), start, stop), strict=True)))
            found.append((round(float(best.max(initial=0.0)), 4), near))
        return pl.DataFrame(found, schema={"similarity": pl.Float64, "near": pl.List(NEAR)}, orient="row")

    def _pairs(self, rows: pl.DataFrame, context: MakeContext) -> pl.DataFrame:
        """The pairs to judge: index, benchmark, item, similarity, span, question; `asked` is a row's id and the item's name."""
        assert context.signals is not None
        allowed.wanted(self.name, context.benchmarks, self.against, self.allow, self.allow_items)  # measured before these were said
        near = context.signals.select("near").with_row_index("index").filter(pl.col("near").list.len() > 0)
        texts = Batch(rows[near["index"]], context.kind).texts
        said = [_shown(words(question, options, "\n")) for question, options in context.benchmarks.select("question", "options").iter_rows()]
        items = context.benchmarks.select("benchmark", "item", pl.Series("question", said, dtype=pl.String))
        pairs = near.with_columns(texts.alias("text")).explode("near").unnest("near")
        spans = [_shown(text[start:end]) for text, start, end in pairs.select("text", "start", "end").iter_rows()]
        pairs = pairs.drop("text").with_columns(pl.Series("span", spans, dtype=pl.String))
        pairs = pairs.join(items, on=["benchmark", "item"], how="left", maintain_order="left")
        name = pl.concat_str("benchmark", "item", separator="/")
        ids = rows.select("id", "language")[pairs["index"]]
        return pairs.with_columns(ids["id"], ids["language"], name.alias("name")).with_columns(asked=pl.concat_str("id", "name", separator=" "))

    def _asked(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs as rows of a question: a passage, and the item as its only candidate."""
        prompts = [conversation([("user", span)]) for span in pairs["span"]]
        items = [[{"model": name, "text": question}] for name, question in pairs.select("name", "question").iter_rows()]
        return pl.DataFrame(
            [pairs["asked"].alias("id"), pl.Series("prompt", prompts, dtype=MESSAGES), pl.Series("candidates", items, dtype=CANDIDATES), pairs["language"]]
        )

    def expected_usd(self, rows: pl.DataFrame | None, context: MakeContext) -> float | None:
        if rows is None or context.signals is None:
            return None
        with CallStore(context.calls) as store:
            asked = self._asked(self._pairs(rows, context))
            parts = estimate(asked, question=Rephrasing(language=self.language), judges=self._judges(), store=store, seed=context.seed)
        return total_usd(parts)

    def make(self, rows: pl.DataFrame, context: MakeContext) -> Made:
        pairs = self._pairs(rows, context)
        with CallStore(context.calls) as store:
            judged = judge(
                self._asked(pairs), question=Rephrasing(language=self.language), judges=self._judges(), store=store,
                max_usd=lowest(self.max_usd, context.max_usd), seed=context.seed, on_progress=context.on_progress,
            )  # fmt: skip
            hits = self._hits(pairs, judged.judgements, store)
        fates = self._fates(hits)
        stay = np.ones(rows.height, bool)
        stay[fates["index"].to_numpy()] = False
        named = pairs.select("asked", "id")
        table = judged.judgements.join(named, left_on="row_id", right_on="asked", how="left", maintain_order="left")
        table = table.with_columns(row_id="id").drop("id")
        return Made(
            rows.filter(pl.Series(stay)), fates, judgements=table, judges=tuple(map(entry, judged.judges)), panels=(self._panel(judged, pairs.height),),
            usd=judged.usd, hits=hits, contamination=tuple(self._account(context.benchmarks, pairs, hits, fates)),
        )  # fmt: skip

    def _hits(self, pairs: pl.DataFrame, judgements: pl.DataFrame, store: CallStore) -> pl.DataFrame:
        """Columns `LEAKS`, by row, the surest and nearest first."""
        count = len(self.judges)
        votes = judgements.group_by("row_id").agg(same=(pl.col("label") == "same").sum(), missing=count - (pl.col("status") == "ok").sum())
        table = pairs.join(votes, left_on="asked", right_on="row_id", how="left", maintain_order="left")
        surely = pl.col("same") >= self.min_share * count - 1e-9
        perhaps = pl.col("same") + pl.col("missing") >= self.min_share * count - 1e-9
        may_stay = pl.col("benchmark").is_in(list(self.allow)) | pl.col("name").is_in(list(self.allow_items))
        fate = pl.when(~surely).then(pl.lit("unjudged")).when(may_stay).then(pl.lit("allowed")).otherwise(pl.lit("dropped"))
        table = table.filter(perhaps & (surely | ~may_stay)).with_columns(fate.alias("fate"), pl.col("same") / count, needed=self.min_share)
        spoken = judgements.filter(pl.col("row_id").is_in(table["asked"].implode()))
        calls = store.get_many(spoken["call"].drop_nulls().to_list())
        said: dict[str, list[dict[str, Any]]] = {}
        for line in spoken.iter_rows(named=True):
            call = calls.get(line["call"])
            reason = reason_of(call.raw) if call is not None and line["status"] == "ok" else None
            told = {"judge": line["judge"], "verdict": line["label"] or line["status"], "reason": reason}
            said.setdefault(line["row_id"], []).append({key: value for key, value in told.items() if value is not None})
        verdicts = [json.dumps(said[asked], ensure_ascii=False) for asked in table["asked"]]
        table = table.with_columns(pl.Series("verdicts", verdicts, dtype=pl.String))
        order = ["index", "same", "similarity", "name"]
        return table.sort(order, descending=[False, True, True, False]).select(pl.col(name).cast(kind) for name, kind in LEAKS.items())

    def _fates(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Rows with a pair that is the same go; of the others those with one that could be, by `unjudged`."""
        decides = ["dropped"] if self.unjudged == "keep" else ["dropped", "unjudged"]
        found = hits.filter(pl.col("fate").is_in(decides)).sort("fate", maintain_order=True)
        best = found.unique("index", keep="first", maintain_order=True).sort("index")
        same = pl.col("fate") == "dropped"
        detail = [
            json.dumps({**line, "verdicts": json.loads(line["verdicts"])}, ensure_ascii=False)
            for line in best.select("question", "similarity", "same", "span", "verdicts").iter_rows(named=True)
        ]
        return best.select(
            "index",
            pl.when(same).then(pl.lit("dropped")).otherwise(pl.lit(self.unjudged)).alias("status"),
            pl.when(same).then(pl.lit("contaminated")).otherwise(pl.lit("unjudged")).alias("rule"),
            pl.concat_str("benchmark", "item", separator="/").alias("value"),
            pl.Series("detail", detail, dtype=pl.String),
        ).cast(FATES)  # type: ignore[arg-type]

    def _panel(self, judged: Judged, rows: int) -> dict[str, Any]:
        """What the card says of the judges together: how often two give the same verdict."""
        values = judged.judgements.pivot("judge", index="row_id", values="value").drop("row_id").to_numpy().astype(float)
        pairs = [values[:, pair] for pair in combinations(range(values.shape[1]), 2)]
        same = np.concatenate([(both[:, 0] == both[:, 1])[np.isfinite(both).all(axis=1)] for both in pairs]) if pairs else np.zeros(0)
        return {
            "question": judged.judges[0].question, "aggregation": f"same from {self.min_share:g} of the judges", "rows": rows,
            "judges": len(self.judges), "gold_rows": 0, "agreement": float(same.mean()) if same.size else None,
            "alpha": krippendorff_alpha(values.T) if pairs else None, "effective_votes": effective_votes(values) if pairs else None,
        }  # fmt: skip

    def _account(self, benchmarks: pl.DataFrame, pairs: pl.DataFrame, hits: pl.DataFrame, fates: pl.DataFrame) -> Sequence[dict[str, Any]]:
        """One entry a benchmark, fields of `core.builds.ContaminationEntry`. A row counts for every benchmark that it matches."""
        gone = fates.filter(pl.col("rule") == "contaminated")["index"]
        entries = []
        for (name,), items in benchmarks.group_by("benchmark", maintain_order=True):
            if self.against is not None and name not in self.against:
                continue
            own = hits.filter(pl.col("benchmark") == name)
            rows = {fate: own.filter(pl.col("fate") == fate)["index"] for fate in ("dropped", "allowed", "unjudged")}
            entries.append({
                "step": self.name, "benchmark": name, "items": items.height, "items_unmatchable": sum(self.unmatchable(items)),
                "items_found": own.filter(pl.col("fate") != "unjudged")["item"].n_unique(), "rows_dropped": rows["dropped"].n_unique(),
                "rows_allowed": rows["allowed"].filter(~rows["allowed"].is_in(gone.implode())).n_unique(),
                "rows_judged": pairs.filter(pl.col("benchmark") == name)["index"].n_unique(),
                "rows_unjudged": rows["unjudged"].filter(~rows["unjudged"].is_in(gone.implode())).n_unique(),
                "unjudged": self.unjudged, "reason": allowed.reason(str(name), self.allow, self.allow_items),
            })  # fmt: skip
        return entries


def _shown(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN // 2]}\n…\n{text[-MOST_SHOWN // 2 :]}"
