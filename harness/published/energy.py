"""What stages cost in energy, where the machine can say so: RAPL counters of CPU and memory, NVML of GPUs, read by
TIREx Tracker.

https://github.com/tira-io/tirex-tracker is optional (``pip install 'distil-harness[energy]'``). Nothing is ever
estimated from a model name or a typical power: where no counter can be read, there is no number.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from harness.published.card_costs import Energy

PACKAGE = "tirex-tracker"
_PARTS = {"cpu": "CPU_ENERGY_SYSTEM_JOULES", "ram": "RAM_ENERGY_SYSTEM_JOULES", "gpu": "GPU_ENERGY_SYSTEM_JOULES"}
"""Part of the machine -> the tracker's measure."""


@cache
def meter() -> str | None:
    """What measures here, as name==version; None without the optional package."""
    if find_spec("tirex_tracker") is None:
        return None
    try:
        return f"{PACKAGE}=={version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE


_LOCK = threading.Lock()
_blocks: list[dict[str, bool]] = []
"""A mark for each block that runs now: whether another ran beside it."""


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Joules by part of the machine (cpu, ram, gpu) while the block runs; filled in when it ends, empty where nothing
    can be measured, and for blocks that ran side by side: counters are the machine's."""
    joules: dict[str, float] = {}
    if meter() is None:
        yield joules
        return
    with _marked() as mark, _tracked(joules):
        yield joules
    if mark["is_shared"]:
        joules.clear()


@contextmanager
def _marked() -> Iterator[dict[str, bool]]:
    mark = {"is_shared": False}
    with _LOCK:
        _blocks.append(mark)
        for one in _blocks:
            one["is_shared"] |= len(_blocks) > 1
    try:
        yield mark
    finally:
        with _LOCK:
            _blocks[:] = [one for one in _blocks if one is not mark]


@contextmanager
def _tracked(joules: dict[str, float]) -> Iterator[None]:
    import tirex_tracker

    wanted = {part: tirex_tracker.Measure[name] for part, name in _PARTS.items()}
    handle = tirex_tracker.start_tracking(list(wanted.values()))
    try:
        yield
    finally:
        # A meter that fails must not fail what it measures.
        with suppress(RuntimeError, ValueError):
            found = handle.stop()
            joules.update({part: value for part, of in wanted.items() if (value := _number(found.get(of))) is not None})


def _number(entry: Any) -> float | None:
    """The joules of a result; None for 'null', which the tracker says where there is no counter."""
    if entry is None:
        return None
    text = entry.value.decode() if isinstance(entry.value, bytes) else str(entry.value)
    try:
        number = float(text.strip('"'))
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def total(manifests: Iterable[Mapping[str, Any]]) -> Energy | None:
    """The energy of stages from what their manifests hold under ``energy``; None where none of them was measured."""
    records = [manifest.get("energy") for manifest in manifests]
    known = [record for record in records if record]
    if not known:
        return None
    joules = Counter[str]()
    for record in known:
        joules.update(record["joules"])
    by = ", ".join(dict.fromkeys(str(record["by"]) for record in known))
    return Energy.model_validate(
        {"joules": dict(joules), "by": by, "stages measured": len(known), "stages": len(records)}
    )


def record(joules: Mapping[str, float]) -> dict[str, Any]:
    """What a stage's manifest says of `joules`: ``{"energy": ...}``, nothing where there are none."""
    return (
        {"energy": {"joules": {part: round(value, 3) for part, value in joules.items()}, "by": meter()}}
        if joules
        else {}
    )
