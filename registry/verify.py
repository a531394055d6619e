"""Verify: every byte, row and sum of a release against its manifest. `tilth verify name@1.0.0`, or a folder, or `hf://…`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core import home as homes
from tilth.core import manifest as manifests
from tilth.core.errors import VerifyError
from tilth.core.home import Home
from tilth.core.manifest import Manifest, split_ref
from tilth.registry import hub, integrity

if TYPE_CHECKING:
    from tilth.registry.releases import Release


@dataclass(frozen=True)
class Verified:
    """What was checked: files, their bytes, the digest that they come to; `problems` is empty, or there is no `Verified`."""

    ref: str
    digest: str
    files: int
    bytes: int
    downloaded: bool
    """Whether every byte was read; if not, the shards were judged by the digests that the Hub keeps."""
    problems: tuple[str, ...] = ()


def verify(what: Release | Path | str, *, home: Home | None = None, download: bool = False, token: str | None = None) -> Verified:
    """Check a release whole: files and no others, sha256, sizes, rows in the footers, ledger, card, digest.

    Args:
        what: a release, the folder of one, or a ref (`name@1.0.0`, `hf://org/name@1.0.0`).
        download: for a Hub ref, fetch and read everything; else shards are judged by the Hub's own sha256 of them.

    Raises:
        VerifyError: naming the first wrong file and listing all.
        RegistryError: there is no such release.
        NetworkError: the Hub cannot be reached.
    """
    from tilth.registry.releases import resolve

    if isinstance(what, str):
        if hub.is_remote(split_ref(what)[0]) and not download:
            return _by_metadata(what, token)
        what = resolve(what, home=home or homes.home())
    if isinstance(what, Path):
        return _verified(str(what), integrity.check(what), what, downloaded=True)
    manifest = integrity.check(what.path)
    if manifest.digest_sha256 != what.digest:
        raise VerifyError(f"{what.ref}: its tag says digest {what.digest[:12]}…, it comes to {manifest.digest_sha256[:12]}…")
    return _verified(what.ref, manifest, what.path, downloaded=True)


def _verified(ref: str, manifest: Manifest, folder: Path, *, downloaded: bool) -> Verified:
    size = sum(said.bytes for said in manifest.files.values()) + (folder / manifests.FILE).stat().st_size
    return Verified(ref, manifest.digest_sha256, len(manifest.files) + 1, size, downloaded)


def _by_metadata(ref: str, token: str | None) -> Verified:
    from tilth.registry import pulling, yanks
    from tilth.registry.remote import Remote

    name, version = split_ref(ref)
    remote = Remote(name, token)
    refs = remote.refs()
    chosen, commit = yanks.choose(remote, refs, version, {} if version else yanks.read(remote, refs))
    with tempfile.TemporaryDirectory() as folder:
        manifest = pulling.remote_manifest(remote, chosen, commit, Path(folder))
        wrong = pulling.metadata_problems(remote, commit, manifest, Path(folder)) + integrity.record_problems(manifest)
        if (card := Path(folder) / "README.md").exists():
            wrong += integrity.card_problems(manifest, card)
        integrity.refuse(f"{remote.uri}@{chosen}", wrong)
        return _verified(f"{remote.uri}@{chosen}", manifest, Path(folder), downloaded=False)
