"""The ledger: every LLM call ever paid for, in one SQLite file that many processes may use at once.

A call is keyed by everything that can change its answer and by nothing else, so nobody pays for it twice. Only answers
are given back: refusals and truncations are kept apart, for what they cost; errors, which cost nothing, are not kept.
Who wants to ask claims the key first (claims.py), so that nobody asks what another is asking, nor past a limit.
"""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from harness.ledger import call_rows, claims, given_up
from harness.ledger.call_rows import COUNTED, ORIGIN
from harness.ledger.calls import MISSES, CachedResponse, Call, Merged, Miss, Origin, Usage
from harness.ledger.claims import Balance, Cap, Claim, Wish
from harness.ledger.given_up import GivenUp
from harness.ledger.heartbeat import Heartbeat
from harness.ledger.ledger_file import AT_ONCE, LedgerFile


class Ledger(LedgerFile):
    """The calls in one file; made when it is not there. Safe for threads, forks and other processes.

    `paid` adds up what this process paid through this object. `account` is who pays, a sweep for example: `limit` is
    the most USD that it may pay, in all its processes and runs together; `workspace_limit` the most that all accounts
    of the file may. Raises UserError when the file is no ledger, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.paid = Usage()
        self.account = ""
        self.limit: float | None = None
        self.workspace_limit: float | None = None
        self.given_up_since = 0.0
        """Requests that were given up before (seconds since 1970) count as not asked yet."""
        self._asker: tuple[int, int] | None = None
        self._heartbeat = Heartbeat(self)

    def get(self, key: str) -> CachedResponse | None:
        """The answer to one call, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]:
        """The answers that are there, by key."""
        return {row[0].hex(): CachedResponse._make(row[1:]) for row in self._rows(f"key, response, {COUNTED}", keys)}

    def held(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys have an answer."""
        return {row[0].hex() for row in self._rows("key", keys)}

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim:
        """Ask to ask: one transaction decides for all processes whether this one may, for at most `usd`.

        A granted claim ends with `put`, `put_miss` or `release`; that of a process that died lapses. What another has
        given up is not asked again. See `claims.Wish` for the rest.
        """
        wish = Wish(bytes.fromhex(key), usd, model, self.account, self._caps(), resumable, holding)
        asker = self._registered()
        with self._transaction() as connection:
            if (response := self.get(key)) is not None:
                return Claim("held", key, response=response)
            if not holding and (found := self.given_up([key]).get(key)) is not None:
                return Claim("given up", key, given_up=found)
            return claims.decide(connection, asker, wish)

    def release(
        self, key: str, *, unconfirmed: bool = False, abandoned: bool = False, gives_up: GivenUp | None = None
    ) -> None:
        """End the claim on `key` without an answer. `unconfirmed`: its money may have been spent all the same.
        `abandoned`: this process goes, and whoever claims the key anew reads what was sent. `gives_up`: nobody is to
        ask again."""
        asker = self._registered()
        with self._transaction() as connection:
            if abandoned:
                claims.abandon(connection, bytes.fromhex(key), asker)
                return
            usd = claims.release(connection, bytes.fromhex(key), asker)
            if unconfirmed and usd:
                claims.book(connection, self.account, unconfirmed=usd)
            if gives_up is not None:
                given_up.insert(connection, [gives_up])

    def lose(self, key: str) -> None:
        """An answer to a claimed call was lost on the way and may be billed; claim it `holding` before another try."""
        asker = self._registered()
        with self._transaction() as connection:
            claims.lose(connection, bytes.fromhex(key), asker)

    def claimed(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys somebody asks just now, or asked when it died."""
        return {row[0].hex() for row in self._rows("key", keys, "claims")}

    def put(self, call: Call, overrun: float = 0.0) -> CachedResponse:
        """Keep one call, end its claim, and return the answer that stands in the ledger: the first one, where another
        process was faster.

        `overrun` is the USD that its tokens cost beyond what was reserved for them. Raises ValueError for an empty
        response.
        """
        with self._transaction() as connection:
            is_new = call_rows.insert_calls(connection, [call]) == 1
            self._pay(connection, call, overrun)
            found = None if is_new else self.get(call.key)
        self._count([call])
        return call.cached if found is None else found

    def put_many(self, calls: Sequence[Call]) -> None:
        """Keep all of `calls` or, when this process dies meanwhile, none. An answer that is there already stays as it
        is.

        Raises ValueError for an empty response: that is no answer.
        """
        with self._transaction() as connection:
            call_rows.insert_calls(connection, calls)
            claims.book(connection, self.account, calls=len(calls), usd=sum(call.usd for call in calls))
        self._count(calls)

    def put_miss(
        self,
        call: Call,
        kind: str,
        overrun: float = 0.0,
        *,
        gives_up: GivenUp | None = None,
        asks_again: bool = False,
    ) -> None:
        """Keep the cost of a call that brought no answer, and end its claim; its response may be empty and is never
        given back for its key. `gives_up` as in `release`; `asks_again`: the claim stays, so that nobody else asks
        before this process does (`claim`, holding).

        Raises ValueError when `kind` is none of `MISSES`.
        """
        if kind not in MISSES:
            raise ValueError(f"a call cannot be missed as '{kind}', only as {', '.join(MISSES)}")
        with self._transaction() as connection:
            call_rows.insert_miss(connection, call, kind)
            self._pay(connection, call, overrun, stays=asks_again)
            if gives_up is not None:
                given_up.insert(connection, [gives_up])
        self._count([call])

    def withdraw_given_up(self, keys: Iterable[str]) -> None:
        """What was given up may be asked anew: something else was wrong than the questions."""
        with self._transaction() as connection:
            given_up.withdraw(connection, keys)

    def given_up(self, keys: Iterable[str]) -> dict[str, GivenUp]:
        """Those of `keys` that were given up since `given_up_since` and have no answer meanwhile."""
        wanted, found = sorted({bytes.fromhex(key) for key in keys}), dict[str, GivenUp]()
        for start in range(0, len(wanted), AT_ONCE):
            with self._lock:
                rows = given_up.select(self._connection(), wanted[start : start + AT_ONCE], self.given_up_since)
                found.update((row.key, row) for row in rows)
        return found

    def merge(self, calls: Sequence[Call]) -> Merged:
        """Take over calls with different keys that another ledger paid for, all or none; `paid` does not count them."""
        with self._transaction() as connection:
            held = {row[0].hex(): row[1] for row in self._rows("key, response", (call.key for call in calls))}
            call_rows.insert_calls(connection, calls)
        conflicts = [call.key for call in calls if held.get(call.key, call.response) != call.response]
        return Merged(len(calls) - len(held), len(held) - len(conflicts), conflicts)

    def calls(self) -> Iterator[Call]:
        """All calls with their requests, in the order of their keys; what other processes add meanwhile may be
        missing."""
        last = b""
        while rows := self._fetch(call_rows.CALLS, [last, AT_ONCE]):
            yield from map(call_rows.call_of, rows)
            last = rows[-1][0]

    def misses(self) -> Iterator[Miss]:
        """All misses with their requests, oldest first; what other processes add meanwhile may be missing."""
        last = 0
        while rows := self._fetch(call_rows.MISSES, [last, AT_ONCE]):
            for _, kind, *row in rows:
                yield Miss(kind, call_rows.call_of(row))
            last = rows[-1][0]

    def origins(self, keys: Iterable[str]) -> dict[str, Origin]:
        """Where answers are from, by key, for those of which that is known."""
        rows = self._rows(f"key, {ORIGIN}", keys, "origins")
        return {row[0].hex(): Origin(row[1], row[2], bool(row[3])) for row in rows}

    def server(self, model: str) -> str | None:
        """The address that answers of `model` come from, where one was noted."""
        with self._lock:
            row = self._connection().execute("SELECT address FROM servers WHERE model = ?", [model]).fetchone()
        return None if row is None else str(row[0])

    def note_server(self, model: str, address: str) -> None:
        """Answers of `model` come from there; the first address stays."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO servers VALUES (?, ?)", [model, address])

    def tidy(self) -> None:
        """Let the claims of processes that died lapse now; otherwise they do when their key or money is wanted."""
        with self._transaction() as connection:
            claims.bury(connection)

    def balance(self, account: str | None) -> Balance:
        """What `account`, or where it is None all of the ledger, paid and has reserved, in all processes and runs."""
        with self._lock:
            return claims.balance(self._connection(), account)

    def under_way(self, account: str | None) -> int:
        """How many questions are asked just now for `account`, or where it is None for all."""
        with self._lock:
            return claims.under_way(self._connection(), account)

    def left(self) -> float:
        """USD that may still be promised before a limit; infinite without one."""
        rests = [
            cap.usd - there.spent - there.reserved for cap in self._caps() for there in [self.balance(cap.account)]
        ]
        return min(rests, default=math.inf)

    def __len__(self) -> int:
        return int(self._fetch("SELECT count(*) FROM calls", [])[0][0])

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._heartbeat.stop()
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                if self._asker is not None and self._asker[0] == os.getpid():
                    with suppress(sqlite3.Error):
                        claims.leave(self._open[1], self._asker[1])
                self._open[1].close()
            self._open = self._asker = None

    def renew(self) -> None:
        """A sign of life for machines that cannot see this process; `Heartbeat` gives it."""
        with self._lock:
            if self._asker is not None and self._asker[0] == os.getpid():
                claims.renew(self._connection(), self._asker[1])

    def _caps(self) -> list[Cap]:
        limits = ((self.account, self.limit), (None, self.workspace_limit))
        return [Cap(account, limit) for account, limit in limits if limit is not None]

    def _registered(self) -> int:
        """The number of this process among those that ask."""
        with self._lock:
            if self._asker is None or self._asker[0] != os.getpid():
                with self._transaction() as connection:
                    self._asker = os.getpid(), claims.register(connection)
                self._heartbeat.start()
            return self._asker[1]

    def _pay(self, connection: sqlite3.Connection, call: Call, overrun: float, *, stays: bool = False) -> None:
        asker = self._asker[1] if self._asker is not None else 0
        reserved = claims.release(connection, bytes.fromhex(call.key), asker, stays=stays)
        unconfirmed = max(0.0, reserved - call.usd) if call.estimated else 0.0
        claims.book(connection, self.account, calls=1, usd=call.usd, unconfirmed=unconfirmed)
        if overrun > 0:
            claims.raise_overrun(connection, call.model, overrun)

    def add_paid(self, usage: Usage) -> None:
        """Count what another process paid on this ledger's terms."""
        with self._lock:
            self.paid += usage

    def _count(self, calls: Sequence[Call]) -> None:
        self.add_paid(Usage.of(calls))
