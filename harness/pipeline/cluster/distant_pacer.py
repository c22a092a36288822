"""The rate limits of a sweep as a worker has them: the keeper says whose turn it is."""

from __future__ import annotations

from typing import Any

from harness._lazy import lazy
from harness.llm.pace.shared_pace import MinuteRates, Turn

ray = lazy("ray")


class DistantPacer:
    """What `PaceBook` is, with the book in the actor `keeper`. A keeper that has died comes back with an empty one."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper

    def turn(self, service: str, rates: MinuteRates, tokens: int) -> Turn:
        found: Turn = ray.get(self._keeper.turn.remote(service, rates, tokens))
        return found

    def complained(self, service: str, age: float, retry_after: float | None) -> Turn:
        found: Turn = ray.get(self._keeper.complained.remote(service, age, retry_after))
        return found
