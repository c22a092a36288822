"""The ledger: every LLM call ever paid for, in one SQLite file that many processes may use at once.

A call is keyed by everything that can change its answer and by nothing else, so nobody pays for it twice. Only answers are kept:
errors, refusals and truncations never get a row.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.labelling.calls import Answer, Call, Usage
from harness.labelling.journal import set_journal

_MIGRATIONS = (
    # The request comes last: SQLite then reads answers without walking through the pages that long requests fill.
    """CREATE TABLE calls (
        key BLOB PRIMARY KEY NOT NULL,
        model TEXT NOT NULL,
        input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        reasoning_tokens INTEGER NOT NULL,
        usd REAL NOT NULL,
        seconds REAL NOT NULL,
        created REAL NOT NULL,
        provider_id TEXT NOT NULL,
        response TEXT NOT NULL,
        request BLOB NOT NULL
    )""",
)
"""Statement number n takes a ledger of version n to version n + 1."""

_INHERITED: list[sqlite3.Connection] = []
_COUNTED = "input_tokens, cached_tokens, output_tokens, reasoning_tokens, usd, seconds"
_WHOLE = f"key, request, model, response, {_COUNTED}, provider_id, created"
_AT_ONCE = 900
"""Keys a query: below SQLite's oldest limit of 999 variables."""


class Ledger:
    """The calls in one file; made when it is not there. Safe for threads, forks and other processes.

    `paid` adds up what this process paid through this object. Raises UserError when the file is no ledger, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paid = Usage()
        self._lock = threading.RLock()
        self._open: tuple[int, sqlite3.Connection] | None = None

    def get(self, key: str) -> Answer | None:
        """The answer to one call, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers that are there, by key."""
        return {row[0].hex(): Answer._make(row[1:]) for row in self._rows(f"key, response, {_COUNTED}", keys)}

    def held(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys have an answer."""
        return {row[0].hex() for row in self._rows("key", keys)}

    def put(self, call: Call) -> None:
        """Keep one call; see `put_many`."""
        self.put_many([call])

    def put_many(self, calls: Sequence[Call]) -> None:
        """Keep all of `calls` or, when this process dies meanwhile, none. An answer that is there already stays as it is.

        Raises ValueError for an empty response: that is no answer.
        """
        if empty := next((call for call in calls if not call.response), None):
            raise ValueError(f"the call {empty.key} has an empty response, which is no answer and is not kept")
        now = time.time()
        rows = [_row(call, now) for call in calls]
        with self._transaction() as connection:
            connection.executemany(f"INSERT INTO calls VALUES ({','.join('?' * 12)}) ON CONFLICT (key) DO NOTHING", rows)
        with self._lock:
            self.paid += Usage.of(calls)

    def calls(self) -> Iterator[Call]:
        """All calls with their requests, in the order of their keys; what other processes add meanwhile may be missing."""
        last = b""
        while rows := self._fetch(f"SELECT {_WHOLE} FROM calls WHERE key > ? ORDER BY key LIMIT {_AT_ONCE}", [last]):
            for key, request, *rest in rows:
                yield Call(key.hex(), rest[0], zlib.decompress(request).decode(), *rest[1:])
            last = rows[-1][0]

    def __len__(self) -> int:
        return int(self._fetch("SELECT count(*) FROM calls", [])[0][0])

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None

    def _rows(self, columns: str, keys: Iterable[str]) -> Iterator[Any]:
        # In the order of the index, so that neighbours are read together.
        wanted = sorted({bytes.fromhex(key) for key in keys})
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            yield from self._fetch(f"SELECT {columns} FROM calls WHERE key IN ({','.join('?' * len(part))})", part)

    def _fetch(self, query: str, values: list[bytes]) -> list[Any]:
        with self._lock:
            return self._connection().execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        if self._open is not None and self._open[0] != os.getpid():
            # A connection must not cross a fork, not even to be closed there.
            _INHERITED.append(self._open[1])
            self._open = None
        if self._open is None:
            self._open = os.getpid(), _opened(self.path)
        return self._open[1]


def _row(call: Call, now: float) -> tuple[Any, ...]:
    return (
        bytes.fromhex(call.key),
        call.model,
        call.input_tokens,
        call.cached_tokens,
        call.output_tokens,
        call.reasoning_tokens,
        call.usd,
        call.seconds,
        call.created or now,
        call.provider_id,
        call.response,
        zlib.compress(call.request.encode(), 1),
    )


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    try:
        set_journal(connection, path)
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UserError(
            f"cannot be used as the ledger: {error}", file=path, remedy="restore it from a copy or give another workspace"
        ) from error
    except UserError:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > len(_MIGRATIONS):
            raise UserError("this ledger was written by a newer version of the harness", file=path, remedy="upgrade the harness")
        for number, statement in enumerate(_MIGRATIONS[version:], version + 1):
            connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])
