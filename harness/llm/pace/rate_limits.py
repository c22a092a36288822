"""How many requests may be in flight, and how many a minute: as many as the provider takes without complaint."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from aiolimiter import AsyncLimiter


class Slots(AbstractAsyncContextManager[None]):
    """Slots for requests in flight. A complaint (429, overload) halves their number, every full round of successes adds
    one back.

    After a complaint that names a time, nothing starts before it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = float(most)
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._not_before = 0.0
        self._complained = 0.0

    async def __aenter__(self) -> None:
        while self._busy >= int(self.limit) or self._pause() > 0:
            if self._busy < int(self.limit):
                await asyncio.sleep(self._pause())
            else:
                await self._turn()
        self._busy += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._busy -= 1
        if kind is None:
            self.limit = min(self._most, self.limit + 1 / self.limit)
        self._wake()

    def complained(self, started: float, retry_after: float | None) -> None:
        """A request that began at `started` (monotonic) was turned away. Requests begun before the last cut say nothing
        new."""
        if started > self._complained:
            self.cut()
            self._complained = time.monotonic()
        self.hold(retry_after or 0.0)

    def cut(self) -> None:
        """Halve the number."""
        self.limit = max(1.0, self.limit / 2)

    def hold(self, seconds: float) -> None:
        """Nothing starts for so long."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _pause(self) -> float:
        return self._not_before - time.monotonic()

    async def _turn(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake()
            raise

    def _wake(self) -> None:
        free = int(self.limit) - self._busy
        while free > 0 and self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                free -= 1


class Rates:
    """Requests and tokens a minute; None means no limit."""

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self._requests = AsyncLimiter(requests, 60) if requests else None
        self._tokens = AsyncLimiter(tokens, 60) if tokens else None

    async def wait(self, tokens: int) -> None:
        """Wait until a request with so many tokens may start."""
        if self._requests is not None:
            await self._requests.acquire()
        if self._tokens is not None:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))
