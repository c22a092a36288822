"""Who makes which artefact, where machines share no lock: a row as long as its maker lives, in the ledger's file."""

from __future__ import annotations

import sqlite3

from harness.ledger import claims
from harness.ledger.asker import host

LEASES = """CREATE TABLE leases (
    key TEXT PRIMARY KEY NOT NULL,
    asker INTEGER NOT NULL,
    sweep TEXT NOT NULL
) WITHOUT ROWID"""


def take(connection: sqlite3.Connection, key: str, asker: int, sweep: str) -> bool:
    """Whether `asker` has the right to make `key` from now on.

    Another maker of the same `sweep` on a machine that cannot be looked at has lost it: a sweep gives a key to one
    worker, and to the next only when that one is gone. What it claimed lapses with it.
    """
    row = connection.execute("SELECT asker, sweep FROM leases WHERE key = ?", [key]).fetchone()
    if row is not None and row[0] != asker and claims.is_living(connection, row[0]):
        if row[1] != sweep or _is_visible(connection, row[0]):
            return False
        claims.leave(connection, row[0])
    connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", [key, asker, sweep])
    return True


def give_back(connection: sqlite3.Connection, key: str, asker: int) -> None:
    """Others may make `key`."""
    connection.execute("DELETE FROM leases WHERE key = ? AND asker = ?", [key, asker])


def _is_visible(connection: sqlite3.Connection, asker: int) -> bool:
    """Whether its process is one of this machine, so that its end is seen at once."""
    return bool(connection.execute("SELECT host FROM askers WHERE id = ?", [asker]).fetchone()[0] == host())
