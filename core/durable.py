"""Durable: files and folders that are there whole or not at all, and one writer at a time."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tilth.core.errors import StorageError

LOCK_SECONDS = 600.0
"""How long a writer waits for another one."""


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock file, between processes and threads; not to be taken twice by one.

    Raises:
        StorageError: another process holds it for longer than `LOCK_SECONDS`.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=LOCK_SECONDS)
    try:
        held.acquire()
    except Timeout:
        raise StorageError(
            f"{lock}: held by another process for {LOCK_SECONDS:.0f} s", hint="let it end, then try again"
        ) from None
    try:
        yield
    finally:
        held.release()


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn `OSError` into a `StorageError` that names the file and the mend."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        where = f": {error.filename}" if error.filename else ""
        hint = "free some space, or set TILTH_HOME elsewhere" if full else None
        raise StorageError(f"{what}: {error.strerror or error}{where}", hint=hint) from error


def fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file, fsynced."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def link_or_copy(source: Path, target: Path) -> None:
    """Hard link; a copy where the file system has none. An old target is replaced."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, no links, too many links: the copy below says what is really wrong
        shutil.copyfile(source, target)
        target.chmod(0o444)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that becomes `path` when the block ends well, and vanishes when it does not.

    Raises:
        StorageError: the disk is full or may not be written, or a folder is in the place.
    """
    from polars.exceptions import PolarsError

    if os.path.isdir(path):
        raise StorageError(f"{path}: Is a directory", hint="name a file")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        raise StorageError(f"{path}: {error.strerror or error}", hint="free some space, or move TILTH_HOME") from None
    except PolarsError as error:  # polars does not raise OSError where the system did
        _remove(temporary)
        if not any(words in str(error) for words in ("os error", "transport error")):
            raise
        full = shutil.disk_usage(path.parent).free < 1 << 20
        reason = "No space left on device" if full else str(error).splitlines()[0]
        raise StorageError(f"{path}: {reason}", hint="free some space, or move TILTH_HOME") from None
    except BaseException:
        _remove(temporary)
        raise


def _remove(temporary: Path) -> None:
    with suppress(OSError):  # a name that could not be made (too long, beneath a file) cannot be removed: the first error tells why
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with writing(path) as temporary:
        temporary.write_bytes(content)
