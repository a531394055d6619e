"""The one thread that writes to a call store, committing what waits in groups."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tilth.core.errors import StorageError

GROUP = 200
"""Records in one commit at most."""
LINGER_SECONDS = 0.005
"""How long a commit waits for company: 64 calls in flight make groups of about ten, for 5 ms of delay."""

INSERT = (
    "INSERT INTO calls (key, provider, base_url, model, prompt_version, request, shown, raw, parsed, status, "
    "input_tokens, output_tokens, cached_tokens, usd, price_version, latency_s, cache_write_tokens, cache_write_1h_tokens, created) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite and the disk raise into a StorageError that names the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path}: {error}", hint="is there room and permission? is another process holding it?") from error
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{path}: damaged: {error}", hint="restore a copy, or move it away to begin a new one") from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def write_ahead(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. Where several open a new file at once sqlite says "locked" at once, whatever its timeout."""
    until = time.monotonic() + 60
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


@dataclass(slots=True)
class _Entry:
    act: Literal["put", "reserve", "release", "update", "flush", "close"]
    values: tuple[Any, ...] = ()
    future: Future[Any] = field(default_factory=Future)


class StoreWriter:
    """Takes records from any thread; each future is done when its record is committed, or holds the StorageError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: queue.SimpleQueue[_Entry] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tilth-call-store", daemon=True)
        self._thread.start()

    def put(self, values: tuple[Any, ...], settles: int | None) -> Future[None]:
        return self._send(_Entry("put", (values, settles)))

    def reserve(self, key: str, usd: float) -> Future[int]:
        return self._send(_Entry("reserve", (key, usd)))

    def release(self, reservation: int) -> None:
        self._send(_Entry("release", (reservation,)))

    def update(self, key: str, parsed: str, status: str) -> None:
        self._send(_Entry("update", (parsed, status, key)))

    def flush(self) -> None:
        self._send(_Entry("flush")).result()

    def close(self) -> None:
        if self._thread.is_alive():
            self._send(_Entry("close")).result()
            self._thread.join()

    def _send(self, entry: _Entry) -> Future[Any]:
        if not self._thread.is_alive():
            raise StorageError(f"{self._path}: the call store is closed")
        self._entries.put(entry)
        return entry.future

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            group = self._group()
            try:
                with storage_errors(self._path):
                    if connection is None:
                        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
                        connection.execute("PRAGMA synchronous=FULL")
                    results = _commit(connection, group)
            except (StorageError, ValueError, ArithmeticError) as error:  # a full disk, a value that sqlite cannot hold
                _fail(group, error)  # told to everyone who waits; the thread lives on, it may be mended
            except BaseException as error:  # a defect of ours must not leave anyone waiting
                _fail(group, error)
                raise
            else:
                for entry, result in zip(group, results, strict=True):
                    entry.future.set_result(result)
            if group[-1].act == "close":
                if connection is not None:
                    connection.close()
                return

    def _group(self) -> list[_Entry]:
        group = [self._entries.get()]
        until = time.monotonic() + LINGER_SECONDS
        while len(group) < GROUP and group[-1].act not in ("flush", "close"):
            try:
                group.append(self._entries.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        return group


def _fail(group: list[_Entry], error: BaseException) -> None:
    for entry in group:
        entry.future.set_exception(error)


def _commit(connection: sqlite3.Connection, group: list[_Entry]) -> list[int | None]:
    """Write a group in one transaction, or none of it; the id of each reservation."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [_write(connection, entry, now) for entry in group]
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return results


def _write(connection: sqlite3.Connection, entry: _Entry, now: str) -> int | None:
    match entry.act:
        case "put":
            values, settles = entry.values
            put(connection, (*values, now))
            if settles is not None:
                connection.execute("DELETE FROM pending WHERE id = ?", (settles,))
        case "reserve":
            return connection.execute("INSERT INTO pending (key, usd, created) VALUES (?, ?, ?)", (*entry.values, now)).lastrowid
        case "release":
            connection.execute("DELETE FROM pending WHERE id = ?", entry.values)
        case "update":
            connection.execute("UPDATE calls SET parsed = ?, status = ? WHERE key = ?", entry.values)
    return None


def put(connection: sqlite3.Connection, values: tuple[Any, ...]) -> None:
    """Write a call, inside a transaction: what is final stays, what failed is replaced."""
    key, status, usd = values[0], values[9], values[13]
    known = connection.execute("SELECT status FROM calls WHERE key = ?", (key,)).fetchone()
    if known is None or known[0] == "failed":
        connection.execute("DELETE FROM calls WHERE key = ?", (key,))
        connection.execute(INSERT, values)
    elif status != "failed" and usd:  # two processes bought the same: the first answer stands, the money of both counts
        connection.execute("UPDATE calls SET usd = coalesce(usd, 0) + ? WHERE key = ?", (usd, key))
