"""How good the judges are: of a table of judgements, what each judge is worth, and what the panel amounts to.

Everything is computed for all rows and for each language. A share is null where nothing could be counted. Canaries count only in
their pass rate; people (`human/…`) are judges with a line of their own, whose word is gold where enough of them agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from tilth.annotators.agreement import effective_votes, krippendorff_alpha
from tilth.annotators.canaries import is_canary, pass_rates
from tilth.annotators.families import family_of
from tilth.annotators.human import is_human
from tilth.annotators.panels import stack
from tilth.annotators.panels.votes import Floats, Pairs, Votes, pairs_of, preferences, votes_of
from tilth.annotators.question import Item
from tilth.annotators.store import CallStore
from tilth.core.intervals import wilson

SHOWN: dict[str, Any] = {
    "row_id": pl.String, "language": pl.String, "candidate": pl.String, "place": pl.Int64, "length": pl.Float64, "family": pl.String,
}  # fmt: skip
"""What judges saw: of every candidate its place in the row, its length in characters, and the family of the model that wrote it."""
CALLS: dict[str, Any] = {"call": pl.String, "usd": pl.Float64, "latency_s": pl.Float64}
"""What calls cost: USD, null where no price is known, and seconds from sending to answer."""


@dataclass(frozen=True)
class JudgeLine:
    """One judge, over all rows or those of one language."""

    judge: str
    is_llm: bool
    language: str | None
    judgements: int
    status_shares: dict[str, float]
    """status → share of the judgements: ok, refused, truncated, unparsed, out_of_range, missing, failed."""
    gold_rows: int = 0
    accuracy: float | None = None
    """Share of gold's comparisons that it orders the same way, all its orders taken together; a tie is half right. Of a question
    without candidates: the share of rows less than a point from gold."""
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    """Wilson's interval, 95 %."""
    flips_compared: int = 0
    """Pairs of candidates judged in more than one order."""
    order_flip_rate: float | None = None
    """Of these, the share where it preferred one in one order and the other in another."""
    first_share: float | None = None
    """Share of its preferences that are for the candidate shown earlier; 0.5 where order says nothing and both are asked."""
    length_slope: float | None = None
    """Log odds of preferring a candidate, for each doubling of its length against the other's."""
    family: str | None = None
    own_family_pairs: int = 0
    own_family_win_rate: float | None = None
    """How often a candidate of its own family wins against one of another; a tie is half."""
    own_family_others: float | None = None
    """How often judges of other families let the same candidates win in the same pairs."""
    canaries: int = 0
    canary_pass_rate: float | None = None
    usd_per_1000: float | None = None
    """For 1,000 calls."""
    seconds_per_1000: float | None = None
    """For 1,000 calls, one after another."""


@dataclass(frozen=True)
class PanelLine:
    """The panel, over all rows or those of one language."""

    language: str | None
    rows: int
    judges: int
    agreement: float | None
    """Of the comparisons that two judges made both, the share where they agree."""
    alpha: float | None
    """Krippendorff's: nominal over who is better, ordinal over a question's own scale."""
    effective_votes: float | None
    """Kish's number: so many independent judges would be worth as much. With gold from where each judge is right."""
    gold_length_slope: float | None = None
    """The slope of gold itself, to hold the judges' against."""


@dataclass(frozen=True)
class JudgesReport:
    """Judges and panel of one question."""

    question: str
    gold_rows: int
    panel: tuple[PanelLine, ...]
    """The whole first, then by language."""
    judges: tuple[JudgeLine, ...]
    """By judge, the whole first, then by language."""
    aggregations: dict[str, float] = field(default_factory=dict)
    """Aggregation → accuracy on gold, cross-validated where it is fitted."""


def shown_of(items: Iterable[Item], families: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Columns `SHOWN` of a job's rows.

    Args:
        families: candidate model → family, where its name does not say it.
    """
    lines = [
        (item.id, item.language, model, place, float(len(text)), (families or {}).get(model) or family_of(model))
        for item in items for place, (model, text) in enumerate(zip(item.models, item.texts, strict=True))
    ]  # fmt: skip
    return pl.DataFrame(lines, schema=SHOWN, orient="row")


def extras_of(shown: pl.DataFrame) -> pl.DataFrame:
    """Log length, as `panels.votes.votes_of` takes it."""
    return shown.select("row_id", "candidate", pl.col("length").log1p())


def calls_of(judgements: pl.DataFrame, store: CallStore) -> pl.DataFrame:
    """Columns `CALLS` of the calls behind a table, those that the store has."""
    keys = judgements["call"].drop_nulls().unique().sort().to_list()
    lines: list[tuple[str, float | None, float]] = []
    for start in range(0, len(keys), 2000):
        lines += [(call.key, call.usd, call.latency_s) for call in store.get_many(keys[start : start + 2000]).values()]
    return pl.DataFrame(lines, schema=CALLS, orient="row")


def report(
    judgements: pl.DataFrame, *, shown: pl.DataFrame | None = None, gold: pl.DataFrame | None = None, calls: pl.DataFrame | None = None,
    families: Mapping[str, str] | None = None, judges: Sequence[str] = (), compare: bool = True,
) -> JudgesReport:  # fmt: skip
    """Measure the judges of one question.

    Args:
        judgements: columns `tilth.annotators.judge.JUDGEMENTS`, of one question.
        shown: columns `SHOWN`; without it there is no language, length, place or family.
        gold: columns `panels.votes.GOLD`.
        calls: columns `CALLS`.
        families: judge → family, where its name does not say it.
        judges: the judges in their order, the strongest first.
        compare: cross-validate the aggregations on gold.
    """
    frame = judgements.filter(~is_canary())
    shown = pl.DataFrame(schema=SHOWN) if shown is None else shown
    gold = frame.select("row_id", "candidate", "value").clear() if gold is None else gold
    language = shown.select("row_id", "language").unique("row_id")
    frame = frame.join(language, on="row_id", how="left")
    known = sorted(frame["language"].drop_nulls().unique().to_list())
    spent = None if calls is None else judgements.select("judge", "row_id", "call").unique().join(calls.unique("call"), on="call")
    passed = pass_rates(judgements)
    panel: list[PanelLine] = []
    lines: list[JudgeLine] = []
    aggregations: dict[str, float] = {}
    for at in (None, *(known if len(known) > 1 else ())):
        part = frame if at is None else frame.filter(pl.col("language") == at)
        told = passed if at is None else passed.clear()
        measured = _Part(part, at, shown, gold, told, families or {}, tuple(judges), None if spent is None else spent.join(part.select("row_id").unique(), on="row_id", how="semi"))
        panel.append(measured.panel())
        lines += measured.judges()
        if at is None:
            stopped = judgements.filter(is_canary(), ~pl.col("judge").is_in(frame["judge"].unique().to_list()))
            lines += [measured.of_canaries(judge, is_llm) for judge, is_llm in stopped.select("judge", "is_llm").unique().iter_rows()]
            if compare and len(measured.pairs):
                from tilth.annotators.panels.strategies import on_gold

                aggregations = on_gold(measured.models, measured.pairs)
    places = {name: place for place, name in enumerate(dict.fromkeys([*judges, *(line.judge for line in lines)]))}
    lines.sort(key=lambda line: (places[line.judge], line.language or ""))
    question = str(frame["question"][0]) if frame.height else ""
    return JudgesReport(question, gold["row_id"].n_unique(), tuple(panel), tuple(lines), aggregations)


class _Part:
    """The judgements of one language, or all."""

    def __init__(
        self, frame: pl.DataFrame, language: str | None, shown: pl.DataFrame, gold: pl.DataFrame, passed: pl.DataFrame,
        families: Mapping[str, str], order: tuple[str, ...], spent: pl.DataFrame | None,
    ) -> None:  # fmt: skip
        self.frame, self.language, self.shown, self.gold = frame, language, shown, gold
        self.passed, self.families, self.spent = passed, families, spent
        self.votes = votes_of(frame, order)
        self.models = votes_of(frame.filter(~is_human()), order, extras_of(shown))
        self.pairs = pairs_of(self.models, gold)
        self.own_pairs = pairs_of(self.votes, gold)
        self.lengths = self._places("length")

    def _places(self, column: str) -> Floats:
        """(n, C) of a number of `shown`, NaN where it is not known."""
        value = {(row, candidate): number for row, candidate, number in self.shown.select("row_id", "candidate", column).iter_rows()}
        found = np.full(self.votes.votes.shape[:2], np.nan)
        for index, (row, names) in enumerate(zip(self.votes.rows, self.votes.candidates, strict=True)):
            for place, name in enumerate(names):
                number = value.get((row, name))
                found[index, place] = np.nan if number is None else number
        return found

    # -- the panel ----------------------------------------------------------------------------------------------------

    def panel(self) -> PanelLine:
        models = self.frame.filter(~is_human())
        names = models["judge"].unique()
        signs = _signs(self.models)
        scale = _ratings(models)
        alpha = krippendorff_alpha(scale, "ordinal") if scale is not None else krippendorff_alpha(signs.T)
        right = self._right_by_row()
        independent = effective_votes(right if right is not None else signs if scale is None else scale.T) if len(names) else None
        slope = _slope(self.own_pairs.differences(_doublings(self.lengths)), self.own_pairs.weight) if len(self.own_pairs) else None
        return PanelLine(
            self.language, models["row_id"].n_unique(), len(names), _agreement(signs if scale is None else scale.T), alpha, independent, slope
        )

    def _right_by_row(self) -> Floats | None:
        """(gold rows, judges): 1 where the judge orders the row's comparisons as gold does, else 0; NaN where it said nothing."""
        if not len(self.pairs):
            return None
        said = self.models.beats.sum(axis=(1, 2)) > 0
        rows = np.unique(self.pairs.row)
        total = np.zeros((len(self.models.rows), len(self.models.judges)))
        np.add.at(total, self.pairs.row, self.pairs.weight[:, None] * self.pairs.right(self.models.votes))
        return np.where(said, total > 0.5, np.nan)[rows]

    # -- the judges ---------------------------------------------------------------------------------------------------

    def judges(self) -> list[JudgeLine]:
        flips, first = self._flips(), self._first()
        found = []
        for (judge, is_llm), own in self.frame.group_by("judge", "is_llm"):
            name = str(judge)
            statuses = dict(own["status"].value_counts(sort=True).iter_rows())
            shares = {status: count / own.height for status, count in sorted(statuses.items())}
            line = {"judge": name, "is_llm": bool(is_llm), "language": self.language, "judgements": own.height, "status_shares": shares}
            parts = (self._accuracy(name, own), flips.get(name, {}), first.get(name, {}), self._length(name), self._family(name), self._canary(name), self._cost(name))
            for part in parts:
                line |= part
            found.append(JudgeLine(**line))  # type: ignore[arg-type]
        return found

    def _accuracy(self, judge: str, own: pl.DataFrame) -> dict[str, object]:
        if judge in self.votes.judges:
            at = self.votes.judges.index(judge)
            said = self.votes.beats[:, :, :, at].sum(axis=(1, 2)) > 0
            pairs = self.own_pairs.of_rows(np.flatnonzero(said))
            rows = len(np.unique(pairs.row))
            share = float(pairs.accuracy(self.votes.votes[:, :, at])) if rows else None
        else:
            alone = own.filter(pl.col("value").is_not_null()).group_by("row_id").agg(pl.col("value").mean())
            both = alone.join(self.gold.filter(pl.col("candidate").is_null()), on="row_id", suffix="_gold")
            rows = both.height
            share = float(((both["value"] - both["value_gold"]).abs() < 1).sum()) / rows if rows else None
        if share is None:
            return {}
        low, high = wilson(share * rows, rows)
        return {"gold_rows": rows, "accuracy": share, "accuracy_low": low, "accuracy_high": high}

    def _flips(self) -> dict[str, dict[str, object]]:
        by = ["row_id", "judge", "candidate", "other"]
        each = preferences(self.frame.select("row_id", "judge", "order", "candidate", "value", "rank"), ["row_id", "judge", "order"])
        each = each.filter(pl.col("candidate") < pl.col("other"))
        turned = each.group_by(by).agg(
            ((pl.col("prefers") > 0).any() & (pl.col("prefers") < 0).any()).alias("turned"), pl.col("order").n_unique().alias("orders")
        )
        counted = turned.filter(pl.col("orders") > 1).group_by("judge").agg(pl.len(), pl.col("turned").mean())
        return {judge: {"flips_compared": n, "order_flip_rate": share} for judge, n, share in counted.iter_rows()}

    def _first(self) -> dict[str, dict[str, object]]:
        if self.shown.is_empty():
            return {}
        places = self.shown.select("row_id", "candidate", pl.col("place").cast(pl.String))
        asked = self.frame.filter(pl.col("order").str.contains(",")).select("row_id", "judge", "order", "candidate", "value", "rank")
        each = preferences(asked, ["row_id", "judge", "order"]).filter(pl.col("prefers") > 0)
        for name in ("candidate", "other"):
            each = each.join(places.rename({"candidate": name, "place": f"{name}_place"}), on=["row_id", name])
        padded = pl.concat_str(pl.lit(","), "order", pl.lit(","))
        at = [padded.str.find(pl.concat_str(pl.lit(","), f"{name}_place", pl.lit(",")), literal=True) for name in ("candidate", "other")]
        counted = each.filter(at[0].is_not_null(), at[1].is_not_null()).group_by("judge").agg((at[0] < at[1]).mean())
        return {judge: {"first_share": share} for judge, share in counted.iter_rows()}

    def _length(self, judge: str) -> dict[str, object]:
        if judge not in self.votes.judges:
            return {}
        at = self.votes.judges.index(judge)
        row, better, worse = np.nonzero(self.votes.beats[:, :, :, at] > np.swapaxes(self.votes.beats[:, :, :, at], 1, 2))
        each = Pairs(row, better, worse, np.ones(len(row)))
        return {"length_slope": _slope(each.differences(_doublings(self.lengths)), each.weight)}

    def _family(self, judge: str) -> dict[str, object]:
        family = self.families.get(judge) or family_of(judge)
        if family is None or judge not in self.votes.judges:
            return {"family": family}
        known = {(row, candidate): found for row, candidate, found in self.shown.select("row_id", "candidate", "family").iter_rows()}
        own = np.zeros(self.votes.present.shape, dtype=bool)
        other = np.zeros(self.votes.present.shape, dtype=bool)
        for index, (row, names) in enumerate(zip(self.votes.rows, self.votes.candidates, strict=True)):
            for place, name in enumerate(names):
                found = known.get((row, name))
                own[index, place], other[index, place] = found == family, found is not None and found != family
        beats = self.votes.beats[own[:, :, None] & other[:, None, :]]
        against = np.swapaxes(self.votes.beats, 1, 2)[own[:, :, None] & other[:, None, :]]
        asked = beats + against
        won = np.divide(beats, asked, out=np.full_like(beats, np.nan), where=asked > 0)
        at = self.votes.judges.index(judge)
        mine = np.isfinite(won[:, at])
        strangers = [k for k, name in enumerate(self.votes.judges) if (self.families.get(name) or family_of(name)) != family]
        others = won[mine][:, strangers]
        return {
            "family": family, "own_family_pairs": int(mine.sum()),
            "own_family_win_rate": float(won[mine, at].mean()) if mine.any() else None,
            "own_family_others": float(others[np.isfinite(others)].mean()) if np.isfinite(others).any() else None,
        }  # fmt: skip

    def of_canaries(self, judge: str, is_llm: bool) -> JudgeLine:
        """A judge that was asked about nothing else."""
        return JudgeLine(judge, is_llm, None, 0, {}, **self._canary(judge))  # type: ignore[arg-type]

    def _canary(self, judge: str) -> dict[str, object]:
        own = self.passed.filter(pl.col("judge") == judge)
        total = int(own["total"].sum())
        return {"canaries": total, "canary_pass_rate": int(own["passed"].sum()) / total if total else None}

    def _cost(self, judge: str) -> dict[str, object]:
        if self.spent is None:
            return {}
        own = self.spent.filter(pl.col("judge") == judge).unique("call")
        usd, seconds = own["usd"].drop_nulls().mean(), own["latency_s"].drop_nulls().mean()
        return {"usd_per_1000": None if usd is None else 1000 * float(usd), "seconds_per_1000": None if seconds is None else 1000 * float(seconds)}  # type: ignore[arg-type]


def _signs(votes: Votes) -> Floats:
    """(comparisons, judges): 1, 0 or -1 for each two candidates of a row, NaN where the judge did not compare them."""
    rows, one, two = np.nonzero(votes.present[:, :, None] & votes.present[:, None, :])
    first = one < two
    rows, one, two = rows[first], one[first], two[first]
    above, below = votes.beats[rows, one, two], votes.beats[rows, two, one]
    found: Floats = np.where(above + below > 0, np.sign(above - below), np.nan)
    return found


def _ratings(frame: pl.DataFrame) -> Floats | None:
    """(judges, units) of a question about rows, mean over orders; None where candidates are compared."""
    if frame.is_empty() or frame["candidate"].is_not_null().any():
        return None
    each = frame.group_by("row_id", "judge").agg(pl.col("value").mean()).sort("judge", "row_id")
    wide = each.pivot("judge", index="row_id", values="value", maintain_order=True).drop("row_id")
    return wide.to_numpy().astype(np.float64).T


def _agreement(signs: Floats) -> float | None:
    """(units, judges) → the share of pairs of judges, over units, that say the same (less than a point apart)."""
    same = both = 0
    for one in range(signs.shape[1]):
        for two in range(one + 1, signs.shape[1]):
            apart = np.abs(signs[:, one] - signs[:, two])
            both += int(np.isfinite(apart).sum())
            same += int((apart < 1).sum())
    return same / both if both else None


def _doublings(lengths: Floats) -> Floats:
    found: Floats = np.log2(lengths + 1)
    return found


def _slope(longer: Floats, weight: Floats) -> float | None:
    """Logistic slope of being preferred on being longer; None where no length differs."""
    known = np.isfinite(longer)
    if not known.any() or not np.abs(longer[known]).any():
        return None
    weights, _ = stack.fit(longer[known][None, :, None], weight[known], np.zeros((1, 1)), np.full((1, 1), 0.1))
    return float(weights[0, 0])
