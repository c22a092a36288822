"""Calls as rows of the ledger's tables and back."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Sequence
from typing import Any

from harness.ledger.calls import Call

COUNTED = "input_tokens, cached_tokens, output_tokens, reasoning_tokens, usd, seconds"
ORIGIN = "served, fingerprint, estimated"
_COLUMNS = f"key, model, {COUNTED}, created, provider_id, response, request"
_WHOLE = f"key, request, model, response, {COUNTED}, provider_id, created"
_INSERT = f"INSERT INTO calls ({_COLUMNS}) VALUES ({','.join('?' * 12)}) ON CONFLICT (key) DO NOTHING"
_ORIGIN_IF_KNOWN = "ifnull(served, ''), ifnull(fingerprint, ''), ifnull(estimated, 0)"
CALLS = (
    f"SELECT {_WHOLE}, {_ORIGIN_IF_KNOWN} FROM calls LEFT JOIN origins USING (key) WHERE key > ? ORDER BY key LIMIT ?"
)
"""Reads calls for `call_of` after a key, at most so many."""
MISSES = (
    f"SELECT misses.rowid, kind, {_WHOLE}, {_ORIGIN_IF_KNOWN} FROM misses "
    "LEFT JOIN miss_origins ON miss = misses.rowid WHERE misses.rowid > ? ORDER BY misses.rowid LIMIT ?"
)
"""Reads misses after a row: its number, its kind, and the rest for `call_of`."""


def insert_calls(connection: sqlite3.Connection, calls: Sequence[Call]) -> int:
    """How many were not there; calls whose keys are there already are left as they are. Raises ValueError for one with
    an empty response."""
    if empty := next((call for call in calls if not call.response), None):
        raise ValueError(f"the call {empty.key} has an empty response, which is no answer and is not kept")
    now, new = time.time(), 0
    for call in calls:
        is_new = connection.execute(_INSERT, _row(call, now)).rowcount > 0
        new += is_new
        if is_new and (origin := _origin(call)):
            connection.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?)", [bytes.fromhex(call.key), *origin])
    return new


def insert_miss(connection: sqlite3.Connection, call: Call, kind: str) -> None:
    """A call that brought no answer; one key may have many."""
    row = connection.execute(
        f"INSERT INTO misses ({_COLUMNS}, kind) VALUES ({','.join('?' * 13)})", (*_row(call, time.time()), kind)
    ).lastrowid
    if origin := _origin(call):
        connection.execute("INSERT OR REPLACE INTO miss_origins VALUES (?, ?, ?, ?)", [row, *origin])


def _origin(call: Call) -> tuple[str, str, bool] | None:
    """None where nothing is known."""
    return (
        (call.served, call.fingerprint, call.estimated) if call.served or call.fingerprint or call.estimated else None
    )


def call_of(row: Sequence[Any]) -> Call:
    """The call of a row."""
    key, request, model, *rest = row
    call = Call(key.hex(), model, zlib.decompress(request).decode(), *rest)
    return call._replace(estimated=bool(call.estimated))


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
