"""What a piece of work may do with the ledger, whichever process has the file open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from harness.ledger.calls import CachedResponse, Call, Origin, Usage
from harness.ledger.claims import Balance, Claim
from harness.ledger.given_up import GivenUp


class CallLedger(Protocol):
    """Calls that were paid for, and the right to ask more. `Ledger`, which has the file, says what each method does."""

    path: Path
    paid: Usage

    def get(self, key: str) -> CachedResponse | None: ...

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]: ...

    def held(self, keys: Iterable[str]) -> set[str]: ...

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim: ...

    def release(
        self, key: str, *, unconfirmed: bool = False, abandoned: bool = False, gives_up: GivenUp | None = None
    ) -> None: ...

    def lose(self, key: str) -> None: ...

    def claimed(self, keys: Iterable[str]) -> set[str]: ...

    def put(self, call: Call, overrun: float = 0.0) -> CachedResponse: ...

    def put_many(self, calls: Sequence[Call]) -> None: ...

    def put_miss(
        self,
        call: Call,
        kind: str,
        overrun: float = 0.0,
        *,
        gives_up: GivenUp | None = None,
        asks_again: bool = False,
    ) -> None: ...

    def withdraw_given_up(self, keys: Iterable[str]) -> None: ...

    def given_up(self, keys: Iterable[str]) -> dict[str, GivenUp]: ...

    def origins(self, keys: Iterable[str]) -> dict[str, Origin]: ...

    def server(self, model: str) -> str | None: ...

    def note_server(self, model: str, address: str) -> None: ...

    def balance(self, account: str | None) -> Balance: ...

    def left(self) -> float: ...


class SweepLedger(CallLedger, Protocol):
    """The same with who pays, and up to which limits; what a sweep runs with."""

    account: str
    limit: float | None
    workspace_limit: float | None
    given_up_since: float

    def add_paid(self, usage: Usage) -> None: ...

    def under_way(self, account: str | None) -> int: ...

    def tidy(self) -> None: ...

    def close(self) -> None: ...
