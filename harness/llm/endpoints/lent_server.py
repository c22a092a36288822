"""A server as one stage asks it: it may end under way, and another one takes its place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from harness.errors import UserError
from harness.llm.endpoints.endpoint import ENDPOINTS, Endpoint, Endpoints
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.llm.endpoints.server_pool import ServerPool
from harness.llm.retry_rules import TransientError
from harness.masking import register_secret

T = TypeVar("T")
_LIVES = 3
"""Servers that may end under one request before it is taken to be what ends them."""


class LentServer:
    """Borrowed from the sweep at `open`; outside of a sweep started there, and stopped at `close`."""

    def __init__(self, launch: ServerLaunch) -> None:
        self.launch = launch
        self._own: ServerPool | None = None
        endpoints = ENDPOINTS.get()
        if endpoints is None:
            endpoints = self._own = ServerPool()
        self._endpoints: Endpoints = endpoints
        self._endpoint: Endpoint | None = None
        self._failure: UserError | None = None
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers now; only while it is open."""
        assert self._endpoint is not None
        return self._endpoint

    def open(self) -> None:
        """Returns when it answers. Raises UserError where it does not start."""
        try:
            self._endpoint = self._endpoints.borrow(self.launch)
        except BaseException:
            self._close_own()
            raise
        register_secret(self._endpoint.key)

    async def open_async(self) -> None:
        """The same, without holding up the event loop."""
        try:
            await in_thread(self.open)
        except BaseException:
            # Left while it starts; whoever owns the thread cannot stop it.
            self._close_own()
            raise

    def close(self) -> None:
        """It is not asked any more."""
        if self._endpoint is not None:
            self._endpoint = None
            self._endpoints.give_back(self.launch)
        self._close_own()

    async def persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, asked again where the server ended under it and a new one has been started. Raises what the
        server said last where three end so."""
        lives = _LIVES
        while True:
            number = self.endpoint.number
            try:
                return await ask()
            except TransientError:
                lives -= 1
                fault = await in_thread(partial(self._replaced, number, lives > 0))
                if fault is None:
                    raise
                if lives == 0:
                    raise fault from None

    def _replaced(self, number: int, renews: bool) -> UserError | None:
        """Why the server of this number has ended, with another one in its place where `renews`. Raises UserError
        where none starts."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            fault = self._endpoints.fault(self.launch, number)
            if fault is not None and renews and self.endpoint.number == number:
                try:
                    self._endpoint = self._endpoints.renew(self.launch, number)
                except UserError as error:
                    # Those that were in flight with it need not try as well.
                    self._failure = error
                    raise
            return fault

    def _close_own(self) -> None:
        if self._own is not None:
            self._own.close()


async def in_thread(call: Callable[[], T]) -> T:
    """What `call` gives, in a thread that nothing waits for when this is cancelled."""
    outcome = Future[T]()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
    return await asyncio.wrap_future(outcome)
