"""The work of one stage in this process: its context, and what it took."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.device import check_numerics, device_facts
from harness.ledger.call_ledger import SweepLedger
from harness.numerics.active_numerics import using_numerics
from harness.pipeline.isolation.stage_threads import stage_threads
from harness.pipeline.store import Store
from harness.progress import Progress
from harness.stage import Stage


@dataclass
class StageContext:
    """What a running stage may use (harness.stage.Context)."""

    store: Store
    ledger: SweepLedger
    cache: Path
    progress: Progress

    def path(self, stage: Stage) -> Path:
        return self.store.read(stage)


class StageMeasure(NamedTuple):
    """What a stage took, and `device_facts` of what its models computed on; None where none did."""

    seconds: float
    peak_memory_mb: float
    device: dict[str, Any] | None = None


def work(stage: Stage, draft: Path, context: StageContext) -> StageMeasure:
    """Run `stage` here, in its numerics. Whatever it raises passes through; UserError where this machine has not
    these."""
    clock, models = time.perf_counter(), stage.computed_in
    _reset_peak_memory()
    if models is not None:
        check_numerics(models)
    with using_numerics(stage.numerics), stage_threads(stage.numerics.threads):
        stage.run(draft, context)
    seconds, peak = time.perf_counter() - clock, _peak_memory_mb()
    return StageMeasure(seconds, peak, None if models is None else device_facts(models.device))


def _reset_peak_memory() -> None:
    """Start the kernel's high-water mark anew where it can (Linux); elsewhere the mark is the whole process's."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_memory_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
