"""What stands behind a chat teacher: something that completes one request."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request


@dataclass(frozen=True)
class Completion:
    """What came back for a request. `usd` is what it cost, `seconds` its latency.

    `finish`: ``stop``, ``length`` (cut by the token limit) or ``filtered`` (withheld by the provider, or refused).
    """

    text: str
    finish: Literal["stop", "length", "filtered"] = "stop"
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    provider_id: str = ""


class FatalProviderError(UserError):
    """The provider says that asking on is useless: wrong key, no such model, no money left."""


class Backend(AbstractAsyncContextManager["Backend"], Protocol):
    """Completes requests; opened before the first, closed after the last, also on failure."""

    concurrency: int
    """How many requests to keep in flight."""

    async def __aenter__(self) -> Self: ...

    async def complete(self, request: Request) -> Completion:
        """Raises FatalProviderError when no request can be completed, UserError when this one cannot, after the retries
        that make sense."""
        ...
