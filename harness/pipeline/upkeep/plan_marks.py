"""What the sweeps of a workspace rest on, written down by each before it looks for artefacts: nothing that a running
sweep needs is taken out, nor what one that was interrupted goes on from.

``<workspace>/plans/<hash>.json`` is locked (shared) as long as a sweep with that plan runs; the kernel frees it.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.files import atomic_file, locked
from harness.pipeline.live.journal import is_held
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import digest

_MOST = 50
"""Plans of a workspace; older ones of sweeps that ended are removed."""


@dataclass(frozen=True)
class PlanMark:
    """The stages of a sweep, as far as taking out needs them."""

    sweep: str
    finals: tuple[str, ...]
    """Keys of the last stages of its cells."""
    inputs: Mapping[str, tuple[str, ...]]
    """Of every stage, by key, those that it reads."""
    is_running: bool = False

    @classmethod
    def of(cls, plan: PlannedSweep) -> PlanMark:
        """That of a plan."""
        inputs = {key: tuple(needed.key for needed in stage.inputs()) for key, stage in plan.stages.items()}
        return cls(plan.sweep.name, tuple(final.key for final in plan.finals), inputs)

    def as_json(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "sweep": self.sweep,
            "finals": list(self.finals),
            "inputs": {k: list(v) for k, v in self.inputs.items()},
        }


@contextmanager
def marked(plan: PlannedSweep) -> Iterator[None]:
    """While the block runs, nothing that `plan` rests on is taken out of its workspace."""
    mark, workspace = PlanMark.of(plan).as_json(), plan.workspace
    file = workspace.plans / f"{digest(mark)[:32]}.json"
    with locked(workspace.gate):
        if not file.is_file():
            _forget_oldest(workspace)
            with atomic_file(file) as temporary:
                temporary.write_text(json.dumps(mark), encoding="utf-8")
        file.touch()
        stream = file.open("rb")
        fcntl.flock(stream, fcntl.LOCK_SH)
    with stream:
        yield


def plan_marks(workspace: WorkspaceFolder) -> list[PlanMark]:
    """The plans that were written down here; one that cannot be read is none."""
    return [mark for file in sorted(workspace.plans.glob("*.json")) if (mark := _read(file)) is not None]


def _read(file: Path) -> PlanMark | None:
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        held = is_plan_held(file)
        content = json.loads(file.read_text(encoding="utf-8"))
        inputs = {key: tuple(needed) for key, needed in content["inputs"].items()}
        return PlanMark(str(content["sweep"]), tuple(content["finals"]), inputs, held)
    return None


def is_plan_held(file: Path) -> bool:
    """Whether a sweep with that plan runs."""
    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _forget_oldest(workspace: WorkspaceFolder) -> None:
    files = sorted(workspace.plans.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[_MOST - 1 :]:
        if not is_plan_held(file):
            file.unlink(missing_ok=True)


def journaled(workspace: WorkspaceFolder) -> set[str]:
    """Keys of stages that sweeps of older versions, which wrote no plan, set out to make; those of sweeps that run now
    are among them."""
    keys: set[str] = set()
    for journal in workspace.journals:
        with suppress(OSError, ValueError, LookupError, TypeError), journal.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"event": "planned"'):
                    event = json.loads(line)
                    keys.update(stage[0] for stage in event["stages"])
                    keys.update(cell[1] for cell in event["cells"])
    return keys


def running_journals(workspace: WorkspaceFolder) -> list[str]:
    """The journals of sweeps that run now, by name."""
    return [journal.stem for journal in workspace.journals if is_held(journal)]
