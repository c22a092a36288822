"""What stands behind a chat teacher: something that completes one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.answers.provider_reasons import FailureReason


@dataclass(frozen=True)
class Completion:
    """What came back for a request. `usd` is what it cost, `seconds` its latency.

    `finish`: ``stop``, ``length`` (cut by the token limit), ``filtered`` (withheld by the provider, or refused) or
    ``unreadable``: what came is no answer of the protocol, and `text` is all of it.
    """

    text: str
    finish: Literal["stop", "length", "filtered", "unreadable"] = "stop"
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    provider_id: str = ""
    served: str = ""
    """What the server calls the model that answered."""
    fingerprint: str = ""
    """The server's `system_fingerprint`."""
    estimated: bool = False
    """Whether the server did not count: tokens are an estimate, and those of the input may be 0."""
    fault: str = ""
    """Why what came could not be read, where it is ``unreadable``."""


class FatalProviderError(UserError):
    """The provider says that asking on is useless: wrong key, no such model, no money left."""


@dataclass
class RequestFailed(UserError):
    """This request has no answer and will have none; others may. `completion` is what was paid for nevertheless."""

    reason: FailureReason = "no answer"
    completion: Completion | None = None


async def _forget(request: Request) -> None:
    return


def _go(request: Request) -> None:
    return


class Backend(AbstractAsyncContextManager["Backend"], Protocol):
    """Completes requests; opened before the first, closed after the last, also on failure."""

    concurrency: int
    """How many requests to keep in flight."""
    ahead: int = 0
    """How many more to have claimed and ready, which wait for a slot inside `complete`."""
    attempts: int = 1
    """How often a request is sent whose answers cannot be read."""
    resumable: bool = False
    """Whether what was sent is read by a later run, where this one dies before the answer."""
    unanswered: Callable[[Request], Awaitable[None]] = staticmethod(_forget)
    """Set by whoever asks; awaited when an answer was lost on the way and may be billed, before another try. It raises
    when there is no money for one."""
    starting: Callable[[Request], None] = staticmethod(_go)
    """Set by whoever asks; called before a request that waited for a slot is sent. It raises when everything has
    stopped meanwhile."""

    async def __aenter__(self) -> Self: ...

    async def complete(self, request: Request) -> Completion:
        """Raises RequestFailed when this request cannot be completed, after the retries that make sense, and any other
        UserError when none can."""
        ...
