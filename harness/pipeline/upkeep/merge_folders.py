"""The workspaces and results of other machines come into those of this one. What is here stays as it is, and what
differs is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.files import atomic_folder, sha256, sync_tree
from harness.ledger.merging import merge_ledgers
from harness.pipeline.live.journal import is_held
from harness.pipeline.store import DamagedArtefact
from harness.pipeline.upkeep.garbage_table import size_text
from harness.pipeline.upkeep.holdings import folder_bytes, read_manifest
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.progress import Progress
from harness.published.result_folder import CARD, LABEL_SETS, RUN, all_run_folders, holds_label_sets
from harness.text import counted

_NAMED = 20
"""Differences that are named; all are counted."""


@dataclass
class Arrivals:
    """What became of things of another machine that are told apart by their names."""

    added: int = 0
    same: int = 0
    bytes: int = 0
    """Of those that were added."""
    differ: list[str] = field(default_factory=list)
    """Those that are here with other bytes, which stay."""
    damaged: list[str] = field(default_factory=list)
    """Those that are not as they were written, and were left out."""

    def as_json(self) -> dict[str, Any]:
        """As ``harness merge --json`` prints it."""
        counts = {"added": self.added, "same": self.same, "bytes": self.bytes}
        named = [*self.damaged, *self.differ][:_NAMED]
        return {**counts, "differ": len(self.differ), "damaged": len(self.damaged), "named": named}


def merge_folders(
    folders: Iterable[Path], workspace: WorkspaceFolder, results: Path, progress: Progress
) -> dict[str, Any]:
    """Take over every one of `folders`, each a workspace or a folder of results; they are only read.

    ``{"workspace", "results", "merged": [{"folder", "kind", "artefacts"?, "ledger"?, "collections"?, "journals"?,
    "runs"?, "label_sets"?}]}``. Interrupted, the same goes on. Raises UserError, with nothing written, when one of them
    is neither.
    """
    kinds = {folder: _kind_of(folder, workspace, results) for folder in folders}
    merged = [
        {
            "folder": str(folder),
            "kind": kind,
            **(_workspace(folder, workspace, progress) if kind == "workspace" else _results(folder, results)),
        }
        for folder, kind in kinds.items()
    ]
    return {"workspace": str(workspace.path), "results": str(results), "merged": merged}


def _kind_of(folder: Path, workspace: WorkspaceFolder, results: Path) -> str:
    other = WorkspaceFolder(folder)
    kind = None
    if other.store.root.is_dir() or other.ledger_file.is_file():
        kind = "workspace"
    elif any((run / CARD).is_file() for run in all_run_folders(folder)):
        kind = "results"
    if kind is None:
        raise UserError(
            "neither a workspace nor a folder of results",
            file=folder,
            remedy="a workspace holds store/ or ledger.sqlite, results hold COLLECTION/RUN/card.yaml",
        )
    if folder.resolve() == (workspace.path if kind == "workspace" else results).resolve():
        raise UserError(f"is the {kind} folder that is merged into, and cannot be merged into itself", file=folder)
    return kind


def _workspace(folder: Path, into: WorkspaceFolder, progress: Progress) -> dict[str, Any]:
    other = WorkspaceFolder(folder)
    report: dict[str, Any] = {"artefacts": _artefacts(other, into, progress).as_json()}
    if other.ledger_file.is_file():
        ledger = merge_ledgers(into.ledger_file, other.ledger_file)
        named = ledger.conflicts[:_NAMED]
        report["ledger"] = {**ledger._asdict(), "conflicts": len(ledger.conflicts), "named": named}
    journals = (journal for journal in other.journals if not is_held(journal))
    report["collections"] = _folders(other.collections.glob("[!.]*"), into.collections).as_json()
    report["journals"] = _files(journals, into.journal_folder).as_json()
    _files(other.plans.glob("*.json"), into.plans)
    report["imported_labels"] = _files(other.imported_labels.glob("*"), into.imported_labels).as_json()
    return report


def _artefacts(other: WorkspaceFolder, into: WorkspaceFolder, progress: Progress) -> Arrivals:
    store, found = into.store, Arrivals()
    folders = list(other.store.folders())
    for number, folder in enumerate(folders, 1):
        place, name = store.root / folder.parent.name / folder.name, f"{folder.parent.name} {folder.name[:12]}"
        if place.is_dir():
            files = _unequal(read_manifest(folder), read_manifest(place))
            found.same += not files
            found.differ += [f"{name}: {', '.join(files)}"] if files else []
        else:
            try:
                store.adopt(folder)
                found.added, found.bytes = found.added + 1, found.bytes + folder_bytes(place)
            except DamagedArtefact as error:
                found.damaged.append(f"{name}: {error}")
        progress(number, len(folders), "artefacts")
    records = [one for one in other.store.records.folders() if not (store.root / one.parent.name / one.name).is_dir()]
    for one in records:
        _folders([one], store.records.root / one.parent.name)
    return found


def _unequal(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    a, b = one.get("files", {}), other.get("files", {})
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))


def _results(folder: Path, into: Path) -> dict[str, Any]:
    found = Arrivals()
    for run in all_run_folders(folder):
        if not (run / CARD).is_file():
            continue
        name = run.relative_to(folder)
        place = into / name
        if not place.is_dir():
            _copy(run, place, found)
        elif all(_hash(run / name) == _hash(place / name) for name in (RUN, METRICS)):
            found.same += 1
        else:
            found.differ.append(name.as_posix())
    return {"runs": found.as_json(), "label_sets": _label_sets(folder, into).as_json()}


def _label_sets(folder: Path, into: Path) -> Arrivals:
    """Published labels and their data cards. Two of one name are never put together here: `harness labels publish`
    adds to what is published."""
    below = folder / LABEL_SETS
    files = (file for file in sorted(below.glob("[!.]*/*.*")) if holds_label_sets(file.parent))
    return _files(files, into / LABEL_SETS, below)


def _folders(folders: Iterable[Path], into: Path) -> Arrivals:
    """Folders whose names are hashes of what they hold."""
    found = Arrivals()
    for folder in folders:
        if (into / folder.name).is_dir() or not folder.is_dir():
            found.same += folder.is_dir()
            continue
        _copy(folder, into / folder.name, found)
    return found


def _copy(folder: Path, place: Path, found: Arrivals) -> None:
    with atomic_folder(place) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        sync_tree(draft)
    found.added, found.bytes = found.added + 1, found.bytes + folder_bytes(place)


def _files(files: Iterable[Path], into: Path, below: Path | None = None) -> Arrivals:
    """Each at its place below `below`, by default its name alone."""
    found = Arrivals()
    for file in files:
        name = file.relative_to(below or file.parent)
        place = into / name
        if not file.is_file() or file.name.startswith("."):
            continue
        if place.exists():
            found.same += (equal := _hash(file) == _hash(place))
            found.differ += [] if equal else [name.as_posix()]
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
        found.added, found.bytes = found.added + 1, found.bytes + file.stat().st_size
    return found


def _hash(file: Path) -> str:
    return sha256(file) if file.is_file() else ""


def render_merge(report: dict[str, Any]) -> str:
    """What came over, for people."""
    lines: list[str] = []
    for one in report["merged"]:
        lines.append(f"{one['folder']} ({one['kind']}):")
        for name, thing in (
            ("artefacts", "artefact"),
            ("collections", "collection"),
            ("runs", "run"),
            ("label_sets", "file of labels"),
        ):
            if name in one:
                lines.append(f"  {_arrivals_text(one[name], thing)}")
                lines += [f"    {told}" for told in one[name]["named"]]
        if "ledger" in one:
            lines += _ledger_text(one["ledger"])
    return "\n".join(lines)


def _arrivals_text(one: dict[str, Any], thing: str) -> str:
    parts = [f"{counted(one['added'], thing)} added ({size_text(one['bytes'])})", f"{one['same']:,} here already"]
    parts += [f"{one['differ']:,} here with other bytes, which stay"] if one["differ"] else []
    parts += [f"{one['damaged']:,} damaged and left out"] if one["damaged"] else []
    return ", ".join(parts)


def _ledger_text(one: dict[str, Any]) -> list[str]:
    conflicts = f", {one['conflicts']:,} here with another answer, which stays" if one["conflicts"] else ""
    return [
        f"  {counted(one['added'], 'call')} and {one['misses']:,} without an answer added ({one['usd']:.2f} USD), "
        f"{one['same']:,} here already{conflicts}"
    ]
