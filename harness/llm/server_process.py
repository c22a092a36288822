"""A server that the harness starts for itself, waits for, and always stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness._lazy import lazy
from harness.device import outer_environment
from harness.errors import UserError
from harness.llm import _watchdog
from harness.llm.backend import FatalProviderError
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.masking import masked
from harness.ports import free_port

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")


_TAIL = 15
"""Lines of the log that an error shows."""


class Server:
    """A launch at work; it listens at `host`, and asks for `key` where it knows how to.

    The command runs under a watchdog (see _watchdog.py), which ends it, and all that it started, when this process ends
    in whatever way. Its output goes to `log`, which stays when something went wrong.
    """

    grace = 10.0
    """Seconds that it is given to end by itself."""

    def __init__(self, launch: ServerLaunch, key: str = "", host: str = "127.0.0.1") -> None:
        port = launch.port or free_port()
        self._launch, self._key = launch, key
        self._command = [part.replace("{port}", str(port)).replace("{host}", host) for part in launch.command]
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._is_over, self._starting = False, threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="harness-server-"))
        self.log = self.folder / "server.log"
        self.url = f"http://{host}:{port}"

    async def start(self) -> None:
        """Returns when the server is healthy. Raises UserError, with the end of its log, when it dies or takes too
        long."""
        try:
            self._spawn()
            await self._healthy()
        except BaseException as error:
            # An interruption is no failure of the server's.
            self.stop(keep_log=isinstance(error, Exception) and not self._is_over)
            raise

    def died(self) -> bool:
        """Whether it has ended by itself."""
        return self._watchdog is None or self._watchdog.poll() is not None

    async def answers(self, seconds: float) -> bool:
        """Whether it does so within `seconds`; one that ends meanwhile does not."""
        end = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not self.died() and time.monotonic() < end:
                if await self._answered(session):
                    return True
                await asyncio.sleep(0.25)
        return False

    def failure(self, what: str) -> FatalProviderError:
        """An error that says `what` happened, and what the server said last."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:] if self.log.exists() else []
        said = masked("\n".join(f"    {line}" for line in lines)) or "    (nothing)"
        return FatalProviderError(
            f"{what}; the last lines of its log:\n{said}", remedy=f"the whole log is in {self.log}"
        )

    def stop(self, keep_log: bool = False) -> None:
        """End the server and everything that it started; returns when all of it is gone. Another thread that starts
        it fails."""
        with self._starting:
            self._is_over = True
        if self._watchdog is not None:
            assert self._watchdog.stdin is not None
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()
            # It kills what does not end within its grace, so this is never reached by a server that hangs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._watchdog.wait(self.grace + 20)
        if not keep_log:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self) -> None:
        self._carry()
        with self._starting, self.log.open("wb") as log:
            if self._is_over:
                raise self.failure("the server was stopped before it started")
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", _watchdog.__file__, str(self.grace), *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        launch = self._launch
        own = {name: value.replace("{folder}", str(self.folder)) for name, value in launch.environment.items()}
        path = os.pathsep.join(filter(None, [own.get("PYTHONPATH"), os.environ.get("PYTHONPATH")]))
        secret = {launch.key_variable: self._key} if launch.key_variable and self._key else {}
        return {**outer_environment(), **own, **({"PYTHONPATH": path} if path else {}), **secret}

    def _carry(self) -> None:
        """The launch's modules, where the server's own environment, which need not have the harness, can import
        them."""
        if self._launch.package:
            package = self.folder / self._launch.package
            package.mkdir()
            (package / "__init__.py").touch()
            for module in self._launch.modules:
                shutil.copy(module, package / module.name)

    async def _healthy(self) -> None:
        end = time.monotonic() + self._launch.timeout
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await self._answered(session):
                if self.died():
                    assert self._watchdog is not None
                    raise self.failure(f"the server ended while it started (exit status {self._watchdog.returncode})")
                if time.monotonic() > end:
                    raise self.failure(f"the server was not ready after {self._launch.timeout:g} s (startup_timeout)")
                await asyncio.sleep(0.25)

    async def _answered(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/health") as response:
                return response.status == 200
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False


def find_command(command: Sequence[str], base: Path, remedy: str) -> list[str]:
    """`command` with its program as a whole path; one with a folder in its name starts from `base`. Raises UserError
    when absent."""
    program = str(base / Path(command[0]).expanduser()) if "/" in command[0] else command[0]
    found = shutil.which(program)
    if found is None:
        raise UserError(f"there is no command '{program}'", key="command", remedy=remedy)
    return [str(Path(found).absolute()), *command[1:]]
