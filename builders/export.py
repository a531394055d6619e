"""Export: rows of a release in a published shape or a trainer's form, written whole or not at all.

Beside the records stands where they come from: `export.json` (release, digest, licence, form, counts, sha256), and for a
folder a README.md by which `datasets` finds its splits. The same release gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from tilth.builders.published import PUBLISHED
from tilth.builders.record_files import ENDINGS, ending, opened
from tilth.builders.records import Record
from tilth.builders.trainer_forms import FORMS
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core import marked_yaml
from tilth.core.durable import write_whole, writing
from tilth.core.errors import GateError, RecipeError, StorageError
from tilth.core.fingerprints import file_digest
from tilth.core.licenses import hub_id
from tilth.core.progress import Talk
from tilth.core.recipe import named_unit
from tilth.core.rows import Kind

BATCH_ROWS = 1000
SHOWN = 5
"""Ids that a message names of the rows that do not fit, for each reason."""

Records = Callable[[Mapping[str, Any]], list[Record]]


@dataclass(frozen=True)
class Target:
    """A shape or form by name: the kind of its rows, and for a split's shards (columns that it adds, records of a row)."""

    name: str
    makes: Kind
    whole: tuple[str, ...]
    some: tuple[str, ...]
    records: Records


def target(name: str) -> Target:
    """What `--as` names: a trainer's form, a published name, a shape, or a shape with parameters (`{qa: {question: q}}`).

    Raises:
        RecipeError: none of these, or a shape that only reads.
    """
    if name in FORMS:
        form = FORMS[name]
        return Target(name, form.makes, form.whole, form.some, form.records)
    if name in PUBLISHED:
        unit: Any = PUBLISHED[name].unit()
    else:
        said = marked_yaml.parse(name, Path("--as")).data if name.lstrip().startswith("{") else {name: {}}
        unit = named_unit("shape", said)
    if not isinstance(unit, TwoWay):
        raise RecipeError(f"shape {unit.name!r} reads records and writes none", hint=f"one of {', '.join([*FORMS, *PUBLISHED])}")
    assert unit.makes != "item"
    return Target(name, unit.makes, (), (), lambda row: [unit.record(row)])


@dataclass(frozen=True)
class Written:
    """One split as it was written: its file, rows read, records, rows left out by reason, columns that were not added."""

    split: str
    path: Path
    rows: int
    records: int
    left_out: dict[str, int]
    without: tuple[str, ...]
    sha256: str


def export(
    as_: Target, splits: Mapping[str, Sequence[Path]], to: Path, said: Mapping[str, Any], *, end: str = ".jsonl", leave_out: bool = False,
    talk: Talk | None = None,
) -> list[Written]:  # fmt: skip
    """Write splits of a release (name → its Parquet shards) to one file, or each to its own in a folder.

    Args:
        to: a file whose name ends as `record_files.ENDINGS`, for a single split; or a folder that is not there yet.
        said: of the release, for `export.json`: `release`, `digest`, `license` …
        end: how the files of a folder end.
        leave_out: write the rows that fit and list the others, in `SPLIT.left_out.jsonl` of the folder, or `FILE.left_out.jsonl`.

    Raises:
        GateError: rows do not fit and `leave_out` is false; nothing is written.
        StorageError: the target is there, or cannot be written.
    """
    talk = talk or Talk(quiet=True)
    if os.path.lexists(to):
        raise StorageError(f"{to} is there already", hint="name another, or remove it")
    one_file = ending(to)
    if one_file is None and to.suffix in (".json", ".ndjson", ".csv", ".tsv", ".arrow", ".zst", ".gz"):
        raise RecipeError(f"{to}: no records are written in {to.suffix} files", hint=f"one of {', '.join(ENDINGS)}, or a folder")
    if one_file:
        if len(splits) != 1:
            raise RecipeError(f"{to} is one file, and there are the splits {', '.join(splits)}", hint="--split NAME, or name a folder")
        with writing(to) as path:
            [(split, shards)] = splits.items()
            made = _split(as_, split, shards, path, one_file, leave_out, to.with_name(f"{to.name}.left_out.jsonl"), talk)
            found = [replace(made, path=to)]
            write_whole(to.with_name(f"{to.name}.export.json"), _told(as_, said, found))
        return found
    with _folder(to) as folder:
        found = []
        for split, shards in splits.items():
            path = folder / f"{split}{end}"
            found.append(_split(as_, split, shards, path, end, leave_out, folder / f"{split}.left_out.jsonl", talk))
        (folder / "export.json").write_bytes(_told(as_, said, found))
        (folder / "README.md").write_text(_readme(as_, said, found), encoding="utf-8")
    return [replace(one, path=to / one.path.name) for one in found]


@contextmanager
def _folder(to: Path) -> Iterator[Path]:
    """A folder beside `to` that becomes it when the block ends well, and vanishes when it does not."""
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        temporary.rename(to)
    except OSError as error:
        raise StorageError(f"{to}: {error.strerror or repr(error)}", hint="free some space, or name another folder") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _split(
    as_: Target, split: str, shards: Sequence[Path], path: Path, end: str, leave_out: bool, listed: Path, talk: Talk
) -> Written:  # fmt: skip
    import pyarrow.parquet as pq

    files = [pq.ParquetFile(shard) for shard in shards]
    total = sum(file.metadata.num_rows for file in files)
    added, without = _added(as_, files)
    counts: Counter[str] = Counter()
    unfit: list[tuple[str, str]] = []
    with ExitStack() as stack:
        bar = stack.enter_context(talk.bar(f"{as_.name} {split}", total))
        sink = stack.enter_context(opened(path, end))
        for file in files:
            for batch in file.iter_batches(BATCH_ROWS):
                records: list[Record] = []
                for row in batch.to_pylist():
                    counts["rows"] += 1
                    try:
                        records += [{**one, **{name: row.get(name) for name in added}} for one in as_.records(row)]
                    except Unfit as error:
                        unfit.append((row["id"], str(error)))
                sink.add(records)
                counts["records"] += len(records)
                bar(counts["rows"])
    reasons = Counter(reason for _, reason in unfit)
    if unfit and not leave_out:
        raise GateError(_refusal(as_, split, total, unfit, reasons), hint="--leave-out writes the others and lists these")
    if unfit:
        write_whole(listed, b"".join(orjson.dumps({"id": id_, "reason": reason}) + b"\n" for id_, reason in unfit))
    return Written(split, path, total, counts["records"], dict(reasons.most_common()), without, file_digest(path))


def _refusal(as_: Target, split: str, total: int, unfit: list[tuple[str, str]], reasons: Counter[str]) -> str:
    lines = [f"{len(unfit):,} of {total:,} rows of {split} do not fit {as_.name}:"]
    for reason, number in reasons.most_common(SHOWN):
        ids = [id_ for id_, why in unfit if why == reason][:SHOWN]
        lines.append(f"{number:,}: {reason} ({', '.join(ids)}{', …' if number > SHOWN else ''})")
    return " ".join(lines) if len(reasons) <= SHOWN else " ".join([*lines, f"and {len(reasons) - SHOWN} other reasons"])


def _added(as_: Target, files: Sequence[Any]) -> tuple[list[str], tuple[str, ...]]:
    """The columns that the form adds to its records; those that only some rows have, where it wants all."""
    added, without = [], []
    for name in (*as_.whole, *as_.some):
        have = nulls = 0
        for file in files:
            rows = file.metadata.num_rows
            missing = file.read([name])[name].null_count if name in file.schema_arrow.names else rows
            have, nulls = have + rows - missing, nulls + missing
        if have and not (nulls and name in as_.whole):
            added.append(name)
        elif have:
            without.append(name)
    return added, tuple(without)


def _told(as_: Target, said: Mapping[str, Any], found: Sequence[Written]) -> bytes:
    splits = {
        one.split: {"file": one.path.name, "rows": one.rows, "records": one.records, "left_out": one.left_out, "without": one.without, "sha256": one.sha256}
        for one in found
    }
    return orjson.dumps({**said, "as": as_.name, "splits": splits}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _readme(as_: Target, said: Mapping[str, Any], found: Sequence[Written]) -> str:
    head = {"license": hub_id(str(said.get("license"))) or "other", "configs": [
        {"config_name": "default", "data_files": [{"split": one.split, "path": one.path.name} for one in found]}]}  # fmt: skip
    counts = "\n".join(f"- `{one.split}`: {one.records:,} records of {one.rows:,} rows" for one in found)
    # JSON is YAML, and quotes whatever a licence may be called.
    return f"---\n{orjson.dumps(head, option=orjson.OPT_INDENT_2).decode()}\n---\n\n{said.get('release')} as `{as_.name}`, by `tilth export`.\n\n{counts}\n"
