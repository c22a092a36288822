"""Making a workspace small: artefacts that nobody needs any more are taken out, beside sweeps that run. Results, labels
and paid calls stay."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.files import locked
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store
from harness.pipeline.upkeep.holdings import SMALL, Holding, Need, folder_bytes, holdings, needs
from harness.pipeline.upkeep.plan_marks import PlanMark, journaled, plan_marks, running_journals
from harness.pipeline.workspace_folder import WorkspaceFolder

Keep = Literal["results", "sweeps"]
_DAY = 86_400


@dataclass(frozen=True)
class Choice:
    """What may go."""

    keep: Keep = "results"
    """``results``: all that results do not need; ``sweeps``: only what no known sweep and no result rests on."""
    older_than: float | None = None
    """Only what was made so many days ago."""
    labels: bool = False
    """Whether sets of labels that no unfinished sweep needs may go; the ledger makes them again for nothing."""
    only: frozenset[str] | None = None
    """Only artefacts with these keys."""

    def takes(self, one: Holding, need: Need) -> bool:
        """Whether an artefact goes that is needed so."""
        if self.only is not None and one.key not in self.only:
            return False
        if self.older_than is not None and time.time() - one.since < self.older_than * _DAY:
            return False
        if need is Need.result:
            return self.labels and one.is_labels
        goes = (Need.nobody,) if self.keep == "sweeps" else (Need.nobody, Need.finished)
        return need in goes and one.bytes > SMALL


def collect_garbage(
    workspace: WorkspaceFolder, choice: Choice, plans: Collection[PlannedSweep] = (), dry_run: bool = False
) -> dict[str, Any]:
    """Take out of `workspace` what `choice` lets go, of the sweeps `plans` where there are any; what it holds is told.

    ``{"workspace", "bytes", "parts": {name: bytes}, "kinds": [{"kind", "artefacts", "bytes", "needs": {need: bytes},
    "goes": {"artefacts", "bytes", "seconds"}}], "goes": {"artefacts", "bytes", "seconds", "aside_bytes"}, "running":
    [...], "removed"}``; sizes are those before. ``seconds`` is what it took to make what goes, and would take again.
    With `dry_run` nothing goes.
    """
    store = workspace.store
    with locked(workspace.gate):
        marks = [*plan_marks(workspace), *map(PlanMark.of, plans)]
        held = holdings(store)
        needed = needs(held, store, marks, journaled(workspace))
        running = sorted({mark.sweep for mark in marks if mark.is_running})
        unmarked = [] if running else running_journals(workspace)
        report = _report(workspace, held, needed, choice) | {"running": running or unmarked, "removed": False}
        if dry_run or unmarked:
            # A sweep of an older version does not say what it needs.
            return report
        gone = [store.take_out(one.folder) for one in _chosen(held, needed, choice) if not store.is_key_locked(one.key)]
    for folder in [*gone, *_aside(workspace, store, choice)]:
        shutil.rmtree(folder, ignore_errors=True)
    return report | {"removed": True}


def _chosen(held: Mapping[str, Holding], needed: Mapping[str, Need], choice: Choice) -> list[Holding]:
    return [one for key, one in held.items() if choice.takes(one, needed[key])]


def _aside(workspace: WorkspaceFolder, store: Store, choice: Choice) -> list[Path]:
    """Damaged artefacts that were set aside, and what killed processes left half written; only where no sweep is
    named."""
    if choice.only is not None:
        return []
    drafts = [draft for draft in store.root.glob("*/.*-*") if not store.is_key_locked(draft.name[1:].split("-")[0])]
    found = [*workspace.damaged.glob("*"), *drafts]
    youngest = time.time() - (choice.older_than or 0) * _DAY
    return [folder for folder in found if choice.older_than is None or folder.stat().st_mtime < youngest]


def _report(
    workspace: WorkspaceFolder, held: Mapping[str, Holding], needed: Mapping[str, Need], choice: Choice
) -> dict[str, Any]:
    kinds = sorted({one.kind for one in held.values()})
    rows = [_row(kind, [one for one in held.values() if one.kind == kind], needed, choice) for kind in kinds]
    aside = sum(map(folder_bytes, _aside(workspace, workspace.store, choice)))
    parts = workspace_parts(workspace)
    return {
        "workspace": str(workspace.path),
        "bytes": sum(parts.values()),
        "parts": parts,
        "kinds": sorted(rows, key=lambda row: -row["bytes"]),
        "goes": {
            **{name: sum(row["goes"][name] for row in rows) for name in ("artefacts", "bytes", "seconds")},
            "aside_bytes": aside,
        },
    }


def _row(kind: str, some: list[Holding], needed: Mapping[str, Need], choice: Choice) -> dict[str, Any]:
    goes = [one for one in some if choice.takes(one, needed[one.key])]
    return {
        "kind": kind,
        "artefacts": len(some),
        "bytes": sum(one.bytes for one in some),
        "needs": {
            str(need): size for need in Need if (size := sum(one.bytes for one in some if needed[one.key] is need))
        },
        "goes": {
            "artefacts": len(goes),
            "bytes": sum(one.bytes for one in goes),
            "seconds": round(sum(one.seconds for one in goes), 1),
        },
    }


def workspace_parts(workspace: WorkspaceFolder) -> dict[str, int]:
    """Bytes of everything in the folder of the workspace, by its name there; the ledger's files count as one."""
    parts: dict[str, int] = {}
    for path in sorted(workspace.path.glob("*")):
        name = "ledger" if path.name.startswith(workspace.ledger_file.name) else path.name
        parts[name] = parts.get(name, 0) + folder_bytes(path)
    return parts
