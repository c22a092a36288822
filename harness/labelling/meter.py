"""A view of the ledger that adds up what one piece of work used, found or paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.labelling.calls import Answer, Call, Usage
from harness.labelling.ledger import Ledger


class Meter(Ledger):
    """The same calls as `ledger`, whose `paid` goes on counting too.

    `paid` is what the work paid here and now; `used` is what it would have cost alone, each distinct call once, paid now or found,
    and every miss.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.path)
        self._ledger = ledger
        self._seen: set[str] = set()
        self.used = Usage()

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        found = self._ledger.get_many(keys)
        self._use(found)
        return found

    def held(self, keys: Iterable[str]) -> set[str]:
        return self._ledger.held(keys)

    def put_many(self, calls: Sequence[Call]) -> None:
        self._ledger.put_many(calls)
        self.paid += Usage.of(calls)
        self._use({call.key: call for call in calls})

    def put_miss(self, call: Call, kind: str) -> None:
        self._ledger.put_miss(call, kind)
        cost = Usage.of([call])
        self.paid += cost
        self.used += cost

    def left(self) -> float:
        return self._ledger.left()

    def _use(self, calls: Mapping[str, Call] | Mapping[str, Answer]) -> None:
        new = [call for key, call in calls.items() if key not in self._seen]
        self._seen.update(calls)
        self.used += Usage.of(new)
