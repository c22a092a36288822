"""The journal of a running sweep: what its live view is told, as lines of JSON in the workspace, for those who follow
from outside.

``<workspace>/sweeps/<started>-<sweep>-<pid>.jsonl`` is locked as long as its sweep lives; the kernel frees it when the
process dies. Lines are only ever added. Nothing that a sweep makes depends on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import psutil

from harness.ledger.call_ledger import CallLedger
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import Observer
from harness.stage import Stage

_KEPT = 50
"""Journals of a workspace; older ones of sweeps that ended are removed."""
_EVERY = 1.0
"""Seconds between two lines of progress."""


class Journal(Observer):
    """Writes the events of one sweep.

    `folder` holds journals, `cells` are its cells' names with their last stages, `past` mean seconds of each kind of
    stage before, `traces` last stages that no cell waits for.
    """

    def __init__(
        self,
        folder: Path,
        file: Path,
        cells: Sequence[tuple[str, Stage]],
        past: Mapping[str, float],
        traces: Sequence[Stage] = (),
    ) -> None:
        self._cells, self._traces = cells, traces
        self._about = {"sweep": file.name, "file": str(file.absolute()), "past": dict(past)}
        self._ledger: CallLedger | None = None
        self._next: dict[str, float] = {}
        """When each running stage may be heard again."""
        self._stream = _opened(folder, file)

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        self._ledger = ledger
        keys = {stage.key for stage in waiting}
        done = Counter(
            stage.kind
            for key, stage in closure([*(final for _, final in self._cells), *self._traces]).items()
            if key not in keys
        )
        self._write(
            "planned",
            **self._about,
            process=process(os.getpid()),
            stages=[[stage.key, stage.kind, stage.label] for stage in waiting],
            cached=dict(done),
            cells=[[name, final.key] for name, final in self._cells],
        )

    def started(self, stage: Stage) -> None:
        self._next[stage.key] = 0.0
        self._write("started", stage=stage.key)

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        if time.monotonic() >= self._next[stage.key]:
            self._next[stage.key] = time.monotonic() + _EVERY
            self._write("progress", stage=stage.key, done=int(done), total=int(total), unit=unit)

    def finished(self, stage: Stage, seconds: float) -> None:
        self._write("finished", stage=stage.key, seconds=seconds)

    def cached(self, stage: Stage) -> None:
        self._write("cached", stage=stage.key)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self._write("failed", stage=stage.key, reason=reason, lost=[other.key for other in skipped])

    def close(self) -> None:
        self._write("closed")
        self._stream.close()

    def _write(self, event: str, **details: Any) -> None:
        paid = self._ledger.paid if self._ledger is not None else None
        llm = {"llm": [paid.calls, paid.input_tokens, paid.output_tokens, paid.usd]} if paid is not None else {}
        # A full disk stops the sweep where it matters; the journal is never the reason.
        with contextlib.suppress(OSError):
            self._stream.write(json.dumps({"event": event, "at": round(time.time(), 3), **details, **llm}) + "\n")
            self._stream.flush()


def is_held(file: Path) -> bool:
    """Whether some process holds the journal open for writing; asks the kernel and writes nothing."""
    try:
        with file.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def process(pid: int) -> dict[str, Any] | None:
    """What tells a process of this machine from all others, None when it is gone."""
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return {"host": socket.gethostname(), "pid": pid, "since": found.create_time()}
    except psutil.Error:
        return None


def _opened(folder: Path, file: Path) -> TextIO:
    """A new journal, locked; those that are too many are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.jsonl"), reverse=True)[_KEPT - 1 :]:
        if not is_held(old):
            old.unlink(missing_ok=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", file.stem)[:40].strip("-")
    stream = (folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{name}-{os.getpid()}.jsonl").open("x", encoding="utf-8")
    fcntl.flock(stream, fcntl.LOCK_EX)
    return stream
