"""What a stage costs beside its work."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.case import Case, Goal, Timed, within
from benchmarks.timing import timed
from harness.stage import Context, Stage

_EACH = 0.03
"""Seconds that a stage may take that does nothing, its fsync included."""


@dataclass(frozen=True, eq=False)
class Empty(Stage):
    """Writes one short file."""

    kind: ClassVar[str] = "empty"
    number: int

    def run(self, out: Path, context: Context) -> None:
        (out / "number.txt").write_text(str(self.number), encoding="utf-8")


class EmptyStages(Case):
    """Stages that do nothing, one after another: lock, draft, hashes, manifest, sync and rename."""

    name: ClassVar[str] = "empty stages"

    @property
    def count(self) -> int:
        """Stages."""
        return 200 if self.quick else 1_000

    def work(self) -> str:
        return f"{self.count:,} stages that write one short file each"

    def ours(self) -> Timed:
        from harness.ledger.ledger import Ledger
        from harness.pipeline.live.observer import NullObserver
        from harness.pipeline.local_executor import LocalExecutor
        from harness.pipeline.workspace import Workspace

        shutil.rmtree(self.folder / "workspace", ignore_errors=True)
        home = Workspace(self.folder / "workspace")
        stages = [Empty(number) for number in range(self.count)]
        executor = LocalExecutor(home, home.store, Ledger(home.ledger_file), NullObserver())
        seconds, outcome = timed(lambda: executor.execute(stages))
        assert len(outcome.ran) == self.count and not outcome.failed
        return Timed(seconds, note=f"{seconds / self.count * 1000:.1f} ms a stage")

    def limits(self) -> tuple[Goal, ...]:
        return (within(_EACH * self.count),)
