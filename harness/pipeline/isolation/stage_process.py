"""The side of the sweep: a child process that runs stages, and may raise, exit, die by a signal, or be ended for taking
too long."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.ledger.calls import Usage
from harness.llm.endpoints.endpoint_desk import DeskAddress
from harness.pipeline.isolation import child_work
from harness.pipeline.isolation.child_work import ChildOrder, LedgerTerms, Surroundings
from harness.pipeline.isolation.stage_work import StageContext, StageMeasure
from harness.pipeline.outcome.stage_fault import StageFault
from harness.stage import Stage
from harness.text import clock

_HEAVY = ("torch", "transformers", "sentence_transformers")
GRACE = 5.0
"""Seconds that a child has to leave after its last word."""
_STARTING = threading.Lock()


class StageProcessError(Exception):
    """A stage failed in its process; `fault` says how."""

    def __init__(self, fault: StageFault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def packed(
    stage: Stage,
    draft: Path,
    context: StageContext,
    closed: tuple[Path, ...] = (),
    desk: DeskAddress | None = None,
) -> bytes | None:
    """What is handed to a child, which cannot open the files `closed` any more, and borrows servers at `desk`; None
    where the stage cannot be: its class was typed in, or it holds what no file can."""
    terms = LedgerTerms.of(context.ledger)
    try:
        return pickle.dumps(ChildOrder(stage, draft, context.store.for_child(), terms, context.cache, closed, desk))
    except Exception:
        # Whatever a plug-in's own objects raise when they are pickled.
        return None


class StageProcess:
    """A child, forked by a server that has loaded what this process has and has run nothing yet: threads of OpenMP and
    contexts of CUDA do not live through a fork. It runs one stage after another and goes with this process."""

    def __init__(self, modules: tuple[str, ...] = ()) -> None:
        self._dump = tempfile.NamedTemporaryFile(prefix="harness-stage-")  # noqa: SIM115
        surroundings = Surroundings(str(Path.cwd()), dict(os.environ), self._dump.name, modules)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([child_work.__name__, *(name for name in _HEAVY if name in sys.modules)])
        self._link, theirs = context.Pipe()
        self._process = context.Process(target=child_work.obey, args=(theirs, surroundings), name="stage")
        with _without_main():
            self._process.start()
        theirs.close()
        self.is_idle = True
        """Whether it waits for a stage; one that ends in the midst of one never does again."""

    def run(
        self, order: bytes, context: StageContext, classes: tuple[type, ...] = (), timeout: float | None = None
    ) -> StageMeasure:
        """Have it run a stage, of `packed`. Raises StageProcessError, also where it dies or takes longer than `timeout`
        seconds; `classes` are those of the plug-ins at work."""
        self.is_idle = False
        try:
            with suppress(OSError):
                self._link.send_bytes(order)
            return self._followed(context, timeout)
        except _Ended as end:
            text = Path(self._dump.name).read_text(encoding="utf-8", errors="replace")
            raise StageProcessError(StageFault.of_process(end.words, text, classes)) from None

    def interrupt(self) -> None:
        """Ask it to leave what it does in order, and to go."""
        with suppress(OSError, TypeError):
            os.kill(self._process.pid or -1, signal.SIGINT)

    def end(self, grace: float = 0.0) -> None:
        """End the child, after `grace` seconds at the most, and whatever it started."""
        self._process.join(grace)
        self._process.kill()
        with suppress(OSError, TypeError):
            os.killpg(self._process.pid or -1, signal.SIGKILL)
        self._process.join()

    def close(self) -> None:
        """End the child, which leaves by itself where it waits for a stage."""
        if self.is_idle:
            self._link.close()
        self.end(GRACE if self.is_idle else 0.0)
        self._link.close()
        self._dump.close()

    def _followed(self, context: StageContext, timeout: float | None) -> StageMeasure:
        paid, end = Usage(), None if timeout is None else time.monotonic() + timeout
        while True:
            rest = None if end is None else max(0.0, end - time.monotonic())
            if not connection.wait([self._link, self._process.sentinel], rest):
                self._write_dump()
                raise _Ended(f"it ran longer than the timeout of {clock(timeout or 0)}")
            message = self._message()
            if message is None:
                self._process.join()
                raise _Ended(_last_words(self._process.exitcode))
            if "paid" in message:
                before, paid = paid, Usage(**message.pop("paid"))
                context.ledger.add_paid(paid - before)
            event = message.pop("event")
            if event == "progress":
                context.progress(**message)
                continue
            self.is_idle = True
            if event == "failed":
                raise StageProcessError(StageFault(**message))
            return StageMeasure(**message)

    def _message(self) -> dict[str, Any] | None:
        """The next word of the child; None where none will come."""
        try:
            return json.loads(self._link.recv_bytes()) if self._link.poll() else None
        except (EOFError, OSError):
            return None

    def _write_dump(self) -> None:
        """Have the child write where it is."""
        with suppress(OSError, TypeError):
            os.kill(self._process.pid or 0, signal.SIGUSR1)
            self._process.join(0.5)


class _Ended(Exception):
    """A child that ended without saying how."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@contextmanager
def _without_main() -> Iterator[None]:
    """multiprocessing would run the user's script once more in the child; no stage that goes there needs it."""
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its process was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"
    return f"its process ended with exit code {code} before the stage was done"
