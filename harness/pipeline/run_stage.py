"""Running one stage: lock, draft, run, measure, commit."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness._version import __version__
from harness.device import DEVICES
from harness.ledger.call_ledger import SweepLedger
from harness.numerics.numerics_class import Numerics
from harness.pipeline.isolation.stage_work import StageContext, StageMeasure, work
from harness.pipeline.store import Manifest, Store
from harness.published import energy
from harness.stage import Stage, canonical

_RECORDED = ("torch", "transformers", "sentence-transformers", "bm25s", "numpy")


Work = Callable[[Stage, Path, StageContext], StageMeasure]
"""What runs a stage: here, or in a process of its own."""


def run_stage(
    stage: Stage,
    store: Store,
    ledger: SweepLedger,
    cache_folder: Path,
    progress: Callable[[int, int, str], None],
    run: Work = work,
    right: Callable[[Stage], AbstractContextManager[None]] | None = None,
) -> Manifest | None:
    """Make the artefact of `stage`, whose inputs are there; None when another process made it while this one waited for
    the `right` to (the store's lock where nothing else is said)."""

    def tell(done: int, total: int, unit: str = "") -> None:
        progress(done, total, unit)

    with (right or store.lock)(stage):
        if store.has(stage):
            return None
        cache_folder.mkdir(parents=True, exist_ok=True)
        with store.draft(stage) as draft:
            started = datetime.now(UTC)
            with energy.measured() as joules:
                measured = run(stage, draft, StageContext(store, ledger, cache_folder, tell))
            return store.commit(stage, draft, _record(stage, started, measured) | energy.record(joules))


def _record(stage: Stage, started: datetime, measured: StageMeasure) -> Manifest:
    return {
        "key": stage.key,
        "kind": stage.kind,
        "version": stage.revision,
        "label": stage.label,
        "fields": canonical(stage.fields()),
        "inputs": [needed.key for needed in stage.inputs()],
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(measured.seconds, 3),
        "peak_memory_mb": round(measured.peak_memory_mb, 1),
        "threads": stage.numerics.threads,
        **_numerics(stage.computed_in, measured.device),
        "versions": versions(),
    }


def _numerics(numerics: Numerics | None, device: dict[str, Any] | None) -> Manifest:
    """How models computed, where any did; several devices round otherwise than one."""
    if numerics is None:
        return {}
    number = os.environ.get(DEVICES) or "1"
    return {"numerics": {"class": numerics.name, **(device or {}), **({} if number == "1" else {"devices": number})}}


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
