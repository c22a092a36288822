"""Who may ask what, and for how much: every decision is made inside one transaction of the ledger's file, so that it
holds for all processes and all later runs.

A claim stands for one question under way and the most that it may cost. What an account paid, what it may have paid for
answers that never came, and what is reserved never pass its limit together.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from harness.ledger.asker import LEASE, Asker, this_process
from harness.ledger.calls import CachedResponse
from harness.ledger.given_up import GivenUp

_NANO = 1e9
"""Reservations are in billionths of a USD."""


class Balance(NamedTuple):
    """USD of an account, or of a whole ledger."""

    paid: float = 0.0
    unconfirmed: float = 0.0
    """May have been billed: answers that were lost on the way, and what an answer without counted tokens may have cost
    beyond its estimate."""
    reserved: float = 0.0
    """The most that the questions under way may cost."""
    calls: int = 0
    """Calls that were paid."""

    @property
    def spent(self) -> float:
        """Paid, or perhaps paid."""
        return self.paid + self.unconfirmed


class Cap(NamedTuple):
    """The most USD that may be paid: by one account, or (`account` None) by all accounts of the ledger."""

    account: str | None
    usd: float


class Claim(NamedTuple):
    """What became of the wish to ask.

    ``granted``: ask, `usd` are reserved. ``held``: `response` is the answer. ``given up``: there will be none, as
    `given_up` says. ``taken``: another asks the same just now. ``wait``: money is reserved that may come free.
    ``over``: the call could pass `cap`.
    """

    state: Literal["granted", "held", "given up", "taken", "wait", "over"]
    key: str
    usd: float = 0.0
    response: CachedResponse | None = None
    cap: Cap | None = None
    balance: Balance = Balance()
    """Of what `cap` limits."""
    given_up: GivenUp | None = None


class Wish(NamedTuple):
    """A question that somebody wants to ask: `usd` is the most it may cost; answers of `model` that cost more than was
    reserved raise that."""

    key: bytes
    usd: float
    model: str
    account: str
    caps: Sequence[Cap]
    resumable: bool = False
    """Whether what was sent is still read when its asker has died and the question is asked anew (batches)."""
    holding: bool = False
    """Whether the asker has the claim already and wants to try once more."""


def decide(connection: sqlite3.Connection, asker: int, wish: Wish) -> Claim:
    """Grant the wish or say why not. The ledger is known not to hold the answer."""
    key = wish.key.hex()
    if _is_taken(connection, asker, wish):
        return Claim("taken", key)
    if wish.holding:
        release(connection, wish.key, asker, stays=True)
    row = connection.execute("SELECT usd FROM overruns WHERE model = ?", [wish.model]).fetchone()
    usd = wish.usd + (row[0] if row else 0.0)
    if usd and (refused := _refused(connection, key, usd, wish.caps)):
        return refused
    nano = math.ceil(usd * _NANO)
    connection.execute(
        "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?)", [wish.key, asker, wish.account, nano, wish.resumable]
    )
    if nano:
        book(connection, wish.account, reserved=nano)
    return Claim("granted", key, nano / _NANO)


def _is_taken(connection: sqlite3.Connection, asker: int, wish: Wish) -> bool:
    """Whether a living asker has the claim; that of a dead one lapses."""
    row = connection.execute("SELECT asker, resumable FROM claims WHERE key = ?", [wish.key]).fetchone()
    if row is None or (wish.holding and row[0] == asker):
        return False
    if is_living(connection, row[0]):
        return True
    if row[1] and wish.resumable:
        # What was sent is read by this asker, and paid once.
        release(connection, wish.key, None)
    else:
        _lapse(connection, wish.key)
    return False


def _refused(connection: sqlite3.Connection, key: str, usd: float, caps: Iterable[Cap]) -> Claim | None:
    """Why `usd` cannot be reserved, or None."""
    for cap in caps:
        if _fits(balance(connection, cap.account), usd, cap):
            continue
        living = bury(connection)
        there = balance(connection, cap.account)
        if not _fits(there, usd, cap):
            may_come_free = there.spent + usd <= cap.usd and _are_reserving(connection, living, cap.account)
            return Claim("wait" if may_come_free else "over", key, usd, None, cap, there)
    return None


def _fits(there: Balance, usd: float, cap: Cap) -> bool:
    return there.spent + there.reserved + usd <= cap.usd


def _are_reserving(connection: sqlite3.Connection, living: Iterable[int], account: str | None) -> bool:
    """Whether living askers have money reserved that may come free."""
    mine, values = ("", []) if account is None else ("AND account = ?", [account])
    found = connection.execute(
        f"SELECT 1 FROM claims WHERE reserved > 0 AND asker IN ({_numbers(living)}) {mine} LIMIT 1", values
    )
    return found.fetchone() is not None


def balance(connection: sqlite3.Connection, account: str | None) -> Balance:
    """Of one account, or of all."""
    which, values = ("", []) if account is None else ("WHERE name = ?", [account])
    row = connection.execute(
        f"SELECT total(usd), total(unconfirmed), total(reserved), total(calls) FROM accounts {which}", values
    ).fetchone()
    return Balance(row[0], row[1], row[2] / _NANO, int(row[3]))


def under_way(connection: sqlite3.Connection, account: str | None) -> int:
    """How many questions are claimed for an account, or for all."""
    which, values = ("", []) if account is None else ("WHERE account = ?", [account])
    return int(connection.execute(f"SELECT count(*) FROM claims {which}", values).fetchone()[0])


def book(
    connection: sqlite3.Connection,
    account: str,
    *,
    calls: int = 0,
    usd: float = 0.0,
    unconfirmed: float = 0.0,
    reserved: int = 0,
) -> None:
    """Add to what an account paid, may have paid, and has reserved (billionths of a USD)."""
    connection.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET calls = calls + excluded.calls, "
        "usd = usd + excluded.usd, unconfirmed = unconfirmed + excluded.unconfirmed, "
        "reserved = reserved + excluded.reserved",
        [account, calls, usd, unconfirmed, reserved],
    )


def release(connection: sqlite3.Connection, key: bytes, asker: int | None, *, stays: bool = False) -> float:
    """End a claim, of any asker when `asker` is None; the USD that were reserved, 0 where the claim has lapsed. One
    that `stays` only gives its money back."""
    row = connection.execute("SELECT asker, account, reserved FROM claims WHERE key = ?", [key]).fetchone()
    if row is None or asker not in (row[0], None):
        return 0.0
    connection.execute(f"{'UPDATE claims SET reserved = 0' if stays else 'DELETE FROM claims'} WHERE key = ?", [key])
    if row[2]:
        book(connection, row[1], reserved=-row[2])
    return float(row[2] / _NANO)


def lose(connection: sqlite3.Connection, key: bytes, asker: int) -> None:
    """An answer was lost on the way and may be billed: what was reserved is no longer, and counts as perhaps paid. The
    claim stays."""
    row = connection.execute(
        "SELECT account, reserved FROM claims WHERE key = ? AND asker = ?", [key, asker]
    ).fetchone()
    if row is not None:
        connection.execute("UPDATE claims SET reserved = 0 WHERE key = ?", [key])
        book(connection, row[0], unconfirmed=row[1] / _NANO, reserved=-row[1])


def abandon(connection: sqlite3.Connection, key: bytes, asker: int) -> None:
    """The asker goes, and whoever asks anew reads what was sent: the claim stays with its money, as that of a dead
    asker."""
    connection.execute("UPDATE claims SET asker = 0 WHERE key = ? AND asker = ?", [key, asker])


def raise_overrun(connection: sqlite3.Connection, model: str, usd: float) -> None:
    """An answer of `model` cost so much more than its tokens were reserved for: so much more is reserved from now
    on."""
    connection.execute(
        "INSERT INTO overruns VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET usd = max(usd, excluded.usd)",
        [model, usd],
    )


def register(connection: sqlite3.Connection) -> int:
    """The number of this process among those that ask."""
    bury(connection)
    return _add(connection, this_process(time.time()))


def enlist(connection: sqlite3.Connection, asker: Asker) -> int:
    """The number of another process, which does not open the file itself; the same whenever it is named again. Its
    lease begins anew, by the clock here."""
    row = connection.execute(
        "SELECT id FROM askers WHERE host = ? AND pid = ? AND since = ?", [asker.host, asker.pid, asker.since]
    ).fetchone()
    if row is None:
        return _add(connection, asker._replace(until=time.time() + LEASE))
    renew(connection, row[0])
    return int(row[0])


def _add(connection: sqlite3.Connection, asker: Asker) -> int:
    number = connection.execute("INSERT INTO askers (host, pid, since, until) VALUES (?, ?, ?, ?)", asker).lastrowid
    assert number is not None
    return number


def renew(connection: sqlite3.Connection, asker: int) -> None:
    """A sign of life."""
    connection.execute("UPDATE askers SET until = ? WHERE id = ?", [time.time() + LEASE, asker])


def leave(connection: sqlite3.Connection, asker: int) -> None:
    """The asker asks no more. Claims that it has still are those of a dead one."""
    connection.execute("DELETE FROM askers WHERE id = ?", [asker])


def is_living(connection: sqlite3.Connection, asker: int) -> bool:
    """Whether an asker's claims hold."""
    row = connection.execute("SELECT host, pid, since, until FROM askers WHERE id = ?", [asker]).fetchone()
    return row is not None and Asker._make(row).is_alive(time.time())


def bury(connection: sqlite3.Connection) -> list[int]:
    """Let the claims of dead askers lapse, but for those whose answer is read by whoever asks anew; the living
    askers."""
    rows = connection.execute("SELECT id, host, pid, since, until FROM askers").fetchall()
    living = [row[0] for row in rows if Asker._make(row[1:]).is_alive(time.time())]
    dead = connection.execute(
        f"SELECT key FROM claims WHERE NOT resumable AND asker NOT IN ({_numbers(living)})"
    ).fetchall()
    for (key,) in dead:
        _lapse(connection, key)
    connection.execute(f"DELETE FROM askers WHERE id NOT IN ({_numbers(living)})")
    return living


def _lapse(connection: sqlite3.Connection, key: bytes) -> None:
    """End the claim of a dead asker, whose answer may have been billed."""
    account = connection.execute("SELECT account FROM claims WHERE key = ?", [key]).fetchone()[0]
    book(connection, account, unconfirmed=release(connection, key, None))


def _numbers(values: Iterable[int]) -> str:
    return ",".join(map(str, values))
