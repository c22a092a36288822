"""How SQLite keeps a file safe: a write-ahead log on a local disk, a rollback journal on a network disk, where that log
cannot work."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from harness.ledger.network_disk import is_on_network

_PAGES = 32_000
"""Pages (of 4 KB) of the write-ahead log after which whoever writes carries it into the file itself and starts it anew,
with all requests in flight waiting for the disk meanwhile: some 3,000 calls. By then `LogCarrier` has done most of
it."""


def set_journal(connection: sqlite3.Connection, path: Path) -> str:
    """Choose the journal mode for the database at `path`; returns ``wal`` or ``delete``.

    A process that dies loses nothing that was committed in either mode. A write-ahead log needs memory shared by all
    processes, so it is not used on network disks, nor where SQLite refuses it.
    """
    mode = "delete" if is_on_network(path) else _try_wal(connection)
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        return "delete"
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES}")
    return mode


def _try_wal(connection: sqlite3.Connection) -> str:
    for pause in (*[0.05] * 200, None):
        try:
            mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            # The first read maps the shared memory; that is where a disk that cannot do it says so.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return mode
        except sqlite3.OperationalError as error:
            # Another process is choosing its mode just now; SQLite does not wait for that by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or pause is None:
                return "delete"
            time.sleep(pause)
    raise AssertionError("unreachable")
