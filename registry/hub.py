"""Hub: releases pushed to and pulled from Hugging Face, whole or not at all.

A push is one commit on top of a known head, looked over at its id, then tagged; readers only ever see tags. A tag that
is there is never moved. Whatever is cut off (a lost answer, a killed process) is finished by pushing again.
`main` holds the newest release; a patch of an older line goes to the branch `release-<version>`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core import home as homes
from tilth.core import manifest as manifests
from tilth.core.errors import NetworkError, RegistryError, YankedError
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home
from tilth.core.manifest import FileDigest, Manifest, version_key
from tilth.registry import integrity
from tilth.registry.lfs import blob_id
from tilth.registry.pulling import Pulled, fetch
from tilth.registry.remote import PREFIX, Conflict, Refs, Remote, RemoteFile, repo_id
from tilth.registry.yanks import FILE as YANKED
from tilth.registry.yanks import MAIN, tagged, yank
from tilth.registry.yanks import recall as known_yanks

if TYPE_CHECKING:
    from tilth.registry.releases import Release

__all__ = ["Pulled", "fetch", "is_remote", "known_yanks", "pull", "push", "uri", "yank"]

ATTEMPTS = 8
"""Times that a push meets another commit in its way before it gives up."""
PAUSE_SECONDS = 0.5
"""How long it waits, times the attempt, where the Hub says that another commit is in progress."""


def is_remote(name: str) -> bool:
    """Whether a name is one of the Hub: `hf://org/name` or `org/name`."""
    return name.startswith(PREFIX) or "/" in name


def uri(name: str) -> str:
    """`hf://org/name`."""
    return f"{PREFIX}{repo_id(name)}"


def push(release: Release, to: str, *, private: bool = True, token: str | None = None) -> str:
    """Publish a release; returns the commit (40 hex digits) that its tag names. Pushing it again changes nothing.

    Args:
        to: `hf://org/name`.
        private: whether the repository, if it has to be made, is private.
        token: by default from `HF_TOKEN` or `hf auth login`.

    Raises:
        VerifyError: the release is damaged, or what arrived is not the release (it is then not tagged).
        YankedError: the release was withdrawn.
        RegistryError: no access, the tag names another commit, or others commit there at the same time.
        NetworkError: the Hub cannot be reached; push again.
    """
    if reason := release.yanked:
        raise YankedError(f"{release.ref} was withdrawn: {reason}", hint="push another version")
    remote = Remote(to, token)
    manifest = integrity.check(release.path)
    files = _listing(release.path, manifest)
    remote.create(private)
    refs, tag = remote.refs(), f"v{release.version}"
    if commit := refs.tags.get(tag):
        if wrong := _differences(release.path, files, remote.tree(commit)):
            raise RegistryError(
                f"{remote.uri}: tag {tag} names another release ({commit[:8]}): {wrong[0]}",
                hint="a tag is never moved: release the next version",
            )
        return commit
    branch = _branch(remote, refs, release.version)
    commit = _commit(remote, branch, release, manifest, files)
    integrity.refuse(f"{remote.uri} at {commit[:8]}", _differences(release.path, files, remote.tree(commit)))
    _tag(remote, tag, commit, f"{release.name} {release.version}\n\ndigest: sha256:{release.digest}\n")
    return commit


def _listing(folder: Path, manifest: Manifest) -> dict[str, FileDigest]:
    """Every file of a release that was checked, the manifest too."""
    own = folder / manifests.FILE
    return {**manifest.files, manifests.FILE: FileDigest(sha256=file_digest(own), bytes=own.stat().st_size)}


def _differences(folder: Path, files: dict[str, FileDigest], tree: dict[str, RemoteFile]) -> list[str]:
    """What a tree on the Hub does not share with the release in `folder`, as `path: what`."""
    wrong = []
    for path in sorted((set(files) | set(tree)) - {YANKED}):
        mine, theirs = files.get(path), tree.get(path)
        if mine is None or theirs is None:
            wrong.append(f"{path}: {'not of the release' if mine is None else 'missing'}")
        elif theirs.bytes != mine.bytes:
            wrong.append(f"{path}: {theirs.bytes} bytes, the release has {mine.bytes}")
        elif theirs.sha256 and theirs.sha256 != mine.sha256:
            wrong.append(f"{path}: sha256 {theirs.sha256[:12]}…, the release has {mine.sha256[:12]}…")
        elif not theirs.sha256 and theirs.blob != (own := blob_id((folder / path).read_bytes())):
            wrong.append(f"{path}: blob {theirs.blob[:12]}…, the release has {own[:12]}…")
    return wrong


def _branch(remote: Remote, refs: Refs, version: str) -> str:
    """`main`, or a branch of its own for a version below the newest there."""
    newer = [other for other in tagged(refs) if version_key(other) > version_key(version)]
    if not newer:
        return MAIN
    name = f"release-{version}"
    if name not in refs.branches:
        remote.branch(name, refs.branches[MAIN])
    return name


def _commit(remote: Remote, branch: str, release: Release, manifest: Manifest, files: dict[str, FileDigest]) -> str:
    """The commit on `branch` that holds exactly the release: made, or found where an earlier try has left it."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    title = f"Release v{release.version}"
    seen: str | None = None
    for attempt in range(ATTEMPTS):
        head = remote.refs().branches.get(branch)
        tree = remote.tree(head) if head else {}
        if head and not _differences(release.path, files, tree):
            return head
        if attempt and head == seen:
            time.sleep(PAUSE_SECONDS * attempt)
        elif attempt and head and not remote.title(head).startswith(("Release v", "Yank v")):
            raise RegistryError(
                f"{remote.uri}: somebody committed {remote.title(head)!r} ({head[:8]}) while the release was pushed",
                hint="look at it, then push again: the release takes its place on main",
            )
        seen = head
        additions = [CommitOperationAdd(path, str(release.path / path)) for path in files]
        gone = [CommitOperationDelete(path) for path in sorted(set(tree) - set(files) - {YANKED})]
        remote.upload(additions, branch)
        try:
            description = "\n".join([f"digest: sha256:{release.digest}", "", *manifest.changes])
            return remote.commit([*additions, *gone], branch=branch, parent=head, title=title, description=description)
        except Conflict:
            continue
        except NetworkError:
            # The answer may be lost and the commit made: the next look at the head tells.
            if (
                (found := remote.refs().branches.get(branch))
                and found != head
                and not _differences(release.path, files, remote.tree(found))
            ):
                return found
            raise
    raise RegistryError(f"{remote.uri}: {ATTEMPTS} times another commit came first", hint="push again when the others are done")


def _tag(remote: Remote, tag: str, commit: str, message: str) -> None:
    """Tag the commit, and read it back: whatever was answered, the refs have the last word."""
    lost: NetworkError | None = None
    try:
        remote.tag(tag, commit, message)
    except Conflict:
        pass  # somebody was faster; the refs below say whether they tagged the same commit
    except NetworkError as error:
        lost = error
    there = remote.refs().tags.get(tag)
    if there is None and lost:
        raise lost
    if there != commit:
        raise RegistryError(
            f"{remote.uri}: tag {tag} names {there}, not {commit}", hint="a tag is never moved: release the next version"
        )


def pull(ref: str, *, home: Home | None = None, token: str | None = None) -> Path:
    """Fetch a Hub release and check every byte; returns its read-only folder. See `fetch`."""
    return fetch(ref, home or homes.home(), token).path
