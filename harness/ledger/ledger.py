"""The ledger: every LLM call ever paid for, in one SQLite file that many processes may use at once.

A call is keyed by everything that can change its answer and by nothing else, so nobody pays for it twice. Only answers
are given back: refusals and truncations are kept apart, for what they cost; errors, which cost nothing, are not kept.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from harness.ledger import given_up
from harness.ledger.calls import MISSES, CachedResponse, Call, Miss, Usage
from harness.ledger.database import opened
from harness.ledger.given_up import GivenUp

_INHERITED: list[sqlite3.Connection] = []
_COUNTED = "input_tokens, cached_tokens, output_tokens, reasoning_tokens, usd, seconds"
_COLUMNS = f"key, model, {_COUNTED}, created, provider_id, response, request"
_INSERT = f"INSERT INTO calls ({_COLUMNS}) VALUES ({','.join('?' * 12)}) ON CONFLICT (key) DO NOTHING"
_WHOLE = f"key, request, model, response, {_COUNTED}, provider_id, created"
_AT_ONCE = 900
"""Keys a query: below SQLite's oldest limit of 999 variables."""


class Merged(NamedTuple):
    """What became of calls from another ledger."""

    added: int
    """Calls that were not there."""
    same: int
    """Calls that were there with the same response."""
    conflicts: list[str]
    """Keys that were there with another response, which stays."""


class Ledger:
    """The calls in one file; made when it is not there. Safe for threads, forks and other processes.

    `paid` adds up what this process paid through this object, `limit` is the most USD it may pay (teachers ask `left`
    before each call). Raises UserError when the file is no ledger, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paid = Usage()
        self.limit: float | None = None
        self.given_up_since = 0.0
        """Requests that were given up before (seconds since 1970) count as not asked yet."""
        self._lock = threading.RLock()
        self._open: tuple[int, sqlite3.Connection] | None = None

    def get(self, key: str) -> CachedResponse | None:
        """The answer to one call, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]:
        """The answers that are there, by key."""
        return {row[0].hex(): CachedResponse._make(row[1:]) for row in self._rows(f"key, response, {_COUNTED}", keys)}

    def held(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys have an answer."""
        return {row[0].hex() for row in self._rows("key", keys)}

    def put(self, call: Call) -> None:
        """Keep one call; see `put_many`."""
        self.put_many([call])

    def put_many(self, calls: Sequence[Call]) -> None:
        """Keep all of `calls` or, when this process dies meanwhile, none. An answer that is there already stays as it
        is.

        Raises ValueError for an empty response: that is no answer.
        """
        if empty := next((call for call in calls if not call.response), None):
            raise ValueError(f"the call {empty.key} has an empty response, which is no answer and is not kept")
        rows = _rows_of(calls)
        with self._transaction() as connection:
            connection.executemany(_INSERT, rows)
        with self._lock:
            self.paid += Usage.of(calls)

    def put_miss(self, call: Call, kind: str) -> None:
        """Keep the cost of a call that brought no answer; its response may be empty and is never given back for its
        key.

        Raises ValueError when `kind` is none of `MISSES`.
        """
        if kind not in MISSES:
            raise ValueError(f"a call cannot be missed as '{kind}', only as {', '.join(MISSES)}")
        [row] = _rows_of([call])
        with self._transaction() as connection:
            connection.execute(f"INSERT INTO misses ({_COLUMNS}, kind) VALUES ({','.join('?' * 13)})", (*row, kind))
        with self._lock:
            self.paid += Usage.of([call])

    def put_given_up(self, requests: Sequence[GivenUp]) -> None:
        """Keep requests that have no answer, so that they are not asked again; their cost is in the misses already."""
        with self._transaction() as connection:
            given_up.insert(connection, requests)

    def given_up(self, keys: Iterable[str]) -> dict[str, GivenUp]:
        """Those of `keys` that were given up since `given_up_since` and have no answer meanwhile."""
        wanted, found = sorted({bytes.fromhex(key) for key in keys}), dict[str, GivenUp]()
        for start in range(0, len(wanted), _AT_ONCE):
            with self._lock:
                rows = given_up.select(self._connection(), wanted[start : start + _AT_ONCE], self.given_up_since)
                found.update((row.key, row) for row in rows)
        return found

    def merge(self, calls: Sequence[Call]) -> Merged:
        """Take over calls with different keys that another ledger paid for, all or none; `paid` does not count them."""
        rows = _rows_of(calls)
        with self._transaction() as connection:
            held = {row[0].hex(): row[1] for row in self._rows("key, response", (call.key for call in calls))}
            connection.executemany(_INSERT, rows)
        conflicts = [call.key for call in calls if held.get(call.key, call.response) != call.response]
        return Merged(len(calls) - len(held), len(held) - len(conflicts), conflicts)

    def calls(self) -> Iterator[Call]:
        """All calls with their requests, in the order of their keys; what other processes add meanwhile may be
        missing."""
        last = b""
        while rows := self._fetch(f"SELECT {_WHOLE} FROM calls WHERE key > ? ORDER BY key LIMIT {_AT_ONCE}", [last]):
            yield from map(_call, rows)
            last = rows[-1][0]

    def misses(self) -> Iterator[Miss]:
        """All misses with their requests, oldest first; what other processes add meanwhile may be missing."""
        last = 0
        while rows := self._fetch(
            f"SELECT rowid, kind, {_WHOLE} FROM misses WHERE rowid > ? ORDER BY rowid LIMIT {_AT_ONCE}", [last]
        ):
            for _, kind, *row in rows:
                yield Miss(kind, _call(row))
            last = rows[-1][0]

    def left(self) -> float:
        """USD that may still be paid through this object before `limit`; infinite without one."""
        return math.inf if self.limit is None else self.limit - self.paid.usd

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

    def _fetch(self, query: str, values: Sequence[bytes | int]) -> list[Any]:
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
            self._open = os.getpid(), opened(self.path)
        return self._open[1]


def _rows_of(calls: Sequence[Call]) -> list[tuple[Any, ...]]:
    now = time.time()
    return [_row(call, now) for call in calls]


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


def _call(row: Sequence[Any]) -> Call:
    key, request, model, *rest = row
    return Call(key.hex(), model, zlib.decompress(request).decode(), *rest)
