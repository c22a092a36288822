"""A server that the harness starts for itself, waits for, and always stops."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness._lazy import lazy
from harness.device import outer_environment
from harness.errors import UserError
from harness.llm import _watchdog
from harness.llm.backend import FatalProviderError
from harness.masking import masked
from harness.ports import free_port

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")


_TAIL = 15
"""Lines of the log that an error shows."""


class Server:
    """A command that serves HTTP on this machine only. `command` holds ``{port}`` where the port belongs; 0 is any free
    one.

    The command runs under a watchdog (see _watchdog.py), which ends it, and all that it started, when this process ends
    in whatever way. Its output goes to `log`, which is kept when something went wrong.
    """

    grace = 10.0
    """Seconds that it is given to end by itself."""

    def __init__(self, command: Sequence[str], port: int, environment: Mapping[str, str], timeout: float) -> None:
        self._port = port or free_port()
        self._command = [part.replace("{port}", str(self._port)) for part in command]
        self.environment, self._timeout = environment, timeout
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="harness-server-"))
        self.log = self.folder / "server.log"
        self.url = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Returns when the server is healthy. Raises UserError, with the end of its log, when it dies or takes too
        long."""
        try:
            with self.log.open("wb") as log:
                self._watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", _watchdog.__file__, str(self.grace), *self._command],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**outer_environment(), **self.environment},
                    start_new_session=True,
                )
            await self._healthy()
        except BaseException as error:
            # An interruption is no failure of the server's.
            self.stop(keep_log=isinstance(error, Exception))
            raise

    def died(self) -> bool:
        """Whether it has ended by itself."""
        return self._watchdog is None or self._watchdog.poll() is not None

    def failure(self, what: str) -> FatalProviderError:
        """An error that says `what` happened, and what the server said last."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:] if self.log.exists() else []
        said = masked("\n".join(f"    {line}" for line in lines)) or "    (nothing)"
        return FatalProviderError(
            f"{what}; the last lines of its log:\n{said}", remedy=f"the whole log is in {self.log}"
        )

    def stop(self, keep_log: bool = False) -> None:
        """End the server and everything that it started; returns when all of it is gone."""
        if self._watchdog is not None:
            assert self._watchdog.stdin is not None
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()
            # It kills what does not end within its grace, so this is never reached by a server that hangs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._watchdog.wait(self.grace + 20)
        if not keep_log:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _healthy(self) -> None:
        end = time.monotonic() + self._timeout
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await self._answers(session):
                if self.died():
                    assert self._watchdog is not None
                    raise self.failure(f"the server ended while it started (exit status {self._watchdog.returncode})")
                if time.monotonic() > end:
                    raise self.failure(f"the server was not ready after {self._timeout:g} s (startup_timeout)")
                await asyncio.sleep(0.25)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
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
