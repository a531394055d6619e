"""LFS: the standard git-LFS object store, `objects/aa/bb/<sha256>`, written in streams and made to last.

dulwich's own `LFSStore.write_object` holds the whole file in memory and does not fsync; this does neither.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tilth.core.durable import fsync_folder
from tilth.core.fingerprints import file_digest
from tilth.core.manifest import FileDigest

CHUNK = 1 << 20
LFS_BYTES = 10 << 20
"""A file that is not Parquet goes to LFS above 10 MiB: where the Hub draws the line."""
ATTRIBUTES = ".gitattributes"
_FILTER = "filter=lfs diff=lfs merge=lfs -text"


def in_lfs(path: str, num_bytes: int) -> bool:
    """Whether a file of a release is kept in LFS."""
    return path.endswith(".parquet") or num_bytes > LFS_BYTES


def attributes(large: list[str]) -> str:
    """`.gitattributes` of a release: Parquet, and the other `large` files by path."""
    return "".join(f"{pattern} {_FILTER}\n" for pattern in ["*.parquet", *sorted(large)])


def blob_id(data: bytes) -> str:
    """The git blob id (40 hex digits) of `data`.

    >>> blob_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Objects:
    """The object store of one repository: `root` holds the objects, `scratch` what is on its way there."""

    root: Path
    scratch: Path

    def path(self, sha256: str) -> Path:
        """Where the object of that digest lies, or would."""
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def put(self, source: Path, expected: str | None = None) -> FileDigest:
        """Copy a file into the store in a stream.

        An object that is there already is kept when its bytes are right, replaced when they are not.
        `expected` (a sha256) is what the caller believes: where the store has it, nothing is written.
        """
        if expected and self.path(expected).exists() and file_digest(source) == file_digest(self.path(expected)) == expected:
            return FileDigest(sha256=expected, bytes=source.stat().st_size)
        hasher = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=self.scratch, delete=False) as out, source.open("rb") as file:
            while chunk := file.read(CHUNK):
                hasher.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        copy, sha256 = Path(out.name), hasher.hexdigest()
        put = FileDigest(sha256=sha256, bytes=copy.stat().st_size)
        copy.chmod(0o444)
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and file_digest(target) == sha256:
            copy.unlink()
        else:
            os.replace(copy, target)
            fsync_folder(target.parent)
        return put
