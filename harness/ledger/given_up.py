"""Requests that were given up: why, with the provider's words, and what was paid for them in vain. They are not asked
again unless that is wished."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness.ledger.calls import Usage

_COUNTED = ("calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "usd", "seconds")
_COLUMNS = f"key, kind, response, {', '.join(_COUNTED)}"
TABLE = """CREATE TABLE given_up (
    key BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    usd REAL NOT NULL,
    seconds REAL NOT NULL,
    created REAL NOT NULL,
    response TEXT NOT NULL
)"""


class GivenUp(NamedTuple):
    """A request that has no answer. `kind` says why: one of `MISSES`, ``too long`` or ``no answer``."""

    key: str
    kind: str
    response: str
    """What came instead of an answer: the provider's words, or the answer that is none."""
    usage: Usage = Usage()
    """What was paid for it."""


def insert(connection: sqlite3.Connection, requests: Iterable[GivenUp]) -> None:
    """Keep `requests`; what was kept for the same keys before goes."""
    rows = [
        (bytes.fromhex(one.key), one.kind, one.response, *(getattr(one.usage, name) for name in _COUNTED), time.time())
        for one in requests
    ]
    connection.executemany(
        f"INSERT OR REPLACE INTO given_up ({_COLUMNS}, created) VALUES ({','.join('?' * (len(_COUNTED) + 4))})", rows
    )


def withdraw(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Those requests count as not given up."""
    connection.executemany("DELETE FROM given_up WHERE key = ?", [(bytes.fromhex(key),) for key in keys])


def select(connection: sqlite3.Connection, keys: list[bytes], since: float) -> Iterator[GivenUp]:
    """Those of `keys` that were given up after `since` (seconds since 1970) and have no answer meanwhile."""
    marks = ",".join("?" * len(keys))
    query = (
        f"SELECT {_COLUMNS} FROM given_up WHERE key IN ({marks}) AND created >= ? "
        "AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.key = given_up.key)"
    )
    for key, kind, response, *counts in connection.execute(query, [*keys, since]).fetchall():
        yield GivenUp(key.hex(), kind, response, Usage(*counts))
