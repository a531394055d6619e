"""The call store: every model call ever made here, in one sqlite file; asking again what was answered costs nothing.

WAL and synchronous=FULL: a committed answer survives a power cut. One thread writes; it commits what is waiting
in groups (measured: 255 single commits a second, 14,000 records a second in groups of 200), so `put` never waits, and
whoever must know that a record is safe waits for the future that `put` returns.

    with CallStore(home().calls) as store:
        known = store.get_many(keys)
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, Self

import orjson
import polars as pl

from tilth.annotators.call_search import CallFilter
from tilth.annotators.calls import Asked, Call, Reading, Usage, summarise
from tilth.annotators.store_writer import StoreWriter, storage_errors, write_ahead
from tilth.core.errors import StorageError

SCHEMA_VERSION = 2
APPLICATION_ID = 0x54494C54  # "TILT"

TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, provider TEXT NOT NULL, base_url TEXT NOT NULL, model TEXT NOT NULL,
    prompt_version TEXT NOT NULL, request TEXT NOT NULL, shown TEXT NOT NULL, raw TEXT NOT NULL, parsed TEXT,
    status TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    usd REAL, price_version TEXT NOT NULL, latency_s REAL NOT NULL, created TEXT NOT NULL,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0, cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS calls_by_judge ON calls (provider, model, prompt_version, status);
CREATE TABLE IF NOT EXISTS pending (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, usd REAL NOT NULL, created TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pending_by_key ON pending (key);
"""
COLUMNS = (
    "key, provider, base_url, model, prompt_version, request, shown, raw, parsed, status, "
    "input_tokens, output_tokens, cached_tokens, usd, price_version, latency_s, created, cache_write_tokens, cache_write_1h_tokens"
)
UPGRADES = {
    1: (
        "ALTER TABLE calls ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE calls ADD COLUMN cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0",
    )
}
"""Schema → what makes the next one of it."""
LOOKUP = 500
"""Keys in one SELECT (sqlite's limit is 32,766 variables)."""


class Reader(Protocol):
    """A question, as far as the store knows it."""

    @property
    def label(self) -> str:
        """`name@version`"""
        ...

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        """What the reply says about each shown name."""
        ...


class CallStore:
    """Calls by the hash of their request. Several processes may share the file.

    Raises:
        StorageError: the file is not a call store, is damaged, is newer than this code, or cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        self._lock = threading.Lock()
        self._writer = StoreWriter(self.path)

    def _prepare(self) -> None:
        # Tables first: another process may make them and the ids, together, between two of these.
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        if application not in (0, APPLICATION_ID) or (tables and application == 0):
            raise StorageError(f"{self.path}: a sqlite file, but no call store", hint="name another file")
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"{self.path}: schema {version}, this Tilth knows {SCHEMA_VERSION}", hint="upgrade Tilth, or name another file"
            )
        write_ahead(self._connection)
        self._connection.execute("PRAGMA synchronous=FULL")
        if not tables:
            self._connection.executescript(
                f"BEGIN IMMEDIATE;{TABLES}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
            )
        elif version < SCHEMA_VERSION:
            self._upgrade()
        self._connection.execute("SELECT key, shown FROM calls LIMIT 1").fetchone()

    def _upgrade(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()  # another process may have done it meanwhile
            for old in range(version, SCHEMA_VERSION):
                for change in UPGRADES[old]:
                    self._connection.execute(change)
            self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what waits, and close."""
        try:
            self._writer.close()
        finally:
            self._connection.close()

    # -- writing ---------------------------------------------------------------------------------------------------

    def put(self, call: Call, settles: int | None = None) -> Future[None]:
        """Record a call; the future is done once it is on disk. A call that is final is never replaced.

        Args:
            settles: the reservation that this call used up, taken away in the same transaction.
        """
        return self._writer.put(values(call), settles)

    def reserve(self, key: str, usd: float) -> Future[int]:
        """Write down that `usd` may be spent on `key` before it is asked; done, with an id, once it is on disk."""
        return self._writer.reserve(key, usd)

    def release(self, reservation: int) -> None:
        """Take a reservation back: nothing was spent on it."""
        self._writer.release(reservation)

    def flush(self) -> None:
        """Return once everything put so far is on disk."""
        self._writer.flush()

    # -- reading ---------------------------------------------------------------------------------------------------

    def get_many(self, keys: Iterable[str]) -> dict[str, Call]:
        """The calls committed under those keys; keys that are not there are left out. Failed calls are included."""
        found: dict[str, Call] = {}
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            for row in self._rows(f"SELECT {COLUMNS} FROM calls WHERE key IN ({marks})", chunk):
                call = _call(row)
                found[call.key] = call
        return found

    def at_risk(self, keys: Iterable[str]) -> float:
        """USD reserved for those keys and neither settled nor released: in flight, timed out, or lost to a kill."""
        total = 0.0
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            total += self._rows(f"SELECT coalesce(sum(usd), 0) FROM pending WHERE key IN ({marks})", chunk)[0][0]
        return total

    @property
    def spent_usd(self) -> float:
        """USD of all calls in the store, settled."""
        return float(self._rows("SELECT coalesce(sum(usd), 0) FROM calls")[0][0])

    @property
    def at_risk_usd(self) -> float:
        """USD of all reservations that are neither settled nor released."""
        return float(self._rows("SELECT coalesce(sum(usd), 0) FROM pending")[0][0])

    def sample(self, provider: str, model: str, prompt_version: str, most: int) -> list[tuple[str, int, int, int]]:
        """(request, input, output, cached tokens) of answered calls of a judge to a question, evenly from first to last."""
        whose = "provider = ? AND model = ? AND prompt_version = ? AND status != 'failed'"
        judge = (provider, model, prompt_version)
        count = int(self._rows(f"SELECT count(*) FROM calls WHERE {whose}", judge)[0][0])
        return self._rows(  # four columns of these types
            f"SELECT request, input_tokens, output_tokens, cached_tokens FROM calls WHERE {whose} AND rowid % ? = 0 LIMIT ?",
            (*judge, max(1, count // most), most),
        )

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM calls")[0][0])

    def __iter__(self) -> Iterator[Call]:
        """All calls, by key."""
        last = ""
        while rows := self._rows(f"SELECT {COLUMNS} FROM calls WHERE key > ? ORDER BY key LIMIT 1000", (last,)):
            yield from map(_call, rows)
            last = rows[-1][0]

    def search(self, which: CallFilter, limit: int) -> list[Call]:
        """Calls that fit, the newest first, at most so many."""
        where, values = which.sql()
        rows = self._rows(f"SELECT {COLUMNS} FROM calls WHERE {where} ORDER BY created DESC, key LIMIT ?", [*values, limit])
        return [_call(row) for row in rows]

    def counts(self, which: CallFilter) -> list[tuple[str, str, str, int, float]]:
        """(judge, question, status, calls, USD) of the calls that fit."""
        where, values = which.sql()
        grouped = "SELECT provider || '/' || model, prompt_version, status, count(*), coalesce(sum(usd), 0) FROM calls"
        return self._rows(f"{grouped} WHERE {where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", values)

    def begins(self, prefix: str) -> list[Call]:
        """Calls whose key begins so, at most two."""
        rows = self._rows(f"SELECT {COLUMNS} FROM calls WHERE key >= ? AND key < ? ORDER BY key LIMIT 2", (prefix, prefix + "~"))
        return [_call(row) for row in rows]

    def reparse(self, question: Reader) -> int:
        """Read every kept reply to this question again with today's parser; returns how many changed. Costs nothing.

        Refused, truncated and failed calls stay what they are.
        """
        self.flush()
        changed = 0
        for call in self:
            if call.asked.question != question.label or call.status in ("refused", "truncated", "failed"):
                continue
            readings = tuple(question.read(call.raw, call.asked.names))
            if readings != call.readings:
                changed += 1
                self._writer.update(call.key, _json([_plain(reading) for reading in readings]), summarise(readings))
        self.flush()
        return changed

    def export(self, path: Path) -> int:
        """Write all calls to a Parquet file, sorted by key; returns how many."""
        import pyarrow.parquet as pq

        self.flush()
        temporary = path.with_name(path.name + ".tmp")
        names = COLUMNS.split(", ")
        total, last = 0, ""
        schema: dict[str, Any] = {name: pl.String for name in names} | {
            name: pl.Int64 for name in names if name.endswith("_tokens")
        }
        schema |= {"usd": pl.Float64, "latency_s": pl.Float64}
        empty = pl.DataFrame(schema={name: schema[name] for name in names}).to_arrow()
        with storage_errors(path), pq.ParquetWriter(temporary, empty.schema, compression="zstd") as writer:
            while rows := self._rows(f"SELECT {COLUMNS} FROM calls WHERE key > ? ORDER BY key LIMIT 5000", (last,)):
                frame = pl.DataFrame(rows, schema={name: schema[name] for name in names}, orient="row")
                writer.write_table(frame.to_arrow().cast(empty.schema))
                total, last = total + len(rows), rows[-1][0]
        temporary.replace(path)
        return total

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with storage_errors(self.path), self._lock:
            return self._connection.execute(sql, values).fetchall()


def values(call: Call) -> tuple[Any, ...]:
    """A call as the table holds it, without the time."""
    parsed = None if call.readings is None else _json([_plain(reading) for reading in call.readings])
    shown = _json({"order": call.asked.order, "names": call.asked.names})
    usage = (call.usage.input_tokens, call.usage.output_tokens, call.usage.cached_tokens)
    head = (call.key, call.provider, call.base_url, call.model, call.asked.question, call.request, shown)
    cache = (call.usage.cache_write_tokens, call.usage.cache_write_1h_tokens)
    return (*head, call.raw, parsed, call.status, *usage, call.usd, call.price_version, call.latency_s, *cache)


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), LOOKUP):
        yield listed[start : start + LOOKUP]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _plain(reading: Reading) -> dict[str, object]:
    plain: dict[str, object] = {"name": reading.name, "value": reading.value, "status": reading.status, "rank": reading.rank}
    if reading.label is not None:
        plain["label"] = reading.label
    if reading.aspect is not None:
        plain["aspect"] = reading.aspect
    return plain


def _call(row: tuple[Any, ...]) -> Call:
    try:
        return _read(row)
    except (ValueError, TypeError, KeyError) as error:  # sqlite holds any type in any column, whoever writes it
        raise StorageError(f"call {row[0]!s:.12} is damaged in the store: {error}", hint="restore a copy of calls.sqlite") from None


def _read(row: tuple[Any, ...]) -> Call:
    key, provider, base_url, model, question, request, shown, raw, parsed, status, *numbers = row
    tokens_in, tokens_out, cached, usd, price_version, latency_s, created, *written = numbers
    told = orjson.loads(shown)
    if not isinstance(raw, str):
        raise TypeError("the reply is no text")
    readings = None if parsed is None else tuple(Reading(**reading) for reading in orjson.loads(parsed))
    asked = Asked(question, told["order"], tuple(told["names"]))
    usage = Usage(tokens_in, tokens_out, cached, *written)
    return Call(
        key, provider, base_url, model, request, asked, raw, readings, status, usage, usd, price_version, latency_s, created
    )
