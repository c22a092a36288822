"""Servers lent to other processes of this machine: each worker has a connection to the process that owns them."""

from __future__ import annotations

import secrets
import socket
import threading
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.llm.endpoints.endpoint import Endpoint, Endpoints
from harness.llm.endpoints.server_launch import ServerLaunch

_ORDERS = ("borrow", "fault", "renew", "give_back")


class DeskAddress(NamedTuple):
    """Where a desk is, and what lets one in; goes to workers through their pipes."""

    port: int
    secret: bytes


class EndpointDesk:
    """Takes orders for `endpoints`, a thread a connection. What a process has borrowed is given back when its
    connection ends, however it does."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints, self._is_closed = endpoints, False
        secret = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=secret, backlog=64)
        self.address = DeskAddress(self._listener.address[1], secret)
        threading.Thread(target=self._accept, name="desk of servers", daemon=True).start()

    def close(self) -> None:
        """No process is let in any more."""
        self._is_closed = True
        # Closing does not wake who waits for the next.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.address.port), 5).close()

    def _accept(self) -> None:
        while not self._is_closed:
            # One that leaves at once, or does not know the word, is no reason to turn others away.
            with suppress(OSError, EOFError, AuthenticationError):
                connection = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._listener.close()

    def _serve(self, connection: Connection[Any, Any]) -> None:
        borrowed: list[ServerLaunch] = []
        try:
            with connection, suppress(EOFError, OSError):
                while True:
                    connection.send(self._carry_out(connection.recv(), borrowed))
        finally:
            for launch in borrowed:
                self._endpoints.give_back(launch)

    def _carry_out(self, message: tuple[str, tuple[Any, ...]], borrowed: list[ServerLaunch]) -> tuple[bool, Any]:
        """Whether it went well, and what came of it or was raised."""
        order, arguments = message
        try:
            value = getattr(self._endpoints, order)(*arguments) if order in _ORDERS else None
        except Exception as error:
            return False, error
        if order == "borrow":
            borrowed.append(arguments[0])
        elif order == "give_back":
            borrowed.remove(arguments[0])
        return True, value


class DistantEndpoints:
    """The servers of another process (`Endpoints`), at its desk."""

    def __init__(self, address: DeskAddress) -> None:
        self._address = address
        self._connection: Connection[Any, Any] | None = None
        self._lock = threading.Lock()

    def borrow(self, launch: ServerLaunch) -> Endpoint:
        found: Endpoint = self._ask("borrow", launch)
        return found

    def fault(self, launch: ServerLaunch, number: int) -> UserError | None:
        found: UserError | None = self._ask("fault", launch, number)
        return found

    def renew(self, launch: ServerLaunch, number: int) -> Endpoint:
        found: Endpoint = self._ask("renew", launch, number)
        return found

    def give_back(self, launch: ServerLaunch) -> None:
        self._ask("give_back", launch)

    def close(self) -> None:
        """Leave the desk; what is still borrowed is given back."""
        if self._connection is not None:
            self._connection.close()

    def _ask(self, order: str, *arguments: Any) -> Any:
        with self._lock:
            if self._connection is None:
                self._connection = Client(("127.0.0.1", self._address.port), authkey=self._address.secret)
            self._connection.send((order, arguments))
            went_well, value = self._connection.recv()
        if not went_well:
            raise value
        return value
