"""How far a sweep is, for a page or a terminal that follows it: read from its journal, without a word to the sweep."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.pipeline.live.journal import is_held, process
from harness.pipeline.live.live_rows import (
    CellRow,
    FailureRow,
    KindRow,
    RunningRow,
    cells,
    failures,
    kinds,
    left,
    running,
)
from harness.pipeline.live.sweep_state import SweepState
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.text import clock

STATES = {
    "starting": "The sweep is being planned.",
    "running": "Running.",
    "done": "Done: every stage was made.",
    "failed": "Ended, and something failed. The same command tries what failed again, and nothing else.",
    "stopped": "Stopped before its end, by a person or an error. The same command goes on where it stopped.",
    "died": "Died: its process is gone without a word. The same command goes on where it stopped.",
}
"""How a sweep can stand, with what that means."""


@dataclass(frozen=True)
class SweepReport:
    """A sweep as it is at a moment; times in seconds."""

    state: str
    """One of STATES."""
    sweep: str = ""
    host: str = ""
    pid: int = 0
    begun: float = 0.0
    gone: float = 0.0
    """From its beginning to now, or to its last word."""
    silent: float = 0.0
    """Since its last word."""
    left: float | None = None
    kinds: tuple[KindRow, ...] = ()
    running: tuple[RunningRow, ...] = ()
    failures: tuple[FailureRow, ...] = ()
    cells: tuple[CellRow, ...] = ()
    llm: tuple[int, int, int, float] = (0, 0, 0, 0.0)
    """Calls, input tokens, output tokens, USD that this sweep paid so far."""
    log: tuple[tuple[float, str], ...] = ()

    @property
    def summary(self) -> str:
        """How it stands, in a sentence or two."""
        who = f" Process {self.pid} on {self.host}, last word {clock(self.silent)} ago."
        return STATES[self.state] + (who if self.state in ("running", "died") else "")

    @property
    def cells_done(self) -> int:
        """Cells whose run is made and evaluated."""
        return sum(cell.state == "done" for cell in self.cells)

    @property
    def stages(self) -> tuple[int, int]:
        """How many stages are there, those of before included, and how many there are to be."""
        return sum(row.cached + row.done for row in self.kinds), sum(row.total for row in self.kinds)


@dataclass
class Follower:
    """Reads a journal as it grows: each look parses only what is new. Writes nothing."""

    file: Path
    _story: SweepState = field(default_factory=SweepState)
    _read: int = 0

    def read(self, at: float | None = None) -> SweepReport:
        """The sweep as it is, times as of `at` (seconds since 1970; now). Raises UserError when the file is gone or no
        journal."""
        # Asked before reading: what a sweep wrote before it went is then known to be all.
        alive = is_held(self.file) and self._is_there()
        self._take_new()
        story, now = self._story, time.time() if at is None else at
        if not story.head:
            return SweepReport("starting" if alive else "stopped")
        state = _state(story, alive)
        end = now if state == "running" else story.last
        found = running(story, end)
        who = story.head["process"] or {"host": "", "pid": 0}
        return SweepReport(
            state=state,
            sweep=story.head["sweep"],
            host=who["host"],
            pid=who["pid"],
            begun=story.begun,
            gone=end - story.begun,
            silent=max(now - story.last, 0.0),
            left=left(story, found) if state == "running" else None,
            kinds=kinds(story),
            running=found,
            failures=failures(story, WorkspaceFolder.of_journal(self.file).failures),
            cells=cells(story),
            llm=story.llm,
            log=tuple(story.log),
        )

    def _take_new(self) -> None:
        try:
            with self.file.open("rb") as stream:
                stream.seek(self._read)
                # A line that is being written has no end yet and is left for the next look.
                whole, newline, _ = stream.read().rpartition(b"\n")
        except OSError as error:
            raise UserError(f"the journal cannot be read: {error.strerror}", file=self.file) from error
        self._read += len(whole) + len(newline)
        try:
            for line in whole.splitlines():
                self._story.apply(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"the journal cannot be read: {error}", file=self.file) from error

    def _is_there(self) -> bool:
        """False when the process is known to be gone; its lock may live on in a child that it forked."""
        who = self._story.head.get("process")
        if who is None or who["host"] != socket.gethostname():
            return True
        found = process(who["pid"])
        return found is not None and abs(found["since"] - who["since"]) < 2


def _state(story: SweepState, alive: bool) -> str:
    ended = len(story.done) + len(story.failed) + len(story.skipped) == len(story.stages)
    if story.closed and ended:
        return "failed" if story.failed else "done"
    if story.closed:
        return "stopped"
    return "running" if alive else "died"
