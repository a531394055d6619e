"""Pull: a Hub release becomes a read-only folder here, pinned to the commit of its tag, every byte checked.

Pulled releases lie in `<registry>/hub/<org>/<name>/<version>-<commit>/`. A file that the registry has already (in a
release cut here, or pulled before) is linked, not fetched again.
"""

from __future__ import annotations

import glob
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tilth.core import manifest as manifests
from tilth.core.durable import fsync_folder, link_or_copy, locked, storage_errors
from tilth.core.errors import NetworkError, RegistryError, TilthError, VerifyError
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home
from tilth.core.manifest import Manifest, split_ref
from tilth.registry import integrity, yanks
from tilth.registry.lfs import blob_id
from tilth.registry.remote import Remote, RemoteFile

_LOG = logging.getLogger(__name__)
_HALF = ".pulling-"


@dataclass(frozen=True)
class Pulled:
    """A Hub release in its folder here."""

    path: Path
    version: str
    commit: str


def fetch(ref: str, home: Home, token: str | None = None) -> Pulled:
    """Fetch `hf://org/name@1.0.0` (or the newest version not withdrawn) once, pinned to the commit of its tag.

    Where the Hub cannot be reached, a version that is here already is used as it is, and a warning says so.

    Raises:
        RegistryError: no such version, no access, or the tag was moved since it was pulled.
        VerifyError: what the Hub holds is not what its manifest says.
        NetworkError: the Hub cannot be reached, and the version is not here.
    """
    name, version = split_ref(ref)
    remote = Remote(name, token)
    folder = home.registry / "hub" / remote.repo
    try:
        refs = remote.refs()
        withdrawn = yanks.read(remote, refs)
    except NetworkError as error:
        found = _here(folder, version) if version else None
        if found is None:
            raise
        _LOG.warning("%s: using the copy here: %s", ref, error.message)
        return found
    chosen, commit = yanks.choose(remote, refs, version, withdrawn)
    with storage_errors(str(folder)), _writing(folder):
        yanks.remember(folder, withdrawn)
        found = _here(folder, chosen)
        if found is None:
            found = _pull(remote, folder, chosen, commit, home.registry)
    if found.commit != commit:
        raise RegistryError(
            f"{remote.uri}@{chosen}: its tag was moved: {found.commit[:8]} when it was pulled, {commit[:8]} now",
            hint=f"a release is never changed: ask its owner; to take the new one, remove {found.path}",
        )
    return found


def remote_manifest(remote: Remote, version: str, commit: str, folder: Path) -> Manifest:
    """Fetch the manifest at a commit into `folder`.

    Raises:
        RegistryError: the tag names no release.
        VerifyError: it is damaged, or that of another version.
    """
    if manifests.FILE not in remote.tree(commit):
        raise RegistryError(f"{remote.uri}@{version}: no {manifests.FILE}", hint="it was not made by tilth push")
    remote.download([manifests.FILE], commit, folder)
    manifest = manifests.read(folder)
    if manifest.version != version:
        raise VerifyError(f"{remote.uri}: tag v{version} names a release that says it is {manifest.version}")
    integrity.shards(manifest)
    return manifest


def metadata_problems(remote: Remote, commit: str, manifest: Manifest, folder: Path) -> list[str]:
    """What the Hub's listing of a commit does not share with the manifest, without fetching a shard.

    Files in LFS are judged by the sha256 that the Hub keeps; the few small ones beside them are fetched into `folder`.
    """
    tree = {path: file for path, file in remote.tree(commit).items() if path not in (yanks.FILE, manifests.FILE)}
    wrong = [f"{path}: missing" for path in sorted(set(manifest.files) - set(tree))]
    wrong += [f"{path}: not in the manifest" for path in sorted(set(tree) - set(manifest.files))]
    both = sorted(set(manifest.files) & set(tree))
    wrong += [
        f"{p}: {tree[p].bytes} bytes, manifest says {manifest.files[p].bytes}"
        for p in both
        if tree[p].bytes != manifest.files[p].bytes
    ]
    small = [path for path in both if tree[path].sha256 is None]
    remote.download(small, commit, folder)
    for path in both:
        digest = tree[path].sha256 or _small_digest(folder / path, tree[path])
        if digest != manifest.files[path].sha256:
            wrong.append(f"{path}: sha256 {digest[:12]}…, manifest says {manifest.files[path].sha256[:12]}…")
    return wrong


def _small_digest(file: Path, listed: RemoteFile) -> str:
    """sha256 of a fetched file, which must be the blob that the Hub listed."""
    if blob_id(file.read_bytes()) != listed.blob:
        raise VerifyError(f"{listed.path}: the Hub lists blob {listed.blob[:12]}… and sends another", hint="try again")
    return file_digest(file)


def _here(folder: Path, version: str) -> Pulled | None:
    found = sorted(folder.glob(f"{version}-*"))
    return Pulled(found[0], version, found[0].name.rpartition("-")[2]) if found else None


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Hold the lock of one Hub dataset; clear what a killed pull left."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        for half in folder.glob(f"{_HALF}*"):
            shutil.rmtree(half)
        yield


def _pull(remote: Remote, folder: Path, version: str, commit: str, registry: Path) -> Pulled:
    work = Path(tempfile.mkdtemp(prefix=_HALF, dir=folder))
    work.chmod(0o755)
    try:
        manifest = remote_manifest(remote, version, commit, work)
        integrity.refuse(f"{remote.uri}@{version}", metadata_problems(remote, commit, manifest, work))
        _link_known(manifest, work, folder, registry)
        if missing := [path for path in manifest.files if not (work / path).exists()]:
            remote.download(missing, commit, work)
        shutil.rmtree(work / ".cache", ignore_errors=True)
        integrity.check(work)
        for file in integrity.listing(work).values():
            file.chmod(0o444)
        target = folder / f"{version}-{commit}"
        os.rename(work, target)
        fsync_folder(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Pulled(target, version, commit)


def _link_known(manifest: Manifest, work: Path, folder: Path, registry: Path) -> None:
    """Link the files that this registry holds under the same sha256, once their bytes have been read again."""
    known = {
        said.sha256: other / path
        for other in folder.glob("[0-9]*-*")
        for path, said in _manifest_of(other).items()
    }  # fmt: skip
    for path, said in manifest.files.items():
        if (work / path).exists():
            continue
        pattern = os.path.join(
            glob.escape(str(registry)), "*.git", "lfs", "objects", said.sha256[:2], said.sha256[2:4], said.sha256
        )
        for source in [known.get(said.sha256), *map(Path, glob.glob(pattern))]:
            if source and source.is_file() and file_digest(source) == said.sha256:
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(source, work / path)
                break


def _manifest_of(folder: Path) -> dict[str, manifests.FileDigest]:
    try:
        return dict(manifests.read(folder).files)
    except TilthError as error:  # a damaged neighbour is no reason not to pull
        _LOG.warning("%s: %s", folder, error.message)
        return {}
