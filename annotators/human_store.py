"""The review store: every verdict that people gave here, and what each job asks of them, in one sqlite file.

It is a log: a verdict taken back or given again is another line, and the last line about (sheet, reviewer) holds. Each line is
its own transaction (WAL, synchronous=FULL): when `add` returns it is on disk. Several servers may share the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from tilth.annotators.store_writer import storage_errors, write_ahead
from tilth.core.errors import StorageError

SCHEMA_VERSION = 1
APPLICATION_ID = 0x54494C52  # "TILR"

TABLES = """
CREATE TABLE lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL, job TEXT NOT NULL, question TEXT NOT NULL, reviewer TEXT NOT NULL,
    sheet TEXT NOT NULL, row_id TEXT NOT NULL, shown TEXT NOT NULL, said TEXT NOT NULL, comment TEXT NOT NULL,
    seconds REAL NOT NULL, created TEXT NOT NULL);
CREATE INDEX lines_by_question ON lines (question, reviewer, sheet);
CREATE TABLE plans (
    job TEXT NOT NULL, question TEXT NOT NULL, sample INTEGER, disagreements INTEGER NOT NULL, sheets TEXT NOT NULL,
    PRIMARY KEY (job, question));
"""

Act = Literal["judged", "taken_back", "agreement_seen"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reviewer said of one sheet."""

    reviewer: str
    sheet: str
    row_id: str
    order: tuple[int, ...]
    """Position shown → index of the candidate in its row; empty where none was shown."""
    values: tuple[float | None, ...]
    """By position shown (one where none was shown); None: cannot say."""
    comment: str = ""
    seconds: float = 0.0
    """How long the page was looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sheets a job asks people about, in this order."""

    sample: int | None
    """None: all of them."""
    disagreements: bool
    """Those first that judges disagree on."""
    sheets: tuple[str, ...]


class ReviewStore:
    """Verdicts of people.

    Raises:
        StorageError: the file is no review store, is damaged, is newer than this code, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        run = self._connection.execute
        write_ahead(self._connection)
        run("PRAGMA synchronous=FULL")
        run("BEGIN IMMEDIATE")  # two servers may open a new file at once
        (version,), (application,) = run("PRAGMA user_version").fetchone(), run("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID and (application or run("SELECT count(*) FROM sqlite_master").fetchone()[0]):
            raise StorageError(f"{self.path}: a sqlite file, but no review store", hint="name another file")
        if version > SCHEMA_VERSION:
            raise StorageError(f"{self.path}: schema {version}, this Tilth knows {SCHEMA_VERSION}", hint="upgrade Tilth")
        if not application:
            for statement in TABLES.split(";")[:-1]:
                run(statement)
            run(f"PRAGMA application_id={APPLICATION_ID}")
            run(f"PRAGMA user_version={SCHEMA_VERSION}")
        run("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._connection.close()

    def add(self, job: str, question: str, verdict: Verdict, act: Act = "judged") -> None:
        """Write one line; it is on disk when this returns."""
        told = (act, job, question, verdict.reviewer, verdict.sheet, verdict.row_id, _json(verdict.order), _json(verdict.values))
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._run(f"INSERT INTO lines VALUES (NULL{', ?' * 11})", (*told, verdict.comment, verdict.seconds, now))

    def verdicts(self, question: str, reviewer: str | None = None) -> list[Verdict]:
        """The verdicts that hold on sheets of a question (of one reviewer), in the order given."""
        rows = self._run(
            "SELECT reviewer, sheet, row_id, shown, said, comment, seconds, act FROM lines WHERE id IN (SELECT max(id) FROM lines "
            "WHERE question = ?1 AND act != 'agreement_seen' AND (?2 IS NULL OR reviewer = ?2) GROUP BY reviewer, sheet) ORDER BY id",
            (question, reviewer),
        )
        return [_verdict(row) for row in rows if row[-1] == "judged"]

    def last(self, job: str, question: str, reviewer: str) -> Verdict | None:
        """The last verdict of a reviewer in a job that holds and was given since they last saw agreement."""
        rows = self._run(
            "SELECT reviewer, sheet, row_id, shown, said, comment, seconds FROM lines AS line WHERE act = 'judged' AND job = ?1 "
            "AND question = ?2 AND reviewer = ?3 AND id > (SELECT coalesce(max(id), 0) FROM lines WHERE act = 'agreement_seen' "
            "AND job = ?1 AND question = ?2 AND reviewer = ?3) AND NOT EXISTS (SELECT 1 FROM lines AS later WHERE later.id > line.id "
            "AND later.question = ?2 AND later.reviewer = ?3 AND later.sheet = line.sheet) ORDER BY id DESC LIMIT 1",
            (job, question, reviewer),
        )
        return _verdict(rows[0]) if rows else None

    def plan(self, job: str, question: str) -> Plan | None:
        """What the job asks people about, where that was drawn."""
        rows = self._run("SELECT sample, disagreements, sheets FROM plans WHERE job = ? AND question = ?", (job, question))
        return Plan(rows[0][0], bool(rows[0][1]), tuple(orjson.loads(rows[0][2]))) if rows else None

    def keep_plan(self, job: str, question: str, plan: Plan) -> None:
        """Write down what the job asks people about."""
        told = (job, question, plan.sample, plan.disagreements, _json(plan.sheets))
        self._run("REPLACE INTO plans VALUES (?, ?, ?, ?, ?)", told)

    def _run(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with storage_errors(self.path), self._lock:
            return self._connection.execute(sql, values).fetchall()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _verdict(row: Sequence[Any]) -> Verdict:
    reviewer, sheet, row_id, order, values, comment, seconds = row[:7]
    return Verdict(reviewer, sheet, row_id, tuple(orjson.loads(order)), tuple(orjson.loads(values)), comment, seconds)
