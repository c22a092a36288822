"""A backend that asks again when that may help, and asks for less when the provider complains."""

from __future__ import annotations

import asyncio
import math
import time
from abc import abstractmethod
from dataclasses import dataclass, field

from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion, RequestFailed
from harness.llm.pace.rate_limits import Rates, Slots
from harness.llm.pace.shared_pace import PACER, SharedPace
from harness.llm.retry_rules import TransientError, retrying

_AHEAD = 8
"""Requests in flight for each that is ready and waits for a slot."""
_PASSES = 2
"""Passes of the event loop after an answer, in which the request that waited for its slot is sent: what is made of the
answer takes longer than sending, and the server is idle meanwhile."""


@dataclass(frozen=True)
class Limits:
    """Most requests in flight, tries of one request, and what the account allows a minute (None: no limit)."""

    concurrency: int = 32
    attempts: int = 10
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(kw_only=True)
class RetryingBackend(Backend):
    """Limits and retries around `attempt`."""

    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.concurrency, self.attempts = self.limits.concurrency, self.limits.attempts
        self.ahead = self.limits.concurrency // _AHEAD
        self._slots = Slots(self.limits.concurrency)
        rates = self.limits.requests_per_minute, self.limits.tokens_per_minute
        self._wait, self._complained = Rates(*rates).wait, self._slots.complained
        if (pacer := PACER.get()) is not None:
            shared = SharedPace(pacer, self.service, rates, self._slots)
            self._wait, self._complained = shared.wait, shared.complained

    @property
    @abstractmethod
    def service(self) -> str:
        """What is asked, told from everything else that has limits of its own; holds no secret."""

    @abstractmethod
    async def attempt(self, request: Request) -> Completion:
        """One try. Raises TransientError when another may do better, RequestFailed when none can, and any other
        UserError when no request can."""

    async def complete(self, request: Request) -> Completion:
        tokens = sum(len(content) for _, content in request.messages) // 4
        try:
            async for attempt in retrying(self.limits.attempts):
                with attempt:
                    await self._wait(tokens)
                    return await self._once(request)
        except TransientError as error:
            raise RequestFailed(
                f"the provider failed {self.limits.attempts} times in a row; the last time: {error}",
                remedy=error.remedy or "run again later: everything answered so far is kept",
            ) from error
        raise AssertionError("unreachable")

    async def _once(self, request: Request) -> Completion:
        start = math.inf
        try:
            async with self._slots:
                self.starting(request)
                start = time.monotonic()
                completion = await self.attempt(request)
        except TransientError as error:
            if error.overload:
                self._complained(start, error.retry_after)
            if error.may_be_billed:
                # Outside of the slot: the money for another try may be reserved for a request that waits for one.
                await self.unanswered(request)
            raise
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        return completion
