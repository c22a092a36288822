"""The file behind the ledger: how it is opened, its tables, and how a file of an older version comes up to date."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from harness.errors import UserError
from harness.ledger.given_up import TABLE
from harness.ledger.sqlite_mode import set_journal

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
    # One key may be missed many times; each time was paid for.
    """CREATE TABLE misses (
        rowid INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        model TEXT NOT NULL,
        kind TEXT NOT NULL,
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
    TABLE,
)
"""Statement number n takes a ledger of version n to version n + 1."""


def opened(path: Path) -> sqlite3.Connection:
    """A connection to the ledger at `path`, made when it is not there and brought up to date when it is older.

    Raises UserError when the file is no ledger, or one of a newer version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    try:
        set_journal(connection, path)
        _migrate(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UserError(
            f"cannot be used as the ledger: {error}",
            file=path,
            remedy="restore it from a copy or give another workspace",
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
            raise UserError(
                "this ledger was written by a newer version of the harness", file=path, remedy="upgrade the harness"
            )
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
