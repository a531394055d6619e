"""Cut: a finished build becomes a release. Refused while a gate fails; whole or not at all.

Shards are copied into the store (a later build may overwrite its own files), everything else is written around them,
`manifest.json` last; then commit, tag, snapshot. Killed at any point, the release is either there or not.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tilth.core import builds, ledger
from tilth.core import manifest as manifests
from tilth.core.builds import BuildRecord, GateEntry
from tilth.core.durable import link_or_copy, storage_errors, write_durably
from tilth.core.errors import GateError, RegistryError, VerifyError
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home
from tilth.core.manifest import VERSION, FileDigest, Manifest, Parent, version_key
from tilth.core.recipe import NAME
from tilth.registry import changelog, integrity
from tilth.registry.diff import Build, diff
from tilth.registry.lfs import ATTRIBUTES, attributes, in_lfs
from tilth.registry.store import Store, Tagged


def cut(build: Path, version: str, *, home: Home, notes: Sequence[str] = ()) -> tuple[Store, Tagged]:
    """Make release `version` of the build in folder `build`.

    Cutting the same build as the same version again changes nothing and returns what is there.

    Args:
        notes: lines of your own for the changelog.

    Raises:
        GateError: the build is a trial, or a gate fails: each with its value and limit.
        LedgerError: its rows do not add up.
        RegistryError: the version is taken by another digest, or is not MAJOR.MINOR.PATCH.
        VerifyError: a shard is not what the build recorded.
        StorageError: the disk says no.
    """
    if not VERSION.fullmatch(version):  # `match` lets a last newline pass
        raise RegistryError(f"version {version!r} is not MAJOR.MINOR.PATCH", hint="for example 1.0.0")
    record = builds.read(build)
    _refuse(record)
    store = Store(home.registry, record.name)
    with store.writing():
        tags = store.tags()
        if version in tags:
            return store, _same(store, tags, version, record)
        stored = _store_shards(store, build, record)
        parent = _parent(tags, version)
        folder = Path(tempfile.mkdtemp(dir=store.scratch))
        manifest = _stage(store, folder, build, record, stored, version, parent, notes)
        description = "\n".join(manifest.changes)
        digest = manifest.digest_sha256
        commit = store.commit(
            folder, stored, parent.commit if parent else None, f"Release v{version}\n\ndigest: sha256:{digest}\n\n{description}\n"
        )
        store.tag(version, commit, f"{record.name} {version}\n\ndigest: sha256:{digest}\n")
        tagged = store.tags()[version]
        if not (target := store.snapshot(version)).exists():
            store.materialise(commit, target)
    return store, tagged


def _refuse(record: BuildRecord) -> None:
    """All that must hold before a byte is copied."""
    if not re.fullmatch(NAME, record.name):
        raise RegistryError(f"{record.name!r} cannot name a dataset", hint=f"a name matches {NAME}")
    if record.trial:
        raise GateError(
            f"{record.name}: a trial build ({record.trial}) is not released", hint="build the whole, without --limit or --share"
        )
    if failing := [_gate(gate) for gate in record.gates if not gate.passed]:
        said = f"a gate fails: {failing[0]}" if len(failing) == 1 else "\n  ".join([f"{len(failing)} gates fail:", *failing])
        raise GateError(f"{record.name}: {said}", hint="mend the data or the recipe's gates, and build again")
    if not record.configs or not any(integrity.config_rows(record).values()):
        raise GateError(f"{record.name}: the build holds no rows")
    integrity.shards(record)
    ledger.check(record.funnel, integrity.rows_held(record))


def _gate(gate: GateEntry) -> str:
    return f"{gate.gate}{f' of {gate.corpus}' if gate.corpus else ''}: {gate.value:g}, limit {gate.limit:g}"


def _same(store: Store, tags: dict[str, Tagged], version: str, record: BuildRecord) -> Tagged:
    """The release that is there, if it is this build; its snapshot is made on opening."""
    tagged = tags[version]
    if tagged.digest != record.digest():
        major, minor, patch = version_key(max(tags, key=version_key))
        both = f"{tagged.digest[:12]}…, this build is {record.digest()[:12]}…"
        raise RegistryError(
            f"{store.name}@{version} exists, with other content ({both})",
            hint=f"a release is never changed; next would be {major}.{minor}.{patch + 1} or {major}.{minor + 1}.0",
        )
    return tagged


def _parent(tags: dict[str, Tagged], version: str) -> Tagged | None:
    """The greatest version below this one: 1.0.1 follows 1.0.0, also after 2.0.0."""
    below = [other for other in tags if version_key(other) < version_key(version)]
    return tags[max(below, key=version_key)] if below else None


def _store_shards(store: Store, build: Path, record: BuildRecord) -> dict[str, FileDigest]:
    """Copy every shard into the store; path → what it is."""
    stored: dict[str, FileDigest] = {}
    for shard in integrity.shards(record):
        with storage_errors(f"{build / shard.path}"):
            put = store.objects.put(build / shard.path, shard.sha256)
        if (put.sha256, put.bytes) != (shard.sha256, shard.bytes):
            raise VerifyError(
                f"{build / shard.path}: sha256 {put.sha256[:12]}…, {put.bytes} bytes; "
                f"the build recorded {shard.sha256[:12]}…, {shard.bytes} bytes",
                hint="the build was changed after it ended: build again",
            )
        stored[shard.path] = put
    return stored


def _stage(
    store: Store,
    folder: Path,
    build: Path,
    record: BuildRecord,
    stored: dict[str, FileDigest],
    version: str,
    parent: Tagged | None,
    notes: Sequence[str],
) -> Manifest:
    """Write the whole folder of the release, `manifest.json` last."""
    from tilth.cards import release as card

    folder.chmod(0o755)
    for path, put in stored.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(store.objects.path(put.sha256), folder / path)
    page = None
    if parent is None:
        lines = changelog.first_lines(record, notes)
    else:
        if not (before := store.snapshot(parent.version)).exists():
            store.materialise(parent.commit, before)
        lines = changelog.lines(diff(Build(before, store.manifest(parent)), Build(build, record)), notes)
        page = (before / changelog.FILE).read_text(encoding="utf-8")
    _write(folder / changelog.FILE, changelog.page(record.name, version, lines, page))
    manifest = Manifest(
        **{name: getattr(record, name) for name in BuildRecord.model_fields},
        version=version,
        digest_sha256=record.digest(),
        parent=Parent(version=parent.version, digest=parent.digest) if parent else None,
        changes=lines,
        files={**stored, changelog.FILE: _digest(folder / changelog.FILE)},
    )
    card.write(folder, manifest)
    _write(folder / ATTRIBUTES, attributes(_large(folder)))
    rest = {path: _digest(file) for path, file in integrity.listing(folder).items() if path not in stored}
    manifest = manifest.model_copy(update={"files": dict(sorted({**stored, **rest}.items()))})
    text = manifest.model_dump_json(indent=2) + "\n"
    if in_lfs(manifests.FILE, len(text.encode())):  # its own size decides where it is kept, so the attributes come again
        _write(folder / ATTRIBUTES, attributes([*_large(folder), manifests.FILE]))
        files = {**manifest.files, ATTRIBUTES: _digest(folder / ATTRIBUTES)}
        text = manifest.model_copy(update={"files": files}).model_dump_json(indent=2) + "\n"
    _write(folder / manifests.FILE, text)
    integrity.refuse(f"{record.name}@{version}", integrity.problems(folder))
    return manifest


def _large(folder: Path) -> list[str]:
    """Files beside Parquet that go to LFS."""
    files = integrity.listing(folder).items()
    return [path for path, file in files if not path.endswith(".parquet") and in_lfs(path, file.stat().st_size)]


def _digest(file: Path) -> FileDigest:
    return FileDigest(sha256=file_digest(file), bytes=file.stat().st_size)


def _write(path: Path, text: str) -> None:
    write_durably(path, text.encode())
