"""What is known of batches, in the file of the call store, so that a job may die between any two steps.

A batch is written down, with every request and its worst cost, before anything is sent: state `writing`. It is `sending` from when all is
written, `running` once the provider's id is on disk, and `done` when every answer is. An answer is put into the store in the
same transaction that takes its request out of the batch: it cannot be counted twice, nor lost.
A request stands in one batch at a time, whichever process sent it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tilth.annotators import store_writer
from tilth.annotators.batches_api import Sent
from tilth.annotators.calls import Call, Endpoint
from tilth.annotators.store import LOOKUP, values
from tilth.annotators.store_writer import storage_errors

TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    token TEXT PRIMARY KEY, provider TEXT NOT NULL, base_url TEXT NOT NULL, model TEXT NOT NULL, question TEXT NOT NULL,
    state TEXT NOT NULL, file TEXT NOT NULL DEFAULT '', id TEXT NOT NULL DEFAULT '', requests INTEGER NOT NULL DEFAULT 0,
    sent_at REAL NOT NULL DEFAULT 0, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batch_requests (
    key TEXT PRIMARY KEY, batch TEXT NOT NULL, place INTEGER NOT NULL, request TEXT NOT NULL, shown TEXT NOT NULL,
    pending INTEGER NOT NULL, usd REAL NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS batch_requests_by_place ON batch_requests (batch, place);
"""
STATES = ("writing", "sending", "running", "done")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in a batch."""

    key: str
    place: int
    request: str
    """Canonical, JSON."""
    shown: str
    """Order and names, JSON."""
    usd: float
    """Reserved."""
    pending: int = 0
    """Its reservation in the store."""


@dataclass(frozen=True, slots=True)
class Known:
    """A batch that is written down."""

    whose: Endpoint
    question: str
    """{name, version, parameters}, JSON."""
    state: Literal["writing", "sending", "running", "done"]
    sent: Sent


class BatchState:
    """The batches of a call store, whoever sent them.

    Raises:
        StorageError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(TABLES)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with storage_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, sql: str, given: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with storage_errors(self.path):
            return self._connection.execute(sql, given).fetchall()

    # -- before it is sent -----------------------------------------------------------------------------------------

    def begin(self, token: str, whose: Endpoint, question: str) -> None:
        """A batch that requests will be put into."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO batches (token, provider, base_url, model, question, state, created) VALUES (?,?,?,?,?,'writing',?)",
                (token, whose.provider, whose.base_url, whose.model, question, _now()),
            )

    def add(self, token: str, requests: Sequence[Waiting]) -> set[int]:
        """Put requests into a batch, their worst cost reserved; the places of those that stand in no other."""
        taken: set[int] = set()
        with self._transaction() as connection:
            for one in requests:
                known = connection.execute("SELECT 1 FROM batch_requests WHERE key = ?", (one.key,)).fetchone()
                if known is not None:
                    continue
                pending = connection.execute(
                    "INSERT INTO pending (key, usd, created) VALUES (?, ?, ?)", (one.key, one.usd, _now())
                ).lastrowid
                row = (one.key, token, one.place, one.request, one.shown, pending, one.usd)
                connection.execute("INSERT INTO batch_requests VALUES (?,?,?,?,?,?,?)", row)
                taken.add(one.place)
        return taken

    def note(self, token: str, *, state: str, **facts: object) -> None:
        """Write down how far a batch has come: `requests`, `file`, `id`; the time, where it is about to be sent."""
        assert state in STATES
        if state == "sending":
            facts["sent_at"] = time.time()
        with self._transaction() as connection:
            names = ", ".join(f"{name} = ?" for name in facts)
            connection.execute(
                f"UPDATE batches SET state = ?{', ' if names else ''}{names} WHERE token = ?", (state, *facts.values(), token)
            )

    # -- after -----------------------------------------------------------------------------------------------------

    def waiting(self, token: str, places: Sequence[int]) -> dict[int, Waiting]:
        """The requests of a batch at those places that are not answered yet."""
        found: dict[int, Waiting] = {}
        for start in range(0, len(places), LOOKUP):
            some = places[start : start + LOOKUP]
            marks = ",".join("?" * len(some))
            sql = f"SELECT key, place, request, shown, usd, pending FROM batch_requests WHERE batch = ? AND place IN ({marks})"
            found.update((row[1], Waiting(*row)) for row in self._rows(sql, (token, *some)))
        return found

    def settle(self, token: str, answered: Sequence[tuple[Waiting, Call]], freed: Sequence[Waiting]) -> None:
        """Put answers into the store and take their requests, and those that got none, out of the batch: all or nothing."""
        with self._transaction() as connection:
            for one, call in answered:
                if self._take(connection, token, one):
                    store_writer.put(connection, (*values(call), _now()))
            for one in freed:
                self._take(connection, token, one)

    def _take(self, connection: sqlite3.Connection, token: str, one: Waiting) -> bool:
        gone = connection.execute("DELETE FROM batch_requests WHERE key = ? AND batch = ?", (one.key, token))
        connection.execute("DELETE FROM pending WHERE id = ?", (one.pending,))
        return gone.rowcount == 1

    def finish(self, token: str) -> list[Waiting]:
        """The batch is over, or never was: what is left of it, freed. Nothing more can be billed for it."""
        left = [Waiting(*row) for row in self._rows(
            "SELECT key, place, request, shown, usd, pending FROM batch_requests WHERE batch = ?", (token,))]  # fmt: skip
        with self._transaction() as connection:
            for one in left:
                self._take(connection, token, one)
            connection.execute("UPDATE batches SET state = 'done' WHERE token = ?", (token,))
        return left

    # -- reading ---------------------------------------------------------------------------------------------------

    def open(self, whose: Endpoint | None = None) -> list[Known]:
        """Batches that are not done, oldest first."""
        where = "" if whose is None else " AND provider = ? AND base_url = ? AND model = ?"
        given = () if whose is None else (whose.provider, whose.base_url, whose.model)
        columns = "provider, base_url, model, question, state, token, file, id, requests, sent_at"
        rows = self._rows(f"SELECT {columns} FROM batches WHERE state != 'done'{where} ORDER BY created, token", given)
        return [Known(Endpoint(*row[:3]), row[3], row[4], Sent(*row[5:])) for row in rows]

    def ids(self, provider: str) -> frozenset[str]:
        """The ids of all batches ever sent to a provider from here."""
        return frozenset(row[0] for row in self._rows("SELECT id FROM batches WHERE provider = ? AND id != ''", (provider,)))

    def standing(self, keys: Sequence[str]) -> dict[str, str]:
        """Which of these requests stand in a batch, and in which."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), LOOKUP):
            some = keys[start : start + LOOKUP]
            marks = ",".join("?" * len(some))
            found.update(self._rows(f"SELECT key, batch FROM batch_requests WHERE key IN ({marks})", some))
        return found

    def places(self, token: str) -> list[int]:
        """The places in a batch that are not answered."""
        return [row[0] for row in self._rows("SELECT place FROM batch_requests WHERE batch = ? ORDER BY place", (token,))]

    def left(self, token: str) -> int:
        """How many requests of a batch are not answered."""
        return int(self._rows("SELECT count(*) FROM batch_requests WHERE batch = ?", (token,))[0][0])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
