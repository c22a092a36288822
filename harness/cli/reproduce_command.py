"""``harness reproduce``: published runs made again, and held against what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.error_output import FAILED
from harness.cli.options import JsonOpt, PluginsOpt, SetOpt, WorkspaceOpt, display, emit, use_plugins


def reproduce(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RESULT_DIR...", help="Published result folders.", show_default=False)
    ],
    sweep_file: Annotated[
        Path | None,
        typer.Option("--sweep", metavar="FILE", help="The sweep that made them. [default: what their cards say]"),
    ] = None,
    overrides: SetOpt = None,
    count: Annotated[
        int | None, typer.Option("--random", metavar="N", min=1, help="Only N of the folders, drawn at random.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of that draw.")] = 0,
    max_cost: Annotated[
        float, typer.Option("--max-cost", metavar="USD", min=0, help="The most that labels may cost that are not here.")
    ] = 0.0,
    within: Annotated[
        float,
        typer.Option(
            "--within", metavar="X", min=0, help="Differences of means up to X are told, and no failure of the command."
        ),
    ] = 0.0,
    results: Annotated[Path, typer.Option("--results", help="Where the runs of today are written.")] = Path(
        "reproduced"
    ),
    workspace: WorkspaceOpt = Path("workspace"),
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Make published runs again, by the sweeps that their cards name, and say whether they come out the same.

    harness reproduce results/scifact/bm25-*

    harness reproduce results/scifact/* --random 10

    Only the stages behind these runs are made, in the workspace, which keeps what is there already: give a new one to
    compute everything. Same run: every query finds the same documents with the same scores. Same values: scores differ
    in their last bits, no metric of any query does. Exit code 1 where a run differs by more than --within, or cannot be
    made.
    """
    from harness.pipeline.rerun import published_cell, reproduction, reproduction_table

    use_plugins(plugin_files)
    command = published_cell.SweepCommand(sweep_file, tuple(overrides or ())) if sweep_file is not None else None
    chosen = folders if count is None else reproduction.chosen_at_random(folders, count, seed)
    with harness.Workspace(workspace) as opened:
        made = reproduction.Reproducer(opened, results, command=command, max_cost=max_cost).reproduce_each(chosen)
    emit({"results": [one.as_json() for one in made]}) if as_json else display(reproduction_table.table(made))
    raise typer.Exit(0 if all(one.is_within(within) for one in made) else FAILED)
