"""The ledger as the one process has it that opens the file for a whole cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.ledger import claims, leases, receipts
from harness.ledger.asker import Asker
from harness.ledger.claims import Claim
from harness.ledger.ledger import Ledger

T = TypeVar("T")


class ServingLedger(Ledger):
    """Carries out orders of other processes, each on behalf of its asker: claims are theirs, and outlive this process.

    Every order may come twice and counts once. `sweep` tells the makers of one sweep from all others.
    """

    def __init__(self, path: Path, sweep: str) -> None:
        super().__init__(path)
        self._sweep = sweep
        self._numbers: dict[Asker, int] = {}
        with self._transaction() as connection:
            receipts.clear(connection)

    def serve(self, asker: Asker, order: Callable[[ServingLedger], T]) -> T:
        """What `order` returns, given to this ledger; for orders that twice are as good as once."""
        with self._lock:
            self._asker = os.getpid(), self._number(asker)
            return order(self)

    def serve_once(self, asker: Asker, order: Callable[[ServingLedger], object], receipt: str) -> None:
        """Carry out an order that adds something, unless one with this receipt was carried out before."""
        with self._lock:
            self._asker = os.getpid(), self._number(asker)
            with self._transaction() as connection:
                if receipts.is_new(connection, receipt):
                    order(self)

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim:
        with self._transaction():
            if not holding:
                # The answer to the same wish may have been lost on the way; each asker asks a key once at a time.
                self.release(key)
            return super().claim(key, usd, model, resumable=resumable, holding=holding)

    def take_lease(self, key: str) -> bool:
        """Whether the asker may make the artefact with that key from now on."""
        with self._transaction() as connection:
            return leases.take(connection, key, self._registered(), self._sweep)

    def give_lease_back(self, key: str) -> None:
        """Others may make it."""
        with self._transaction() as connection:
            leases.give_back(connection, key, self._registered())

    def leave(self) -> None:
        """The asker asks no more."""
        with self._transaction() as connection:
            claims.leave(connection, self._registered())
        self._numbers = {asker: number for asker, number in self._numbers.items() if number != self._registered()}

    def close(self) -> None:
        self._asker = None
        super().close()

    def _registered(self) -> int:
        assert self._asker is not None
        return self._asker[1]

    def _number(self, asker: Asker) -> int:
        if asker not in self._numbers:
            with self._transaction() as connection:
                self._numbers[asker] = claims.enlist(connection, asker)
        return self._numbers[asker]
