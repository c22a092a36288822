"""A server that several stages ask, as each of them sees it, and who lends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from harness.errors import UserError
from harness.llm.endpoints.server_launch import ServerLaunch


class Endpoint(NamedTuple):
    """Where a server answers."""

    url: str
    key: str
    """What requests must carry."""
    number: int
    """Rises each time that it is started anew."""


class Endpoints(Protocol):
    """Who starts servers and lends them: `ServerPool`, or a way to the one that does. Its methods block, and may be
    called from any thread."""

    def borrow(self, launch: ServerLaunch) -> Endpoint:
        """A server that answers, started where none runs. Raises UserError where it does not start."""
        ...

    def fault(self, launch: ServerLaunch, number: int) -> UserError | None:
        """Why the server of this number has ended; None where it runs."""
        ...

    def renew(self, launch: ServerLaunch, number: int) -> Endpoint:
        """A server in place of the one of this number, which has ended: a new one, unless another asker got that
        already."""
        ...

    def give_back(self, launch: ServerLaunch) -> None:
        """What was borrowed is not asked any more."""
        ...


ENDPOINTS: ContextVar[Endpoints | None] = ContextVar("ENDPOINTS", default=None)
"""Of the sweep whose stage runs. Where there are none a stage has a server to itself."""


@contextmanager
def using_endpoints(endpoints: Endpoints | None) -> Iterator[None]:
    """Work inside borrows from these."""
    token = ENDPOINTS.set(endpoints)
    try:
        yield
    finally:
        ENDPOINTS.reset(token)
