"""The ledger as a process has it that does not open the file: every order goes to the keeper."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import methodcaller
from typing import Any
from uuid import uuid4

from harness._lazy import lazy
from harness.ledger.asker import this_process
from harness.ledger.calls import CachedResponse, Call, Origin, Usage
from harness.ledger.claims import Balance, Claim
from harness.ledger.given_up import GivenUp
from harness.ledger.heartbeat import Heartbeat
from harness.pipeline.cluster.keeper import KeeperReply, Order
from harness.pipeline.isolation.child_work import LedgerTerms

ray = lazy("ray")

_PAUSE = 0.1
"""Seconds between two wishes for a lease that another holds."""


class DistantLedger:
    """What `Ledger` is, on the terms of a sweep, with the file open in the actor `keeper`."""

    def __init__(self, keeper: Any, terms: LedgerTerms) -> None:
        self.paid = Usage()
        self.path, self.account, self.limit = terms.path, terms.account, terms.limit
        self.workspace_limit, self.given_up_since = terms.workspace_limit, terms.given_up_since
        self._keeper, self._asker = keeper, this_process(0.0)._replace(until=0.0)
        self._lock = threading.Lock()
        self._heartbeat = Heartbeat(self)
        self._heartbeat.start()

    def get(self, key: str) -> CachedResponse | None:
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]:
        found: dict[str, CachedResponse] = self._ask(methodcaller("get_many", [*keys]))
        return found

    def held(self, keys: Iterable[str]) -> set[str]:
        found: set[str] = self._ask(methodcaller("held", [*keys]))
        return found

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim:
        found: Claim = self._ask(methodcaller("claim", key, usd, model, resumable=resumable, holding=holding))
        return found

    def release(
        self, key: str, *, unconfirmed: bool = False, abandoned: bool = False, gives_up: GivenUp | None = None
    ) -> None:
        self._ask(methodcaller("release", key, unconfirmed=unconfirmed, abandoned=abandoned, gives_up=gives_up))

    def lose(self, key: str) -> None:
        self._ask(methodcaller("lose", key))

    def claimed(self, keys: Iterable[str]) -> set[str]:
        found: set[str] = self._ask(methodcaller("claimed", [*keys]))
        return found

    def put(self, call: Call, overrun: float = 0.0) -> CachedResponse:
        self._order(methodcaller("put", call, overrun), [call])
        standing = self.get(call.key)
        assert standing is not None
        return standing

    def put_many(self, calls: Sequence[Call]) -> None:
        self._order(methodcaller("put_many", [*calls]), calls)

    def put_miss(
        self,
        call: Call,
        kind: str,
        overrun: float = 0.0,
        *,
        gives_up: GivenUp | None = None,
        asks_again: bool = False,
    ) -> None:
        order = methodcaller("put_miss", call, kind, overrun, gives_up=gives_up, asks_again=asks_again)
        self._order(order, [call])

    def withdraw_given_up(self, keys: Iterable[str]) -> None:
        self._ask(methodcaller("withdraw_given_up", [*keys]))

    def given_up(self, keys: Iterable[str]) -> dict[str, GivenUp]:
        found: dict[str, GivenUp] = self._ask(methodcaller("given_up", [*keys]))
        return found

    def origins(self, keys: Iterable[str]) -> dict[str, Origin]:
        found: dict[str, Origin] = self._ask(methodcaller("origins", [*keys]))
        return found

    def server(self, model: str) -> str | None:
        found: str | None = self._ask(methodcaller("server", model))
        return found

    def note_server(self, model: str, address: str) -> None:
        self._ask(methodcaller("note_server", model, address))

    def balance(self, account: str | None) -> Balance:
        found: Balance = self._ask(methodcaller("balance", account))
        return found

    def left(self) -> float:
        return float(self._ask(methodcaller("left")))

    def under_way(self, account: str | None) -> int:
        return int(self._ask(methodcaller("under_way", account)))

    def tidy(self) -> None:
        self._ask(methodcaller("tidy"))

    def add_paid(self, usage: Usage) -> None:
        with self._lock:
            self.paid += usage

    def renew(self) -> None:
        """A sign of life for machines that cannot see this process."""
        self._ask(methodcaller("renew"))

    @contextmanager
    def lease(self, key: str) -> Iterator[None]:
        """Hold the right to make the artefact with that key; waits while another has it."""
        while not self._ask(methodcaller("take_lease", key)):
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            self._ask(methodcaller("give_lease_back", key))

    def close(self) -> None:
        """This process asks no more."""
        self._heartbeat.stop()
        self._ask(methodcaller("leave"))

    def _ask(self, order: Order) -> Any:
        answer: KeeperReply = ray.get(self._keeper.serve.remote(self._asker, order))
        return answer.result()

    def _order(self, order: Order, calls: Sequence[Call]) -> None:
        answer: KeeperReply = ray.get(self._keeper.serve_once.remote(self._asker, order, uuid4().hex))
        answer.result()
        self.add_paid(Usage.of(calls))
