"""The process that serves the pages: it ends with whoever started it, and is told of when it answers."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from harness.errors import UserError
from harness.ports import free_port

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 10.0
"""Seconds that a server has to end by itself."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks this machine itself: a proxy of the environment would look for the address on its own."""


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The server of `command` until the end of the block, also where this process is told to end (SIGTERM, SIGHUP):
    that ends the block by SystemExit."""
    before: dict[signal.Signals, object] = {}
    # Only a main thread may say what signals do.
    with suppress(ValueError):
        before = {number: signal.signal(number, _leave) for number in _ENDINGS}
    server = subprocess.Popen(command, env=environment)
    try:
        yield server
    finally:
        _end(server)
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself returned


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def answers(server: subprocess.Popen[bytes], health: str) -> bool:
    """Wait until the server answers at the address `health`; False where it ended before."""
    while server.poll() is None:
        if is_answering(health):
            return True
        time.sleep(0.1)
    return False


def is_answering(health: str) -> bool:
    """Whether a server of this machine answers at the address `health`, whatever proxies the environment names."""
    try:
        with _DIRECT.open(health, timeout=2):
            return True
    except OSError:
        return False


def page_address(address: str, port: int) -> str:
    """Where a browser finds what is served on `address`:`port`."""
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"


def check_free(address: str, port: int) -> None:
    """Raises UserError when `address` is none of this machine's, or somebody listens at `port` there."""
    try:
        places = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(
            f"'{address}' is no address: {error}", remedy="give this machine's name to --address"
        ) from error
    for family, kind, protocol, _, place in places:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
        except OSError as error:
            _explain(error, address, port)


def _explain(error: OSError, address: str, port: int) -> None:
    """Raises UserError; returns where the place is one that this machine lacks beside others (IPv6)."""
    if error.errno == errno.EADDRINUSE:
        raise UserError(
            f"port {port} at {address} is taken: perhaps another dashboard runs",
            remedy=f"open {page_address(address, port)}, or give another port: harness dashboard --port {free_port()}",
        ) from error
    if error.errno == errno.EACCES:
        raise UserError(f"port {port} needs rights that you lack", remedy="give one above 1023 with --port") from error
    if error.errno == errno.EADDRNOTAVAIL and ":" not in address and address != "localhost":
        raise UserError(f"'{address}' is no address of this machine", remedy="give its name to --address") from error
