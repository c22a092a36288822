"""What would stop a sweep later, looked for before anything runs: folders to write to, room on the disk, keys of
teachers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.errors import UserError, UserErrors
from harness.pipeline.cost import labelling_cost
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.qa_cells import INLINE
from harness.pipeline.store import Store
from harness.stage import Stage

_LEAST = 16 << 20
"""Bytes that must be free whatever is planned: cards, journal and ledger."""


def check_folders(*folders: tuple[str, Path]) -> None:
    """Raises UserErrors for each of the named folders that cannot be written to, or cannot be made."""
    faults = [fault for name, folder in folders if (fault := _unwritable(name, folder)) is not None]
    if faults:
        raise UserErrors.of(faults)


def check_plan(plan: PlannedSweep, results: Path, waiting: Mapping[str, Stage], store: Store) -> None:
    """Raises UserErrors where a folder cannot be written to, the disk is too small for the `waiting` stages, or a
    teacher that is to be asked cannot be."""
    faults = [
        fault
        for name, folder in (("results", results), ("workspace", plan.workspace.path))
        if (fault := _unwritable(name, folder)) is not None
    ]
    faults += _without_room(plan.workspace.path, disk_needed(waiting.values(), store)) if not faults else []
    faults += unready_teachers(plan, waiting.values(), store)
    if faults:
        raise UserErrors.of(faults)


def unready_teachers(plan: PlannedSweep, waiting: Iterable[Stage], store: Store) -> Iterator[UserError]:
    """What keeps teachers that are to be asked from answering, each at its place in the sweep file."""
    unready = {name: error for name, teacher in plan.teachers.items() if (error := teacher.unready()) is not None}
    if not unready:
        return
    names = {name: plan.teachers[name] for name in unready}
    with plan.workspace.open_ledger() as ledger:
        cost = labelling_cost(waiting, names, store, ledger)
    for name in (row["name"] for row in cost["teachers"]):
        path = ("evaluate", "answers", "reader") if name == INLINE else ("teachers", name)
        yield plan.sweep.source.at(unready[name], path)


def disk_needed(waiting: Iterable[Stage], store: Store) -> int:
    """Bytes that these stages will write, as those of their kinds did before; kinds that never ran count nothing."""
    known = store.past_bytes()
    return round(sum(known.get(stage.kind, 0.0) for stage in waiting))


def disk_free(folder: Path) -> int:
    """Bytes that are free where `folder` is or will be."""
    return shutil.disk_usage(_nearest(folder)).free


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first above it that is there."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


def _unwritable(name: str, folder: Path) -> UserError | None:
    there = _nearest(folder)
    if not there.is_dir():
        return UserError(f"is no folder, so that the {name} cannot be written", there, remedy=f"give another --{name}")
    if not os.access(there, os.W_OK | os.X_OK):
        return UserError(
            f"the {name} cannot be written here", there, remedy=f"mend its rights or give another --{name}"
        )
    return None


def _without_room(folder: Path, needed: int) -> Iterator[UserError]:
    free = disk_free(folder)
    if free < needed + _LEAST:
        message = f"{free / 2**30:.2f} GB are free, and the sweep writes about {(needed + _LEAST) / 2**30:.2f}"
        yield UserError(message, _nearest(folder), remedy="make room, or give a --workspace on another disk")
