"""The open file of a ledger: one connection a process, safe for threads and forks, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.ledger.database import opened
from harness.ledger.log_carrier import LogCarrier

_INHERITED: list[sqlite3.Connection] = []
AT_ONCE = 900
"""Keys a query: below SQLite's oldest limit of 999 variables."""


class LedgerFile:
    """The file at `path`, made when it is not there; opened with the first use, also after a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._open: tuple[int, sqlite3.Connection] | None = None
        self._log = LogCarrier(path)

    def _rows(self, columns: str, keys: Iterable[str], table: str = "calls") -> Iterator[Any]:
        # In the order of the index, so that neighbours are read together.
        wanted = sorted({bytes.fromhex(key) for key in keys})
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            yield from self._fetch(f"SELECT {columns} FROM {table} WHERE key IN ({','.join('?' * len(part))})", part)

    def _fetch(self, query: str, values: Sequence[bytes | int]) -> list[Any]:
        with self._lock:
            return self._connection().execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._connection()
            if connection.in_transaction:
                # Part of what this thread is doing already: all or nothing.
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            self._log.count()

    def _connection(self) -> sqlite3.Connection:
        if self._open is not None and self._open[0] != os.getpid():
            # A connection must not cross a fork, not even to be closed there.
            _INHERITED.append(self._open[1])
            self._open = None
        if self._open is None:
            self._open = os.getpid(), opened(self.path)
        return self._open[1]
