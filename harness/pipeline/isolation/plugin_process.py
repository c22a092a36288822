"""The side of the sweep: a stage in a child process, which may raise, exit, die by a signal, or be ended for taking too
long."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.ledger.calls import Usage
from harness.pipeline.isolation import child_work
from harness.pipeline.isolation.child_work import ChildOrder, LedgerTerms, Surroundings
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.isolation.stage_work import StageContext, StageMeasure, work
from harness.pipeline.outcome.stage_fault import StageFault
from harness.plugins import Plugin
from harness.stage import Stage
from harness.text import clock

_HEAVY = ("torch", "transformers", "sentence_transformers")
_GRACE = 5.0
"""Seconds that a child has to leave after its last word."""


class PluginStageError(Exception):
    """A stage failed in its process; `fault` says how."""

    def __init__(self, fault: StageFault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


@dataclass(frozen=True)
class PluginWork:
    """Runs stages in which a plug-in works in a child, all others here. `timeout` is the most seconds that one in a
    child may take, None for any."""

    timeout: float | None = None

    def __call__(self, stage: Stage, draft: Path, context: StageContext) -> StageMeasure:
        classes = plugin_classes(stage)
        order = _order(stage, draft, context, classes) if classes else None
        if order is None:
            return work(stage, draft, context)
        with tempfile.NamedTemporaryFile(prefix="harness-plugin-") as dump:
            modules = tuple(kind.__module__ for kind in classes if issubclass(kind, Plugin))
            link, process = _started(Surroundings(str(Path.cwd()), dict(os.environ), dump.name, modules), order)
            try:
                measured = self._followed(process, link, context)
                process.join(_GRACE)
                return measured
            except _Ended as end:
                text = Path(dump.name).read_text(encoding="utf-8", errors="replace")
                raise PluginStageError(StageFault.of_process(end.words, text, classes)) from None
            finally:
                _stop(process)
                link.close()

    def _followed(self, process: ForkServerProcess, link: connection.Connection, context: StageContext) -> StageMeasure:
        before, end = context.ledger.paid, None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            rest = None if end is None else max(0.0, end - time.monotonic())
            ready = connection.wait([link, process.sentinel], rest)
            if not ready:
                _dump(process)
                raise _Ended(f"it ran longer than the timeout of {clock(self.timeout or 0)}")
            message = _message(link)
            if message is None:
                process.join()
                raise _Ended(_last_words(process.exitcode))
            if "paid" in message:
                context.ledger.paid = before + Usage(**message.pop("paid"))
            event = message.pop("event")
            if event == "progress":
                context.progress(**message)
            elif event == "failed":
                process.join(_GRACE)
                raise PluginStageError(StageFault(**message))
            else:
                return StageMeasure(**message)


class _Ended(Exception):
    """A child that ended without saying how."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def _order(stage: Stage, draft: Path, context: StageContext, classes: tuple[type, ...]) -> bytes | None:
    """What is handed to a child; None where the stage cannot be: its class was typed in, or it holds what no file
    can."""
    if any(kind.__module__ == "__main__" for kind in classes):
        return None
    terms = LedgerTerms.of(context.ledger)
    try:
        return pickle.dumps(ChildOrder(stage, draft, context.store, terms, context.cache))
    except Exception:
        # Whatever a plug-in's own objects raise when they are pickled.
        return None


def _started(surroundings: Surroundings, order: bytes) -> tuple[connection.Connection, ForkServerProcess]:
    """A child, forked by a server that has loaded what this process has and has run nothing yet: threads of OpenMP and
    contexts of CUDA do not live through a fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([child_work.__name__, *(name for name in _HEAVY if name in sys.modules)])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child_work.obey, args=(theirs, surroundings, order), name="plug-in stage")
    with _without_main():
        process.start()
    theirs.close()
    return ours, process


@contextmanager
def _without_main() -> Iterator[None]:
    """multiprocessing would run the user's script once more in the child; no stage that goes there needs it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _message(link: connection.Connection) -> dict[str, Any] | None:
    """The next word of the child; None where none will come."""
    try:
        return json.loads(link.recv_bytes()) if link.poll() else None
    except (EOFError, OSError):
        return None


def _last_words(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its process was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"
    return f"its process ended with exit code {code} before the stage was done"


def _dump(process: ForkServerProcess) -> None:
    """Have the child write where it is."""
    with suppress(OSError, TypeError):
        os.kill(process.pid or 0, signal.SIGUSR1)
        process.join(0.5)


def _stop(process: ForkServerProcess) -> None:
    """End the child and whatever it started."""
    process.kill()
    with suppress(OSError, TypeError):
        os.killpg(process.pid or -1, signal.SIGKILL)
    process.join()
