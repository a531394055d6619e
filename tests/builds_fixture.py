"""Small finished builds, made by hand: Parquet shards and `build.json`, as `tilth build` leaves them.

`build(folder, cpt=[Row("a", "text")], drops=[("b", "gopher_quality", "min_words", "12")], min_words=50)`
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.builds import RECORD, BuildRecord, FileEntry, GateEntry, SourceEntry
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home
from tilth.core.ledger import LedgerLine
from tilth.core.manifest import Manifest

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


@dataclass(frozen=True)
class Row:
    """One row of a corpus: its own key, its content, its source, its split, the ids it was made from."""

    key: str
    text: str
    source: str = "notes"
    split: str = "train"
    parents: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return row_id(self.key)


@dataclass(frozen=True)
class Drop:
    """One row that went."""

    corpus: str
    key: str
    step: str
    rule: str
    value: str | None = None
    source: str = "notes"
    status: str = "dropped"


def row_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def rows(count: int, prefix: str = "r", text: str = "a line of text") -> list[Row]:
    return [Row(f"{prefix}{i}", f"{text} {i}") for i in range(count)]


def build(
    folder: Path,
    *,
    name: str = "demo",
    cpt: Sequence[Row] = (),
    sft: Sequence[Row] = (),
    drops: Sequence[Drop] = (),
    steps: dict[str, dict[str, Any]] | None = None,
    revisions: dict[str, str] | None = None,
    gates: Sequence[GateEntry] = (),
    trial: str | None = None,
) -> Path:
    """Write a build folder; `steps` are those of every corpus, `revisions` source → locked revision."""
    corpora = {kind: list(held) for kind, held in (("cpt", cpt), ("sft", sft)) if held}
    revisions = revisions or {"notes": "sha256:0000000000000000"}
    steps = {"gopher_quality": {"min_words": 50}} if steps is None else steps
    configs: dict[str, dict[str, list[FileEntry]]] = {}
    for kind, held in corpora.items():
        splits = dict.fromkeys(row.split for row in held)
        configs[kind] = {split: [_shard(folder, kind, split, [r for r in held if r.split == split])] for split in splits}
    if drops:
        configs["drops"] = {"train": [_write(folder, "drops/train-00000-of-00001.parquet", _drops_table(drops))]}
    recipe = {
        "name": name,
        "title": "A demo",
        "license": "cc-by-4.0",
        "corpora": {kind: {"from": sorted(revisions), "steps": [{k: v} for k, v in steps.items()]} for kind in corpora},
        "sources": {source: {"path": f"{source}.jsonl"} for source in sorted(revisions)},
    }
    record = BuildRecord(
        name=name,
        trial=trial,
        recipe=recipe,
        recipe_text=f"name: {name}\n",
        lock={"sources": {source: {"path": f"{source}.jsonl", "revision": found} for source, found in sorted(revisions.items())}},
        configs=configs,
        funnel=[_line(kind, len(held), [d for d in drops if d.corpus == kind]) for kind, held in corpora.items()],
        sources=[_source(source, found, corpora) for source, found in sorted(revisions.items())],
        contamination=[],
        judges=[],
        gates=[*gates, GateEntry(gate="min_rows", corpus=None, limit=1, value=5, passed=True)],
        environment={"tilth": "0.1.0"},
    )
    (folder / RECORD).write_text(record.model_dump_json(indent=2), encoding="utf-8")
    return folder


def _shard(folder: Path, kind: str, split: str, held: list[Row]) -> FileEntry:
    columns: dict[str, Any] = {
        "id": [r.id for r in held],
        "content_hash": [hashlib.sha256(r.text.encode()).hexdigest()[:32] for r in held],
        "source": [r.source for r in held],
        "revision": ["x"] * len(held),
        "license": ["cc-by-4.0"] * len(held),
        "language": ["en"] * len(held),
        "parents": pa.array([list(r.parents) for r in held], pa.list_(pa.string())),
    }
    if kind == "cpt":
        columns["text"] = [r.text for r in held]
    else:
        turns = [[{"role": "user", "content": f"say {r.key}"}, {"role": "assistant", "content": r.text}] for r in held]
        columns["messages"] = pa.array(turns, MESSAGES)
    return _write(folder, f"{kind}/{split}-00000-of-00001.parquet", pa.table(columns))


def _drops_table(drops: Sequence[Drop]) -> pa.Table:
    return pa.table(
        {
            "corpus": [d.corpus for d in drops],
            "id": [row_id(d.key) for d in drops],
            "content_hash": ["0" * 32 for _ in drops],
            "source": [d.source for d in drops],
            "step": [d.step for d in drops],
            "rule": [d.rule for d in drops],
            "value": pa.array([d.value for d in drops], pa.string()),
            "status": [d.status for d in drops],
            "detail": pa.array([None for _ in drops], pa.string()),
        }
    )


def _write(folder: Path, path: str, table: pa.Table) -> FileEntry:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, compression="zstd")
    return FileEntry(path=path, sha256=file_digest(file), bytes=file.stat().st_size, rows=table.num_rows)


def _line(kind: str, kept: int, gone: list[Drop]) -> LedgerLine:
    counts = {status: sum(d.status == status for d in gone) for status in ("dropped", "failed", "quarantined")}
    return LedgerLine(corpus=kind, step="read", rows_in=kept + len(gone), kept=kept, **counts, rows_out=kept)


def _source(name: str, revision: str, corpora: dict[str, list[Row]]) -> SourceEntry:
    released = {kind: sum(r.source == name for r in held) for kind, held in corpora.items()}
    total = sum(released.values())
    return SourceEntry(
        name=name,
        title="Notes",
        url=None,
        citation=None,
        path=f"{name}.jsonl",
        revision=revision,
        sha256="0" * 64,
        corpora=sorted(corpora),
        rows_read=total,
        rows_failed=0,
        licenses={"cc-by-4.0": total},
        languages={"en": total},
        rows_released=released,
    )


def plain_card(folder: Path, manifest: Manifest) -> None:
    """In place of `tilth.cards.release.write`: the front matter that `datasets` and `verify` read, and no more."""
    lines = ["---", "configs:"]
    for i, (config, splits) in enumerate(manifest.configs.items()):
        lines += [f"- config_name: {config}", *(["  default: true"] if i == 0 else []), "  data_files:"]
        for split, files in splits.items():
            lines += [f"  - split: {split}", "    path:", *(f"    - {f.path}" for f in files)]
    lines.append("dataset_info:")
    for config, splits in manifest.configs.items():
        lines += [f"- config_name: {config}", "  splits:"]
        for split, files in splits.items():
            lines += [
                f"  - name: {split}",
                f"    num_examples: {sum(f.rows for f in files)}",
                f"    num_bytes: {sum(f.bytes for f in files)}",
            ]
    card = "\n".join([*lines, "---", "", f"# {manifest.name} {manifest.version}", "", f"digest {manifest.digest_sha256}", ""])
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "croissant.json").write_text('{"name": "' + manifest.name + '"}\n', encoding="utf-8")
    (folder / "report.html").write_text(f"<h1>{manifest.name}</h1>\n", encoding="utf-8")


def fsck(home: Home, *, killed: bool = False) -> None:
    """The store of `demo` as git itself judges it."""
    command = ["git", "-C", str(home.registry / "demo.git"), "fsck", "--full", "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "missing" not in done.stdout and "broken" not in done.stdout
    assert killed or not done.stdout, "only a kill may leave objects that nothing names"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("tilth.cards.release.write", plain_card)
    return Home(tmp_path / "home")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return build(tmp_path / "b1", cpt=rows(20), sft=[*rows(8, "s"), Row("t1", "held out", split="test")])


@pytest.fixture
def second(tmp_path: Path) -> Path:
    drops = [Drop("cpt", f"r{i}", "gopher_quality", "min_words", str(60 + i)) for i in (17, 18, 19)]
    return build(
        tmp_path / "b2",
        cpt=[*rows(16), Row("r16", "edited since")],
        sft=[*rows(8, "s"), Row("t1", "held out", split="test")],
        drops=drops,
        steps={"gopher_quality": {"min_words": 80}},
    )
