"""Rate limits that all processes of a sweep keep together: one bucket and one count of complaints a service, wherever
they are asked from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from harness.llm.pace.rate_limits import Slots

MinuteRates = tuple[int | None, int | None]
"""Requests and tokens a minute; None means no limit."""


class Turn(NamedTuple):
    """When a request may start."""

    delay: float
    """Seconds until there is room for it under the limits of a minute."""
    cuts: int
    """How often the number of requests in flight was halved so far."""
    pause: float
    """Seconds in which the provider wants nothing."""


class Pacer(Protocol):
    """Who knows what all processes ask: `PaceBook`, or a way to the one that has it."""

    def turn(self, service: str, rates: MinuteRates, tokens: int) -> Turn: ...

    def complained(self, service: str, age: float, retry_after: float | None) -> Turn: ...


PACER: ContextVar[Pacer | None] = ContextVar("PACER", default=None)
"""Set where several processes ask at once."""


@dataclass
class _Bucket:
    """A leaky bucket of one minute, as aiolimiter's; those that find it full stand in line."""

    level: float = 0.0
    at: float = 0.0

    def delay(self, amount: float, most: int, now: float) -> float:
        """Seconds until `amount` has room, which is taken."""
        leak = most / 60
        self.level, self.at = max(0.0, self.level - (now - self.at) * leak), now
        self.level += min(amount, most)
        return max(0.0, self.level - most) / leak


class PaceBook:
    """The buckets and complaints of every service, by name; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, int], _Bucket] = {}
        self._cuts: dict[str, int] = {}
        self._cut_at: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def turn(self, service: str, rates: MinuteRates, tokens: int) -> Turn:
        """The turn of a request with so many tokens."""
        now = self._clock()
        delays = [
            self._buckets.setdefault((service, number), _Bucket(at=now)).delay(amount, most, now)
            for number, (amount, most) in enumerate(zip((1, tokens), rates, strict=True))
            if most
        ]
        return Turn(max(delays, default=0.0), self._cuts.get(service, 0), self._pause(service, now))

    def complained(self, service: str, age: float, retry_after: float | None) -> Turn:
        """A request begun `age` seconds ago was turned away. Those begun before the last cut say nothing new."""
        now = self._clock()
        if now - age > self._cut_at.get(service, float("-inf")):
            self._cuts[service], self._cut_at[service] = self._cuts.get(service, 0) + 1, now
        self._not_before[service] = max(self._not_before.get(service, 0.0), now + (retry_after or 0.0))
        return Turn(0.0, self._cuts[service], self._pause(service, now))

    def _pause(self, service: str, now: float) -> float:
        return max(0.0, self._not_before.get(service, now) - now)


class SharedPace:
    """The limits of one backend as `pacer` has them; a complaint to any process halves the window of all."""

    def __init__(self, pacer: Pacer, service: str, rates: MinuteRates, slots: Slots) -> None:
        self._pacer, self._service, self._rates, self._slots = pacer, service, rates, slots
        self._cuts: int | None = None

    async def wait(self, tokens: int) -> None:
        """Wait until a request with so many tokens may start."""
        turn = self._pacer.turn(self._service, self._rates, tokens)
        self._follow(turn)
        await asyncio.sleep(turn.delay)

    def complained(self, started: float, retry_after: float | None) -> None:
        """A request that began at `started` (monotonic) was turned away."""
        self._follow(self._pacer.complained(self._service, time.monotonic() - started, retry_after))

    def _follow(self, turn: Turn) -> None:
        # What was complained of before this process asked is not its fault.
        for _ in range(turn.cuts - (turn.cuts if self._cuts is None else self._cuts)):
            self._slots.cut()
        self._cuts = turn.cuts
        self._slots.hold(turn.pause)
