"""Causes: why a row came, went or changed between two sides of a diff, in a line that names the rule or the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tilth.core import units
from tilth.core.builds import BuildRecord
from tilth.core.errors import RecipeError
from tilth.core.steps import Step
from tilth.registry import recipe_changes as recipes

if TYPE_CHECKING:
    import polars as pl

    from tilth.registry.diff import Side

SAMPLES = 5
CHANGES = ("added", "dropped", "changed")
NEEDED = ("step", "rule", "value", "status", "detail")


class Explainer:
    """Gives the rows of one config their causes, from both sides' recipes, locks and `drops`."""

    def __init__(self, a: Side, b: Side, config: str) -> None:
        self.a, self.b, self.config = a, b, config
        self.changes = recipes.changes(a.manifest, b.manifest)

    def explain(self, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
        """Columns change, id, source, cause, value, detail of every row that is not the same; sorted."""
        import polars as pl

        gone = self._fates(before.join(after, on="id", how="anti"), self.b, "dropped")
        came = self._fates(after.join(before, on="id", how="anti"), self.a, "added")
        pairs = before.join(after.select("id", pl.col("content_hash").alias("new_hash")), on="id")
        other = pairs.filter(pl.col("content_hash").ne_missing(pl.col("new_hash"))).select(
            pl.lit("changed").alias("change"), "id", "source", *(pl.lit(None, pl.String).alias(name) for name in NEEDED)
        )
        every = pl.concat([came, gone, other]).select("change", "id", "source", *NEEDED)
        keys = ["change", "source", "step", "rule", "status"]
        groups = [{**row, "cause": self.cause(**row)} for row in every.select(keys).unique().iter_rows(named=True)]
        causes = pl.DataFrame(groups, schema={**{key: pl.String for key in keys}, "cause": pl.String})
        named = every.join(causes, on=keys, how="left", nulls_equal=True)
        return named.select("change", "id", "source", "cause", "value", "detail").sort("change", "id")

    def _fates(self, rows: pl.DataFrame, other: Side, change: str) -> pl.DataFrame:
        """The rows with what the other side's `drops` say of them, or else of one of their parents."""
        import polars as pl

        drops = _drops(other, self.config)
        own = rows.join(drops, on="id", how="left")
        if drops.height:
            parents = rows.select("id", "parents").explode("parents").drop_nulls("parents")
            theirs = parents.join(drops, left_on="parents", right_on="id").unique("id", keep="first", maintain_order=True)
            theirs = theirs.with_columns(pl.lit("parent").alias("status")).drop("parents")
            own = own.join(theirs, on="id", how="left", suffix="_parent")
            own = own.with_columns(
                pl.when(pl.col("step").is_null()).then(pl.col(f"{name}_parent")).otherwise(pl.col(name)).alias(name)
                for name in NEEDED
            )
        return own.select(pl.lit(change).alias("change"), "id", "source", *NEEDED)

    def cause(self, change: str, source: str | None, step: str | None, rule: str | None, status: str | None) -> str:
        """The line for one kind of row."""
        if change == "changed":
            return self._source_change(source) or self._edits() or "made otherwise (other code or versions)"
        if step is None:
            return self._source_change(source) or self._no_fate(change)
        what = step if rule in (None, step) else f"{step}/{rule}"
        verb = {"failed": "failed in ", "quarantined": "quarantined by "}.get(status or "", "")
        text = f"{'a parent went: ' if status == 'parent' else ''}{verb}{what}"
        if change == "added":
            text = f"no longer {verb or 'dropped by '}{what}{', as a parent was' if status == 'parent' else ''}"
        why = "; ".join(c.text(skip=3) for c in self._step_changes(step)) or self._source_change(source) or self._order(step)
        return f"{text} ({why})" if why else text

    def _step_changes(self, step: str) -> list[recipes.Change]:
        return recipes.of_step(self.changes, self.config, step)

    def _source_change(self, source: str | None) -> str | None:
        if source is None:
            return None
        before, after = _sources(self.a.manifest, self.config), _sources(self.b.manifest, self.config)
        if source in before and source not in after:
            return f"source {source} removed"
        if source in after and source not in before:
            return f"source {source} added"
        for change in self.changes:
            if change.path[:2] == ("lock", source) and change.path[2] in ("revision", "sha256"):
                return f"source {source} {change.path[2]} changed: {change.before} -> {change.after}"
        said = [c.text(skip=2) for c in self.changes if c.path[:2] == ("sources", source) and c.path[2:3] != ("title",)]
        return f"source {source} read otherwise ({'; '.join(said)})" if said else None

    def _edits(self) -> str | None:
        """Changes that can alter the content of a row: parameters of steps that edit or make, and no thresholds."""
        said = [
            c.text(skip=3)
            for c in self.changes
            if c.path[:3] == ("corpora", self.config, "steps") and (len(c.path) == 3 or _can_edit(*c.path[3:5]))
        ]
        return f"recipe changed: {'; '.join(said)}" if said else None

    def _order(self, step: str) -> str | None:
        """Changes elsewhere in the corpus that can move what this step decides (other rows to compare with, other edits)."""
        said = [
            c.text(skip=3)
            for c in self.changes
            if c.path[:3] == ("corpora", self.config, "steps")
            and c.path[3:4]
            and c not in recipes.of_step(self.changes, self.config, step)
        ]
        return f"after {'; '.join(said[:3])}" if said else None

    def _no_fate(self, change: str) -> str:
        verb = "newly made" if change == "added" else "no longer made"
        splits = [c.text(skip=2) for c in self.changes if c.path[:2] == ("corpora", self.config)]
        return f"{verb} ({'; '.join(splits[:3])})" if splits else verb


def _can_edit(step: str, parameter: str | None = None) -> bool:
    """Whether a step's parameter can change what a row says; True for a step that is not known here."""
    try:
        unit = units.find("step", step.split("#")[0])
    except RecipeError:
        return True
    assert issubclass(unit, Step)
    threshold = parameter in unit.model_fields and units.is_threshold(unit, parameter)
    return (unit.does("edit") or unit.ends_segment()) and not threshold


def _sources(record: BuildRecord, config: str) -> list[str]:
    corpus: dict[str, Any] = record.recipe.get("corpora", {}).get(config, {})
    named: list[str] = corpus.get("from", corpus.get("sources", []))
    return named


def _drops(side: Side, config: str) -> pl.DataFrame:
    """id and fate of the rows of a corpus that a side dropped; empty where it lists none."""
    import polars as pl

    schema = {"id": pl.String, **{name: pl.String for name in NEEDED}}
    files = [side.path / f.path for shards in side.manifest.configs.get("drops", {}).values() for f in shards]
    if not files:
        return pl.DataFrame(schema=schema)
    frame = (
        pl.scan_parquet(files)
        .filter(pl.col("corpus") == config)
        .select(pl.col(name).cast(pl.String) for name in schema)
        .collect()
    )
    return frame.unique("id", keep="last", maintain_order=True)
