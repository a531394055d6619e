"""Diff: which rows came, went and changed between two releases (or a release and a build), each with its cause.

Rows are matched by id: the same id with another content hash is a changed row. A row that went is looked up among the
newer side's `drops`, one that came among the older side's; the recipe change that moved the rule is named with it.
Shards that are the same file on both sides are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tilth.core import builds
from tilth.core.builds import BuildRecord
from tilth.core.errors import VerifyError
from tilth.registry import recipe_changes as recipes
from tilth.registry.causes import CHANGES, SAMPLES, Explainer

if TYPE_CHECKING:
    import polars as pl

ASIDE = ("judgements", "drops")
"""Configs that describe rows; they are not compared themselves."""


class Side(Protocol):
    """What can be compared: a record and the folder that its files lie in."""

    @property
    def manifest(self) -> BuildRecord: ...

    @property
    def path(self) -> Path: ...


@dataclass(frozen=True)
class Build:
    """A build folder as a side of a diff."""

    path: Path
    manifest: BuildRecord = field(repr=False)

    @classmethod
    def at(cls, path: Path) -> Build:
        """The build in `path`.

        Raises:
            StorageError: there is none.
        """
        return cls(path, builds.read(path))


@dataclass(frozen=True)
class Sample:
    """One row of a cause: its id, the value that decided (where a rule did), and the rule's detail."""

    id: str
    value: str | None
    detail: str | None


@dataclass(frozen=True)
class Cause:
    """Rows that went one way for one reason."""

    change: Literal["added", "dropped", "changed"]
    cause: str
    rows: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class ConfigDiff:
    """One config: rows before and after, how each fared, and why; `moved` rows only changed their split."""

    config: str
    rows_before: int
    rows_after: int
    added: int
    dropped: int
    changed: int
    moved: int
    unchanged: int
    causes: tuple[Cause, ...]

    def counts(self) -> dict[str, int]:
        """added, dropped, changed, moved, unchanged."""
        return {name: getattr(self, name) for name in (*CHANGES, "moved", "unchanged")}


@dataclass(frozen=True)
class Diff:
    """What is between two sides, `before` and `after` naming them; `recipe` are the recipe's and the lock's changes."""

    before: str
    after: str
    configs: tuple[ConfigDiff, ...]
    recipe: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether no row came, went, changed or moved."""
        return all(config.unchanged == config.rows_before == config.rows_after for config in self.configs)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "identical": self.identical}


def recipe_changes(a: Side, b: Side) -> list[str]:
    """`path: old -> new` for every value of recipe and lock that differs."""
    return [change.text() for change in recipes.changes(a.manifest, b.manifest)]


def diff(a: Side, b: Side, *, samples: int = SAMPLES) -> Diff:
    """Compare two sides, `a` the older.

    Args:
        samples: ids that each cause shows, the first in order of id.

    Raises:
        VerifyError: a shard that is to be read is damaged.
    """
    before, after = a.manifest.configs, b.manifest.configs
    configs = [name for name in [*before, *(c for c in after if c not in before)] if name not in ASIDE]
    return Diff(_name(a), _name(b), tuple(_config(a, b, config, samples) for config in configs), tuple(recipe_changes(a, b)))


def rows(a: Side, b: Side, config: str) -> pl.DataFrame:
    """Every row that came, went or changed: columns change, id, source, cause, value, detail; sorted by change and id."""
    before, after, _ = _frames(a, b, config)
    return Explainer(a, b, config).explain(before, after)


def _name(side: Side) -> str:
    version = getattr(side.manifest, "version", None)
    return f"{side.manifest.name}@{version}" if version else f"{side.manifest.name} (build)"


def _config(a: Side, b: Side, config: str, samples: int) -> ConfigDiff:
    import polars as pl

    before, after, shared = _frames(a, b, config)
    found = Explainer(a, b, config).explain(before, after)
    counts = dict(found.group_by("change").len().iter_rows())
    both = before.join(after, on=["id", "content_hash"])
    moved = both.filter(pl.col("split") != pl.col("split_right")).height
    grouped = found.group_by("change", "cause").agg(
        pl.len().alias("rows"), pl.struct("id", "value", "detail").head(samples).alias("samples")
    )
    order = {name: i for i, name in enumerate(CHANGES)}
    causes = [
        Cause(row["change"], row["cause"], row["rows"], tuple(Sample(**sample) for sample in row["samples"]))
        for row in sorted(grouped.iter_rows(named=True), key=lambda row: (order[row["change"]], -row["rows"], row["cause"]))
    ]
    return ConfigDiff(
        config=config,
        rows_before=before.height + shared,
        rows_after=after.height + shared,
        **{name: counts.get(name, 0) for name in CHANGES},
        moved=moved,
        unchanged=shared + both.height - moved,
        causes=tuple(causes),
    )


def _frames(a: Side, b: Side, config: str) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Rows of both sides out of the shards that differ, and how many rows lie in the shards that do not."""
    listed = [
        {(split, f.sha256): f for split, files in side.manifest.configs.get(config, {}).items() for f in files} for side in (a, b)
    ]
    same = listed[0].keys() & listed[1].keys()
    shared = sum(listed[0][key].rows for key in same)
    before, after = (
        _read([(split, side.path / f.path) for (split, sha), f in files.items() if (split, sha) not in same])
        for side, files in zip((a, b), listed, strict=True)
    )
    return before, after, shared


def _read(files: Sequence[tuple[str, Path]]) -> pl.DataFrame:
    """id, content_hash, source, parents and split of the rows of some shards."""
    import polars as pl

    wanted: dict[str, Any] = {"id": pl.String, "content_hash": pl.String, "source": pl.String, "parents": pl.List(pl.String)}
    frames = []
    for split, path in files:
        try:
            held = pl.read_parquet_schema(path)
            frame = pl.read_parquet(path, columns=[name for name in wanted if name in held])
        except (pl.exceptions.PolarsError, OSError) as error:
            raise VerifyError(
                f"{path}: cannot be read: {str(error).splitlines()[0]}", hint="tilth verify says what else is damaged"
            ) from error
        columns = (pl.col(name).cast(kind) if name in held else pl.lit(None, kind).alias(name) for name, kind in wanted.items())
        frames.append(frame.select(*columns, pl.lit(split).alias("split")))
    return pl.concat(frames) if frames else pl.DataFrame(schema={**wanted, "split": pl.String})
