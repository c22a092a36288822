"""The file behind the ledger: how it is opened, its tables, and how a file of an older version comes up to date."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from harness.errors import UserError
from harness.ledger.given_up import TABLE
from harness.ledger.leases import LEASES
from harness.ledger.receipts import RECEIPTS
from harness.ledger.sqlite_mode import set_journal

BEFORE = "(before accounts)"
"""The account of all that was in a ledger when accounts came."""

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
    # Who an answer came from, where the server says so, and whether its tokens are an estimate: beside the calls, since
    # a column behind long requests would be read through all of their pages.
    """CREATE TABLE origins (
        key BLOB PRIMARY KEY NOT NULL,
        served TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        estimated INTEGER NOT NULL
    ) WITHOUT ROWID""",
    # The same of misses, by their row.
    """CREATE TABLE miss_origins (
        miss INTEGER PRIMARY KEY NOT NULL,
        served TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        estimated INTEGER NOT NULL
    )""",
    # A process that asks; `until` is when one of another machine counts as dead. Numbers are never given twice.
    """CREATE TABLE askers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL
    )""",
    # A question under way. `reserved` is in billionths of a USD, so that adding and taking away leaves nothing over.
    """CREATE TABLE claims (
        key BLOB PRIMARY KEY NOT NULL,
        asker INTEGER NOT NULL,
        account TEXT NOT NULL,
        reserved INTEGER NOT NULL,
        resumable INTEGER NOT NULL
    ) WITHOUT ROWID""",
    # What each sweep paid, in all its runs; `reserved` is the sum over its claims.
    """CREATE TABLE accounts (
        name TEXT PRIMARY KEY NOT NULL,
        calls INTEGER NOT NULL,
        usd REAL NOT NULL,
        unconfirmed REAL NOT NULL,
        reserved INTEGER NOT NULL
    ) WITHOUT ROWID""",
    f"""INSERT INTO accounts SELECT '{BEFORE}', count(*), total(usd), 0, 0
        FROM (SELECT usd FROM calls UNION ALL SELECT usd FROM misses) HAVING count(*) > 0""",
    # By how much answers of a model cost more than the most that was reserved for them.
    "CREATE TABLE overruns (model TEXT PRIMARY KEY NOT NULL, usd REAL NOT NULL) WITHOUT ROWID",
    # From which server the answers of a model came whose name does not say which model it is.
    "CREATE TABLE servers (model TEXT PRIMARY KEY NOT NULL, address TEXT NOT NULL) WITHOUT ROWID",
    LEASES,
    RECEIPTS,
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
