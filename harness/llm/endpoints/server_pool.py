"""The process that owns servers: it starts each when it is first asked for, lends it, and stops what nobody needs."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import UserError
from harness.llm.endpoints.endpoint import Endpoint
from harness.llm.endpoints.endpoint_desk import DeskAddress, EndpointDesk
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.llm.server_process import Server

_SIGN_OF_LIFE = 30.0
"""Seconds in which a server must say that it is well."""
_UNDER_WAY = "the server ended while it was asked"


@dataclass
class _Post:
    """Where the servers of one mark follow each other."""

    key: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while one is started, looked after or stopped."""
    server: Server | None = None
    number: int = field(default_factory=time.time_ns)
    """Of the latest. Those of another owner, before this one was started, are smaller."""
    askers: int = 0
    faults: dict[int, UserError] = field(default_factory=dict)
    """Why those have ended that did so by themselves."""


class ServerPool:
    """One server a mark (`Endpoints`). A server that nobody asks is stopped unless its mark is needed (`need`).

    `host` is where they listen. Each server has a watchdog, so none outlives this process, however that ends.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._lock = threading.Lock()
        self._posts: dict[str, _Post] = {}
        self._needed: frozenset[str] = frozenset()
        self._desk: EndpointDesk | None = None
        self._is_closed = False

    def borrow(self, launch: ServerLaunch) -> Endpoint:
        post = self._post(launch)
        with post.lock:
            if post.server is not None and post.askers == 0 and not asyncio.run(post.server.answers(_SIGN_OF_LIFE)):
                self._bury(post, post.server, launch, "the server ended while no stage asked it")
            endpoint = self._running(post, launch)
            post.askers += 1
            return endpoint

    def fault(self, launch: ServerLaunch, number: int) -> UserError | None:
        post = self._post(launch)
        if (known := post.faults.get(number)) is not None:
            return known
        if post.number != number:
            return UserError(f"the server of {launch.name} ended with the process that had it")
        server = post.server
        # What is refused, or cut off, is seen before the end is.
        if server is None or asyncio.run(server.answers(_SIGN_OF_LIFE)):
            return None
        return server.failure(_UNDER_WAY)

    def renew(self, launch: ServerLaunch, number: int) -> Endpoint:
        post = self._post(launch)
        with post.lock:
            if post.number == number and post.server is not None:
                self._bury(post, post.server, launch, _UNDER_WAY)
            return self._running(post, launch)

    def give_back(self, launch: ServerLaunch) -> None:
        post = self._post(launch)
        with post.lock:
            post.askers -= 1
            self._stop_idle(launch.mark, post)

    def need(self, marks: Iterable[str]) -> None:
        """From now on servers of these marks run on while nobody asks them; idle ones of all others are stopped."""
        self._needed = frozenset(marks)
        self._stop_all_idle()

    def stop_idle(self, but: str = "") -> None:
        """Stop what nobody asks at the moment, `but` one."""
        self._stop_all_idle(evicts=True, but=but)

    @property
    def marks(self) -> frozenset[str]:
        """Of servers that run."""
        with self._lock:
            return frozenset(mark for mark, post in self._posts.items() if post.server is not None)

    @property
    def desk(self) -> DeskAddress:
        """Where other processes of this machine borrow."""
        with self._lock:
            self._desk = self._desk or EndpointDesk(self)
            return self._desk.address

    def close(self) -> None:
        """Stop all, also those that are being started, for which whoever waits for them fails; none is started from
        then on."""
        with self._lock:
            self._is_closed, posts = True, list(self._posts.values())
            if self._desk is not None:
                self._desk.close()
        servers = [server for post in posts if (server := post.server) is not None]
        stoppers = [threading.Thread(target=one.stop, args=(one.died(),), daemon=True) for one in servers]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        for post in posts:
            # A worker's thread at the desk may be stopping one just now.
            with post.lock:
                pass

    def _post(self, launch: ServerLaunch) -> _Post:
        with self._lock:
            if launch.mark not in self._posts:
                # What people set holds for servers of ours too.
                key = os.environ.get(launch.key_variable) or secrets.token_hex(16)
                self._posts[launch.mark] = _Post(key)
            return self._posts[launch.mark]

    def _running(self, post: _Post, launch: ServerLaunch) -> Endpoint:
        """The post's server, started where there is none; the caller holds its lock."""
        if post.server is None:
            server = Server(launch, post.key, self._host)
            with self._lock:
                if self._is_closed:
                    server.stop()
                    raise UserError(f"the server of {launch.name} is stopped: the sweep ends")
                post.server, post.number = server, post.number + 1
            try:
                asyncio.run(server.start())
            except BaseException:
                post.server = None
                raise
        return Endpoint(post.server.url, post.key, post.number)

    def _bury(self, post: _Post, server: Server, launch: ServerLaunch, what: str) -> None:
        """Take a server out that has ended by itself."""
        server.stop(keep_log=True)
        post.faults[post.number], post.server = server.failure(what), None
        logging.getLogger(__name__).warning(
            "%s (%s): a new one is started; its log is %s", what, launch.name, server.log
        )

    def _stop_idle(self, mark: str, post: _Post, evicts: bool = False) -> None:
        if post.server is not None and post.askers == 0 and (evicts or mark not in self._needed):
            server, post.server = post.server, None
            server.stop(keep_log=server.died())

    def _stop_all_idle(self, evicts: bool = False, but: str = "") -> None:
        with self._lock:
            posts = [(mark, post) for mark, post in self._posts.items() if post.server is not None and mark != but]
        for mark, post in posts:
            # One that is being started, or asked, is not idle, and not waited for.
            if post.askers == 0 and post.lock.acquire(blocking=False):
                try:
                    self._stop_idle(mark, post, evicts)
                finally:
                    post.lock.release()
