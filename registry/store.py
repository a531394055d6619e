"""Store: one bare git repository a dataset, with a standard git-LFS object store: what the Hub itself keeps.

`<registry>/<name>.git` holds commits, trees, small files and tags; `<name>.git/lfs/objects/aa/bb/<sha256>` the shards.
So (path, blob id, sha256) of a release are known before it is published, and equal after.

A release exists from the moment its tag does. The tag is written before `main`, never moved, and everything that a
killed writer leaves behind (half copies, `*.lock` files, a `main` that lags) is put right by the next writer, who
holds the one lock of the dataset.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.durable import fsync_folder, link_or_copy, locked, storage_errors, write_durably
from tilth.core.errors import RegistryError, StorageError, VerifyError
from tilth.core.manifest import FILE, FileDigest, Manifest, version_key
from tilth.registry.lfs import Objects, in_lfs

WHO = b"Tilth <tilth@localhost>"
POINTER_BYTES = 1024
"""git-LFS pointers are shorter than this."""
_DIGEST = re.compile(r"^digest: sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Tagged:
    """One release in the store: its commit, the digest that its tag's message gives, and when (Unix seconds)."""

    version: str
    commit: str
    digest: str
    created: int


class Store:
    """The repository of dataset `name`. Making a `Store` creates nothing."""

    def __init__(self, registry: Path, name: str) -> None:
        self.registry = registry
        self.name = name
        self.git = registry / f"{name}.git"
        self.scratch = self.git / "lfs" / "tmp"
        self.objects = Objects(self.git / "lfs" / "objects", self.scratch)

    def snapshot(self, version: str) -> Path:
        """Where the read-only folder of a release lies, or would."""
        return self.registry / "snapshots" / self.name / version

    def exists(self) -> bool:
        """Whether anything was ever released under this name."""
        return self.git.is_dir()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the dataset's one lock; make the repository where there is none; clear what a killed writer left.

        Raises:
            StorageError: another process holds the lock for too long, or the disk says no.
        """
        with storage_errors(f"registry of {self.name}"):
            self.registry.mkdir(parents=True, exist_ok=True)
            with locked(self.registry / f"{self.name}.lock"):
                self._create()
                self._sweep()
                try:
                    yield
                finally:
                    shutil.rmtree(self.scratch, ignore_errors=True)

    def _create(self) -> None:
        from dulwich.repo import Repo

        if self.git.exists():
            return
        new = self.registry / f"{self.name}.git.new"
        shutil.rmtree(new, ignore_errors=True)
        repo = Repo.init_bare(str(new), mkdir=True, default_branch=b"main")
        repo.close()
        (new / "lfs" / "objects").mkdir(parents=True)
        os.rename(new, self.git)
        fsync_folder(self.registry)

    def tidy(self) -> None:
        """Clear what a killed writer left, if one did and none is at work: `scratch` is there only while one writes."""
        from filelock import FileLock, Timeout

        if not self.scratch.exists():
            return
        try:
            with FileLock(self.registry / f"{self.name}.lock", timeout=0):
                self._sweep()
                shutil.rmtree(self.scratch, ignore_errors=True)
        except (Timeout, OSError):
            return  # a writer is alive, or this reader may not write: it is left to the next writer

    def _sweep(self) -> None:
        """Only under the lock: whatever is locked or half written here has no living writer."""
        for stale in [*self.git.glob("*.lock"), *self.git.glob("refs/**/*.lock"), *self.git.glob("objects/**/*.lock")]:
            stale.unlink()
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._advance_main()

    def _advance_main(self) -> None:
        """`main` names the newest release, also where a writer died between its tag and `main`."""
        tags = self.tags()
        if not tags:
            return
        newest = tags[max(tags, key=version_key)].commit.encode()
        with self._repo() as repo:
            before = repo.refs.read_ref(b"refs/heads/main")
            if before != newest and not repo.refs.set_if_equals(b"refs/heads/main", before, newest):
                raise StorageError(f"{self.git}: main moved under the lock", hint="is another program writing there?")

    @contextmanager
    def _repo(self) -> Iterator[Any]:
        from dulwich.repo import Repo

        repo = Repo(str(self.git))
        repo.object_store.fsync_object_files = True  # the setting of that name makes git grumble that it is deprecated
        try:
            yield repo
        finally:
            repo.close()

    def commit(self, folder: Path, stored: Mapping[str, FileDigest], parent: str | None, message: str) -> str:
        """Make a commit, on no branch, of every file of `folder`; returns its id (40 hex digits).

        `stored` are the files that `objects.put` has taken already.
        """
        from dulwich.lfs import LFSPointer
        from dulwich.objects import Blob, Commit

        entries: dict[str, bytes] = {}
        with self._repo() as repo:
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                path = file.relative_to(folder).as_posix()
                if in_lfs(path, file.stat().st_size):
                    large = stored.get(path) or self.objects.put(file)
                    blob = Blob.from_string(LFSPointer(large.sha256, large.bytes).to_bytes())
                else:
                    blob = Blob.from_string(file.read_bytes())
                repo.object_store.add_object(blob)
                entries[path] = blob.id
            commit = Commit()
            commit.tree = _add_tree(repo, entries)
            commit.parents = [parent.encode()] if parent else []
            commit.author = commit.committer = WHO
            commit.author_time = commit.commit_time = int(time.time())
            commit.author_timezone = commit.commit_timezone = 0
            commit.encoding = b"UTF-8"
            commit.message = message.encode()
            repo.object_store.add_object(commit)
            return commit.id.decode()  # type: ignore[no-any-return]

    def tag(self, version: str, commit: str, message: str) -> None:
        """Tag a commit `v<version>`: from here on the release exists. Then bring `main` along.

        Raises:
            RegistryError: the tag is there.
        """
        if not self._add_tag(f"refs/tags/v{version}", f"v{version}", commit, message):
            raise RegistryError(f"{self.name}@{version} exists", hint="a release is never changed: give the next version")
        self._advance_main()

    def _add_tag(self, ref: str, label: str, commit: str, message: str) -> bool:
        from dulwich.objects import Commit, Tag

        with self._repo() as repo:
            if repo.refs.read_ref(ref.encode()) is not None:
                return False  # before the object is made: `git fsck` would call it dangling
            tag = Tag()
            tag.object = (Commit, commit.encode())
            tag.name = label.encode()
            tag.tagger = WHO
            tag.tag_time = int(time.time())
            tag.tag_timezone = 0
            tag.message = message.encode()
            repo.object_store.add_object(tag)
            added = bool(repo.refs.add_if_new(ref.encode(), tag.id))
        fsync_folder((self.git / ref).parent)
        return added

    def tags(self) -> dict[str, Tagged]:
        """version → release, oldest version first."""
        found: dict[str, Tagged] = {}
        for label, tag in self._annotated(b"refs/tags"):
            digest = _DIGEST.search(tag.message.decode())
            if label.startswith("v") and digest:
                commit = tag.object[1].decode()
                found[label[1:]] = Tagged(label[1:], commit, digest[1], tag.tag_time)
        return dict(sorted(found.items(), key=lambda item: version_key(item[0])))

    def yank(self, version: str, commit: str, reason: str) -> bool:
        """Mark a release as withdrawn, beside it: `refs/tilth/yanked/<version>`. False where it was already."""
        return self._add_tag(f"refs/tilth/yanked/{version}", f"yanked-{version}", commit, reason)

    def yanked(self) -> dict[str, str]:
        """version → reason, of every release that was withdrawn."""
        return {label: tag.message.decode() for label, tag in self._annotated(b"refs/tilth/yanked")}

    def _annotated(self, base: bytes) -> Iterator[tuple[str, Any]]:
        from dulwich.objects import Tag

        if not self.exists():
            return
        with self._repo() as repo:
            for name, target in sorted(repo.refs.as_dict(base).items()):
                tag = repo.object_store[target]
                if isinstance(tag, Tag):  # a plain ref is somebody else's
                    yield name.decode(), tag

    def blobs(self, commit: str) -> dict[str, str]:
        """path → git blob id of every file of a commit."""
        with self._repo() as repo:
            tree = repo.object_store[commit.encode()].tree
            entries = repo.object_store.iter_tree_contents(tree)
            return {entry.path.decode(): entry.sha.decode() for entry in entries}

    def read(self, commit: str, path: str) -> bytes:
        """One file of a commit, out of LFS where it lies there.

        Raises:
            StorageError: the store lost it.
        """
        found = self._resolve(self.blobs(commit)[path])
        with storage_errors(f"{self.name}: {path}"):
            return found.read_bytes() if isinstance(found, Path) else found

    def manifest(self, tagged: Tagged) -> Manifest:
        """The manifest of a release.

        Raises:
            VerifyError: it is not the one that the tag names.
        """
        found = Manifest.model_validate_json(self.read(tagged.commit, FILE))
        if found.digest() != tagged.digest:
            digests = f"tag says {tagged.digest[:12]}…, manifest {found.digest()[:12]}…"
            raise VerifyError(f"{self.name}@{tagged.version}: {digests}")
        return found

    def _resolve(self, blob: str) -> bytes | Path:
        from dulwich.lfs import LFSPointer

        with self._repo() as repo:
            try:
                data: bytes = repo.object_store[blob.encode()].data
            except KeyError:
                raise StorageError(f"{self.git}: lost object {blob}", hint="restore the registry, or pull from the Hub") from None
        pointer = LFSPointer.from_bytes(data) if len(data) < POINTER_BYTES else None
        return self.objects.path(pointer.oid) if pointer and pointer.is_valid_oid() else data

    def materialise(self, commit: str, target: Path) -> None:
        """Make the read-only folder of a commit: whole or not at all, shards as hard links into the store."""
        with storage_errors(f"snapshot {target}"):
            folder = Path(tempfile.mkdtemp(dir=self.scratch))
            folder.chmod(0o755)
            for path, blob in self.blobs(commit).items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                found = self._resolve(blob)
                if isinstance(found, Path):
                    link_or_copy(found, file)
                else:
                    write_durably(file, found)
                    file.chmod(0o444)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(folder, target)
            fsync_folder(target.parent)


def _add_tree(repo: Any, entries: Mapping[str, bytes]) -> bytes:
    """Store the tree of path → blob id, folder by folder; returns its id."""
    from dulwich.objects import Tree

    tree, folders = Tree(), dict[str, dict[str, bytes]]()
    for path, blob in entries.items():
        first, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(first, {})[rest] = blob
        else:
            tree.add(first.encode(), 0o100644, blob)
    for name, inside in folders.items():
        tree.add(name.encode(), 0o040000, _add_tree(repo, inside))
    repo.object_store.add_object(tree)
    return tree.id  # type: ignore[no-any-return]
