"""The ledger of another machine comes into this one, call by call: no call is there twice, and no cost is lost."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from harness.errors import UserError
from harness.ledger import call_rows, claims
from harness.ledger.calls import PAID_TWICE, Call
from harness.ledger.database import opened

_AT_ONCE = 1_000


class MergedLedger(NamedTuple):
    """What became of the calls of another ledger."""

    added: int
    """Calls that were not here."""
    same: int
    """Calls that were here with the same response."""
    conflicts: list[str]
    """Keys that were here with another response, which stays."""
    misses: int
    """Calls without an answer that were not here, and those that both machines paid for."""
    usd: float
    """What the added calls and misses cost."""


def merge_ledgers(into: Path, other: Path) -> MergedLedger:
    """Take over what the ledger in the file `other` has and `into` has not, all or nothing; `other` is only read.

    A call that both paid for is here once; what the other paid for it is kept among the misses. Accounts grow by what
    came over, so a second merge of the same changes nothing. Claims and reservations stay where they are. Raises
    UserError when a file is no ledger.
    """
    with _snapshot(other) as source, closing(opened(into)) as target:
        claims.bury(source)
        target.execute("BEGIN IMMEDIATE")
        try:
            merged = _merge(target, source)
            target.execute("COMMIT")
        except BaseException:
            target.execute("ROLLBACK")
            raise
    return merged


@contextmanager
def _snapshot(file: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a ledger as it is now, up to date, whoever writes to it."""
    with tempfile.TemporaryDirectory(prefix="harness-ledger-") as folder:
        copy = Path(folder) / file.name
        try:
            with (
                closing(sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True, timeout=60)) as there,
                closing(sqlite3.connect(copy)) as snapshot,
            ):
                there.backup(snapshot)
        except sqlite3.DatabaseError as error:
            raise UserError(f"cannot be read as a ledger: {error}", file=file) from error
        with closing(opened(copy)) as connection:
            yield connection


def _merge(target: sqlite3.Connection, source: sqlite3.Connection) -> MergedLedger:
    added, same, misses, usd = 0, 0, 0, 0.0
    conflicts: list[str] = []
    for calls in _calls(source):
        present = _present(target, calls)
        new = [call for call in calls if call.key not in present]
        call_rows.insert_calls(target, new)
        twice = [call for call in calls if call.key in present and present[call.key][1] != call.created]
        lost = [(PAID_TWICE, call) for call in twice if _insert_miss(target, PAID_TWICE, call)]
        conflicts += [call.key for call in calls if call.key in present and present[call.key][0] != call.response]
        added, same = added + len(new), same + len(present)
        misses, usd = misses + len(lost), usd + sum(call.usd for call in (*new, *(call for _, call in lost)))
    for kind, call in _misses(source):
        if _insert_miss(target, kind, call):
            misses, usd = misses + 1, usd + call.usd
    _further(target, source)
    _book(target, source, usd, added + misses)
    return MergedLedger(added, same - len(conflicts), conflicts, misses, usd)


def _calls(source: sqlite3.Connection) -> Iterator[list[Call]]:
    last = b""
    while rows := source.execute(call_rows.CALLS, [last, _AT_ONCE]).fetchall():
        yield [call_rows.call_of(row) for row in rows]
        last = rows[-1][0]


def _misses(source: sqlite3.Connection) -> Iterator[tuple[str, Call]]:
    last = 0
    while rows := source.execute(call_rows.MISSES, [last, _AT_ONCE]).fetchall():
        for _, kind, *row in rows:
            yield kind, call_rows.call_of(row)
        last = rows[-1][0]


def _present(target: sqlite3.Connection, calls: list[Call]) -> dict[str, tuple[str, float]]:
    """Response and time of those of `calls` that are here."""
    found: dict[str, tuple[str, float]] = {}
    for call in calls:
        row = target.execute("SELECT response, created FROM calls WHERE key = ?", [bytes.fromhex(call.key)]).fetchone()
        if row is not None:
            found[call.key] = row
    return found


def _insert_miss(target: sqlite3.Connection, kind: str, call: Call) -> bool:
    """Whether the miss was not here; one that was merged before has its time."""
    row = [bytes.fromhex(call.key), call.created, call.usd]
    if target.execute("SELECT 1 FROM misses WHERE key = ? AND created = ? AND usd = ?", row).fetchone():
        return False
    call_rows.insert_miss(target, call, kind)
    return True


def _further(target: sqlite3.Connection, source: sqlite3.Connection) -> None:
    """What was given up, where answers are from, and how far costs passed what was reserved; what is here stays."""
    for table in ("given_up", "servers"):
        rows = source.execute(f"SELECT * FROM {table}").fetchall()
        if rows:
            target.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)
    for model, usd in source.execute("SELECT model, usd FROM overruns").fetchall():
        claims.raise_overrun(target, model, usd)


def _book(target: sqlite3.Connection, source: sqlite3.Connection, usd: float, calls: int) -> None:
    """The other's accounts, by the share of what it paid that came over."""
    there = claims.balance(source, None)
    share = min(1.0, usd / there.paid if there.paid > 0 else calls / max(there.calls, 1))
    if share <= 0:
        return
    for name, count, paid, unconfirmed in source.execute(
        "SELECT name, calls, usd, unconfirmed FROM accounts"
    ).fetchall():
        claims.book(target, name, calls=round(count * share), usd=paid * share, unconfirmed=unconfirmed * share)
