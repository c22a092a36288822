"""Running one stage: lock, draft, run, measure, commit."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness._version import __version__
from harness.ledger.ledger import Ledger
from harness.pipeline.store import Manifest, Store
from harness.progress import Progress
from harness.published import energy
from harness.stage import Stage, canonical

_RECORDED = ("torch", "transformers", "sentence-transformers", "bm25s", "numpy")


@dataclass
class StageContext:
    """What a running stage may use (harness.stage.Context)."""

    store: Store
    ledger: Ledger
    cache: Path
    progress: Progress

    def path(self, stage: Stage) -> Path:
        return self.store.read(stage)


def run_stage(
    stage: Stage, store: Store, ledger: Ledger, cache_folder: Path, progress: Callable[[int, int, str], None]
) -> Manifest | None:
    """Make the artefact of `stage`, whose inputs are there; None when another process made it while this one waited."""

    def tell(done: int, total: int, unit: str = "") -> None:
        progress(done, total, unit)

    with store.lock(stage):
        if store.has(stage):
            return None
        cache_folder.mkdir(parents=True, exist_ok=True)
        with store.draft(stage) as draft:
            started, clock = datetime.now(UTC), time.perf_counter()
            _reset_peak_memory()
            with energy.measured() as joules:
                stage.run(draft, StageContext(store, ledger, cache_folder, tell))
                seconds = time.perf_counter() - clock
            return store.commit(stage, draft, _record(stage, started, seconds) | energy.record(joules))


def _record(stage: Stage, started: datetime, seconds: float) -> Manifest:
    return {
        "key": stage.key,
        "kind": stage.kind,
        "version": stage.revision,
        "label": stage.label,
        "fields": canonical(stage.fields()),
        "inputs": [needed.key for needed in stage.inputs()],
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "peak_memory_mb": round(_peak_memory_mb(), 1),
        "versions": versions(),
    }


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that decide numbers, and of this one."""
    found = {"harness": __version__, "python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


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
