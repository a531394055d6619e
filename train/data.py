"""The rows of a release that a run trains on: found, checked before anything heavy is loaded, then opened as a dataset.

| objective | config       | columns                                                              |
|-----------|--------------|----------------------------------------------------------------------|
| sft       | `sft`        | `messages`: list of {role, content}, one assistant message or more   |
| dpo       | `preference` | `prompt`, `chosen`, `rejected`: lists of {role, content}             |
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tilth.core.errors import TrainError
from tilth.core.manifest import Manifest
from tilth.core.rows import MESSAGES
from tilth.train.config import Objective

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

COLUMNS: dict[Objective, tuple[str, ...]] = {"sft": ("messages",), "dpo": ("prompt", "chosen", "rejected")}


@dataclass(frozen=True)
class Split:
    """One split of one config of a release: its shards, rows and licences."""

    reference: str
    objective: Objective
    config: str
    name: str
    files: tuple[Path, ...]
    rows: int
    license: str

    def __str__(self) -> str:
        return f"{self.reference} {self.config}/{self.name}"


def find(reference: str, folder: Path, manifest: Manifest, objective: Objective, config: str, split: str) -> Split:
    """The split of the release in `folder` that `objective` reads, its columns and rows checked.

    Raises:
        TrainError: no such config or split, no rows, a column missing or of another type, rows that cannot be trained on.
    """
    configs = manifest.configs
    if config not in configs:
        raise TrainError(
            f"{reference} has no config {config!r}, which {objective} reads",
            hint=f"it has {', '.join(sorted(configs)) or 'none'}",
        )
    if split not in configs[config]:
        raise TrainError(f"{reference} {config} has no split {split!r}", hint=f"it has {', '.join(sorted(configs[config]))}")
    shards = configs[config][split]
    found = Split(
        reference, objective, config, split, tuple(folder / shard.path for shard in shards), sum(shard.rows for shard in shards),
        _license(manifest, config),
    )  # fmt: skip
    if not found.rows:
        raise TrainError(f"{found} has no rows")
    _check_columns(found)
    _check_rows(found)
    return found


def _license(manifest: Manifest, config: str) -> str:
    """The licence that the recipe gives the release; else those of the sources that gave rows to the config."""
    if isinstance(named := manifest.recipe.get("license"), str) and named:
        return named
    giving = [source.licenses for source in manifest.sources if source.rows_released.get(config)]
    return " AND ".join(sorted({name for licenses in giving for name, rows in licenses.items() if rows})) or "unknown"


def _check_columns(split: Split) -> None:
    for file in split.files:
        try:
            schema = pl.read_parquet_schema(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise TrainError(f"{split}: {file.name}: {error}", hint="tilth verify, then fetch the release again") from None
        for column in COLUMNS[split.objective]:
            if column not in schema:
                raise TrainError(
                    f"{split}: {file.name} has no column {column!r}",
                    hint=f"{split.objective} reads {', '.join(COLUMNS[split.objective])}",
                )
            if not _is_conversation(schema[column]):
                raise TrainError(f"{split}: column {column!r} is {schema[column]}, not a list of {{role, content}}")


def _is_conversation(dtype: pl.DataType) -> bool:
    inner = dtype.inner if isinstance(dtype, pl.List) else None
    fields = {field.name: field.dtype for field in inner.fields} if isinstance(inner, pl.Struct) else {}
    wanted = {field.name: field.dtype for field in MESSAGES.inner.fields}  # type: ignore[union-attr]
    return all(fields.get(name) == kind for name, kind in wanted.items())


def _check_rows(split: Split) -> None:
    """Refuse rows without an answer to learn: TRL would fail on the first of them, minutes into the run."""
    role = pl.element().struct.field("role")
    text = pl.element().struct.field("content")
    faults = {
        "a message without role or content": pl.any_horizontal(
            pl.col(column).list.eval(role.is_null() | text.is_null()).list.any() for column in COLUMNS[split.objective]
        )
    }
    if split.objective == "sft":
        faults["no assistant message"] = ~pl.col("messages").list.eval(role == "assistant").list.any()
    else:
        faults["an empty prompt"] = pl.col("prompt").list.len() == 0
        for side in ("chosen", "rejected"):
            faults[f"{side} that does not end with the assistant"] = pl.col(side).list.last().struct.field("role") != "assistant"
    rows = pl.scan_parquet(list(split.files))
    marks = [flag.fill_null(True).sum().alias(fault) for fault, flag in faults.items()]
    counts = rows.select(pl.len().alias("rows"), *marks).collect().row(0, named=True)
    if (read := counts.pop("rows")) != split.rows:
        raise TrainError(f"{split}: the manifest says {split.rows} rows, the files hold {read}", hint="tilth verify")
    for fault, number in counts.items():
        if number:
            raise TrainError(
                f"{split}: {number} of {read} rows have {fault}", hint="release again without them, or train on another split"
            )


def load(split: Split, cache: Path) -> Dataset:
    """The split's training columns as a memory-mapped dataset, with its Arrow copy under `cache`."""
    from datasets import Dataset

    files = [str(file) for file in split.files]
    return Dataset.from_parquet(files, columns=list(COLUMNS[split.objective]), cache_dir=str(cache))


@dataclass(frozen=True)
class Fitted:
    """A dataset whose rows were measured against the longest that fits: `dropped` are gone, `truncated` will be cut."""

    dataset: Dataset
    dropped: int
    truncated: int
    longest: int


def fit(
    dataset: Dataset,
    tokenizer: PreTrainedTokenizerBase,
    template: str | None,
    objective: Objective,
    *,
    max_length: int,
    drop: bool,
) -> Fitted:
    """Count the rows that are longer than `max_length` tokens after the chat template; drop them where `drop`.

    Raises:
        TrainError: the template refuses a row (an unknown role, say), or no row is left.
    """
    import jinja2

    def measure(batch: dict[str, list[Any]]) -> dict[str, list[int]]:
        def tokens(conversations: list[Any]) -> list[int]:
            return [
                len(ids)
                for ids in tokenizer.apply_chat_template(conversations, chat_template=template, return_dict=True)["input_ids"]
            ]

        if objective == "sft":
            return {"tokens": tokens(batch["messages"])}
        sides = [tokens([p + c for p, c in zip(batch["prompt"], batch[side], strict=True)]) for side in ("chosen", "rejected")]
        return {"tokens": [max(pair) for pair in zip(*sides, strict=True)]}

    try:
        measured = dataset.map(measure, batched=True, batch_size=256, remove_columns=dataset.column_names)
    except jinja2.TemplateError as error:
        raise TrainError(
            f"the chat template refuses a row: {error}", hint="give another chat_template, or filter those rows"
        ) from None
    lengths = measured.data.column("tokens").to_numpy()
    long = lengths > max_length
    count = int(long.sum())
    if drop and count:
        if count == len(dataset):
            raise TrainError(
                f"all {count} rows are longer than max_length={max_length} tokens", hint=f"the longest has {lengths.max()}"
            )
        dataset = dataset.select((~long).nonzero()[0])
    return Fitted(dataset, count if drop else 0, 0 if drop else count, int(lengths.max()))
