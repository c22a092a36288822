"""The side of the child: one stage, run in a process that may die of it."""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.ledger.call_ledger import SweepLedger
from harness.ledger.ledger import Ledger
from harness.llm.endpoints.endpoint import using_endpoints
from harness.llm.endpoints.endpoint_desk import DeskAddress, DistantEndpoints
from harness.pipeline.isolation.closed_files import close_files
from harness.pipeline.isolation.plugin_classes import suspects
from harness.pipeline.isolation.stage_work import StageContext, work
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.store import Store
from harness.plugin_files import load_named_files, search_modules
from harness.stage import Stage

_EVERY = 0.1
"""Seconds between two words of progress."""


@dataclass(frozen=True)
class LedgerTerms:
    """What a ledger of another process needs to count as this one's."""

    path: Path
    account: str
    limit: float | None
    workspace_limit: float | None
    given_up_since: float

    @classmethod
    def of(cls, ledger: SweepLedger) -> LedgerTerms:
        """Those of `ledger`."""
        return cls(ledger.path, ledger.account, ledger.limit, ledger.workspace_limit, ledger.given_up_since)

    def ledger(self) -> Ledger:
        """A ledger on these terms."""
        opened = Ledger(self.path)
        self.apply(opened)
        return opened

    def at(self, path: Path) -> LedgerTerms:
        """The same with the file named by `path`."""
        return replace(self, path=path)

    def apply(self, ledger: SweepLedger) -> None:
        """Have `ledger` keep them."""
        ledger.account, ledger.limit, ledger.workspace_limit = self.account, self.limit, self.workspace_limit
        ledger.given_up_since = self.given_up_since


@dataclass(frozen=True)
class ChildOrder:
    """A stage to run, and everything that it may use."""

    stage: Stage
    draft: Path
    store: Store
    ledger: LedgerTerms
    cache: Path
    closed: tuple[Path, ...] = ()
    """Files that it may not open."""
    desk: DeskAddress | None = None
    """Where it borrows the servers that it asks."""


@dataclass(frozen=True)
class Surroundings:
    """What a process has from whoever started it. The server that forks children has that of an earlier time."""

    folder: str
    environment: dict[str, str]
    dump: str
    """The file that faulthandler writes to."""
    modules: tuple[str, ...] = ()
    """Of the plug-ins at work."""

    def enter(self) -> None:
        """Make them those of this process, which then outlives neither its parent nor its session."""
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        # What plug-ins print is for people; standard output is for results.
        os.dup2(2, 1)
        os.setsid()
        # Ctrl-C of a terminal reaches the parent alone, which passes it on as it sees fit.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Open as long as the process lives.
        stream = Path(self.dump).open("w", encoding="utf-8")  # noqa: SIM115
        faulthandler.enable(stream)
        faulthandler.register(signal.SIGUSR1, stream)
        threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.killpg(0, signal.SIGKILL)


def obey(link: Connection, surroundings: Surroundings) -> None:
    """Run the stages of pickled `ChildOrder`s, one after another, until none can come any more. Of each, lines of JSON
    are sent: progress, then how it ended."""
    try:
        surroundings.enter()
        load_named_files()
        search_modules(surroundings.modules)
        while True:
            _carry_out(link, link.recv_bytes())
    except (EOFError, KeyboardInterrupt):
        return


def _carry_out(link: Connection, order: bytes) -> None:
    try:
        job: ChildOrder = pickle.loads(order)
    except Exception as error:
        _send(link, "failed", **asdict(StageFault.of(error)))
        return
    ledger, spoken = job.ledger.ledger(), 0.0

    def progress(done: int, total: int, unit: str = "") -> None:
        nonlocal spoken
        if done >= total or time.monotonic() - spoken > _EVERY:
            spoken = time.monotonic()
            _send(link, "progress", paid=asdict(ledger.paid), done=int(done), total=int(total), unit=str(unit))

    close_files(job.closed)
    endpoints = None if job.desk is None else DistantEndpoints(job.desk)
    try:
        with using_endpoints(endpoints):
            measured = work(job.stage, job.draft, StageContext(job.store, ledger, job.cache, progress))
    except BaseException as error:
        _send(link, "failed", paid=asdict(ledger.paid), **asdict(StageFault.of(error, suspects(job.stage))))
        if isinstance(error, KeyboardInterrupt):
            raise
    else:
        _send(link, "done", paid=asdict(ledger.paid), **measured._asdict())
    finally:
        if endpoints is not None:
            endpoints.close()
        ledger.close()
        sys.stdout.flush()


def _send(link: Connection, event: str, **details: Any) -> None:
    link.send_bytes(json.dumps({"event": event, **details}).encode())
