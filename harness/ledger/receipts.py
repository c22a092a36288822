"""Receipts for orders that may be handed in twice, since whoever carried one out died before saying so."""

from __future__ import annotations

import sqlite3
import time

_STAYS = 86_400.0
"""Seconds after which nobody hands the same in again."""
RECEIPTS = "CREATE TABLE receipts (id TEXT PRIMARY KEY NOT NULL, created REAL NOT NULL) WITHOUT ROWID"


def is_new(connection: sqlite3.Connection, order: str) -> bool:
    """Whether the order is not carried out yet; from the end of this transaction it is."""
    row = connection.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?)", [order, time.time()])
    return row.rowcount > 0


def clear(connection: sqlite3.Connection) -> None:
    """Forget those of orders that are long done."""
    connection.execute("DELETE FROM receipts WHERE created < ?", [time.time() - _STAYS])
