"""What would stop a sweep later, looked for before anything runs: folders to write to, room on the disk, keys of
teachers."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.device import check_numerics
from harness.errors import UserError, UserErrors
from harness.pipeline.cost import labelling_cost
from harness.pipeline.diagnosis.writable_folder import nearest_folder
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.qa_cells import INLINE
from harness.pipeline.store import Store
from harness.stage import Stage

_LEAST = 16 << 20
"""Bytes that must be free whatever is planned: cards, journal and ledger."""


def check_plan(plan: PlannedSweep, results: Path, waiting: Mapping[str, Stage], store: Store) -> None:
    """Raises UserErrors where a folder cannot be written to, the disk is too small for the `waiting` stages, this
    machine cannot compute in their numerics, or a teacher that is to be asked cannot be."""
    plan.workspace.check_writable(results)
    faults = [*_without_room(plan.workspace.path, disk_needed(waiting.values(), store))]
    faults += unavailable_numerics(plan, waiting.values())
    faults += unready_teachers(plan, waiting.values(), store)
    if faults:
        raise UserErrors.of(faults)


def unavailable_numerics(plan: PlannedSweep, waiting: Iterable[Stage]) -> Iterator[UserError]:
    """What keeps the stages that compute from running on this machine, at its place in the sweep file."""
    for numerics in {one for stage in waiting if (one := stage.computed_in) is not None}:
        try:
            check_numerics(numerics)
        except UserError as error:
            yield plan.sweep.source.at(error, ("numerics",))
            return


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
    return shutil.disk_usage(nearest_folder(folder)).free


def _without_room(folder: Path, needed: int) -> Iterator[UserError]:
    free = disk_free(folder)
    if free < needed + _LEAST:
        message = f"{free / 2**30:.2f} GB are free, and the sweep writes about {(needed + _LEAST) / 2**30:.2f}"
        yield UserError(message, nearest_folder(folder), remedy="make room, or give a --workspace on another disk")
