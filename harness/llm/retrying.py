"""A backend that asks again when that may help, and asks for less when the provider complains."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass, field

from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Backend, Completion, RequestFailed
from harness.llm.rate_limits import Rates, Slots
from harness.llm.retry_rules import TransientError, retrying


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
        self._slots = Slots(self.limits.concurrency)
        self._rates = Rates(self.limits.requests_per_minute, self.limits.tokens_per_minute)

    @abstractmethod
    async def attempt(self, request: Request) -> Completion:
        """One try. Raises TransientError when another may do better, RequestFailed when none can, and any other
        UserError when no request can."""

    async def complete(self, request: Request) -> Completion:
        tokens = sum(len(content) for _, content in request.messages) // 4
        try:
            async for attempt in retrying(self.limits.attempts):
                with attempt:
                    await self._rates.wait(tokens)
                    return await self._once(request)
        except TransientError as error:
            raise RequestFailed(
                f"the provider failed {self.limits.attempts} times in a row; the last time: {error}",
                remedy=error.remedy or "run again later: everything answered so far is kept",
            ) from error
        raise AssertionError("unreachable")

    async def _once(self, request: Request) -> Completion:
        async with self._slots:
            start = time.monotonic()
            try:
                return await self.attempt(request)
            except TransientError as error:
                if error.overload:
                    self._slots.complained(start, error.retry_after)
                if error.may_be_billed:
                    await self.unanswered(request)
                raise
