"""Views of the ledger: one adds up what a piece of work used, found or paid; one lets work be done again that is paid
for already."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from harness.ledger.call_ledger import CallLedger
from harness.ledger.calls import CachedResponse, Call, Origin, Usage
from harness.ledger.claims import Balance, Claim
from harness.ledger.given_up import GivenUp


class MeteredLedger:
    """The same calls as `ledger`, whose `paid` goes on counting too.

    `paid` is what the work paid here and now; `used` is what it would have cost alone, each distinct call once, paid
    now or found, and every miss.
    """

    def __init__(self, ledger: CallLedger) -> None:
        self.path = ledger.path
        self._ledger = ledger
        self._seen: set[str] = set()
        self.paid = self.used = Usage()

    def get(self, key: str) -> CachedResponse | None:
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]:
        found = self._ledger.get_many(keys)
        self._use(found)
        return found

    def held(self, keys: Iterable[str]) -> set[str]:
        return self._ledger.held(keys)

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim:
        claim = self._ledger.claim(key, usd, model, resumable=resumable, holding=holding)
        if claim.response is not None:
            self._use({key: claim.response})
        if claim.given_up is not None:
            self._use_given_up([claim.given_up])
        return claim

    def release(
        self, key: str, *, unconfirmed: bool = False, abandoned: bool = False, gives_up: GivenUp | None = None
    ) -> None:
        self._ledger.release(key, unconfirmed=unconfirmed, abandoned=abandoned, gives_up=gives_up)
        if gives_up is not None:
            self._seen.add(key)

    def lose(self, key: str) -> None:
        self._ledger.lose(key)

    def claimed(self, keys: Iterable[str]) -> set[str]:
        return self._ledger.claimed(keys)

    def server(self, model: str) -> str | None:
        return self._ledger.server(model)

    def note_server(self, model: str, address: str) -> None:
        self._ledger.note_server(model, address)

    def balance(self, account: str | None) -> Balance:
        return self._ledger.balance(account)

    def put(self, call: Call, overrun: float = 0.0) -> CachedResponse:
        standing = self._ledger.put(call, overrun)
        self.paid += Usage.of([call])
        self._use({call.key: call})
        return standing

    def put_many(self, calls: Sequence[Call]) -> None:
        self._ledger.put_many(calls)
        self.paid += Usage.of(calls)
        self._use({call.key: call for call in calls})

    def put_miss(
        self,
        call: Call,
        kind: str,
        overrun: float = 0.0,
        *,
        gives_up: GivenUp | None = None,
        asks_again: bool = False,
    ) -> None:
        self._ledger.put_miss(call, kind, overrun, gives_up=gives_up, asks_again=asks_again)
        cost = Usage.of([call])
        self.paid += cost
        self.used += cost
        if gives_up is not None:
            # What was paid for it is counted already, miss by miss.
            self._seen.add(call.key)

    def withdraw_given_up(self, keys: Iterable[str]) -> None:
        self._ledger.withdraw_given_up(keys)

    def given_up(self, keys: Iterable[str]) -> dict[str, GivenUp]:
        found = self._ledger.given_up(keys)
        self._use_given_up(found.values())
        return found

    def origins(self, keys: Iterable[str]) -> dict[str, Origin]:
        return self._ledger.origins(keys)

    def left(self) -> float:
        return self._ledger.left()

    @property
    def sources(self) -> dict[str, Origin]:
        """Where the answers that the work used are from, by key, for those of which that is known."""
        return self.origins(self._seen)

    def _use_given_up(self, requests: Iterable[GivenUp]) -> None:
        new = [one for one in requests if one.key not in self._seen]
        self._seen.update(one.key for one in new)
        self.used = sum((one.usage for one in new), self.used)

    def _use(self, calls: Mapping[str, Call] | Mapping[str, CachedResponse]) -> None:
        new = [call for key, call in calls.items() if key not in self._seen]
        self._seen.update(calls)
        self.used += Usage.of(new)


class CacheMiss(LookupError):
    """The ledger lacks a call of work that was to be done again without paying."""


class ReplayLedger(MeteredLedger):
    """A meter for work whose calls must all be in `ledger`: raises CacheMiss before anything is asked, or kept, for the
    first that is not."""

    def get_many(self, keys: Iterable[str]) -> dict[str, CachedResponse]:
        wanted = list(keys)
        found = super().get_many(wanted)
        _all_held(wanted, found)
        return found

    def held(self, keys: Iterable[str]) -> set[str]:
        wanted = list(keys)
        found = super().held(wanted)
        _all_held(wanted, found)
        return found

    def claim(
        self, key: str, usd: float = 0.0, model: str = "", *, resumable: bool = False, holding: bool = False
    ) -> Claim:
        raise CacheMiss(key)

    def put(self, call: Call, overrun: float = 0.0) -> CachedResponse:
        raise CacheMiss(call.key)

    def put_many(self, calls: Sequence[Call]) -> None:
        _all_held((call.key for call in calls), ())

    def put_miss(
        self,
        call: Call,
        kind: str,
        overrun: float = 0.0,
        *,
        gives_up: GivenUp | None = None,
        asks_again: bool = False,
    ) -> None:
        raise CacheMiss(call.key)


def _all_held(wanted: Iterable[str], found: Container[str]) -> None:
    if (lacking := next((key for key in wanted if key not in found), None)) is not None:
        raise CacheMiss(lacking)
