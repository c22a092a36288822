"""A sweep of toy stages that takes long, to be followed and killed: ``python -m tests.pipeline.slow_sweep WORKSPACE
[fork]``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.pipeline.live.journal import Journal
from harness.pipeline.live.observer import NullObserver, ObserverGroup
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.workspace import Workspace
from harness.stage import Context, Stage
from tests.pipeline.toys import Broken, Number, Sum

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, eq=False)
class Slow(Stage):
    """Counts to `steps`, a few times a second."""

    kind: ClassVar[str] = "slow"
    steps: int
    after: Stage

    def run(self, out: Path, context: Context) -> None:
        for step in range(self.steps):
            context.progress(step, self.steps, "steps")
            time.sleep(0.05)


def cells(steps: int) -> list[tuple[str, Stage]]:
    """Three cells: a quick one, one that fails, one that takes `steps` steps."""
    two = Number(2)
    return [
        ("quick cell", Sum((Number(1), two))),
        ("broken cell", Sum((Broken(two),))),
        ("slow cell", Slow(steps, two)),
    ]


def run(
    workspace: Path,
    ends: list[tuple[str, Stage]],
    watcher: NullObserver | None = None,
    past: dict[str, float] | None = None,
) -> ExecutionResult:
    """Run `ends` as a sweep does, with a journal."""
    home = Workspace(workspace)
    journal = Journal(home.journal_folder, Path("toys.yaml"), ends, past or {})
    watchers = ObserverGroup(watcher or NullObserver(), journal)
    try:
        return LocalExecutor(home, home.store, home.ledger, watchers).execute([final for _, final in ends])
    finally:
        watchers.close()


@contextmanager
def started(workspace: Path, *options: str) -> Iterator[Callable[[], None]]:
    """A slow sweep in a process of its own, and what kills it; whatever is left of it goes at the end of the block."""
    command = [sys.executable, "-m", "tests.pipeline.slow_sweep", str(workspace), *options]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def kill() -> None:
        process.kill()
        process.wait()

    try:
        yield kill
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    if "fork" in sys.argv:
        real = Journal.started

        def forking(self: Journal, stage: Stage) -> None:
            real(self, stage)
            if isinstance(stage, Slow) and os.fork() == 0:
                time.sleep(60)
                os._exit(0)

        Journal.started = forking  # type: ignore[method-assign]
    run(Path(sys.argv[1]), cells(12_000))
