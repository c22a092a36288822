"""``harness gc`` and ``harness merge``: what a workspace holds and what may go; workspaces of other machines."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import harness
from harness._lazy import lazy
from harness.cli.options import JsonOpt, SetOpt, WorkspaceOpt, WrittenResultsOpt, display, emit
from harness.progress import bar

if TYPE_CHECKING:
    from harness.pipeline.upkeep import collect_garbage, garbage_table, merge_folders
else:
    collect_garbage = lazy("harness.pipeline.upkeep.collect_garbage")
    garbage_table = lazy("harness.pipeline.upkeep.garbage_table")
    merge_folders = lazy("harness.pipeline.upkeep.merge_folders")


class KeepLevel(StrEnum):
    """What `harness gc` leaves."""

    results = "results"
    sweeps = "sweeps"


def gc(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Only what these sweep files made.", show_default=False),
    ] = None,
    overrides: SetOpt = None,
    keep: Annotated[
        KeepLevel,
        typer.Option(
            "--keep",
            help="results: models, embeddings and the like of finished cells go; sweeps: only what no known sweep and "
            "no result rests on.",
        ),
    ] = KeepLevel.results,
    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0, metavar="DAYS", help="Only what was made so long ago.")
    ] = None,
    labels: Annotated[
        bool,
        typer.Option("--labels", help="Labels of finished cells go, too; the ledger makes them again without a call."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is there and what would go; nothing does.")
    ] = False,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Make a workspace small. Runs, their values and traces, labels and the ledger stay; the same sweep then runs
    nothing.

    What goes is made again when a new cell needs it, and nothing else is. Costs on cards are known without it. Safe
    beside sweeps that run. The ledger never goes.
    """
    home = harness.Workspace(workspace)
    if not home.path.is_dir():
        raise harness.UserError("there is no workspace", file=workspace, remedy="name one with --workspace")
    plans = [home.plan(file, overrides or ()) for file in files or ()]
    only = frozenset(key for plan in plans for key in plan.stages) if plans else None
    choice = collect_garbage.Choice(keep.value, older_than, labels, only)
    report = collect_garbage.collect_garbage(home, choice, plans, dry_run)
    emit(report) if as_json else display(garbage_table.render_garbage(report))
    raise typer.Exit(0 if dry_run or report["removed"] else 1)


def merge(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...", help="Workspaces, and folders of results, of other machines.", show_default=False
        ),
    ],
    results: WrittenResultsOpt = Path("results"),
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Take over what other machines made: artefacts, calls, journals, published runs.

    What is here stays; the same key with other bytes is told. Calls come over one by one with what they cost; a call
    that both paid for is kept once, with the cost of both. The folders are only read, and merging again changes
    nothing.

    harness merge /mnt/gpu/workspace /mnt/gpu/results
    """
    with bar("merging") as progress:
        report = merge_folders.merge_folders(folders, harness.Workspace(workspace), results, progress)
    emit(report) if as_json else print(merge_folders.render_merge(report), file=sys.stderr)
