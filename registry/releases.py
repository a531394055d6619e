"""Releases: cut one from a build, find it again, list them, withdraw one. `name@MAJOR.MINOR.PATCH`, never changed.

>>> open("demo@1.0.0")["sft"]["train"]            # doctest: +SKIP
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core import home as homes
from tilth.core import manifest as manifests
from tilth.core.errors import RegistryError, VerifyError, YankedError
from tilth.core.home import Home
from tilth.core.manifest import Manifest, split_ref, version_key
from tilth.core.recipe import NAME
from tilth.registry import hub
from tilth.registry.integrity import config_rows
from tilth.registry.lfs import blob_id
from tilth.registry.store import Store, Tagged

if TYPE_CHECKING:
    from datasets import DatasetDict

LOCAL = "local"


@dataclass(frozen=True)
class Release:
    """One release, as a read-only folder that `datasets.load_dataset(str(path), config)` loads.

    `where` is `local` or `hf://org/name`; `commit` (40 hex digits) the one that its tag names there.
    """

    name: str
    version: str
    digest: str
    commit: str
    path: Path
    where: str

    @property
    def ref(self) -> str:
        """What `resolve` takes to find it again."""
        return f"{self.name if self.where == LOCAL else self.where}@{self.version}"

    @cached_property
    def manifest(self) -> Manifest:
        """All that the release says about itself."""
        return manifests.read(self.path)

    @property
    def configs(self) -> tuple[str, ...]:
        """Names of its configs."""
        return tuple(self.manifest.configs)

    @property
    def yanked(self) -> str | None:
        """Why it was withdrawn, None where it was not (for a Hub release: as last heard)."""
        if self.where == LOCAL:
            return Store(self.path.parents[2], self.name).yanked().get(self.version)
        return hub.known_yanks(self.path.parent).get(self.version)

    def files(self, config: str) -> dict[str, list[Path]]:
        """split → Parquet files of a config.

        Raises:
            RegistryError: no such config.
        """
        if config not in self.manifest.configs:
            raise RegistryError(f"{self.ref} has no config {config!r}", hint=f"it has {', '.join(self.configs)}")
        return {split: [self.path / f.path for f in shards] for split, shards in self.manifest.configs[config].items()}

    def __getitem__(self, config: str) -> DatasetDict:
        """The splits of one config, read from their Parquet files by path."""
        from datasets import load_dataset

        files = {split: [str(path) for path in paths] for split, paths in self.files(config).items()}
        # The digest in the builder's name keeps two homes at one path apart in the cache of `datasets`.
        return load_dataset("parquet", name=f"{self.name}-{config}-{self.digest[:16]}", data_files=files)


@dataclass(frozen=True)
class VersionEntry:
    """One line of a dataset's history: `created` in Unix seconds, `yanked` the reason, `rows` by config."""

    version: str
    commit: str
    digest: str
    created: int
    yanked: str | None
    rows: dict[str, int]


@dataclass(frozen=True)
class LogEntry:
    """A version with its lines of the changelog."""

    entry: VersionEntry
    parent: str | None
    changes: list[str]


def open(ref: str) -> Release:
    """The release `ref` in the home in force here; see `resolve`."""
    return resolve(ref, home=homes.home())


def resolve(ref: str, *, home: Home, allow_yanked: bool = True) -> Release:
    """Find a release: `name@1.0.0`, `name` (newest that is not yanked), `hf://org/name@1.0.0` or `org/name@1.0.0`.

    A Hub release is pulled once, pinned to the commit of its tag, and checked whole. Of a local one the manifest and
    the sizes of all files are checked; `verify` reads every byte.

    Raises:
        RegistryError: no such dataset or version.
        YankedError: it was withdrawn and `allow_yanked` is false; or no version is left that was not.
        VerifyError: what lies in the registry is not what its tag names.
        NetworkError: the Hub cannot be reached and the release is not here yet.
    """
    name, version = split_ref(ref)
    if hub.is_remote(name):
        pulled = hub.fetch(ref, home)
        manifest = manifests.read(pulled.path)
        found = Release(manifest.name, pulled.version, manifest.digest_sha256, pulled.commit, pulled.path, hub.uri(name))
    else:
        store = _store(name, home)
        tags = store.tags()
        tagged = tags.get(version) if version else _newest(name, tags, store.yanked())
        if tagged is None:
            raise RegistryError(f"no {name}@{version}", hint=_have(name, list(tags)))
        found = _opened(store, tagged)
    if not allow_yanked and (reason := found.yanked):
        raise YankedError(f"{found.ref} was withdrawn: {reason}", hint=f"tilth log {found.name} lists the others" if found.where == LOCAL else "take another tag")
    return found


def names(home: Home) -> list[str]:
    """Datasets that have a release here, sorted."""
    stores = [Store(home.registry, path.stem) for path in sorted(home.registry.glob("*.git"))]
    return [store.name for store in stores if store.tags()]


def versions(name: str, home: Home) -> list[VersionEntry]:
    """Every release of a dataset, oldest version first.

    Raises:
        RegistryError: no such dataset.
    """
    return [entry.entry for entry in log(name, home)]


def log(name: str, home: Home) -> list[LogEntry]:
    """Every release of a dataset with its changes, oldest version first.

    Raises:
        RegistryError: no such dataset.
    """
    store = _store(name, home)
    yanked = store.yanked()
    out = []
    for version, tagged in store.tags().items():
        manifest = store.manifest(tagged)
        entry = VersionEntry(version, tagged.commit, tagged.digest, tagged.created, yanked.get(version), config_rows(manifest))
        out.append(LogEntry(entry, manifest.parent.version if manifest.parent else None, manifest.changes))
    return out


def yank(ref: str, reason: str, home: Home) -> None:
    """Withdraw a release, with the reason. It stays where it is; training refuses it. It cannot be undone.

    Raises:
        RegistryError: no such release, no reason, or withdrawn already.
    """
    name, version = split_ref(ref)
    if not version:
        raise RegistryError(f"{ref}: which version?", hint=f"tilth yank {name}@1.0.0 --reason …")
    if not reason.strip():
        raise RegistryError(f"{ref}: a yank needs a reason", hint="say it for those who trained on it")
    if hub.is_remote(name):
        hub.yank(ref, reason)
        return
    store = _store(name, home)
    with store.writing():
        tags = store.tags()
        if version not in tags:
            raise RegistryError(f"no {ref}", hint=_have(name, list(tags)))
        if not store.yank(version, tags[version].commit, reason.strip()):
            raise RegistryError(f"{ref} was withdrawn already: {store.yanked()[version]}")


def cut(build: Path, version: str, *, home: Home, notes: list[str] | tuple[str, ...] = ()) -> Release:
    """Make release `version` out of a finished build; see `tilth.registry.cutting.cut`."""
    from tilth.registry import cutting

    store, tagged = cutting.cut(build, version, home=home, notes=notes)
    return _opened(store, tagged)


def _opened(store: Store, tagged: Tagged) -> Release:
    path = store.snapshot(tagged.version)
    if not path.exists():
        with store.writing():
            if not path.exists():
                store.materialise(tagged.commit, path)
    release = Release(store.name, tagged.version, tagged.digest, tagged.commit, path, LOCAL)
    _look_over(store, release)
    return release


def _look_over(store: Store, release: Release) -> None:
    """Manifest byte for byte, every other file by its size: what can be asked without reading the shards."""
    hint = f"remove {release.path}: it is made again out of {store.git.name}"
    try:
        manifest_bytes = (release.path / manifests.FILE).read_bytes()
    except OSError as error:
        raise VerifyError(f"{release.ref}: {manifests.FILE}: {error.strerror}", hint=hint) from None
    blob = store.blobs(release.commit)[manifests.FILE]
    if blob_id(manifest_bytes) != blob and store.read(release.commit, manifests.FILE) != manifest_bytes:
        raise VerifyError(f"{release.ref}: {manifests.FILE} was changed", hint=hint)
    if release.manifest.digest_sha256 != release.digest:
        raise VerifyError(f"{release.ref}: tag says {release.digest[:12]}…, manifest {release.manifest.digest_sha256[:12]}…")
    for path, said in release.manifest.files.items():
        file = release.path / path
        size = file.stat().st_size if file.is_file() else None
        if size != said.bytes:
            raise VerifyError(
                f"{release.ref}: {path}: {'missing' if size is None else f'{size} bytes, not {said.bytes}'}", hint=hint
            )


def _store(name: str, home: Home) -> Store:
    store = Store(home.registry, name)
    if not re.fullmatch(NAME, name):
        raise RegistryError(
            f"{name!r} is not the name of a dataset", hint="small letters, digits, - and _; hf://org/name on the Hub"
        )
    store.tidy()
    if not store.exists() or not store.tags():
        have = names(home) if home.registry.exists() else []
        raise RegistryError(
            f"no release of {name!r} in {home.registry}", hint=f"there are: {', '.join(have) or 'none yet; tilth release'}"
        )
    return store


def _newest(name: str, tags: dict[str, Tagged], yanked: dict[str, str]) -> Tagged:
    left = [version for version in tags if version not in yanked]
    if not left:
        raise YankedError(f"every release of {name} was withdrawn: {', '.join(tags)}", hint="name one to have it all the same")
    return tags[max(left, key=version_key)]


def _have(name: str, versions: list[str]) -> str:
    return f"there are: {', '.join(f'{name}@{version}' for version in versions) or 'none'}"
