"""Carries the write-ahead log of a ledger into its file, in a thread beside those who ask: whoever does it waits for
the disk, and with it all of its requests in flight."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

_OFTEN = 500
"""Transactions after which that is done."""
_TIMES = 2
"""How often in a row: what was written meanwhile takes little, and leaves little for the one who starts the log
anew."""


class LogCarrier:
    """Counts the transactions of one process in the ledger at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0

    def count(self) -> None:
        """One more; now and then a thread carries over what all of them wrote."""
        self._written += 1
        if self._written % _OFTEN == 0:
            threading.Thread(target=carry_over, args=(self._path,), name="log carrier", daemon=True).start()


def carry_over(path: Path) -> None:
    """Carry over what is in the log of the ledger at `path`; nobody has to wait for it, and nothing happens where there
    is no log or no ledger any more."""
    # A busy or full disk: SQLite does it all the same once the log is long (sqlite_mode.py).
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as own:
        for _ in range(_TIMES):
            own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
